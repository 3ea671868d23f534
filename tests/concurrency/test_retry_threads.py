"""One retry under many threads and tasks that take turns at every instruction."""

import asyncio

import pytest
import seawall

from tests.threads import in_threads

THREADS = 8
CALLS = 200
pytestmark = pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")


@pytest.fixture(autouse=True)
def own_registry(often):
    """Names are the test's own, and threads take turns often."""
    with seawall.testing.isolated():
        yield


class Client:
    """Calls that fail so often before they go well; counted by thread."""

    def __init__(self):
        """Nothing was called."""
        self.made = [0] * THREADS
        self.left = [0] * THREADS

    def go(self, number):
        """One attempt."""
        self.made[number] += 1
        if self.left[number]:
            self.left[number] -= 1
            raise ConnectionError(number)
        return number

    async def go_later(self, number):
        """One attempt of a task."""
        await asyncio.sleep(0)
        return self.go(number)


def expected(kinds):
    """What a retry has counted after calls of which each third goes well, recovers, gives up."""
    calls = kinds * THREADS * CALLS
    return {"success": calls, "recovered": calls, "gave_up_attempts": calls, "retries": 3 * calls}


def one_of_each(call, client, number):
    """Three calls: good at once, at the second attempt, never."""
    for failures, made in ((0, 1), (1, 2), (9, 3)):
        client.left[number] = failures
        before = client.made[number]
        if failures < 9:
            assert call(number) == number
        else:
            with pytest.raises(ConnectionError) as raised:
                call(number)
            assert raised.value.args == (number,)
        assert client.made[number] - before == made


def test_every_call_makes_its_own_attempts():
    """No thread's failures use up the attempts of another; nothing is counted twice or lost."""
    client, retry = Client(), seawall.Retry(backoff=0)
    breaker = seawall.CircuitBreaker(failure_threshold=65_000)
    work = retry(breaker(client.go))

    def calls(number):
        for _ in range(CALLS):
            one_of_each(work, client, number)

    in_threads(THREADS, calls)
    seen = retry.snapshot()
    assert {what: count for what, count in seen.counts.items() if count} == expected(1)
    assert (seen.in_flight, breaker.snapshot().in_flight) == (0, 0)
    counted = breaker.snapshot().counts
    assert counted["success"] + counted["failure"] == sum(client.made)


def test_loops_in_threads():
    """Each thread its own event loop, all by one protected coroutine function."""
    client, retry = Client(), seawall.Retry(backoff=0)
    work = retry(client.go_later)

    def calls(number):
        with asyncio.Runner() as runner:
            for _ in range(CALLS // 10):
                one_of_each(lambda number: runner.run(call(number)), client, number)

    async def call(number):
        return await work(number)

    in_threads(THREADS, calls)
    assert retry.snapshot().in_flight == 0
    assert retry.snapshot().counts["gave_up_attempts"] == THREADS * (CALLS // 10)


def test_nested_calls_in_threads():
    """What one thread is inside of is not what another is inside of."""
    client = Client()
    inner, outer = seawall.Retry(backoff=0), seawall.Retry(backoff=0)
    below = inner(client.go)
    work = outer(lambda number: below(number))

    def calls(number):
        for _ in range(CALLS):
            client.left[number] = 99
            before = client.made[number]
            with pytest.raises(ConnectionError):
                (below if number % 2 else work)(number)
            assert client.made[number] - before == (3 if number % 2 else 5)

    in_threads(THREADS, calls)
    assert inner.snapshot().in_flight == outer.snapshot().in_flight == 0


def test_changed_while_it_is_called():
    """Each call goes by one set of settings, the old or the new."""
    client, retry = Client(), seawall.Retry(backoff=0)
    work = retry(client.go)

    def calls(number):
        for at in range(CALLS):
            if number == 0:
                retry.reconfigure(attempts=2 + at % 3)
                continue
            client.left[number] = 99
            before = client.made[number]
            with pytest.raises(ConnectionError):
                work(number)
            assert client.made[number] - before in (2, 3, 4)

    in_threads(THREADS, calls)
    assert retry.snapshot().in_flight == 0
