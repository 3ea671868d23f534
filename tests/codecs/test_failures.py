"""Exceptions, kept and raised again."""

import sys
import traceback

import pytest
import seawall
from seawall.codecs import Failures


class Declined(Exception):
    """One with a state of its own."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Harder(Declined):
    """One that is derived from it."""


class Formatted(Exception):
    """One whose constructor takes other things than it passes on."""

    def __init__(self, order, reason):
        super().__init__(f"{order}: {reason}")


class Counting(Exception):
    """Says another thing each time it is made."""

    made = 0

    def __init__(self, *args):
        super().__init__(*args)
        type(self).made += 1
        self.number = self.made

    def __str__(self):
        return f"{self.args} {Counting.made}"


class Mute(Exception):
    """One that can't say what it is."""

    def __str__(self):
        raise LookupError


def through(error, *classes):
    """`error`, written and made again."""
    failures = Failures(classes)
    return failures.decode(*failures.encode(error))


@pytest.mark.parametrize(
    "error",
    [
        Declined(5),
        Declined({"code": (1, None)}),
        Harder("x"),
        ValueError("a", 2),
        KeyError("k"),
        FileNotFoundError(2, "No such file", "f"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        seawall.CircuitOpenError("payments", 1.5),
    ],
)
def test_errors_come_back(error):
    """Class, arguments, state, text and notes, for those that were chosen."""
    error.add_note("while paying")
    read = through(error, Declined, ValueError, LookupError, OSError, seawall.Rejected)
    assert type(read) is type(error)
    assert (read.args, str(read)) == (error.args, str(error))
    assert vars(read) == vars(error)
    assert "while paying" in "".join(traceback.format_exception_only(read))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RuntimeError("boom"), "boom"),
        (Formatted("a", "late"), "a: late"),
        (Declined(print), "<built-in function print>"),
        (Mute("x"), ""),
    ],
)
def test_what_can_not_be_made_again_is_told(error, message):
    """Not chosen, not constructible, not plain: its name, its text and its notes are left."""
    error.add_note("while paying")
    read = through(error, Declined, Formatted, OSError)
    assert isinstance(read, seawall.ReplayedError)
    assert read.type_name == f"{type(error).__module__}.{type(error).__qualname__}"
    assert read.message == message
    assert read.__notes__ == ["while paying"]
    assert read.type_name in str(read)


def test_one_that_changes_is_not_passed_off_as_the_first():
    """What is made again must say what the first one said."""
    assert isinstance(through(Counting(1), Counting), seawall.ReplayedError)


def test_one_that_is_told_again_stays_the_first():
    """An error that was replayed and is stored once more is no other one."""
    first = through(RuntimeError("boom"))
    again = through(first)
    assert again is not first
    assert (again.type_name, again.message) == ("builtins.RuntimeError", "boom")


def test_only_chosen_classes_are_made():
    """A class that is imported, but not chosen by who reads, stays a name."""
    written = Failures([Declined]).encode(Declined(5))
    read = Failures([ValueError]).decode(*written)
    assert isinstance(read, seawall.ReplayedError)
    assert read.type_name == "tests.codecs.test_failures.Declined"


def test_nothing_is_imported_for_an_error():
    """Its module is not looked for."""
    gone = type("Gone", (Declined,), {"__module__": "telnetlib_of_old"})
    written = Failures([Declined]).encode(gone("x"))
    del gone
    read = Failures([OSError]).decode(*written)
    assert isinstance(read, seawall.ReplayedError)
    assert "telnetlib_of_old" not in sys.modules


def test_long_texts_are_cut():
    """A text of megabytes does not fill the store."""
    _, data = Failures().encode(RuntimeError("x" * 10_000_000))
    assert len(data) < 10_000


def test_another_codecs_error_is_refused():
    """What can't be read is said to be so."""
    with pytest.raises(seawall.DecodeError, match="codec number 9"):
        Failures().decode(9, b"")
