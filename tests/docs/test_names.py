"""What the pages list is what there is: no name is missing, and none is left over."""

import builtins
import re
from pathlib import Path

import pytest
import seawall

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = {
    name: value
    for module in (seawall, seawall.testing)
    for name in module.__all__
    if isinstance(value := getattr(module, name), type)
}
RAISED = [name for name, it in PUBLIC.items() if issubclass(it, BaseException)]
TOLD = [name for name, it in PUBLIC.items() if issubclass(it, seawall.Event)]
POLICIES = [
    "Backoff",
    *(name for name, it in PUBLIC.items() if issubclass(it, seawall.policies.policy.Named)),
]


def named(page: str) -> set[str]:
    """The code on a page, the code blocks left out."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", text))


@pytest.mark.parametrize("name", [*RAISED, "Problem"])
def test_every_error_is_on_its_page(name: str) -> None:
    """Each public error and warning is in the tables of the errors, with what else it is."""
    page = (ROOT / "docs/errors.md").read_text()
    assert {name, f"testing.{name}"} & named("docs/errors.md")
    if name in {"Problem", "SeawallError"}:
        return
    row = re.search(rf"^\| `(?:testing\.)?{name}` \|([^|]*)\|", page, re.MULTILINE)
    assert row is not None
    also = {"TimeoutError", "ConnectionError", "ValueError", "RuntimeError"}
    also |= {"RuntimeWarning", "UserWarning"}
    also = {base.__name__ for base in PUBLIC[name].__mro__[1:] if base.__name__ in also}
    also |= {"Rejected"} if seawall.Rejected in PUBLIC[name].__mro__[1:] else set()
    assert set(re.findall(r"`(\w+)`", row[1])) == also


@pytest.mark.parametrize("name", TOLD)
def test_every_event_is_on_its_page(name: str) -> None:
    """Each public class of events is in the table of the events."""
    assert name in named("docs/events.md")


def test_every_room_with_events_can_be_subscribed_to() -> None:
    """The kinds of each policy that tells something are known to `subscribe`."""
    rooms = {path.parent.name for path in (ROOT / "python/seawall/policies").glob("*/events.py")}
    assert rooms
    seawall.subscribe(print, kinds=rooms).cancel()


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("page", ["docs/policies/README.md"])
def test_every_policy_is_in_the_index(name: str, page: str) -> None:
    """Each class that a policy is made of has a line in their index."""
    assert name in named(page)


@pytest.mark.parametrize("page", ["docs/errors.md", "docs/events.md"])
def test_no_name_is_left_over(page: str) -> None:
    """What looks like an error, a warning or an event on these pages exists."""
    looks = re.compile(r"(?:Breaker|Budget|Retry|Timeout)[A-Z]\w+|\w+(?:Error|Warning)")
    names = {name.removeprefix("testing.") for name in named(page)}
    ours = names - set(dir(builtins))
    assert {name for name in ours if looks.fullmatch(name)} <= set(PUBLIC)


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_exists(page: str) -> None:
    """A file or folder that the pages for developers name is there, whole or as a path's end."""
    files = [
        path.relative_to(ROOT).as_posix()
        for top in ("src", "python", "tests", "benches", "docs", "tools")
        for path in (ROOT / top).rglob("*")
    ]
    paths = {
        name.rstrip("/")
        for name in named(page)
        if re.fullmatch(r"[\w./]+", name) and (name.endswith((".rs", ".py", ".md", "/")))
    }
    assert len(paths) > 5
    missing = [
        path
        for path in paths
        if not (ROOT / path).exists() and not any(file.endswith(f"/{path}") for file in files)
    ]
    assert missing == []
