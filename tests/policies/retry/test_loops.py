"""A retry written out as a loop: the same decisions, around a block."""

import asyncio
import gc

import pytest
import seawall
import trio

from tests.policies.retry.service import counts


class Straight:
    """Loops in plain code."""

    @staticmethod
    def run(retry, body):
        """The numbers of the attempts, each of which does ``body``."""
        seen = []
        for attempt in retry:
            with attempt:
                seen.append(attempt.number)
                attempt.returned(body())
        return seen


class Stepped:
    """Loops in tasks."""

    def __init__(self, run):
        """Of asyncio, or of trio."""
        self._run = run

    def run(self, retry, body):
        """As `Straight.run`."""

        async def main():
            seen = []
            async for attempt in retry:
                with attempt:
                    seen.append(attempt.number)
                    attempt.returned(body())
            return seen

        return self._run(main)


LOOPS = {
    "for": Straight,
    "async for": Stepped(lambda main: asyncio.run(main())),
    "async for, trio": Stepped(trio.run),
}


@pytest.fixture(params=LOOPS)
def loop(request):
    """Runs a loop of attempts."""
    return LOOPS[request.param]


def test_until_an_attempt_goes_well(loop, script):
    """What is to be tried again goes no further than its block, and the wait is kept."""
    body = script(ConnectionError, ConnectionError, None)
    retry = seawall.Retry(backoff=2)
    assert loop.run(retry, body) == [1, 2, 3]
    assert body.times == [0, 2, 4]
    assert counts(retry) == {"recovered": 1, "retries": 2}


def test_the_last_error_comes_out_of_the_block(loop, script):
    """With the note on it; and what is not tried again at once."""
    retry = seawall.Retry("pages", backoff=1)
    with pytest.raises(ConnectionError) as raised:
        loop.run(retry, script(ConnectionError))
    assert "retry 'pages' gave up after 3 attempts" in raised.value.__notes__[0]
    with pytest.raises(KeyError):
        loop.run(retry, script(KeyError))
    assert counts(retry) == {"gave_up_attempts": 1, "passed": 1, "retries": 2}


def test_a_result_may_ask_for_another(loop, script):
    """What `returned` was told is judged; after the last attempt it stands."""
    retry = seawall.Retry(on_result=lambda value: value != "good", backoff=1)
    assert loop.run(retry, script("bad", "good")) == [1, 2]
    assert loop.run(retry, script("bad")) == [1, 2, 3]
    assert counts(retry) == {"recovered": 1, "gave_up_attempts": 1, "retries": 3}


def test_an_error_of_ours_takes_its_place(loop, script):
    """With ``reraise=False``, from the last error."""
    retry = seawall.Retry(backoff=1, reraise=False)
    with pytest.raises(seawall.RetriesExhaustedError) as raised:
        loop.run(retry, script(ConnectionError))
    assert isinstance(raised.value.__cause__, ConnectionError)


def test_inside_of_another_retry(loop, script):
    """A loop leaves trying again to a retry around it that has attempts left."""
    body = script(ConnectionError)
    inner, outer = seawall.Retry(backoff=1), seawall.Retry(backoff=1)
    with pytest.raises(ConnectionError):
        # The first loop of a program finds nothing published around it.
        loop.run(inner, body)
    before = body.calls
    with pytest.raises(ConnectionError):
        Straight.run(outer, lambda: Straight.run(inner, body))
    assert body.calls - before == 1 + 1 + 3


def test_left_in_the_middle():
    """However a loop is left, its call is over once its attempt is let go of."""
    retry = seawall.Retry(backoff=1)

    def returns():
        for attempt in retry:
            with attempt:
                return "value"
        return None

    assert returns() == "value"
    next(iter(retry))
    for attempt in retry:
        with attempt:
            break
    assert retry.snapshot().in_flight == 0
    assert counts(retry) == {"success": 2, "passed": 1}


def test_cancelled_while_it_waits(script):
    """The wait is broken off, nothing is swallowed, and nothing is in flight."""
    retry = seawall.Retry(backoff=3600)
    body = script(ConnectionError)

    async def loops():
        async for attempt in retry:
            with attempt:
                body()

    async def main():
        task = asyncio.ensure_future(loops())
        while not body.calls:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with seawall.testing.clock():
        asyncio.run(main())
    gc.collect()
    assert (body.calls, retry.snapshot().in_flight) == (1, 0)


def test_an_attempt_is_to_be_entered(script):
    """A loop that forgets ``with`` is told so, instead of running for ever."""
    with pytest.raises(RuntimeError, match="with attempt"):
        for _ in seawall.Retry(backoff=1):
            pass
    attempts = iter(seawall.Retry(backoff=1))
    attempt = next(attempts)
    with attempt:
        """It goes well."""
    with pytest.raises(RuntimeError, match="is over"), attempt:
        raise AssertionError("it ran")
    assert list(attempts) == []
