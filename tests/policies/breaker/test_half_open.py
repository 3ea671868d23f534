"""Half-open: who may probe, and what the probes decide."""

import asyncio
import gc
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
import seawall

from tests.policies.breaker.service import KINDS, AsyncKind, Service


@pytest.fixture
def due(service, clock):
    """Makes a service whose circuit has opened and is due."""

    def make(**settings):
        it = service(**{"failure_threshold": 1, "open_duration": 30, **settings})
        it.fail(it.breaker.settings["failure_threshold"] or 1)
        clock.advance(30)
        return it

    return make


# As many threads as there are tasks say nothing that nine do not.
PROBES = [(kind, probes) for kind in KINDS for probes in (1, 2, 7, 8, 9)] + [(KINDS[-1], 256)]


@pytest.mark.parametrize(
    ("kind", "probes"), PROBES, ids=lambda it: it if isinstance(it, int) else it.name
)
def test_exactly_so_many_probes(due, probes):
    """As many as named are let in at once, and not one more, until one comes back."""
    it = due(half_open_calls=probes, success_threshold=1000)
    flights = [it.begin() for _ in range(probes)]
    refusal = it.refused()
    assert (refusal.state, refusal.retry_after) == ("half_open", 0.0)
    flights[0].end()
    flights[0] = it.begin()
    it.refused()
    for flight in flights:
        flight.end()
    assert it.breaker.snapshot().in_flight == 0


def test_a_stampede_of_threads_gets_the_probes(due, kind):
    """However many threads come at once, the probes let in are those that were named."""
    it = due(half_open_calls=3)
    come = copy_context()

    def attempt(_):
        try:
            return come.copy().run(it.begin)
        except seawall.CircuitOpenError as error:
            return error

    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(attempt, range(64)))
    inside = [one for one in got if not isinstance(one, Exception)]
    assert len(inside) == 3
    for flight in inside:
        flight.end()
    assert it.state == "closed"


def test_a_stampede_of_tasks_gets_the_probes(clock, told):
    """Fifty tasks that come to a circuit that is due send three probes."""
    breaker = seawall.CircuitBreaker(failure_threshold=1)
    running = most = 0

    @breaker
    async def call(fail=False):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        if fail:
            raise OSError

    async def main():
        await asyncio.gather(call(fail=True), return_exceptions=True)
        clock.advance(30)
        return await asyncio.gather(*(call() for _ in range(50)), return_exceptions=True)

    answers = asyncio.run(main())
    assert most == 3
    assert sum(answer is None for answer in answers) == 3
    assert told.kinds == ["breaker.opened", "breaker.half_opened", "breaker.closed"]


def test_a_sample_is_judged_by_the_rate(due, told):
    """Without a success threshold, as many outcomes as probes are judged by the failure rate."""
    it = due(failure_threshold=None, failure_rate=0.5, min_calls=1, half_open_calls=4)
    it.succeed(2)
    it.fail()
    assert it.state == "half_open"
    it.succeed()
    assert it.state == "closed"
    assert (told[-1].kind, told[-1].cause) == ("breaker.closed", "recovered")


def test_a_sample_reopens_as_soon_as_the_rate_is_sure(service):
    """Half of four is reached with the second failure: the other two are not waited for."""
    it = service(failure_rate=0.5, min_calls=1, window=seawall.calls(1), half_open_calls=4)
    it.fail()
    it.due()
    it.fail(2)
    assert it.state == "open"


def test_slow_probes_reopen(service):
    """A slow-call rule judges the sample too."""
    it = service(slow_call_rate=0.5, slow_call_duration=1, min_calls=1, half_open_calls=2)
    it.succeed(seconds=1)
    it.due()
    it.succeed(seconds=1)
    assert it.state == "open"
    assert it.breaker.snapshot().opened_count == 2


def test_consecutive_rule_alone_reopens_at_any_failure(due):
    """A breaker with only the consecutive rule takes one failed probe for enough."""
    it = due(failure_threshold=5, half_open_calls=3)
    it.succeed(2)
    it.fail()
    assert it.state == "open"


def test_success_threshold_closes(due):
    """So many successes close it, also if that is more than run at once."""
    it = due(half_open_calls=1, success_threshold=4)
    it.succeed(3)
    assert it.state == "half_open"
    it.succeed()
    assert it.state == "closed"


