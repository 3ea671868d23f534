"""The README and every page of docs/: their Python runs, links lead somewhere, commands exist."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import pages

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
]
EXAMPLES = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "examples").glob("*.py"))]


def python(*arguments: str) -> str:
    """What a fresh interpreter prints at the root, warnings being errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_run(page: str) -> None:
    """A reader who types a page's Python, block after block, sees no error."""
    if any(block.reason is None for block in pages.blocks((ROOT / page).read_text())):
        python("-m", "tools.pages", page)


def test_the_readme_shows_what_its_code_prints() -> None:
    """What the first screen says will happen is what happens."""
    shown = (ROOT / "README.md").read_text().split("```text\n")[1].split("```")[0]
    assert shown in python("-m", "tools.pages", "README.md")


def test_the_readme_shows_what_its_example_prints() -> None:
    """What the README says of the killed payment is what the example prints."""
    shown = (ROOT / "README.md").read_text().split("```text\n")[2].split("```")[0]
    assert shown == python("examples/payment.py")


@pytest.mark.parametrize("page", PAGES)
def test_every_block_left_out_says_why(page: str) -> None:
    """A block that is not executed is marked with a reason a stranger can judge."""
    for block in pages.blocks((ROOT / page).read_text()):
        assert block.reason is None or len(block.reason.split()) >= 2, f"{page}:{block.line}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each relative link of a page names a file that exists."""
    assert pages.broken_links(ROOT / page) == []


@pytest.mark.parametrize("page", PAGES)
def test_documented_commands_are_targets(page: str) -> None:
    """Each `make …` that a page names is a target of the Makefile."""
    rules = (ROOT / "Makefile").read_text().splitlines()
    targets = {rule.split(":")[0] for rule in rules if ":" in rule and rule[:1].isalpha()}
    assert pages.commands((ROOT / page).read_text()) <= targets


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(example: str) -> None:
    """Each example runs to its end by itself."""
    python(example)


def test_every_page_can_be_found() -> None:
    """From the index of docs/, links lead to each of its pages."""
    docs = ROOT / "docs"
    found, unread = set(), [docs / "README.md"]
    while unread:
        page = unread.pop()
        if page in found:
            continue
        found.add(page)
        links = [
            (page.parent / link["path"]).resolve() for link in pages.LINK.finditer(page.read_text())
        ]
        unread += [to for to in links if to.suffix == ".md" and to.is_relative_to(docs)]
    written = set(docs.rglob("*.md"))
    assert written <= found


def test_the_index_names_its_neighbours() -> None:
    """The pages beside the index, and those of the policies, are one link away from it."""
    docs = ROOT / "docs"
    index = {
        (docs / link["path"]).resolve()
        for link in pages.LINK.finditer((docs / "README.md").read_text())
    }
    assert {*docs.glob("*.md"), *docs.glob("policies/*.md")} - {docs / "README.md"} <= index
