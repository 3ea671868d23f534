"""What the paths that must keep nothing go through."""

import contextlib
import types

import seawall


@types.coroutine
def pause():
    """Suspends once."""
    yield


class TroubleError(Exception):
    """A failure."""


class Steps:
    """An awaitable that is no coroutine."""

    def __init__(self, argument):
        """Keeps it."""
        self.argument = argument

    def __await__(self):
        """An iterator that never ends."""
        return iter(int, 1)


class Binds:
    """Binds in a way of its own."""

    def __call__(self, *args):
        """Gives back what it got."""
        return args

    def __get__(self, instance, owner=None):
        """A function of the instance."""
        return self if instance is None else lambda: instance


def raise_again(error):
    """A predicate that raises what it is asked about."""
    try:
        raise error
    except TroubleError:
        return False


class Subject:
    """What all paths go through."""

    def __init__(self):
        """Protects what the paths go through."""
        self.breaker = seawall.CircuitBreaker(failure_rate=1.0, window=seawall.calls(100))
        self.shut = seawall.CircuitBreaker()
        self.shut.force_open()
        others = [seawall.CircuitBreaker(failure_rate=1.0) for _ in range(6)]
        self.argument = object()
        self.result = object()
        self.error = TroubleError("one object")
        self.tall = seawall.Pipeline("tall", *others)(self.work)
        self.good = self.breaker(self.work)
        self.good_later = self.breaker(self.work_later)
        self.tall_later = seawall.Pipeline("tall", *others)(self.work_later)
        self.bad = self.breaker(self.fail)
        self.bad_later = self.breaker(self.fail_later)
        self.refused = self.shut(self.work)
        self.refused_later = self.shut(self.work_later)
        self.adopting = self.breaker(lambda argument: self.work_later(argument))
        self.adopting_steps = self.breaker(lambda argument: Steps(argument))
        self.binding = self.breaker(Binds())
        self.settable = self.breaker(lambda argument=None: argument)
        self.asking = seawall.CircuitBreaker(on=raise_again, ignore=raise_again, on_result=bool)
        self.judged = self.asking(self.fail)
        self.judged_once_more = self.asking(lambda argument: TroubleError(argument))

        timed = seawall.CircuitBreaker(slow_call_rate=1.0, slow_call_duration=60)
        self.generating = self.breaker(self.items)
        self.generating_later = self.breaker(self.items_later)
        self.timed_items = timed(self.items)
        self.timed_items_later = timed(self.items_later)
        self.refused_items = self.shut(self.items)
        self.refused_items_later = self.shut(self.items_later)
        self.tall_items = seawall.Pipeline("tall", *others)(self.items)

        self.keyed = seawall.CircuitBreaker(failure_rate=1.0, key="argument", max_keys=16)
        self.keyed_shut = seawall.CircuitBreaker(key="argument", max_keys=16)
        self.keyed_shut.force_open()
        self.keys = [object() for _ in range(40)]
        self.keyed_good = self.keyed(self.work)
        self.keyed_bad = self.keyed(self.fail)
        self.keyed_later = self.keyed(self.work_later)
        self.keyed_refused = self.keyed_shut(self.work)
        self.keyed_tall = seawall.Pipeline(
            "keys",
            *(seawall.CircuitBreaker(key=key) for key in ["argument"] * 5),
            self.keyed_shut,
            seawall.CircuitBreaker(key="argument"),
        )(self.work_later)

    def work(self, argument, *, key=None):
        """Returns."""
        return self.result

    async def work_later(self, argument):
        """Suspends and returns."""
        await pause()
        return self.result

    def fail(self, argument):
        """Raises."""
        raise TroubleError(argument)

    async def fail_later(self, argument):
        """Suspends and raises."""
        await pause()
        raise TroubleError(argument)

    def items(self, argument):
        """Yields and returns, or raises."""
        try:
            yield argument
        except LookupError:
            yield self.result
        if argument is None:
            raise TroubleError(argument)
        return self.result

    async def items_later(self, argument):
        """Waits, and yields or raises."""
        await pause()
        try:
            yield argument
        except LookupError:
            yield self.result
        if argument is None:
            raise TroubleError(argument)


def look(outcome):
    """Reads every field of an outcome, and unwraps it."""
    assert outcome.elapsed >= 0
    assert repr(outcome)
    assert outcome.ok is (outcome.error is None)
    with contextlib.suppress(TroubleError, seawall.Rejected):
        outcome.unwrap()


def run(coroutine):
    """Steps to the end."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value
