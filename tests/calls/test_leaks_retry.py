"""No path of a call that may be made again keeps anything alive: see also `test_leaks`."""

import asyncio
import contextlib
import gc
import types
import weakref

import pytest
import seawall

from tests import needs
from tests.kept import Node, nothing_is_kept, resident

ROUNDS = 300
pytestmark = pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")


@types.coroutine
def pause():
    """Suspends once."""
    yield


class TroubleError(ConnectionError):
    """A failure that is tried again."""


class Paths:
    """Every path; each method is run many times, in a running loop."""

    def __init__(self):
        """Protects what the paths go through."""
        self.argument = object()
        self.result = object()
        self.retry = seawall.Retry(backoff=0, on_result=lambda value: value is None)
        self.plain = seawall.Retry(backoff=0)
        slow = seawall.CircuitBreaker(
            failure_threshold=65_000, slow_call_rate=1.0, slow_call_duration=60
        )
        self.stack = seawall.Pipeline(
            "stack",
            slow,
            seawall.CircuitBreaker(failure_threshold=65_000),
            seawall.Retry(backoff=0, attempts=2),
            self.retry,
            seawall.CircuitBreaker(key=lambda argument, **_: argument, failure_threshold=65_000),
        )
        self.shut = seawall.CircuitBreaker()
        self.shut.force_open()
        self.wrapping = seawall.Retry(backoff=0, reraise=False)
        self.hooked = seawall.Retry(
            backoff=lambda outcome: 0,
            before_sleep=lambda event: event.error,
            after_end=lambda event: event.value,
        )
        self.refusing = seawall.Retry(nested="refuse")
        self.policies = (self.plain, self.retry, self.stack, self.wrapping, self.hooked)
        # Decorated once: a wrapper made and thrown away is `test_leaks`'s matter.
        self.generating = {policy: policy(self.items) for policy in self.policies}
        self.rejected = self.plain(self.shut(self.go))
        self.rejected_later = self.plain(self.shut(self.go_later))
        self.rejected_items = self.plain(self.shut(self.items))
        self.left = 0

    def go(self, argument, *, named=None):
        """Fails so often, and returns."""
        if self.left:
            self.left -= 1
            raise TroubleError(argument)
        return self.result

    async def go_later(self, argument, *, named=None):
        """Suspends, and does that."""
        await pause()
        return self.go(argument, named=named)

    def items(self, argument):
        """Fails so often, and gives items."""
        yield self.go(argument)
        yield argument

    def each(self, failures):
        """Sync, async, adopted and generated, through each stack of policies."""
        expected = (TroubleError, seawall.RetriesExhaustedError)
        for policy in self.policies:
            self.left = failures
            with contextlib.suppress(*expected):
                policy.call(self.go, self.argument, named=self.argument)
            self.left = failures
            with contextlib.suppress(*expected):
                run(policy.call(self.go_later, self.argument, named=self.argument))
            self.left = failures
            with contextlib.suppress(*expected):
                run(policy.call(lambda argument: self.go_later(argument), self.argument))
            self.left = failures
            with contextlib.suppress(*expected):
                list(self.generating[policy](self.argument))
            self.left = failures
            policy.try_call(self.go, self.argument)
            self.left = failures
            run(policy.try_call(self.go_later, self.argument))
        self.left = 0

    def success(self):
        """Goes well at once."""
        self.each(0)

    def recovered(self):
        """Goes well at the second attempt."""
        self.each(1)

    def gave_up(self):
        """Never goes well."""
        self.each(99)

    def refused(self):
        """Is rejected further in, or as nested."""
        with contextlib.suppress(seawall.Rejected):
            self.rejected(self.argument)
        with contextlib.suppress(seawall.Rejected):
            run(self.rejected_later(self.argument))
        with contextlib.suppress(seawall.Rejected):
            self.plain.call(lambda: self.refusing.call(self.go, self.argument))
        with contextlib.suppress(seawall.Rejected):
            list(self.rejected_items(self.argument))

    def waiting(self, policy):
        """A coroutine that waits for its second attempt."""
        self.left = 1
        call = policy.call(self.go_later, self.argument, named=self.argument)
        call.send(None)
        call.send(None)
        assert self.left == 0
        return call

    def cancelled_while_waiting(self):
        """Is thrown into between two attempts."""
        for policy in (self.plain, self.stack):
            with contextlib.suppress(asyncio.CancelledError):
                self.waiting(policy).throw(asyncio.CancelledError())
            with contextlib.suppress(KeyError):
                self.waiting(policy).throw(KeyError())

    def dropped_while_waiting(self):
        """Is closed, or let go of, between two attempts."""
        for policy in (self.plain, self.stack):
            self.waiting(policy).close()
            self.waiting(policy)

    def dropped_elsewhere(self):
        """Never begun, in the middle of an attempt, or between items."""
        for policy in (self.plain, self.stack):
            policy.call(self.go_later, self.argument).close()
            policy.call(self.go_later, self.argument).send(None)
            policy.call(lambda argument: self.go_later(argument), self.argument).close()
            next(self.generating[policy](self.argument))


