"""Whatever its attempts do, a hedged call comes to what it should, and leaves nothing.

Random latencies, failures and delays, with and without a retry outside and a bulkhead inside, on
each host, in virtual time; what a call comes to is worked out beside it, by the rules alone.
"""

import asyncio
import contextlib
import random

import pytest
import seawall
import seawall.waiting
import trio
import uvloop

HOSTS = {
    "asyncio": lambda main: asyncio.run(main()),
    "uvloop": lambda main: uvloop.run(main()),
    "trio": trio.run,
}
CALLS = 60


class Script:
    """The attempts of one call, by their numbers: how long each takes, and whether it fails."""

    def __init__(self, chance):
        """At random. No two ends, and no end and a beginning, fall on the same millisecond."""
        self.delay = chance.choice([20, 50, 100])
        self.hedges = chance.choice([1, 2, 4])
        self.takes = [chance.randrange(0, 40) * 10 + number + 1 for number in range(5)]
        self.fails = [chance.random() < 0.4 for _ in range(5)]
        self.cancelled_at = chance.choice([None, None, chance.randrange(5, 300) + 0.5])

    def expected(self):
        """Whose answer, or "failed" or "cancelled"; when; how many were begun; all in ms."""
        begun, ends = [0], {0: self.takes[0]}
        failed = None
        due = self.delay
        while True:
            running = {number: at for number, at in ends.items() if at is not None}
            times = list(running.values())
            if due is not None and len(begun) <= self.hedges:
                times.append(due)
            now = min(times)
            if self.cancelled_at is not None and self.cancelled_at < now:
                return "cancelled", self.cancelled_at, len(begun)
            ended = next((number for number, at in running.items() if at == now), None)
            if ended is not None:
                if not self.fails[ended]:
                    return ended, now, len(begun)
                failed = ended if failed is None else failed
                ends[ended] = None
                due = now
            if due == now and len(begun) <= self.hedges:
                number = len(begun)
                begun.append(now)
                ends[number] = now + self.takes[number]
                due = now + self.delay
            elif all(at is None for at in ends.values()):
                return f"failed {failed}", now, len(begun)


class Calls:
    """Makes the calls, and compares."""

    def __init__(self, clock):
        """By this clock."""
        self.clock = clock
        self.running = 0

    async def attempt(self, script, begun):
        """Does as its script says."""
        number = len(begun)
        begun.append(number)
        self.running += 1
        assert len(begun) <= 1 + script.hedges
        try:
            await seawall.waiting.asleep(script.takes[number] / 1000)
        finally:
            self.running -= 1
        if script.fails[number]:
            raise OSError(f"failed {number}")
        return number

    async def outcome(self, function, script, begun):
        """What becomes of a call, whose caller is cancelled when the script says so."""
        came = []

        async def call():
            with contextlib.suppress(asyncio.CancelledError):
                try:
                    came.append(await function(script, begun))
                except OSError as error:
                    came.append(str(error))

        if script.cancelled_at is None:
            await call()
        elif trio.lowlevel.in_trio_task():
            async with trio.open_nursery() as nursery:

                async def cancel():
                    await seawall.waiting.asleep(script.cancelled_at / 1000)
                    scope.cancel()

                with trio.CancelScope() as scope:
                    nursery.start_soon(cancel)
                    await call()
                nursery.cancel_scope.cancel()
        else:
            task = asyncio.ensure_future(call())
            waiting = asyncio.ensure_future(seawall.waiting.asleep(script.cancelled_at / 1000))
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            task.cancel()
            await task
        return came[0] if came else "cancelled"


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("inside", ["nothing", "bulkhead"])
@pytest.mark.parametrize("seed", range(3))
def test_calls_come_to_what_they_should(host, inside, seed):
    """The answer, the time and the number of attempts are those that follow from the rules."""
    chance = random.Random(seed)
    with seawall.testing.isolated(), seawall.testing.clock(autojump=True) as clock:
        calls = Calls(clock)
        budget = seawall.RetryBudget(mode="concurrency", min_concurrent=1000, ratio=0.0)
        bulkhead = seawall.Bulkhead("b", max_concurrent=1000)

        async def main():
            for number in range(CALLS):
                script = Script(chance)
                hedge = seawall.Hedge(
                    f"h{number}",
                    delay=script.delay / 1000,
                    max_hedges=script.hedges,
                    budget=budget,
                )
                policies = [hedge] if inside == "nothing" else [hedge, bulkhead]
                function = seawall.Pipeline("p", *policies)(calls.attempt)
                begun, began = [], clock.elapsed
                came = await calls.outcome(function, script, begun)
                elapsed = round((clock.elapsed - began) * 1000, 3)
                assert (came, elapsed, len(begun)) == script.expected(), vars(script)
                for _ in range(5):
                    if trio.lowlevel.in_trio_task():
                        await trio.lowlevel.checkpoint()
                    else:
                        await asyncio.sleep(0)
                assert calls.running == 0
                seen, held = hedge.snapshot(), budget.snapshot()
                assert (seen.in_flight, seen.losers) == (0, 0)
                assert seen.counts["hedges"] == len(begun) - 1
                assert (held.in_flight, held.retries_in_flight) == (0, 0)
                assert bulkhead.snapshot().in_flight == 0

        HOSTS[host](main)
