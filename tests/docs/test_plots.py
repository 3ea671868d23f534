"""The pictures of docs/policies are what `make plots` draws."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools import delays

FOLDER = Path(__file__).resolve().parents[2] / "docs/policies/backoff"


@pytest.mark.parametrize("name", delays.PICTURES)
def test_the_committed_picture_is_what_is_drawn(name: str) -> None:
    """A formula that changes changes its picture: it is to be drawn again, and looked at."""
    drawn = delays.PICTURES[name]()
    assert (FOLDER / name).read_text(encoding="utf-8") == drawn
    lines = ElementTree.fromstring(drawn).iterfind(".//{*}polyline")
    assert len(list(lines)) >= len(delays.KINDS)


def test_medians_are_what_the_page_says() -> None:
    """Smooth jitter: about 0.90, 1.14, 2, 4, 8, 16 times the base."""
    backoff = delays.JITTERS['"smooth"']
    medians = [sorted(each)[len(each) // 2] for each in delays.delays(backoff, 2000)]
    assert medians[:6] == pytest.approx([0.90, 1.14, 2, 4, 8, 16], rel=0.06)