PATHS = [
    "success",
    "recovered",
    "gave_up",
    "refused",
    "cancelled_while_waiting",
    "dropped_while_waiting",
    "dropped_elsewhere",
]


def run(coroutine):
    """Steps it to its end."""
    with contextlib.suppress(StopIteration):
        while True:
            coroutine.send(None)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_kept(path):
    """Counts of references, of tracked objects and of traced memory stay as they were."""
    paths = Paths()
    watched = [paths.argument, paths.result, None, TroubleError, paths.plain, paths.stack]

    async def once():
        getattr(paths, path)()

    # In a loop that runs, by which tasks wait.
    asyncio.run(nothing_is_kept(once, watched, rounds=ROUNDS, stretch=150, stretches=3))


@needs.proc
def test_resident_memory():
    """What the core keeps for a call that is made again is freed: the process does not grow."""

    async def main():
        paths = Paths()

        def everything(rounds):
            for path in PATHS:
                for _ in range(rounds):
                    getattr(paths, path)()

        everything(150)
        before = resident()
        everything(400)
        assert resident() - before < 1_000_000

    asyncio.run(main())


@pytest.mark.parametrize("where", ["in an attempt", "waiting"])
def test_a_cycle_through_a_suspended_call(where):
    """Its own arguments refer to it: it is collected, and settled."""
    retry = seawall.Retry(backoff=60)
    breaker = seawall.CircuitBreaker()

    @breaker
    @retry
    async def function(node):
        if where == "waiting":
            del node
            raise TroubleError
        await pause()

    def make():
        node = Node()
        node.call = function(node)
        node.call.send(None)
        return weakref.ref(node)

    async def main():
        gone = make()
        assert retry.snapshot().in_flight == 1
        gc.collect()
        assert gone() is None

    asyncio.run(main())
    assert retry.snapshot().in_flight == breaker.snapshot().in_flight == 0
    assert retry.snapshot().counts["passed"] == 1
    assert breaker.snapshot().counts["cancelled"] == 1


SETTINGS = ["on", "ignore", "on_result", "backoff", "before_sleep", "after_end", "on_event"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_cycle_through_a_callable(setting):
    """A retry whose callables refer to it, or to what it protects, is collected."""

    def make():
        node = Node()
        node.retry = seawall.Retry(**{setting: lambda _: node and None})
        node.call = node.retry(lambda: None)
        node.call()
        node.pipeline = seawall.Pipeline("one", node.retry)
        node.pipeline.call(int)
        return weakref.ref(node)

    gone = make()
    gc.collect()
    assert gone() is None


def test_a_cycle_through_a_generator():
    """Between two items, as its consumer left it."""
    retry = seawall.Retry()

    def make():
        @retry
        def items(node):
            yield node

        node = Node()
        node.items = items(node)
        next(node.items)
        return weakref.ref(node)

    gone = make()
    gc.collect()
    assert gone() is None
    assert retry.snapshot().in_flight == 0
