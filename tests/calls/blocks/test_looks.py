"""A guard is a context manager by its type, and still what it was."""

import contextlib
import inspect
import pydoc
from unittest import mock

import pytest
import seawall

from tests.calls.blocks.ways import TroubleError, fail


def test_it_is_a_context_manager_by_type(way, guard):
    """The abstract classes recognise a guard."""
    assert isinstance(guard, way.manager)


def test_a_guard_is_still_a_decorator(patient, tally):
    """Being a context manager takes nothing from decorating."""
    assert patient(lambda: 1)() == 1
    assert tally(patient) == {"success": 1}


def test_a_subclass_may_add_to_both(way, tally, finish):
    """Halves that a subclass overrides and calls through `super()` work."""
    steps = []

    class Telling(seawall.CircuitBreaker):
        def __enter__(self):
            steps.append("enter")
            return super().__enter__()

        def __exit__(self, *told):
            steps.append("exit")
            return super().__exit__(*told)

        async def __aenter__(self):
            steps.append("enter")
            return await super().__aenter__()

        async def __aexit__(self, *told):
            steps.append("exit")
            return await super().__aexit__(*told)

    breaker = Telling("telling")
    assert finish(way.inside(breaker, lambda value: value)) is breaker
    with pytest.raises(TroubleError):
        finish(way.inside(breaker, fail))

    async def main():
        stack = way.stack()
        await way.enter(stack, breaker)
        await way.close(stack)

    finish(main())
    assert steps == ["enter", "exit"] * 3
    assert tally(breaker) == {"success": 2, "failure": 1}


def attributes(guard):
    """All attributes that it has."""
    found = []
    for name in dir(guard):
        # One may say that it is not there for a guard of this sort.
        with contextlib.suppress(TypeError):
            found.append(getattr(guard, name))
    return found


def test_looking_at_it_changes_nothing(way, guard, patient, tally, finish):
    """Halves that are fetched and not used don't disturb the next block."""
    enter, leave = way.halves

    def use():
        finish(way.inside(guard, lambda _: tally(patient)))

    looks = [
        lambda: hasattr(guard, enter),
        lambda: hasattr(guard, leave),
        lambda: getattr(guard, enter),
        lambda: getattr(guard, leave),
        lambda: (getattr(guard, enter), getattr(guard, leave)),
        lambda: (getattr(guard, leave), getattr(guard, enter)),
        lambda: getattr(type(guard), enter),
        lambda: getattr(type(guard), leave),
        lambda: attributes(guard),
        lambda: mock.create_autospec(type(guard), instance=True),
        lambda: mock.MagicMock(spec=guard),
        lambda: pydoc.render_doc(type(guard)),
        lambda: inspect.getmembers(guard),
        lambda: inspect.getmembers_static(guard),
        lambda: repr(getattr(guard, enter)),
    ]
    for look in looks:
        seen = look()
        use()
        del seen
        use()
    kept = [look() for look in looks]
    use()
    assert kept
    assert tally(patient) == {"success": 2 * len(looks) + 1}
