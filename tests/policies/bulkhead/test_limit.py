"""So many calls at once, and every permit back, however a call ends."""

import asyncio
import contextlib
import gc
import threading
import types

import pytest
import seawall
import trio


@types.coroutine
def pause():
    """Suspends once."""
    yield


class TroubleError(Exception):
    """A failure."""


def full(bulkhead):
    """Does it refuse a call?"""
    return not bulkhead.try_call(int).ok


def test_the_third_of_two_is_refused(counts):
    """At once, with what there is to know, and without being called."""
    bulkhead = seawall.Bulkhead("payments", max_concurrent=2)
    with bulkhead, bulkhead:
        with pytest.raises(seawall.BulkheadFullError) as refused:
            bulkhead.call(lambda: pytest.fail("it was called"))
        assert counts(bulkhead) == {"entered": 2, "in_flight": 2, "rejected": 1}
    error = refused.value
    assert isinstance(error, seawall.Rejected)
    assert (error.policy, error.name, error.retry_after) == ("bulkhead", "payments", 0.0)
    assert (error.why, error.limit, error.waiting, error.waited) == ("full", 2, 0, 0.0)
    assert "bulkhead 'payments' is full: 2 calls run" in str(error)
    assert counts(bulkhead) == {"entered": 2, "rejected": 1}


@pytest.mark.parametrize(("limit", "words"), [(1, "1 call runs"), (2, "2 calls run")])
def test_one_call_runs(limit, words):
    """The message of a bulkhead for one call at a time reads as a sentence too."""
    error = seawall.BulkheadFullError("payments", 0.0, "full", limit, 0, 0.0)
    assert str(error) == f"bulkhead 'payments' is full: {words}; try again in a moment"


def test_refused_without_an_exception():
    """`try_call` gives an outcome, which makes one only for who asks."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)
    with bulkhead:
        outcome = bulkhead.try_call(int)
    assert not outcome.ok
    assert isinstance(outcome.rejected, seawall.BulkheadFullError)
    assert outcome.attempts == 0


def test_of_more_threads_than_permits_so_many_run(crowd, until):
    """Sixteen threads, three permits: never a fourth, and all are served in the end."""
    bulkhead = seawall.Bulkhead(max_concurrent=3, max_wait=30)
    lock, inside, most = threading.Lock(), [], []

    @bulkhead
    def work():
        with lock:
            inside.append(1)
            most.append(len(inside))
        threading.Event().wait(0.001)
        with lock:
            inside.pop()

    for _ in range(16):
        crowd.start(lambda: [work() for _ in range(10)])
    crowd.join()
    assert max(most) == 3
    assert len(most) == 160
    assert bulkhead.snapshot().in_flight == 0


ENDS = {
    "return": lambda call: call(None),
    "raise": lambda call: call(TroubleError()),
    "exit": lambda call: call(SystemExit()),
    "interrupt": lambda call: call(KeyboardInterrupt()),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_plain_call_gives_it_back(end):
    """Whether it returns or raises, and whatever it raises."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)

    @bulkhead
    def work(error):
        assert full(bulkhead)
        if error is not None:
            raise error

    with contextlib.suppress(TroubleError, SystemExit, KeyboardInterrupt):
        end(work)
    assert not full(bulkhead)


@pytest.mark.parametrize("how", ["return", "throw", "close", "drop", "cancel"])
def test_a_coroutine_gives_it_back(how):
    """It is held while it is suspended, and given back in every way a coroutine ends."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)

    @bulkhead
    async def work():
        await pause()

    made = work()
    assert not full(bulkhead), "nothing is taken before the first step"
    made.send(None)
    assert full(bulkhead)
    with contextlib.suppress(StopIteration, TroubleError, asyncio.CancelledError):
        if how == "return":
            made.send(None)
        elif how == "throw":
            made.throw(TroubleError())
        elif how == "cancel":
            made.throw(asyncio.CancelledError())
        elif how == "close":
            made.close()
    del made
    gc.collect()
    assert not full(bulkhead)


@pytest.mark.parametrize("how", ["exhaust", "throw", "close", "drop"])
def test_a_generator_holds_it_between_its_items(how):
    """From the first item on, until it is done, closed or dropped."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)

    @bulkhead
    def items():
        yield 1
        yield 2

    made = items()
    assert not full(bulkhead)
    assert next(made) == 1
    assert full(bulkhead)
    with contextlib.suppress(TroubleError):
        if how == "exhaust":
            assert list(made) == [2]
        elif how == "throw":
            made.throw(TroubleError())
        elif how == "close":
            made.close()
    del made
    gc.collect()
    assert not full(bulkhead)


