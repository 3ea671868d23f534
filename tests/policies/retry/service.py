"""Functions that end as they are told, run plainly and by the loops."""

import asyncio

import trio


class Plain:
    """Plain functions."""

    name = "sync"
    awaits = False

    @staticmethod
    def function(body):
        """A plain function that does what ``body`` does."""

        def function(*args, **kwargs):
            return body(*args, **kwargs)

        return function

    @staticmethod
    def run(function, /, *args, **kwargs):
        """What the call comes to."""
        return function(*args, **kwargs)


class Awaited:
    """Coroutine functions, run by a loop."""

    awaits = True

    def __init__(self, module):
        """Of asyncio or trio."""
        self.name = module.__name__
        self._module = module

    def function(self, body):
        """A coroutine function that suspends, and then does what ``body`` does."""

        async def function(*args, **kwargs):
            await self._module.sleep(0)
            return body(*args, **kwargs)

        return function

    def run(self, function, /, *args, **kwargs):
        """What the call comes to, in a loop of its own."""

        async def main():
            return await function(*args, **kwargs)

        if self._module is trio:
            return trio.run(main)
        with asyncio.Runner() as runner:
            return runner.run(main())


KINDS = [Plain(), Awaited(asyncio), Awaited(trio)]


class Script:
    """A body that ends each time as the next line says: by raising it, or returning it."""

    def __init__(self, clock, *lines):
        """Classes and objects of exceptions are raised. The last line is kept."""
        self._clock = clock
        self._lines = list(lines)
        #: When each call began, in seconds of the test.
        self.times = []
        #: What each was given.
        self.given = []
        #: Every exception raised here, in order.
        self.raised = []

    def __call__(self, *args, **kwargs):
        """Ends as the next line says."""
        self.times.append(round(self._clock.elapsed, 6))
        self.given.append((args, kwargs))
        line = self._lines.pop(0) if len(self._lines) > 1 else self._lines[0]
        if isinstance(line, type) and issubclass(line, BaseException):
            line = line("down")
        if isinstance(line, BaseException):
            self.raised.append(line)
            raise line
        return line

    @property
    def calls(self):
        """How often it was called."""
        return len(self.times)

    @property
    def waits(self):
        """Seconds between one call and the next."""
        return [round(b - a, 6) for a, b in zip(self.times, self.times[1:], strict=False)]


def counts(retry):
    """What a retry has counted, zeroes left out; calls in flight among it."""
    seen = retry.snapshot()
    found = {what: count for what, count in seen.counts.items() if count}
    return found | ({"in_flight": seen.in_flight} if seen.in_flight else {})


def marks(context):
    """The retries that a context is inside of, as far as it says."""
    return [
        value
        for variable, value in context.items()
        if variable.name == "seawall_retries" and value is not None and not value.over
    ]
