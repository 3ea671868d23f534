"""What can be said of an operation, and what is wrong with it."""

from datetime import timedelta

import pytest
import seawall
from seawall.idempotency import idempotency_key, idempotent

from tests.idempotency import test_functions


def test_everything_that_is_wrong_is_named_at_once(memory):
    """One error says all that is wrong with the settings."""
    with pytest.raises(seawall.ConfigError) as caught:
        idempotent(
            store="memory://",
            name="x" * 300,
            key="order",
            ttl=-1,
            lease="long",
            attempts=0,
            on_conflict="waiting",
            on_lost="lost",
            on_error="keep",
            on_store_error="go",
            wait=-1,
            safe_errors="all",
            store_errors=KeyboardInterrupt,
            fingerprint=5,
            max_result=10**9,
            on_event=5,
        )
    named = {problem.field for problem in caught.value.problems}
    assert named >= {
        "store",
        "name",
        "key",
        "ttl",
        "lease",
        "attempts",
        "on_conflict",
        "on_lost",
        "on_error",
        "on_store_error",
        "wait",
        "safe_errors",
        "store_errors",
        "fingerprint",
        "max_result",
        "on_event",
    }


def test_an_empty_name_is_refused(memory):
    """An empty name is none; it does not pass for the function's own."""
    with pytest.raises(seawall.ConfigError, match="name='' must not be empty"):
        idempotent(store=memory, name="")


def test_a_block_names_everything_too(memory):
    """So does that of a block."""
    with pytest.raises(seawall.ConfigError) as caught:
        idempotency_key("k", store=memory, ttl=0, wait="x")
    assert {problem.field for problem in caught.value.problems} == {"ttl", "wait"}


@pytest.mark.parametrize("how", [{"on_lost": "takeover"}, {"on_error": "store"}])
def test_at_most_once_contradicts_less(memory, how):
    """Both of what it sets can be said beside it only if it is the same."""
    with pytest.raises(seawall.ConfigError, match="contradicts at_most_once"):
        idempotent(store=memory, name="x", at_most_once=True, **how)
    idempotent(store=memory, name="x", at_most_once=True, on_lost="quarantine")


def test_times_are_seconds_or_timedeltas(memory):
    """The settings in force are seconds."""
    made = idempotent(
        store=memory,
        ttl=timedelta(hours=1),
        lease=timedelta(seconds=6),
        max_lease=60,
        wait=timedelta(seconds=2),
    )(test_functions.plain)
    settings = made.idempotency.snapshot().settings
    assert (settings.ttl, settings.lease, settings.max_lease, settings.wait) == (3600, 6, 60, 2)


def test_defaults(memory):
    """The defaults are those that the page lists."""
    settings = idempotent(store=memory)(test_functions.plain).idempotency.settings
    assert (settings.ttl, settings.lease, settings.max_lease, settings.wait) == (
        86_400,
        30,
        900,
        10,
    )
    assert (settings.attempts, settings.max_result) == (3, 262_144)
    assert (settings.on_lost, settings.on_error) == ("takeover", "release")
    assert (settings.on_conflict, settings.on_store_error) == ("wait", "raise")


@pytest.mark.parametrize("what", ["lambda", "inner", "main", "object"])
def test_unstable_names_are_refused(memory, what):
    """A name that is another in the next process, or not its own, has to be given."""

    def inner():
        pass

    def main():
        pass

    main.__module__, main.__qualname__ = "__main__", "main"

    class Object:
        def __call__(self):
            pass

    function = {"lambda": lambda: None, "inner": inner, "main": main, "object": Object()}[what]
    with pytest.raises(seawall.ConfigError, match="name=None is needed"):
        idempotent(store=memory)(function)
    idempotent(store=memory, name="given")(function)


@pytest.mark.parametrize("what", ["generator", "async generator", "class", "nothing", "protected"])
def test_what_has_no_result_is_refused(memory, what):
    """Generators give items; a class gives objects; both are refused when decorated."""

    def generator():
        yield 1

    async def items():
        yield 1

    things = {
        "generator": generator,
        "async generator": items,
        "class": dict,
        "nothing": 5,
        "protected": seawall.retry(generator),
    }
    with pytest.raises(seawall.ConfigError, match="function="):
        idempotent(store=memory, name="refused")(things[what])
