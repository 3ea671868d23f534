"""Paths of coroutines and of what can be awaited."""

import asyncio
import contextlib

import seawall

from tests.calls.leaks.subject import Subject, TroubleError, run


class Later(Subject):
    """Coroutines, and what is adopted."""

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
