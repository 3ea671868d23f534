"""One wrapper under many threads and tasks."""

import asyncio
import contextlib
import signal
import threading

import pytest
import seawall

from tests import needs
from tests.children import printed
from tests.threads import in_threads


@pytest.fixture(autouse=True)
def own_registry():
    """Names taken by a test are free for the next one."""
    with seawall.testing.isolated():
        yield


def half_open(probes, **settings):
    """A half-open circuit, all of its probes at home."""
    breaker = seawall.CircuitBreaker(
        failure_threshold=1, open_duration=0.001, half_open_calls=probes, **settings
    )
    with seawall.testing.clock() as clock:
        breaker.try_call(lambda: 1 / 0)
        clock.advance(1)
        with pytest.raises(KeyboardInterrupt):
            breaker.call(interrupt)
    assert breaker.state == "half_open"
    return breaker


def interrupt():
    """Ends without saying anything about the callee."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("rules", [{}, {"window": seawall.seconds(60)}, {"on_event": print}])
def test_no_lock_while_the_function_runs(rules):
    """Sixteen threads are inside one protected function at the same time."""
    breaker = seawall.CircuitBreaker(**rules)
    together = threading.Barrier(16)

    @breaker
    def function():
        together.wait(20)
        assert breaker.snapshot().in_flight == 16
        together.wait(20)

    in_threads(16, lambda _: function())
    assert breaker.snapshot().counts["success"] == 16


@pytest.mark.parametrize("probes", [1, 3, 10])
def test_half_open_admits_so_many_threads(often, probes):
    """Of fifty threads at once, exactly the probes get in; the others are refused at once."""
    breaker = half_open(probes, success_threshold=probes)
    go_on = threading.Event()
    seen = []

    @breaker
    def function():
        seen.append("in")
        go_on.wait(20)

    def call(_):
        try:
            function()
        except seawall.CircuitOpenError:
            seen.append("out")
        if seen.count("out") == 50 - probes:
            go_on.set()

    in_threads(50, call)
    assert (seen.count("in"), seen.count("out")) == (probes, 50 - probes)
    assert breaker.state == "closed"


@pytest.mark.parametrize("probes", [1, 3, 10])
def test_half_open_admits_so_many_tasks(probes):
    """Of fifty tasks at once, exactly the probes get in."""
    breaker = half_open(probes, success_threshold=probes)

    async def main():
        inside = []
        go_on = asyncio.Event()

        @breaker
        async def function():
            inside.append(1)
            await go_on.wait()

        tasks = [asyncio.create_task(function()) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(inside) == probes
        go_on.set()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(end, seawall.CircuitOpenError) for end in ends) == 50 - probes

    asyncio.run(main())
    assert breaker.state == "closed"


def test_nothing_is_lost(often):
    """Every call of many threads is counted, exactly once, whichever way it ends."""
    breaker = seawall.CircuitBreaker(failure_rate=1.0, window=seawall.calls(1000), on=OSError)

    def work(number, at):
        match at % 4:
            case 0:
                raise OSError
            case 1:
                raise KeyboardInterrupt
        return number

    protected = breaker(work)

    def calls(number):
        for at in range(2000):
            with contextlib.suppress(OSError, KeyboardInterrupt):
                protected(number, at)

    in_threads(8, calls)
    snapshot = breaker.snapshot()
    counts = snapshot.counts
    assert (counts["success"], counts["failure"], counts["cancelled"]) == (8000, 4000, 4000)
    assert snapshot.in_flight == 0
    assert snapshot.window_calls == 1000


def test_flapping(often):
    """A circuit that opens and closes all the time under load ends with nobody inside."""
    breaker = seawall.CircuitBreaker(
        failure_threshold=2, open_duration=1e-6, half_open_calls=2, success_threshold=1
    )

    @breaker
    def function(at):
        if at % 3 == 0:
            raise OSError

    def calls(number):
        for at in range(3000):
            with contextlib.suppress(OSError, seawall.CircuitOpenError):
                function(at + number)

    in_threads(8, calls)
    snapshot = breaker.snapshot()
    assert snapshot.in_flight == 0
    told = ("success", "failure", "late", "rejected")
    assert sum(snapshot.counts[what] for what in told) == 8 * 3000
    assert snapshot.opened_count > 0


def test_a_protected_function_may_call_itself():
    """Nested calls of one breaker neither wait for one another nor count wrongly."""
    breaker = seawall.CircuitBreaker()

    @breaker
    def function(depth):
        assert breaker.snapshot().in_flight == 6 - depth
        return function(depth - 1) if depth else 0

    assert function(5) == 0
    assert breaker.snapshot().counts["success"] == 6


def test_callables_may_use_their_policy():
    """Listeners and predicates may call, read, reset and reconfigure the policy they belong to."""
    told = []

    def everything(what):
        told.append(what)
        breaker.snapshot()
        if len(told) < 20:
            breaker.reconfigure(failure_threshold=1)
            breaker.try_call(protected)
        return False

    def listener(event):
        everything(event)
        if len(told) < 20:
            breaker.reset()

    breaker = seawall.CircuitBreaker(
        failure_threshold=1, on_event=listener, on_result=everything, open_duration=1e-6
    )
    protected = breaker(lambda: 7)
    breaker.try_call(lambda: 1 / 0)
    breaker.force_open()
    breaker.reset()
    assert protected() == 7
    assert len(told) > 3
    assert breaker.snapshot().in_flight == 0


def test_reconfigured_under_load(often):
    """Settings change while many threads call; nobody is lost, refused or counted twice."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    protected = breaker(lambda: 7)
    stop = threading.Event()
    calls = [0] * 6

    def work(number):
        if number == 6:
            for at in range(2000):
                breaker.reconfigure(failure_threshold=at % 7 + 1, window=seawall.calls(at % 50 + 1))
            stop.set()
            return
        while not stop.is_set():
            assert protected() == 7
            assert breaker.call(int) == 0
            calls[number] += 2

    in_threads(7, work)
    snapshot = breaker.snapshot()
    assert snapshot.counts["success"] == sum(calls)
    assert snapshot.in_flight == 0


