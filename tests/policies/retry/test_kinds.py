"""What can be retried: each kind of function keeps being what it is."""

import asyncio
import functools
import gc
import inspect
import weakref

import pytest
import seawall

from tests.policies.retry.service import counts


class Shop:
    """Methods of each kind, each of which goes well at its third attempt."""

    made = 0
    retry = seawall.Retry("shop", backoff=1)

    def __init__(self, prefix):
        """Says something before each answer."""
        self.prefix = prefix

    @classmethod
    def attempt(cls):
        """One more, of which every third goes well."""
        cls.made += 1
        if cls.made % 3:
            raise ConnectionError(cls.made)
        return cls.made

    @retry
    def method(self, value, *, more=""):
        """A method."""
        return f"{self.prefix} {value}{more} {self.attempt()}"

    @retry
    async def later(self, value):
        """An async one."""
        await asyncio.sleep(0)
        return f"{self.prefix} {value} {self.attempt()}"

    @classmethod
    @retry
    def of_class(cls, value):
        """A class method."""
        return f"{cls.__name__} {value} {cls.attempt()}"

    @staticmethod
    @retry
    def static(value):
        """A static method."""
        return f"{value} {Shop.attempt()}"

    @retry
    def __call__(self, value):
        """An object that can be called."""
        return f"{value} {self.attempt()}"


def test_methods_of_each_kind(monkeypatch):
    """They bind as ever, and each attempt has the same `self`."""
    monkeypatch.setattr(Shop, "made", 0)
    shop = Shop("a")
    assert shop.method("b", more="c") == "a bc 3"
    assert Shop.method(shop, "b") == "a b 6"
    assert asyncio.run(shop.later("b")) == "a b 9"
    assert Shop.of_class("b") == "Shop b 12"
    assert shop.static("b") == "b 15"
    assert shop("b") == "b 18"


def test_they_keep_what_they_are(kind):
    """Name, signature, and what `inspect` says."""

    def body(order: int, *, note: str = "") -> str:
        return note * order

    function = functools.wraps(body)(kind.function(body))
    del function.__wrapped__
    protected = seawall.retry(function)
    assert protected.__name__ == "body"
    assert inspect.iscoroutinefunction(protected) == kind.awaits
    assert kind.run(protected, 2, note="x") == "xx"


def test_partials_and_lambdas(script):
    """Whatever can be called."""
    for make in (
        lambda body: functools.partial(body, 1, named=2),
        lambda body: lambda: body(1, named=2),
    ):
        body = script(ConnectionError, 3)
        assert seawall.Retry(backoff=1).call(make(body)) == 3
        assert body.given == [((1,), {"named": 2})] * 2


@pytest.mark.parametrize("fails", ["when made", "when awaited"])
def test_a_plain_function_that_returns_an_awaitable(script, fails):
    """A lambda around an async client: every attempt makes a new one, and awaits it."""
    body = script(ConnectionError, ConnectionError, 5)
    retry = seawall.Retry(backoff=1)

    async def client():
        await asyncio.sleep(0)
        return body() if fails == "when awaited" else 5

    @retry
    def work():
        if fails == "when made":
            # Waits as a plain function does: nobody awaits yet.
            body()
        return client()

    async def main():
        return await work()

    if fails == "when made":
        with pytest.warns(seawall.BlockingWaitWarning):
            assert asyncio.run(main()) == 5
    else:
        assert asyncio.run(main()) == 5
    assert body.calls == 3
    assert counts(retry) == {"recovered": 1, "retries": 2}


def test_a_plain_function_that_returns_futures(script):
    """What is given back is awaited in place of the future, and asks for others."""
    made = []

    async def main():
        loop = asyncio.get_running_loop()

        @seawall.Retry(backoff=1)
        def work():
            future = loop.create_future()
            made.append(future)
            loop.call_soon(
                lambda: (
                    future.set_result(7)
                    if len(made) == 3
                    else future.set_exception(ConnectionError("down"))
                )
            )
            return future

        return await work()

    assert asyncio.run(main()) == 7
    assert len(made) == 3


def test_objects_that_are_awaited(script):
    """Not coroutines: objects with an `__await__`."""
    body = script(ConnectionError, 2)

    class Request:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return body()

    async def main():
        return await seawall.Retry(backoff=1).call(Request)

    assert asyncio.run(main()) == 2


def test_blocks_are_refused():
    """A block can't be run again; the message says what can."""
    retry = seawall.Retry()
    with pytest.raises(TypeError, match="for attempt in"), retry:
        raise AssertionError("it ran")

    async def later():
        async with retry:
            raise AssertionError("it ran")

    with pytest.raises(TypeError, match="for attempt in"):
        asyncio.run(later())
    pipeline = seawall.Pipeline("several", seawall.Retry(), seawall.CircuitBreaker())
    with pytest.raises(TypeError, match="for attempt in"), pipeline:
        raise AssertionError("it ran")


class Thing:
    """Something that can be seen to be gone."""


def test_arguments_live_as_long_as_attempts_may_come(kind, script):
    """Nobody else need hold them; and once the call is over the retry does not either."""
    seen = []

    def body(thing, *, also):
        seen.append((type(thing), type(also)))
        return end()

    end = script(ConnectionError, ConnectionError, 1)
    work = seawall.Retry(backoff=1)(kind.function(body))
    gone = []

    def temporary():
        thing = Thing()
        gone.append(weakref.ref(thing))
        return thing

    assert kind.run(lambda: work(temporary(), also=temporary())) == 1
    end.raised.clear()  # their frames hold what they were given
    gc.collect()
    assert seen == [(Thing, Thing)] * 3
    assert [reference() for reference in gone] == [None, None]


@pytest.mark.parametrize("lines", [[1], [ConnectionError, 1], [ConnectionError], [KeyError]])
def test_a_finished_coroutine_holds_no_arguments(script, lines):
    """Although somebody keeps it, as a task does."""
    end = script(*lines)
    thing = Thing()
    gone = weakref.ref(thing)

    @seawall.Retry(backoff=1)
    async def work(thing):
        del thing
        return end()

    async def main(call):
        try:
            return await call
        except (ConnectionError, KeyError):
            return None

    call = work(thing)
    del thing
    asyncio.run(main(call))
    end.raised.clear()
    assert gone() is None
    assert inspect.isawaitable(call)


def test_errors_of_earlier_attempts_are_let_go(kind, script):
    """Before the wait: they hold frames, and frames hold much."""
    alive = []

    class TroubleError(ConnectionError):
        """Can be referred to weakly."""

    references = []

    def body():
        gc.collect()
        alive.append(sum(reference() is not None for reference in references))
        error = TroubleError("down")
        references.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    with pytest.raises(TroubleError):
        kind.run(seawall.Retry(attempts=4, backoff=1)(kind.function(body)))
    assert alive == [0, 0, 0, 0]
