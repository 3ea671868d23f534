"""The page reader itself, on pages made up here: it must see what is wrong with them."""

from pathlib import Path

import pytest

from tools import pages

TWO_BLOCKS = """
# Page

```python
x = 1
```

<!-- not executed: needs a running database -->
```python
connect(x)
```

```python
assert x == 1
```

```sh
make test check  # make this: no target
pip install thing
```
"""


def written(tmp_path: Path, text: str) -> Path:
    """A page with that text."""
    page = tmp_path / "page.md"
    page.write_text(text)
    return page


def test_blocks_are_found_in_order() -> None:
    """Python blocks come with their first line's number; the mark covers the next one only."""
    found = list(pages.blocks(TWO_BLOCKS))
    assert [(block.line, block.reason) for block in found] == [
        (5, None),
        (10, "needs a running database"),
        (14, None),
    ]


def test_mark_without_a_reason_is_seen() -> None:
    """A mark that gives no reason yields the empty reason, which the page test refuses."""
    [block] = pages.blocks("<!-- not executed -->\n```python\n1\n```\n")
    assert block.reason == ""


def test_unclosed_block_is_refused() -> None:
    """A block without an end is an error, not silently the rest of the page."""
    with pytest.raises(ValueError, match="line 2"):
        list(pages.blocks("text\n```python\nx = 1\n"))


def test_indented_block_is_dedented() -> None:
    """A block inside a list item is run without the item's indentation."""
    [block] = pages.blocks("- item\n\n  ```python\n  if True:\n      x = 1\n  ```\n")
    assert block.code == "if True:\n    x = 1"


def test_blocks_share_one_namespace(tmp_path: Path) -> None:
    """A later block sees an earlier one's names, and the marked one does not run."""
    assert pages.run(written(tmp_path, TWO_BLOCKS)) == 2


def test_top_level_await_runs(tmp_path: Path) -> None:
    """`await` at top level runs on one loop for the whole page."""
    assert pages.run(written(tmp_path, "```python\nimport asyncio\nawait asyncio.sleep(0)\n```\n"))


def test_failing_block_names_the_page_line(tmp_path: Path) -> None:
    """An exception points at the line of the page on which it happened."""
    page = written(tmp_path, "text\n\n```python\nx = 1\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        pages.run(page)
    assert caught.traceback[-1].lineno == 5 - 1  # pytest counts from zero


def test_broken_link_is_seen(tmp_path: Path) -> None:
    """A link to a missing file is reported; web addresses, anchors and code are not."""
    page = written(
        tmp_path,
        "[a](gone.md) [b](page.md#part) [c](https://example.org) [d](#here)\n"
        "```python\nf = x[0](1)\n```\n",
    )
    assert pages.broken_links(page) == ["gone.md"]


def test_commands_are_read_from_code_only() -> None:
    """Shell blocks and inline code count, prose and comments don't."""
    assert pages.commands(TWO_BLOCKS + "\nWe make sure; `make fix ARGS=x` helps.") == {
        "check",
        "fix",
        "test",
    }