def test_decorated_and_thrown_away_by_many(often):
    """Wrappers and plans made and freed by many threads at once stay apart."""
    breaker = seawall.CircuitBreaker()

    def work(number):
        for at in range(500):
            assert breaker(lambda at=at: (number, at))() == (number, at)

    in_threads(8, work)
    assert breaker.snapshot().counts["success"] == 4000


def test_coroutines_across_threads(often):
    """Coroutines made in one thread and run in another are settled once."""
    breaker = seawall.CircuitBreaker()

    @breaker
    async def function(value):
        await asyncio.sleep(0)
        return value

    made = [function(at) for at in range(400)]

    def work(number):
        async def main():
            return await asyncio.gather(*made[number::8])

        assert asyncio.run(main()) == list(range(number, 400, 8))

    in_threads(8, work)
    assert breaker.snapshot().counts["success"] == 400


@needs.fork
def test_fork_during_a_call():
    """A child forked inside a protected call, with other threads in theirs, can call and count."""
    program = """
        import faulthandler, os, sys, threading, warnings
        import seawall

        warnings.simplefilter("ignore", DeprecationWarning)
        breaker = seawall.CircuitBreaker(
            "forked", failure_threshold=3, window=seawall.seconds(60), on_event=lambda event: None
        )
        stop = threading.Event()

        def load():
            while not stop.is_set():
                breaker.try_call(int)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()

        @breaker
        def function():
            pids = []
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    # Says where it hangs, if it does.
                    faulthandler.dump_traceback_later(30, exit=True)
                    for _ in range(100):
                        assert breaker.call(int) == 0
                    for _ in range(3):
                        breaker.try_call(lambda: 1 / 0)
                    assert breaker.state == "open"
                    os._exit(0)
                pids.append(child)
            return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]

        codes = function()
        stop.set()
        for thread in threads:
            thread.join()
        assert breaker.state == "closed"
        print(set(codes))
    """
    assert printed(program) == "{0}"


@needs.timers
def test_signal_handlers_may_call():
    """A signal handler that runs in the middle of anything may use the breaker that is in use."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, window=seawall.seconds(60))
    protected = breaker(lambda: 7)
    handled = []

    def handler(*_):
        handled.append(protected())

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        calls = 0
        while len(handled) < 50:
            protected()
            calls += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert breaker.snapshot().counts["success"] == calls + len(handled)
