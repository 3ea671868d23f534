"""Documentation that can't rot: its Python runs, its links lead somewhere, its commands exist.

`python -m tools.pages FILE` runs the ```python blocks of one page in order, in one namespace, as a
reader who types them one after the other would. A block after `<!-- not executed: reason -->` is
left out.
"""

import ast
import asyncio
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = re.compile(r"<!--\s*not executed\s*:?(?P<reason>.*?)-->")
LINK = re.compile(r"\[[^\]]*\]\((?!\w+:)(?P<path>[^)#\s]*)(?:#[^)]*)?\)")
FENCED = re.compile(r"^```(?:sh|console)\n(?P<code>.*?)^```", flags=re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|\$ |`)make(?P<targets>(?: [a-z]+)+)", flags=re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One ```python block: where it starts, what it says, and why it is not run (or None)."""

    line: int
    code: str
    reason: str | None


def blocks(text: str) -> Iterator[Block]:
    """The Python blocks of a page, in order.

    Raises:
        ValueError: A block that is never closed.
    """
    lines = text.splitlines()
    number = 0
    said = ""
    while number < len(lines):
        line = lines[number].strip()
        if line.startswith("```"):
            end = next(
                (n for n in range(number + 1, len(lines)) if lines[n].strip() == "```"), None
            )
            if end is None:
                raise ValueError(f"line {number + 1}: the block is never closed")
            if line[3:].split()[:1] == ["python"]:
                indent = len(lines[number]) - len(lines[number].lstrip())
                code = "\n".join(row[indent:] for row in lines[number + 1 : end])
                mark = MARK.fullmatch(said)
                yield Block(number + 2, code, mark["reason"].strip() if mark else None)
            number, said = end, ""
        elif line:
            said = line
        number += 1


def run(page: Path) -> int:
    """Runs a page's blocks; returns how many ran. `await` may stand at top level, as in a REPL."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    count = 0
    with asyncio.Runner() as runner:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.reason is not None:
                continue
            # Leading newlines make a traceback name the page's own line.
            source = "\n" * (block.line - 1) + block.code
            code = compile(source, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            if code.co_flags & inspect.CO_COROUTINE:
                runner.run(eval(code, namespace))  # noqa: S307 - the page is our own
            else:
                exec(code, namespace)  # noqa: S102 - the page is our own
            count += 1
    return count


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def broken_links(page: Path) -> list[str]:
    """Links of a page, relative to it, that lead nowhere."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    targets = [match["path"] for match in LINK.finditer(text) if match["path"]]
    return [target for target in targets if not (page.parent / target).exists()]


def commands(text: str) -> set[str]:
    """The make targets that a page names in its shell blocks and in `make …` in running text."""
    inline = re.findall(r"`make [^`]*`", text)
    code = "\n".join([*(match["code"] for match in FENCED.finditer(text)), *inline])
    return {word for match in COMMAND.finditer(code) for word in match["targets"].split()}


if __name__ == "__main__":
    print(f"{sys.argv[1]}: {run(Path(sys.argv[1]))} blocks run")
