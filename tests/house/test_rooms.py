"""The checks of the house, on trees made up here: each must see the fault it is there for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools import purity, rooms

PAGE = "# Breaker\n\n" + "\n\n".join(f"## {head}\n\ntext" for head in rooms.HEADS)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project with one complete room."""
    for name, text in {
        "src/policies/mod.rs": "pub mod breaker;",
        "src/policies/breaker/mod.rs": "//! Breaker.",
        "src/bindings/breaker.rs": "use pyo3::prelude::*;",
        "python/seawall/policies/__init__.py": "",
        "python/seawall/policies/breaker.py": "from seawall import _core",
        "tests/policies/test_breaker.py": "def test_a():\n    '''It opens in time.'''",
        "docs/policies/breaker.md": PAGE,
        "src/stores/registry.rs": 'SCHEMES = [\n    ("tape", tape::open),\n];',
        "docs/stores/README.md": "[`tape://`](tape.md)",
        "docs/stores/tape.md": "# Tape",
        "tests/stores/tape/main.rs": "conforms!();",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def files(tree: Path) -> list[Path]:
    """All files of a made-up tree."""
    return [path.relative_to(tree) for path in sorted(tree.rglob("*")) if path.is_file()]


def test_complete_tree_is_accepted(tree: Path) -> None:
    """A room that stands in every tree raises no problem."""
    assert rooms.problems(tree, files(tree)) == []


@pytest.mark.parametrize(
    "gone",
    [
        "src/bindings/breaker.rs",
        "python/seawall/policies/breaker.py",
        "tests/policies/test_breaker.py",
        "docs/policies/breaker.md",
        "docs/stores/tape.md",
        "tests/stores/tape/main.rs",
    ],
)
def test_forgotten_place_is_named(tree: Path, gone: str) -> None:
    """A tree that forgot the room is reported with the path that is missing."""
    (tree / gone).unlink()
    [problem] = rooms.problems(tree, files(tree))
    assert gone in problem


def test_a_page_that_nobody_finds(tree: Path) -> None:
    """A backend's page is led to from the one that says which store to choose."""
    (tree / "docs/stores/README.md").write_text("tape.md")
    [problem] = rooms.problems(tree, files(tree))
    assert "does not lead to docs/stores/tape.md" in problem


def test_room_that_uses_no_native_code_needs_no_binding(tree: Path) -> None:
    """A binding is asked for only where the Python side takes something from the extension."""
    (tree / "python/seawall/policies/breaker.py").write_text("x = 1")
    (tree / "src/bindings/breaker.rs").unlink()
    assert rooms.problems(tree, files(tree)) == []


def test_room_may_be_a_folder(tree: Path) -> None:
    """A package, a folder of tests and a folder of bindings serve as well as one file."""
    for file, folder in {
        "python/seawall/policies/breaker.py": "python/seawall/policies/breaker/__init__.py",
        "src/bindings/breaker.rs": "src/bindings/breaker/mod.rs",
        "tests/policies/test_breaker.py": "tests/policies/breaker/test_opening.py",
    }.items():
        (tree / folder).parent.mkdir()
        (tree / file).rename(tree / folder)
    assert rooms.problems(tree, files(tree)) == []


@pytest.mark.parametrize(
    "extra",
    ["python/seawall/policies/retry.py", "docs/policies/retry.md", "tests/policies/test_retry.py"],
)
def test_place_without_a_room_is_named(tree: Path, extra: str) -> None:
    """A file named after a policy that the core lacks is reported."""
    (tree / extra).write_text("")
    [problem] = rooms.problems(tree, files(tree))
    assert problem.startswith(extra)


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page.replace("## Misuse", "## Pitfalls"),
        lambda page: page.replace("## Events", "### Events"),
        lambda page: "## About\n" + page,
    ],
)
def test_page_with_other_heads_is_reported(tree: Path, change: Callable[[str], str]) -> None:
    """Every policy's page has the same heads in the same order."""
    (tree / "docs/policies/breaker.md").write_text(change(PAGE))
    [problem] = rooms.problems(tree, files(tree))
    assert "heads are" in problem


@pytest.mark.parametrize("name", ["utils.py", "call_helper.rs", "base/x.py", "CommonThings.md"])
def test_vague_name_is_refused(name: str) -> None:
    """A file name that hides what is inside is reported, also in the plural and in a folder."""
    [_] = rooms.vague([Path(name.replace("CommonThings", "common-things"))])


@pytest.mark.parametrize("name", ["database.py", "baseline.rs", "conftest.py"])
def test_telling_name_is_accepted(name: str) -> None:
    """Only whole words count: a name that merely contains one is fine."""
    assert list(rooms.vague([Path(name)])) == []


def test_path_of_one_machine_is_refused(tree: Path) -> None:
    """A place in somebody's home, or the checkout itself, is reported with its line."""
    for text in ("x\nsee /" + "home/ada/seawall", f"x\n{tree}/src"):
        (tree / "notes.md").write_text(text)
        [problem] = rooms.problems(tree, files(tree))
        assert problem.startswith("notes.md:2")


def test_web_address_is_no_machine_path(tree: Path) -> None:
    """A path inside an address is nobody's disk."""
    (tree / "notes.md").write_text("https://example.org/" + "home/page and benches/" + "work/x")
    assert rooms.problems(tree, files(tree)) == []


def test_test_without_a_claim_is_refused(tree: Path) -> None:
    """A test, method or async, must say in its docstring what it claims."""
    (tree / "tests/policies/test_breaker.py").write_text(
        "class TestA:\n    async def test_a(self):\n        '''Test a.'''\ndef test_b(): ..."
    )
    assert len(rooms.problems(tree, files(tree))) == 2


def test_long_file_is_noted(tree: Path) -> None:
    """A source past the length is noted, and no problem."""
    (tree / "src/policies/breaker/mod.rs").write_text("//\n" * (rooms.LOOK_AGAIN + 1))
    assert rooms.problems(tree, files(tree)) == []
    [note] = rooms.long_files(tree, files(tree))
    assert "401 lines" in note


def test_pyo3_outside_the_bindings_is_seen(tree: Path) -> None:
    """The purity gate names the file and line that let the interpreter into the core."""
    assert purity.trespassers(tree) == []
    (tree / "src/policies/breaker/mod.rs").write_text("//!\nuse pyo3_ffi::PyObject;")
    [problem] = purity.trespassers(tree)
    assert problem.startswith("src/policies/breaker/mod.rs:2")


def test_pyo3_in_the_dependency_tree_is_seen() -> None:
    """A dependency that brings pyo3 without the feature is reported."""
    assert purity.leaks("seawall v0.1.0\nlibc v0.2.0\npyo3-ffi v0.30.1") == [
        "without the feature `python`, the crate depends on pyo3-ffi v0.30.1"
    ]
