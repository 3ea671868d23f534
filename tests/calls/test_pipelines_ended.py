"""What ends a call from outside comes out of a pipeline as it is, and is nobody's failure."""

import asyncio

import anyio
import pytest
import seawall
import trio


@pytest.fixture(autouse=True)
def clock():
    """Names of a test are its own; time jumps over every wait."""
    with seawall.testing.isolated(), seawall.testing.clock(autojump=True) as clock:
        yield clock


@pytest.fixture
def guard():
    """One of each policy, that holds for a failure whatever it may."""
    everything = {"on": lambda error: True, "ignore": ZeroDivisionError}
    return seawall.standard(
        "shop",
        retry={"backoff": 1, "reraise": False, **everything},
        breaker={"failure_threshold": 2, "failure_rate": None, **everything},
    )


def nothing_is_left(guard, failures):
    """Nobody is inside, the breaker counted so many failures, and no retry was given up."""
    _, retry, breaker, _, _ = guard.policies
    assert [policy.snapshot().in_flight for policy in guard.policies] == [0] * 5
    assert breaker.snapshot().counts["failure"] == failures
    assert retry.snapshot().counts["gave_up_attempts"] == 0
    budget = retry.settings["budget"].snapshot()
    assert (budget.in_flight, budget.retries_in_flight) == (0, 0)


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_ctrl_c(guard, stop, attempt):
    """Pybreaker wraps it: here it is the caller's, in a first attempt and in a later one."""
    ran = []

    def body():
        ran.append(1)
        raise stop if len(ran) == attempt else ConnectionError

    with pytest.raises(stop) as raised:
        guard.call(body)
    assert len(ran) == attempt
    assert getattr(raised.value, "__notes__", []) == []
    nothing_is_left(guard, attempt - 1)


async def asyncio_cancels(call, clock):
    """Twenty `wait_for`, each of which gives up: circuitbreaker counts twenty successes."""
    for _ in range(20):
        task = asyncio.ensure_future(call())
        await clock.asleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()


async def anyio_cancels(call, clock):
    """Twenty task groups of anyio's that are cancelled from outside."""
    for _ in range(20):
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await clock.asleep(1)
            group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("run", "cancels"),
    [(asyncio.run, asyncio_cancels), (asyncio.run, anyio_cancels), (trio.run, anyio_cancels)],
    ids=["asyncio", "anyio on asyncio", "anyio on trio"],
)
def test_cancelled(guard, clock, run, cancels):
    """Tenacity goes on with `retry_if_not_exception_type`: a cancelled call is over and neutral."""
    ran = []

    async def body():
        ran.append(1)
        await anyio.sleep_forever()

    async def main():
        await cancels(guard(body), clock)

    run(main()) if run is asyncio.run else run(main)
    assert len(ran) == 20
    nothing_is_left(guard, 0)


@pytest.mark.parametrize("end", ["break", "return"])
def test_generators_in_a_pipeline(end):
    """pybreaker's: leaving a healthy generator fails nothing, and its return value arrives."""
    ran = []
    guard = seawall.Pipeline("feed", seawall.Retry("r", backoff=0), seawall.CircuitBreaker("b"))

    @guard
    def items():
        ran.append(1)
        if len(ran) == 1:
            raise ConnectionError
        got = yield 1
        yield got
        return "value"

    def whole():
        return (yield from items())

    run = whole()
    assert [next(run), run.send("sent")] == [1, "sent"]
    if end == "break":
        run.close()
    else:
        with pytest.raises(StopIteration) as stop:
            next(run)
        assert stop.value.value == "value"
    retry, breaker = (policy.snapshot() for policy in guard.policies)
    assert (retry.counts["recovered"], retry.in_flight, breaker.in_flight) == (1, 0, 0)
    assert (breaker.counts["failure"], breaker.counts["success"]) == (1, 1)


@pytest.mark.parametrize("host", [asyncio, trio], ids=lambda host: host.__name__)
def test_async_generators_in_a_pipeline(host):
    """fluxgate, purgatory and hyx break them: items, `asend` and `athrow` go through."""
    ran = []
    guard = seawall.Pipeline("feed", seawall.Retry("r", backoff=0), seawall.CircuitBreaker("b"))

    @guard
    async def items():
        ran.append(1)
        await host.sleep(0)
        if len(ran) == 1:
            raise ConnectionError
        try:
            got = yield 1
            yield got
        except KeyError:
            yield "thrown"

    async def main():
        run = items()
        seen = [await anext(run), await run.asend("sent"), await run.athrow(KeyError("mine"))]
        await run.aclose()
        return seen

    seen = asyncio.run(main()) if host is asyncio else trio.run(main)
    assert seen == [1, "sent", "thrown"]
    retry, breaker = (policy.snapshot() for policy in guard.policies)
    assert (retry.counts["recovered"], retry.in_flight, breaker.in_flight) == (1, 0, 0)
    assert (breaker.counts["failure"], breaker.counts["success"]) == (1, 1)
