"""No path of a call keeps anything alive: neither objects, nor references, nor memory."""

import asyncio
import contextlib
import contextvars
import gc
import itertools
import sys
import tracemalloc
import types
import weakref

import pytest
import seawall

ROUNDS = 20_000


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


class Paths:
    """Every path of a call; each method is run many times."""

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

    def generated(self):
        """Generators: to the end, sent to, thrown into, failing."""
        for function in (self.generating, self.timed_items, self.tall_items):
            list(function(self.argument))
            generator = function(self.argument)
            next(generator)
            with contextlib.suppress(StopIteration):
                generator.send(self.argument)
            generator = function(self.argument)
            next(generator)
            generator.throw(LookupError())
            with contextlib.suppress(TroubleError):
                generator.throw(TroubleError())
            with contextlib.suppress(TroubleError):
                list(function(None))
        self.breaker.reset()

    def generated_and_left(self):
        """Generators: closed, dropped, never begun, refused, stepped wrongly."""
        for function in (self.generating, self.timed_items):
            generator = function(self.argument)
            with contextlib.suppress(TypeError):
                generator.send(7)
            with contextlib.suppress(TypeError):
                generator.throw(7)
            next(generator)
            with contextlib.suppress(TypeError):
                generator.throw(7)
            generator.close()
            for _ in function(self.argument):
                break
            function(self.argument)
            function(self.argument).close()
        with contextlib.suppress(seawall.Rejected):
            next(self.refused_items(self.argument))
        with contextlib.suppress(seawall.ConfigError):
            self.breaker.try_call(self.items)

    def generated_later(self):
        """Async generators: to the end, sent to, thrown into, failing."""
        for function in (self.generating_later, self.timed_items_later):
            run(exhaust(function(self.argument)))
            run(treat(function(self.argument), self.argument))
            with contextlib.suppress(TroubleError):
                run(exhaust(function(None)))
        self.breaker.reset()

    def generated_later_and_left(self):
        """Async generators: closed, dropped, never begun, refused, given up in the middle."""
        for function in (self.generating_later, self.timed_items_later):
            run(leave(function(self.argument)))
            generator = function(self.argument)
            step = generator.__anext__()
            step.send(None)
            with contextlib.suppress(RuntimeError):
                generator.__anext__().send(None)
            step.close()
            function(self.argument).__anext__().send(None)
            step = function(self.argument).__anext__()
            step.send(None)
            with contextlib.suppress(asyncio.CancelledError):
                step.throw(asyncio.CancelledError())
            function(self.argument)
            run(function(self.argument).aclose().__await__())
        with contextlib.suppress(seawall.Rejected):
            run(exhaust(self.refused_items_later(self.argument)))

    def success(self):
        """Returns, positional and keyword arguments."""
        self.good(self.argument, key=self.argument)

    def keys_that_come_and_go(self):
        """States are made for keys, and forgotten again."""
        for key in self.keys:
            self.keyed_good(key)
        with contextlib.suppress(TroubleError):
            self.keyed_bad(self.argument)
        self.keyed.reset(key=self.argument)

    def keyed_and_refused(self):
        """One key's circuit refuses, as an exception and as an outcome; so does one in a row."""
        with contextlib.suppress(seawall.CircuitOpenError):
            self.keyed_refused(self.argument)
        self.keyed_shut.block(key=self.argument).try_call(int)
        with contextlib.suppress(seawall.CircuitOpenError):
            run(self.keyed_tall(self.argument))

    def keyed_and_later(self):
        """A key's coroutine: awaited, closed in the middle, never awaited."""
        run(self.keyed_later(self.argument))
        begun = self.keyed_later(self.argument)
        begun.send(None)
        begun.close()
        self.keyed_later(self.argument).close()

    def keyed_and_unfit(self):
        """A key that can't be one."""
        for key in ([], {}):
            with contextlib.suppress(TypeError):
                self.keyed_good(key)
            with contextlib.suppress(TypeError):
                self.keyed_tall(key)

    def success_through_six(self):
        """Passes more policies than a coroutine keeps in place."""
        self.tall(self.argument)
        run(self.tall_later(self.argument))

    def failure(self):
        """Raises."""
        try:
            self.bad(self.argument)
        except TroubleError:
            self.breaker.reset()

    def rejection(self):
        """Is refused."""
        with contextlib.suppress(seawall.Rejected):
            self.refused(self.argument)

    def later(self):
        """Awaits."""
        run(self.good_later(self.argument))

    def later_by_next(self):
        """Steps by hand."""
        steps = self.good_later(self.argument).__await__()
        next(steps)
        with contextlib.suppress(StopIteration):
            next(steps)

    def later_failure(self):
        """Awaits and raises."""
        try:
            run(self.bad_later(self.argument))
        except TroubleError:
            self.breaker.reset()

    def later_rejection(self):
        """Awaits and is refused."""
        with contextlib.suppress(seawall.Rejected):
            run(self.refused_later(self.argument))

    def cancelled(self):
        """Is cancelled while suspended."""
        coroutine = self.good_later(self.argument)
        coroutine.send(None)
        with contextlib.suppress(asyncio.CancelledError):
            coroutine.throw(asyncio.CancelledError())

    def closed(self):
        """Is closed while suspended, and before it began."""
        for steps in range(2):
            coroutine = self.good_later(self.argument)
            if steps:
                coroutine.send(None)
            coroutine.close()

    def dropped(self):
        """Is dropped while suspended."""
        self.good_later(self.argument).send(None)

    def adopted(self):
        """Finishes, is closed and is dropped as an adopted awaitable."""
        run(self.adopting(self.argument))
        self.adopting(self.argument).send(None)
        self.adopting(self.argument).close()

    def decorated_and_thrown_away(self):
        """Decorates, calls once, forgets."""
        self.breaker(lambda: self.result)()

    def refused_to_decorate(self):
        """Is refused at decoration."""
        with contextlib.suppress(seawall.ConfigError):
            self.breaker(7)

    def once(self):
        """`call`, both kinds."""
        self.breaker.call(self.work, self.argument, key=self.argument)
        run(self.breaker.call(self.work_later, self.argument))

    def captured(self):
        """`try_call` with each end, both kinds, everything looked at."""
        for breaker in (self.breaker, self.shut):
            for function in (self.work, self.fail):
                look(breaker.try_call(function, self.argument))
            for function in (self.work_later, self.fail_later):
                look(run(breaker.try_call(function, self.argument)))
        self.breaker.reset()

    def bound(self):
        """Binds methods and forgets them."""
        self.good.__get__(self, Paths)

    def bound_as_it_says(self):
        """Binds what has a `__get__` of its own, and calls that."""
        self.binding.__get__(self.argument, object)()
        self.binding.__get__(None, object)

    def asked(self):
        """Fails with one error, which predicates raise again, returned and raised."""
        for function in (self.judged, self.judged_once_more):
            with contextlib.suppress(TroubleError):
                function(self.argument)
        self.asking.reset()

    def attributes(self):
        """Sets what goes to the function, and what is refused."""
        self.settable.__defaults__ = (self.argument,)
        self.settable.__defaults__ = None
        self.settable.__code__ = self.settable.__code__
        with contextlib.suppress(TypeError):
            self.settable.__code__ = Paths.work_later.__code__

    def adopted_and_looked_at(self):
        """Asks an adopted awaitable what is asked of a coroutine."""
        adopted = self.adopting_steps(self.argument)
        for name in ("cr_running", "cr_suspended", "cr_frame", "cr_await", "cr_code", "__name__"):
            getattr(adopted, name)
        adopted.close()

    def outcome_awaited(self):
        """Awaits outcomes, to the end and not."""
        outcome = self.shut.try_call(self.work, self.argument)
        assert run(outcome.__await__()) is outcome
        outcome.__await__()
        outcome.__await__().close()
        with contextlib.suppress(TroubleError):
            outcome.__await__().throw(self.error)
        self.error.__traceback__ = None
        assert self.breaker.call(lambda: outcome) is outcome

    def block(self):
        """Is a block, left well, by an exception and by nothing."""
        with self.breaker, self.breaker:
            pass
        with contextlib.suppress(TroubleError), self.breaker:
            raise TroubleError(self.argument)
        run(self.blocks_later())
        self.breaker.reset()

    async def blocks_later(self):
        """Asynchronous blocks."""
        async with self.breaker:
            pass
        with contextlib.suppress(TroubleError):
            async with self.breaker:
                raise TroubleError(self.argument)
        with contextlib.suppress(seawall.Rejected):
            async with self.shut:
                pass

    def block_refused(self):
        """Is a block that is refused."""
        with contextlib.suppress(seawall.Rejected), self.shut:
            pass

    def block_by_a_stack(self):
        """Is entered by a stack, the same guard twice, and by one that is refused."""
        with contextlib.ExitStack() as stack, contextlib.suppress(seawall.Rejected):
            stack.enter_context(self.breaker)
            stack.enter_context(self.breaker)
            stack.enter_context(self.shut)

    def block_dropped(self):
        """Is thrown away in a block, and with both of its halves."""

        def items():
            with self.breaker:
                yield

        next(items())
        enter, leave = type(self.breaker).__enter__, type(self.breaker).__exit__
        enter(self.breaker)
        del enter, leave

    def block_by_hand(self):
        """Enters and exits by hand, also what is not entered, and what is refused."""
        told = (None, None, None)
        for guard in (self.breaker, self.shut):
            with contextlib.suppress(seawall.Rejected):
                guard.__enter__()
        guard = self.breaker
        guard.__exit__(TroubleError, self.error, None)
        guard.__enter__()
        guard.__exit__(TroubleError, None, None)
        for wrong in (guard.__exit__, type(guard).__exit__, guard.__enter__):
            with contextlib.suppress(RuntimeError, TypeError):
                wrong(*told)
        run(guard.__aenter__().__await__())
        run(guard.__aexit__(*told).__await__())
        guard.__aenter__()
        awaited = guard.__aenter__()
        with contextlib.suppress(TroubleError):
            awaited.throw(self.error)
        guard.__aenter__().close()
        with contextlib.suppress(RuntimeError):
            run(awaited)
        self.error.__traceback__ = None
        guard.reset()

    def block_looked_at(self):
        """Asks for the halves and uses none."""
        for name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
            assert hasattr(self.breaker, name)
            assert hasattr(type(self.breaker), name)


