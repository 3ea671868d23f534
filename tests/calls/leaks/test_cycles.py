"""Cycles through what is protected are collected, and what is in none is freed without."""

import contextlib
import contextvars
import gc
import weakref

import pytest
import seawall

from tests.calls.leaks.subject import pause
from tests.kept import Node


def collected(make):
    """Makes a cycle, forgets it, and says whether it is gone after a collection."""
    node = Node()
    watch = weakref.ref(node)
    make(node)
    del node
    gc.collect()
    return watch() is None


def test_a_cycle_through_a_wrapper():
    """A function that refers to its own wrapper is collected with it."""

    def make(node):
        breaker = seawall.CircuitBreaker()
        node.call = breaker(lambda: node)
        assert node.call() is node

    assert collected(make)


def test_a_cycle_through_attributes_of_a_wrapper():
    """So is what is set on a wrapper."""

    def make(node):
        node.call = seawall.CircuitBreaker()(lambda: None)
        node.call.node = node

    assert collected(make)


@pytest.mark.parametrize("setting", ["on_event", "on", "ignore", "on_result", "open_duration"])
def test_a_cycle_through_a_policys_callables(setting):
    """A policy whose callables refer to it, or to what it protects, is collected."""

    def make(node):
        settings = {setting: lambda _: node and False, "failure_threshold": 1}
        node.breaker = seawall.CircuitBreaker(**settings)
        node.call = node.breaker(lambda: None)
        node.call()
        node.breaker.call(int)
        node.pipeline = seawall.Pipeline("one", node.breaker)
        node.pipeline.call(int)

    assert collected(make)


def test_a_cycle_that_only_the_policy_can_break():
    """A policy that listens by a method of its own is collected."""

    class Listening(seawall.CircuitBreaker):
        def hear(self, event):
            """Listens."""

    def make(node):
        breaker = Listening(failure_threshold=1)
        breaker.node = node
        breaker.reconfigure(on_event=breaker.hear)
        breaker(lambda: None)()
        breaker.call(int)

    assert collected(make)


def test_a_cycle_through_a_suspended_coroutine():
    """A suspended coroutine that its own frame refers to is collected, and settled."""
    breaker = seawall.CircuitBreaker()

    @breaker
    async def function(node):
        await pause()

    def make(node):
        node.coroutine = function(node)
        node.coroutine.send(None)

    assert collected(make)
    assert breaker.snapshot().counts["cancelled"] == 1
    assert breaker.snapshot().in_flight == 0


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_cycle_through_a_fresh_coroutine():
    """So is one that never began."""

    async def function(node):
        await pause()

    def make(node):
        node.coroutine = seawall.CircuitBreaker()(function)(node)

    assert collected(make)


def test_a_cycle_through_a_bound_method():
    """An instance that keeps its own bound protected method is collected."""

    class Service(Node):
        @seawall.CircuitBreaker()
        def method(self):
            return self

    def make(node):
        service = Service()
        service.node = node
        service.bound = service.method
        assert service.bound() is service

    assert collected(make)


def test_a_cycle_through_a_block():
    """A block that its own guard refers to, suspended or entered by hand, is collected."""

    def make(node):
        def items():
            with node.breaker:
                yield node

        node.breaker = seawall.CircuitBreaker(on_event=lambda _: node)
        node.items = items()
        next(node.items)
        node.halves = type(node.breaker).__enter__, type(node.breaker).__exit__
        node.halves[0](node.breaker)
        node.more = type(node.breaker).__enter__
        context = contextvars.copy_context()
        context.run(node.breaker.__enter__)
        node.context = context

    assert collected(make)


def test_a_cycle_through_a_generator():
    """A suspended generator, in whose frame something refers to it, is collected, and settled."""
    breaker = seawall.CircuitBreaker(failure_rate=1.0)

    def make(node):
        @breaker
        def items(node):
            yield node

        node.generator = items(node)
        next(node.generator)

    assert collected(make)
    assert breaker.snapshot().in_flight == 0
    assert breaker.snapshot().counts["success"] == 1


@pytest.mark.parametrize("where", ["between items", "in the middle of one"])
def test_a_cycle_through_an_async_generator(where):
    """A suspended async generator that its own frame refers to is collected, and settled."""
    breaker = seawall.CircuitBreaker(failure_rate=1.0)

    def make(node):
        @breaker
        async def items(node):
            yield node
            await pause()
            yield node

        node.generator = items(node)
        node.step = node.generator.__anext__()
        with contextlib.suppress(StopIteration):
            node.step.send(None)
        if where != "between items":
            node.step = node.generator.__anext__()
            node.step.send(None)

    assert collected(make)
    assert breaker.snapshot().in_flight == 0
    end = "success" if where == "between items" else "cancelled"
    assert breaker.snapshot().counts[end] == 1


def test_a_cycle_through_an_outcome():
    """An outcome that its own value refers to is collected."""

    def make(node):
        node.outcome = seawall.CircuitBreaker().try_call(lambda: node)

    assert collected(make)


def test_policies_are_freed_without_the_collector():
    """A policy that nothing refers to is freed at once, and its function with it."""
    gc.disable()
    try:
        node = Node()
        watch = weakref.ref(node)
        breaker = seawall.CircuitBreaker()
        protected = breaker(lambda node=node: node)
        protected()
        policy = weakref.ref(breaker)
        del node, breaker, protected
        assert (watch(), policy()) == (None, None)
    finally:
        gc.enable()