@pytest.mark.parametrize("how", ["exhaust", "throw", "close"])
def test_an_async_generator_holds_it_between_its_items(run, how):
    """As a generator does."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)

    @bulkhead
    async def items():
        yield 1
        yield 2

    async def main():
        made = items()
        assert await anext(made) == 1
        assert full(bulkhead)
        with contextlib.suppress(TroubleError):
            if how == "exhaust":
                assert [item async for item in made] == [2]
            elif how == "throw":
                await made.athrow(TroubleError())
            else:
                await made.aclose()
        assert not full(bulkhead)

    run(main)


def test_blocks_hold_it():
    """Plain and asynchronous, nested, also where the body raises."""
    bulkhead = seawall.Bulkhead(max_concurrent=2)

    async def main():
        with contextlib.suppress(TroubleError):
            async with bulkhead, bulkhead:
                assert full(bulkhead)
                raise TroubleError
        with contextlib.suppress(TroubleError), bulkhead, bulkhead:
            assert full(bulkhead)
            raise TroubleError

    asyncio.run(main())
    assert bulkhead.snapshot().in_flight == 0


def test_an_awaitable_that_a_plain_function_gives_back_holds_it():
    """A future stays itself, and gives the permit back when it is done."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=1)

    async def main():
        future = asyncio.get_running_loop().create_future()
        assert bulkhead.call(lambda: future) is future
        assert bulkhead.snapshot().in_flight == 1
        future.set_result(1)
        await asyncio.sleep(0)
        assert bulkhead.snapshot().in_flight == 0

        async def work():
            return bulkhead.snapshot().in_flight

        assert await bulkhead.call(lambda: work()) == 1

    asyncio.run(main())
    assert bulkhead.snapshot().in_flight == 0


def test_a_slow_call_holds_no_lock():
    """Others are let in and refused meanwhile: pybreaker's lock makes sixteen threads one."""
    bulkhead = seawall.Bulkhead(max_concurrent=2)
    inside, go = threading.Event(), threading.Event()

    def hang():
        inside.set()
        go.wait(30)

    thread = threading.Thread(target=bulkhead.call, args=(hang,))
    thread.start()
    inside.wait(30)
    assert bulkhead.call(int) == 0
    with bulkhead:
        assert full(bulkhead)
    go.set()
    thread.join()
    assert bulkhead.snapshot().in_flight == 0


def test_it_may_call_itself():
    """Each call takes a permit of its own; the one too many is refused, not deadlocked."""
    bulkhead = seawall.Bulkhead(max_concurrent=3)

    @bulkhead
    def nest(depth):
        return nest(depth + 1)

    with pytest.raises(seawall.BulkheadFullError):
        nest(0)
    assert bulkhead.snapshot().in_flight == 0


def test_other_policies_see_a_refusal_as_one():
    """Neutral to a breaker around it, and not tried again unless it is listed."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    retry = seawall.Retry(attempts=3, backoff=0)
    stack = seawall.Pipeline("stack", retry, breaker, bulkhead)
    with bulkhead:
        for _ in range(3):
            assert isinstance(stack.try_call(int).error, seawall.BulkheadFullError)
    assert breaker.state == "closed"
    assert bulkhead.snapshot().counts["rejected"] == 3
    assert stack.call(int) == 0


def test_one_object_for_every_loop():
    """Made without a loop, and at home on each: hyx's needs one that runs at import."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)

    @bulkhead
    async def work():
        if trio.lowlevel.in_trio_task():
            await trio.lowlevel.checkpoint()
        else:
            await asyncio.sleep(0)

    async def on_asyncio():
        await asyncio.gather(work(), work(), work())

    async def on_trio():
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(work)

    asyncio.run(on_asyncio())
    asyncio.run(on_asyncio())
    trio.run(on_trio)
    assert bulkhead.snapshot().counts["waited"] == 6


def test_each_refusal_is_an_exception_of_its_own():
    """Raised twice, one would drag the other's traceback along, as purgatory's does."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)
    seen = []
    with bulkhead:
        for _ in range(3):
            with pytest.raises(seawall.BulkheadFullError) as refused:
                bulkhead.call(int)
            seen.append(refused.value)
    assert len({id(error) for error in seen}) == 3
    assert len({len(list(walk(error))) for error in seen}) == 1


def walk(error):
    """The frames of its traceback."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def test_leaving_a_healthy_generator_early_is_no_failure_and_gives_it_back():
    """A `break` ends it like any other; pybreaker counts a failure."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)
    breaker = seawall.CircuitBreaker(failure_threshold=1)

    @breaker
    @bulkhead
    def items():
        yield from range(9)

    for item in items():
        if item == 2:
            break
    gc.collect()
    assert breaker.state == "closed"
    assert bulkhead.snapshot().in_flight == 0


def test_calls_of_one_function_share_its_limit_and_nothing_else():
    """Many threads' first calls at once make no second state."""
    bulkhead = seawall.Bulkhead(max_concurrent=5, key=lambda number: "one")
    barrier = threading.Barrier(5)

    @bulkhead
    def work(number):
        barrier.wait(30)
        return bulkhead.snapshot(key="one").in_flight

    results = []
    threads = [
        threading.Thread(target=lambda number=number: results.append(work(number)))
        for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 5
    assert max(results) == 5
    assert bulkhead.keys == ["one"]
