"""Calls that fail, and providers."""

import asyncio

import trio


def down(*_, **__):
    """Fails."""
    raise ConnectionError("down")


def answer(error, *arguments, **named):
    """A provider that says what it was given."""
    return error, arguments, named


def broken(error, *_, **__):
    """A provider that fails."""
    raise LookupError("nobody here")


async def forever():
    """Waits until it is cancelled, under each loop."""
    if trio.lowlevel.in_trio_task():
        await trio.sleep_forever()
    else:
        await asyncio.get_running_loop().create_future()


def counts(fallback):
    """What a fallback has counted, zeroes left out; calls in flight among it."""
    seen = fallback.snapshot()
    found = {what: count for what, count in seen.counts.items() if count}
    return found | ({"in_flight": seen.in_flight} if seen.in_flight else {})


class Service:
    """A function that answers as it is told, or fails."""

    def __init__(self):
        """Answers with its arguments at first."""
        self.error = None
        self.calls = 0
        self.given = None

    def __call__(self, *arguments, **named):
        """Raises ``error``, or returns ``given``, or what it was called with."""
        self.calls += 1
        if self.error is not None:
            raise self.error
        return (arguments, named) if self.given is None else self.given
