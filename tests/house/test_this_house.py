"""The checks of the house, on the house itself."""

import re
import tomllib
from pathlib import Path

import pytest

from tools import rooms

ROOT = Path(__file__).resolve().parents[2]


def test_no_tree_forgot_a_room() -> None:
    """Every policy is found by its one word in every tree, and every file tells what it holds."""
    assert rooms.problems(ROOT, rooms.tracked(ROOT)) == []


def test_rules_switched_off_say_why() -> None:
    """Each linter rule that pyproject.toml ignores has its reason on the same line."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    ignored = {
        *lint["ignore"],
        *(rule for some in lint["per-file-ignores"].values() for rule in some),
    }
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for rule in ignored:
        stated = [line for line in lines if re.match(rf'\s+"{rule}",', line) and "# " in line]
        assert stated, f"{rule} is ignored without a reason"


@pytest.mark.parametrize("entry", (ROOT / "tests/typing/stubtest.txt").read_text().splitlines())
def test_stub_exceptions_say_why(entry: str) -> None:
    """Each name that stubtest lets pass has its reason on the same line."""
    name, _, reason = entry.partition("#")
    assert not name.strip() or len(reason.split()) >= 3


def test_version_is_said_once() -> None:
    """The wheel takes its version from the crate; pyproject.toml states none of its own."""
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]
