"""Paths of generators."""

import asyncio
import contextlib

import seawall

from tests.calls.leaks.subject import Subject, TroubleError, run


class Items(Subject):
    """Generators and async generators."""

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