def look(outcome):
    """Reads every field of an outcome, and unwraps it."""
    assert outcome.elapsed >= 0
    assert repr(outcome)
    assert outcome.ok is (outcome.error is None)
    with contextlib.suppress(TroubleError, seawall.Rejected):
        outcome.unwrap()


async def exhaust(generator):
    """Takes all items."""
    async for _ in generator:
        pass


async def leave(generator):
    """Takes an item and closes."""
    async with contextlib.aclosing(generator):
        async for _ in generator:
            break


async def treat(generator, argument):
    """Sends and throws."""
    await generator.__anext__()
    await generator.athrow(LookupError())
    with contextlib.suppress(StopAsyncIteration):
        await generator.asend(argument)
    with contextlib.suppress(RuntimeError, TroubleError):
        await generator.athrow(TroubleError)


def run(coroutine):
    """Steps to the end."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


NO_PATHS = {"__init__", "work", "work_later", "fail", "fail_later", "blocks_later"}
NO_PATHS |= {"items", "items_later"}
PATHS = [
    name
    for name, value in vars(Paths).items()
    if callable(value) and value.__doc__ and name not in NO_PATHS
]
SLOW = {
    "decorated_and_thrown_away",
    "refused_to_decorate",
    "captured",
    "bound_as_it_says",
    "asked",
    "attributes",
    "block",
    "block_by_a_stack",
    "block_by_hand",
    "block_dropped",
    "generated",
    "generated_and_left",
    "generated_later",
    "generated_later_and_left",
}


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_kept(path):
    """Counts of references, of tracked objects and of traced memory stay as they were."""
    paths = Paths()
    go = getattr(paths, path)
    rounds = ROUNDS // 10 if path in SLOW else ROUNDS
    watched = [
        paths.argument,
        paths.result,
        paths.breaker,
        paths.shut,
        paths.error,
        None,
        TroubleError,
    ]

    def measure():
        gc.collect()
        counts = [sys.getrefcount(one) for one in watched]
        return counts, len(gc.get_objects())

    for _ in range(200):
        go()
    before, objects = measure()
    for _ in range(rounds):
        go()
    after, objects_after = measure()
    grown = [late - early for early, late in zip(before, after, strict=True)]
    assert max(grown) < 20, grown
    assert objects_after - objects < 20
    tracemalloc.start()
    try:
        for _ in range(100):
            go()
        traced = []
        for _ in range(3):
            gc.collect()
            traced.append(tracemalloc.get_traced_memory()[0])
            for _ in range(1000):
                go()
    finally:
        tracemalloc.stop()
    # What leaks does so in every stretch; a table that doubles does so in one.
    assert min(late - early for early, late in itertools.pairwise(traced)) < 4000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_resident_memory():
    """The process itself does not grow over all paths."""

    def resident():
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123
            return int(pages.read().split()[1]) * 4096

    paths = Paths()

    def everything(rounds):
        for path in PATHS:
            go = getattr(paths, path)
            for _ in range(rounds // (10 if path in SLOW else 1)):
                go()

    everything(5_000)
    before = resident()
    everything(10_000)
    assert resident() - before < 1_000_000


class Node:
    """Something that can be in a cycle and be watched."""


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
