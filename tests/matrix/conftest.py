"""The matrix is run from the root, and its child processes must find the toys."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both this process and those it starts can import `benches` and `toys`."""
    monkeypatch.syspath_prepend(str(_ROOT))
    monkeypatch.syspath_prepend(str(_HERE))
    monkeypatch.setenv("PYTHONPATH", str(_HERE))
