"""Calls in threads of the bulkhead's own: as many at once as there are permits."""

import contextvars
import threading

import pytest
import seawall


@pytest.fixture
def pooled():
    """One of two permits."""
    return seawall.Bulkhead("pooled", max_concurrent=2, pool="threads")


def test_calls_run_elsewhere(pooled):
    """In a thread of its own, in the caller's context; what it raises is raised."""
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(7)

    @pooled
    def work(number):
        return threading.current_thread().name, variable.get() + 1 // number

    name, value = work(1)
    assert (name, value) == ("seawall-pooled-1", 8)
    with pytest.raises(ZeroDivisionError):
        work(0)
    seen = pooled.snapshot()
    assert (seen.in_flight, seen.threads, seen.abandoned) == (0, 1, 0)
    assert seen.settings["pool"] == "threads"


def test_so_many_at_once(pooled, crowd, until):
    """The third is refused, and there is no third thread."""
    go = threading.Event()
    for _ in range(2):
        crowd.start(pooled.call, go.wait, 30)
    until(lambda: pooled.snapshot().in_flight == 2)
    with pytest.raises(seawall.BulkheadFullError):
        pooled.call(int)
    go.set()
    crowd.join()
    assert pooled.snapshot().threads == 2
    assert pooled.call(lambda: 1) == 1


def test_one_call_after_the_other_needs_no_further_thread(pooled):
    """A permit is there before its thread is idle again; nobody is refused for that."""
    assert [pooled.call(lambda: 1) for _ in range(500)] == [1] * 500
    assert pooled.snapshot().threads <= 3


def test_a_call_that_is_given_up_keeps_its_permit(pooled, until):
    """It still runs: a healthy call is refused where all it can see is that, not left unrun."""
    go = threading.Event()
    guard = seawall.Pipeline("bounded", seawall.Timeout(0.02, name="limit"), pooled)
    for _ in range(2):
        with pytest.raises(seawall.CallTimeoutError):
            guard.call(go.wait, 30)
    seen = pooled.snapshot()
    assert (seen.in_flight, seen.abandoned) == (2, 2)
    with pytest.raises(seawall.BulkheadFullError):
        pooled.call(int)
    go.set()
    until(lambda: pooled.snapshot().in_flight == 0)
    assert pooled.snapshot().abandoned == 0
    assert pooled.call(lambda: 1) == 1


def test_what_was_given_up_lets_in_who_waits(crowd, until):
    """Its permit is handed on when it ends; also that of a key."""
    keyed = seawall.Bulkhead(max_concurrent=1, max_wait=30, pool="threads", key="key")
    go = threading.Event()

    @keyed
    def work(key, hang=False):
        return go.wait(30) if hang else key

    with seawall.deadline(0.02), pytest.raises(seawall.DeadlineExceededError):
        work("a", True)
    assert keyed.snapshot(key="a").in_flight == 1
    got = []
    crowd.start(lambda: got.append(work("a")))
    until(lambda: keyed.snapshot().waiting == 1)
    assert work("b") == "b"
    go.set()
    crowd.join()
    assert got == ["a"]
    until(lambda: keyed.snapshot().in_flight == 0)


def test_a_call_that_can_not_begin_keeps_nothing(pooled):
    """Its deadline has passed: no thread has it, and the permit is back."""
    with seawall.testing.clock() as clock, seawall.deadline(1):
        clock.advance(1)
        with pytest.raises(seawall.DeadlineExceededError):
            pooled.call(lambda: pytest.fail("it was called"))
    assert pooled.snapshot().in_flight == 0


def test_a_retry_makes_each_attempt_there(pooled):
    """And each has a permit of its own."""
    calls = []
    guard = seawall.Pipeline("again", seawall.Retry(attempts=2, backoff=0), pooled)

    def work():
        calls.append(threading.current_thread() is threading.main_thread())
        raise ConnectionError

    with pytest.raises(ConnectionError):
        guard.call(work)
    assert calls == [False, False]
    assert pooled.snapshot().counts["entered"] == 2


def test_what_it_can_not_serve(pooled):
    """Everything but plain functions, and a second pool."""

    async def later():
        pytest.fail("it was called")

    def items():
        pytest.fail("it was called")
        yield

    for function in (later, items):
        with pytest.raises(seawall.ConfigError, match="is no plain function"):
            pooled(function)
        with pytest.raises(seawall.ConfigError, match="is no plain function"):
            pooled.call(function)
    with pytest.raises(TypeError, match="protects functions"), pooled:
        pytest.fail("it was entered")
    with pytest.raises(seawall.ConfigError, match="threads of its own"):
        seawall.Pipeline("two", pooled, seawall.Timeout(1, pool="threads"))
    with pytest.raises(seawall.ConfigError, match="put the bulkhead inside"):
        seawall.Pipeline("odd", pooled, seawall.Retry())
    with pytest.raises(seawall.ConfigError, match="in place"):
        pooled.reconfigure(pool=None)
    assert pooled.snapshot().in_flight == 0
