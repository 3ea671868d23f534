"""A breaker, a clock and calls that end as they are told; of a sync or of an async function."""

import queue
import threading
from contextvars import copy_context

import seawall


class Flight:
    """A call in flight. Made by `SyncKind.begin` and `AsyncKind.begin`."""

    def end(self, what=None):
        """Ends the call: returns ``what`` from it, or raises it there if it is an exception."""
        try:
            value = self._end(what)
        except BaseException as error:
            if error is not what:
                raise
        else:
            assert value is what


class SyncKind:
    """Plain functions. A call in flight is held in a thread, in a copy of this context."""

    name = "sync"

    def protect(self, guard, body):
        """``body`` protected, to be called in the plain way."""
        return guard(body)

    def begin(self, guard):
        """Begins a call; raises what refuses it."""
        flight = _SyncFlight(guard)
        if flight.refusal is not None:
            raise flight.refusal
        return flight


class _SyncFlight(Flight):
    def __init__(self, guard):
        self._order = queue.SimpleQueue()
        self._news = queue.SimpleQueue()
        run = copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run, guard), daemon=True)
        self._thread.start()
        _, self.refusal = self._news.get(timeout=30)

    def _run(self, guard):
        def body():
            self._news.put((None, None))
            what = self._order.get(timeout=30)
            if isinstance(what, BaseException):
                raise what
            return what

        try:
            news = guard.call(body), None
        except BaseException as error:
            news = None, error
        self._news.put(news)

    def _end(self, what):
        self._order.put(what)
        value, error = self._news.get(timeout=30)
        self._thread.join(30)
        if error is not None:
            raise error
        return value


class AsyncKind:
    """Coroutine functions, driven without an event loop."""

    name = "async"

    def protect(self, guard, body):
        """``body`` as a protected coroutine function, run to its end by a plain call."""

        async def function(*args, **kwargs):
            return body(*args, **kwargs)

        protected = guard(function)
        return lambda *args, **kwargs: finish(protected(*args, **kwargs))

    def begin(self, guard):
        """Begins a call; raises what refuses it."""
        return _AsyncFlight(guard)


class _AsyncFlight(Flight):
    def __init__(self, guard):
        async def body():
            return await _Pause()

        self._coroutine = guard.call(body)
        assert self._coroutine.send(None) == "paused"

    def _end(self, what):
        try:
            if isinstance(what, BaseException):
                self._coroutine.throw(what)
            else:
                self._coroutine.send(what)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("the call went on")

    def drop(self):
        """Throws the call away, as a loop does that is closed."""
        self._coroutine.close()


class _Pause:
    def __await__(self):
        return (yield "paused")


def finish(coroutine):
    """Runs a coroutine that waits for nothing, and returns what it returns."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


KINDS = [SyncKind(), AsyncKind()]


class Service:
    """What is behind a breaker."""

    def __init__(self, kind, clock, **settings):
        self.kind = kind
        self.clock = clock
        self.breaker = seawall.CircuitBreaker(**settings)
        self._call = kind.protect(self.breaker, self._body)

    def _body(self, what, seconds):
        if seconds:
            self.clock.advance(seconds)
        if isinstance(what, BaseException):
            raise what
        return what

    def call(self, what=None, *, seconds=0):
        """One call that takes ``seconds`` and returns ``what``, or raises it."""
        return self._call(what, seconds)

    def succeed(self, times=1, *, seconds=0):
        """Calls that return."""
        for _ in range(times):
            self.call(seconds=seconds)

    def fail(self, times=1, error=OSError, *, seconds=0):
        """Calls that raise ``error``."""
        for _ in range(times):
            try:
                self.call(error("down"), seconds=seconds)
            except error:
                continue
            raise AssertionError("the failure was swallowed")

    def refused(self):
        """The refusal of a call that must not be let in."""
        try:
            self.call()
        except seawall.CircuitOpenError as error:
            return error
        raise AssertionError(f"{self.breaker!r} let a call in")

    def begin(self):
        """A call in flight."""
        return self.kind.begin(self.breaker)

    def due(self):
        """Moves time to the very moment at which an open circuit lets probes in."""
        self.clock.advance(self.breaker.retry_after)

    @property
    def state(self):
        """The circuit's state."""
        return self.breaker.state

    @property
    def counts(self):
        """The counts that are not 0."""
        return {name: count for name, count in self.breaker.snapshot().counts.items() if count}

    @property
    def window(self):
        """How many calls its window holds."""
        return self.breaker.snapshot().window_calls
