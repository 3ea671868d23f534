"""What is no answer, or one made to do harm: it asks for nothing, and costs little."""

import math
import time
from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import MagicMock, Mock

import pytest
import seawall
from hypothesis import example, given
from hypothesis import strategies as st
from seawall.clients.retry_after import retry_after

from tests.clients.answers import AnsweredError, answer, asked, never, raised_from


class PricklyError(Exception):
    """Raises when looked at."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


class Prickly(dict):
    """Raises when listed."""

    def items(self) -> Iterator[object]:
        yield "Retry-After", "7"
        raise RuntimeError


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        0,
        "Retry-After: 7",
        {"Retry-After": "7"},
        Mock(),
        MagicMock(),
        PricklyError(),
        Prickly(),
        answer(None),
        answer(7),
        answer("Retry-After"),
        answer([None, ("Retry-After",), ("Retry-After", "7", "8"), 7]),
        answer(Prickly()),
        AnsweredError(headers=Mock(), response=Mock(), trailing_metadata=Mock()),
        KeyboardInterrupt(),
        raised_from(KeyboardInterrupt()),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_strangers_ask_for_nothing(outcome: object):
    """Nothing that an outcome is or raises gets out, or is taken for a wait."""
    assert retry_after(outcome, now=never) is None


def test_a_clock_that_fails_is_the_callers():
    """Only what an outcome raises is swallowed."""
    with pytest.raises(ZeroDivisionError):
        retry_after(answer({"Retry-After": "Sun Nov  6 08:49:37 1994"}), now=lambda: 1 / 0)


@pytest.mark.parametrize(
    "headers",
    [
        [("Retry-After", "Sun, 06 Nov 1994 08:49:57 GMT, " * 8)] * 2**20,
        {"Retry-After": ["Sun Nov  6 08:49:57 1994"] * 2**20},
        [("Retry-After", "20"), *[("Retry-After", "x," * 120)] * 2**20],
    ],
    ids=["joined", "listed", "parts"],
)
def test_work_is_bounded_where_something_is_said(headers: object):
    """A flood of waits is understood in a moment, by its beginning."""
    started = time.thread_time()
    assert asked(headers) == 20.0
    assert time.thread_time() - started < 0.5


class LockedError(OSError):
    """Raises when asked for what every exception has."""

    @property
    def args(self) -> object:
        raise RuntimeError

    errno = __cause__ = args


def test_what_every_exception_has_may_raise():
    """Even the attributes of the language itself are read with care."""
    assert retry_after(LockedError(), now=never) is None
    assert not seawall.transient(LockedError())
    assert not seawall.unhealthy(LockedError())


def endless() -> Iterator[tuple[str, str]]:
    """Headers without end."""
    while True:
        yield "Retry-After", "1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "9" * 2**20},
        {"Retry-After": "1," * 2**19},
        {"Retry-After": "Sun, " * 2**18},
        {"Retry-After": " " * 2**20 + "x"},
        {"retry-after-ms": b"9" * 2**20},
        {"x" * 2**20: "1"},
        {f"x-{number}": "1" for number in range(2**17)},
        [("Retry-After", "garbage")] * 2**20,
        {"Retry-After": ["garbage"] * 2**20},
    ],
    ids=["digits", "commas", "days", "blanks", "bytes", "name", "many", "same", "values"],
)
def test_work_is_bounded(headers: object):
    """However much an answer sends, it is read in a moment; what is too long is no wait."""
    started = time.thread_time()
    assert asked(headers) is None
    assert time.thread_time() - started < 0.5


def test_headers_without_end():
    """A mapping that never ends is not read to its end."""
    assert asked(SimpleNamespace(items=endless)) == 1.0


@given(st.text() | st.binary())
@example("Sun, 06 Nov 1994 08:49:37 GMT")
@example("9999999999999999")
def test_any_text(text: str | bytes):
    """Whatever a header says, the answer is None or a wait that can be slept."""
    for name in ("Retry-After", "retry-after-ms", "x-amz-retry-after"):
        wait = asked({name: text})
        assert wait is None or (0 <= wait < math.inf)
    assert asked({"grpc-retry-pushback-ms": text}) >= 0
    assert asked({"Retry-After": "Sun Nov  6 08:49:37 1994", "Date": text, "Age": text}) >= 0
