"""No tree forgets a room: each policy and each backend of stores is found by its word everywhere.

The table of rooms is the folder `src/policies` itself; nothing is listed twice. `problems` are
refused by `make check`; `notes` are only printed.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

HEADS = ["About", "Usage", "Defaults", "Events", "Misuse"]
VAGUE = {"base", "common", "helper", "manager", "util"}
# What stands beside the rooms in a tree of rooms.
BESIDE = {"README", "conftest", "declared", "forks", "policy"}
LOOK_AGAIN = 400
OWN_PATH = re.compile(r"(?<![\w./:-])/(?:home|mnt|root|Users|work|workspace)/[\w.-]")
TEXT = {".md", ".py", ".pyi", ".rs", ".sh", ".toml", ".txt", ".yaml", ".yml"}


def rooms(root: Path) -> list[str]:
    """The policies, by the word that names each."""
    return sorted(path.stem for path in (root / "src/policies").glob("*") if path.name != "mod.rs")


def missing(root: Path) -> Iterator[str]:
    """Trees that a room has no place in."""
    for room in rooms(root):
        face = room_file(root / "python/seawall/policies", room)
        if face is None:
            yield f"{room}: no python/seawall/policies/{room}.py"
        elif imports_core(face) and not any(
            (root / "src/bindings" / name).exists() for name in (f"{room}.rs", room)
        ):
            yield f"{room}: uses seawall._core, but there is no src/bindings/{room}.rs"
        tests = root / "tests/policies"
        if not (tests / f"test_{room}.py").exists() and not any((tests / room).glob("test_*.py")):
            yield f"{room}: no tests/policies/test_{room}.py"
        page = root / f"docs/policies/{room}.md"
        if not page.exists():
            yield f"{room}: no docs/policies/{room}.md"
        elif (heads := headings(page)) != HEADS:
            yield f"{page.relative_to(root)}: heads are {heads}, not {HEADS}"


def backends(root: Path) -> Iterator[str]:
    """Trees that a storage backend has no place in. They are listed where schemes are."""
    registry = root / "src/stores/registry.rs"
    text = registry.read_text(encoding="utf-8") if registry.exists() else ""
    lines = r'^    \("\w+", (?:super::)?(\w+)::open\),$'
    for name in sorted(set(re.findall(lines, text, flags=re.MULTILINE))):
        page, index = root / f"docs/stores/{name}.md", root / "docs/stores/README.md"
        if not page.exists():
            yield f"{name}: no docs/stores/{name}.md"
        elif f"]({name}.md)" not in index.read_text(encoding="utf-8"):
            yield f"{name}: docs/stores/README.md does not lead to docs/stores/{name}.md"
        tests = root / "tests/stores"
        if not (tests / f"{name}.rs").exists() and not (tests / name / "main.rs").exists():
            yield f"{name}: no tests/stores/{name}/main.rs"


def orphans(root: Path) -> Iterator[str]:
    """Places named after a room that the core does not have."""
    known = set(rooms(root))
    for tree in ("python/seawall/policies", "docs/policies", "tests/policies"):
        for path in sorted((root / tree).glob("*")):
            word = path.stem.removeprefix("test_")
            if word.startswith(("_", ".")) or word in BESIDE:
                continue
            if word not in known:
                yield f"{path.relative_to(root)}: src/policies has no room {word!r}"


def room_file(tree: Path, room: str) -> Path | None:
    """The module or the package of a room."""
    for path in (tree / f"{room}.py", tree / room / "__init__.py"):
        if path.exists():
            return path
    return None


def imports_core(module: Path) -> bool:
    """Whether a module, or one beside it in its package, takes something from the extension."""
    files = module.parent.glob("*.py") if module.name == "__init__.py" else [module]
    return any("_core" in path.read_text(encoding="utf-8") for path in files)


def headings(page: Path) -> list[str]:
    """The second-level headings of a page, code blocks left out."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return re.findall(r"^## (.+?)\s*$", text, flags=re.MULTILINE)


def vague(files: Iterable[Path]) -> Iterator[str]:
    """Files whose name says that something is in there, but not what."""
    for path in files:
        for word in re.split(r"[^a-z]+", path.as_posix().lower()):
            if word in VAGUE or word.removesuffix("s") in VAGUE:
                yield f"{path}: {word!r} says nothing of what is inside"


def own_paths(root: Path, files: Iterable[Path]) -> Iterator[str]:
    """Lines that name a place on somebody's machine."""
    for path in files:
        if path.suffix not in TEXT and path.name != "Makefile":
            continue
        for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1):
            if OWN_PATH.search(line) or str(root) in line:
                yield f"{path}:{number}: names a path of one machine"


def claimless(root: Path, files: Iterable[Path]) -> Iterator[str]:
    """Tests whose docstring states no claim; that there is one at all, ruff sees to."""
    for path in files:
        if path.parts[0] != "tests" or not path.name.startswith("test_") or path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
                "test_"
            ):
                claim = ast.get_docstring(node) or ""
                if len(claim.split()) < 3:
                    yield f"{path}:{node.lineno}: {node.name} states no claim"


def long_files(root: Path, files: Iterable[Path]) -> Iterator[str]:
    """Sources that have grown past the length where two might read better."""
    for path in files:
        if path.suffix in {".py", ".rs", ".sh"}:
            lines = len((root / path).read_text(encoding="utf-8").splitlines())
            if lines > LOOK_AGAIN:
                yield f"{path}: {lines} lines; would two files read better?"


def tracked(root: Path) -> list[Path]:
    """The project's files, as git lists them: what is ignored is not ours to judge."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted(Path(name) for name in set(listed.split("\0")) if name and (root / name).exists())


def problems(root: Path, files: list[Path]) -> list[str]:
    """Everything about a tree that is refused."""
    return [
        *missing(root),
        *backends(root),
        *orphans(root),
        *vague(files),
        *own_paths(root, files),
        *claimless(root, files),
    ]


def main() -> int:
    """Checks this tree; prints what is wrong, and what is worth a look."""
    root = Path(__file__).resolve().parent.parent
    files = tracked(root)
    found = problems(root, files)
    for note in long_files(root, files):
        print(f"note: {note}")
    print(*found or [f"rooms: {', '.join(rooms(root))} are complete"], sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
