"""Paths of blocks."""

import contextlib

import seawall

from tests.calls.leaks.subject import Subject, TroubleError, run


class Blocks(Subject):
    """With and without a statement."""

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

    def block(self):
        """Is a block, left well, by an exception and by nothing."""
        with self.breaker, self.breaker:
            pass
        with contextlib.suppress(TroubleError), self.breaker:
            raise TroubleError(self.argument)
        run(self.blocks_later())
        self.breaker.reset()

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