def test_success_threshold_reopens_at_the_first_failure(due, told):
    """Any failure before the threshold re-opens, by the cause *probe*."""
    it = due(half_open_calls=1, success_threshold=4)
    it.succeed(3)
    it.fail()
    assert it.state == "open"
    assert (told[-1].cause, told[-1].before) == ("probe", "half_open")
    assert it.breaker.retry_after == 30.0


NEUTRAL = {
    "ignored": KeyError("ignored"),
    "cancelled": asyncio.CancelledError(),
    "interrupted": KeyboardInterrupt(),
    "exiting": SystemExit(),
    "closed": GeneratorExit(),
    "refused": seawall.CircuitOpenError("further in", 1.0, "open"),
}


@pytest.mark.parametrize("what", NEUTRAL.values(), ids=NEUTRAL)
def test_neutral_probes_give_their_permit_back(due, what):
    """Ignored, cancelled and refused probes decide nothing, however many, and wedge nothing."""
    it = due(half_open_calls=2, ignore=KeyError)
    for _ in range(20):
        flights = [it.begin(), it.begin()]
        it.refused()
        for flight in flights:
            flight.end(what)
        assert it.state == "half_open"
    it.succeed(2)
    assert it.state == "closed"


def test_a_dropped_probe_gives_its_permit_back(clock):
    """A coroutine that is closed or thrown away unfinished is a cancelled probe."""
    it = Service(AsyncKind(), clock, failure_threshold=1, half_open_calls=1)
    it.fail()
    it.due()
    it.begin().drop()
    flight = it.begin()
    del flight
    assert it.state == "half_open"
    assert it.counts["cancelled"] == 2
    it.succeed()
    assert it.state == "closed"


def test_a_coroutine_that_was_never_started_holds_no_permit(clock):
    """A call that nobody awaits keeps no probe from those who do."""
    breaker = seawall.CircuitBreaker(failure_threshold=1, half_open_calls=1)

    @breaker
    async def call(fail=False):
        if fail:
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011  it is the whole error
        call(fail=True).send(None)
    clock.advance(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call()
        gc.collect()
    assert breaker.snapshot().in_flight == 0
    with pytest.raises(StopIteration):
        call().send(None)
    assert breaker.state == "closed"


def test_a_lost_probe_loses_its_lease(due, clock):
    """A probe that does not come back within its lease makes room for another."""
    it = due(half_open_calls=1, half_open_max_duration=5)
    lost = it.begin()
    clock.advance(4.999_999)
    it.refused()
    clock.advance(0.000_001)
    other = it.begin()
    it.refused()
    lost.end()
    assert (it.state, it.counts["late"]) == ("half_open", 1)
    it.refused()
    other.end()
    assert it.state == "closed"


def test_the_lease_is_a_minute_or_the_open_duration(service):
    """By default a probe has as long as the circuit stays open, and at least a minute."""
    for open_duration, lease in [(30, 60.0), (600, 600.0), (seawall.constant(600), 60.0)]:
        it = service(open_duration=open_duration)
        assert it.breaker.settings["half_open_max_duration"] == lease


def test_a_lost_probe_that_fails_late_reopens_nothing(due, clock):
    """What a probe without a lease says counts as late, failure or not."""
    it = due(half_open_calls=1, half_open_max_duration=5, success_threshold=3)
    lost = it.begin()
    clock.advance(5)
    it.succeed()
    lost.end(OSError("at last"))
    assert it.state == "half_open"
    it.succeed(2)
    assert it.state == "closed"


def test_a_slow_cancelled_probe_counts_as_slow(service):
    """Cancelled after it was slow already, a probe has said something, and re-opens by it."""
    it = service(slow_call_rate=0.5, slow_call_duration=1, min_calls=1, half_open_calls=2)
    it.succeed(seconds=1)
    it.due()
    probe = it.begin()
    it.clock.advance(1)
    probe.end(asyncio.CancelledError())
    assert it.state == "open"


def test_probes_after_the_decision_are_late(due):
    """A sample that is decided is not decided again by those still out."""
    it = due(half_open_calls=3, success_threshold=2)
    flights = [it.begin() for _ in range(3)]
    flights[0].end()
    flights[1].end()
    assert it.state == "closed"
    flights[2].end(OSError("late"))
    assert it.state == "closed"
    assert it.counts["late"] == 1
