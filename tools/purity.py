"""The core knows no Python: pyo3 is named in `src/bindings` only, and built by its feature only.

`cargo check` and `cargo test` run without the feature elsewhere; this says what they can't see.
"""

import re
import subprocess
import sys
from pathlib import Path


def trespassers(root: Path) -> list[str]:
    """Rust files outside the bindings that name pyo3, with the line."""
    found: list[str] = []
    for path in sorted((root / "src").rglob("*.rs")):
        inside = path.relative_to(root / "src").parts[0]
        if inside in {"bindings", "bindings.rs"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if re.search(r"\bpyo3\w*", line):
                found.append(f"{path.relative_to(root)}:{number}: names pyo3 outside src/bindings")
    return found


def leaks(tree: str) -> list[str]:
    """Lines of a `cargo tree` that bring the interpreter into the plain crate."""
    return [
        f"without the feature `python`, the crate depends on {line}"
        for line in tree.splitlines()
        if line.startswith("pyo3")
    ]


def main() -> int:
    """Checks this tree; prints what is wrong."""
    root = Path(__file__).resolve().parent.parent
    tree = subprocess.run(
        ["cargo", "tree", "--edges", "normal,build", "--prefix", "none"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    problems = trespassers(root) + leaks(tree)
    print(*problems or ["purity: the core names no Python"], sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
