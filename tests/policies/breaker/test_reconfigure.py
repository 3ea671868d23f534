"""Settings that change under a running circuit."""

import pytest
import seawall


def test_state_and_counts_are_kept(service, clock):
    """An open circuit stays open, for as long as it was told to, with all it has counted."""
    it = service(failure_threshold=1, open_duration=30)
    it.succeed(3)
    it.fail()
    it.refused()
    clock.advance(10)
    before = it.breaker.snapshot()
    it.breaker.reconfigure(failure_threshold=5, open_duration=300)
    after = it.breaker.snapshot()
    assert (after.state, after.retry_after, after.counts) == ("open", 20.0, before.counts)
    assert (after.generation, after.opened_count) == (before.generation, 1)
    assert after.settings["failure_threshold"] == 5
    it.due()
    it.succeed(3)
    it.fail(4)
    assert it.state == "closed"
    it.fail()
    assert it.breaker.retry_after == 300.0


def test_the_row_of_failures_is_kept(service):
    """A row goes on across a change, and a lower threshold is met by the next failure."""
    it = service(failure_threshold=10)
    it.fail(4)
    it.breaker.reconfigure(failure_threshold=5)
    assert it.state == "closed"
    it.fail()
    assert it.state == "open"


def test_the_window_is_kept_if_its_geometry_is(service):
    """Another rate over the same window judges what the window holds, at the next outcome."""
    it = service(failure_rate=0.9, window=seawall.calls(10), min_calls=5)
    it.fail(4)
    it.succeed(4)
    it.breaker.reconfigure(failure_rate=0.4)
    assert (it.window, it.state) == (8, "closed")
    it.succeed()
    assert it.state == "open"


@pytest.mark.parametrize(("size", "held"), [(4, 4), (7, 7), (20, 8)])
def test_the_latest_calls_move_into_a_window_of_another_size(service, size, held):
    """A count window of another size takes over the latest outcomes, as many as fit."""
    it = service(failure_rate=1.0, window=seawall.calls(10), min_calls=100)
    it.fail(4)
    it.succeed(4)
    it.breaker.reconfigure(window=seawall.calls(size))
    assert it.window == held
    assert it.breaker.snapshot().failure_rate == (held - 4) / held


def test_a_window_of_another_kind_starts_empty(service, clock):
    """Calls can't be made into seconds, nor one stretch of time into another."""
    it = service(failure_rate=1.0, window=seawall.calls(10))
    it.fail(5)
    it.breaker.reconfigure(window=seawall.seconds(10))
    assert it.window == 0
    it.fail(5)
    clock.advance(5)
    it.breaker.reconfigure(window=seawall.seconds(10), failure_rate=0.5)
    assert it.window == 5
    it.breaker.reconfigure(window=seawall.seconds(20))
    assert it.window == 0


def test_calls_in_flight_are_kept(service):
    """A call let in before the change ends after it, and counts."""
    it = service(failure_threshold=2)
    flights = [it.begin(), it.begin()]
    it.breaker.reconfigure(failure_rate=0.5)
    assert it.breaker.snapshot().in_flight == 2
    for flight in flights:
        flight.end(OSError("down"))
    assert it.breaker.snapshot().in_flight == 0
    assert it.state == "open"


def test_a_running_call_keeps_its_plan(service):
    """What counts for a call is what counted when it started."""
    it = service(on=OSError, failure_threshold=1)
    flight = it.begin()
    it.breaker.reconfigure(on=KeyError)
    flight.end(OSError("down"))
    assert it.state == "open"
    it.breaker.reset()
    it.fail()
    assert (it.state, it.counts) == ("closed", {"failure": 1, "success": 1})


def test_a_running_call_counts_where_it_ends(service):
    """What a call comes to counts in the window, and against the threshold, of its end."""
    it = service(failure_threshold=9)
    flights = [it.begin(), it.begin()]
    it.breaker.reconfigure(failure_threshold=None, failure_rate=1.0, min_calls=2)
    for flight in flights:
        flight.end(OSError("down"))
    assert (it.window, it.state) == (0, "open")


@pytest.mark.parametrize("change", [{"half_open_calls": 5}, {"window": seawall.seconds(60)}])
def test_a_coroutine_enters_by_what_is_in_force(clock, change):
    """A coroutine made before a change and awaited after it is one of the probes let in since."""
    breaker = seawall.CircuitBreaker(failure_rate=1.0, min_calls=1, half_open_calls=2)
    open_it(breaker)
    clock.advance(30)
    before = [breaker.call(paused) for _ in range(9)]
    breaker.reconfigure(**change)
    after = [breaker.call(paused) for _ in range(9)]
    probes = breaker.settings["half_open_calls"]
    let_in = [one for pair in zip(before, after, strict=True) for one in pair if enters(one)]
    assert len(let_in) == probes
    for coroutine in let_in[:-1]:
        with pytest.raises(StopIteration):
            coroutine.send(None)
    assert breaker.state == "half_open"
    with pytest.raises(StopIteration):
        let_in[-1].send(None)
    assert (breaker.state, breaker.snapshot().counts["late"]) == ("closed", 0)
    for coroutine in before + after:
        coroutine.close()


def test_probes_that_are_out_stay_out(service):
    """Fewer probes from now on: those that are out finish, and none is let in beside them."""
    it = service(failure_threshold=1, half_open_calls=6, success_threshold=50)
    it.fail()
    it.due()
    flights = [it.begin() for _ in range(6)]
    it.breaker.reconfigure(half_open_calls=2)
    it.refused()
    for flight in flights:
        flight.end()
    assert it.counts == {"failure": 1, "rejected": 1, "success": 6}


def open_it(breaker):
    """One failure."""
    with pytest.raises(OSError, match="down"):
        breaker.call(fail)


def fail():
    """Raises."""
    raise OSError("down")


async def paused():
    """Suspends once."""
    await Pause()


class Pause:
    """One suspension."""

    def __await__(self):
        yield


def enters(coroutine):
    """Takes its first step, and says whether it was let in."""
    try:
        coroutine.send(None)
    except seawall.CircuitOpenError:
        return False
    return True


def test_a_backoff_goes_on(service):
    """A change of something else leaves a backoff, whose delays build on one another, at that."""

    def open_times(*, changed):
        backoff = seawall.exponential(1.0, cap=1000.0, jitter="decorrelated")
        it = service(failure_threshold=1, open_duration=backoff)
        with seawall.testing.seed(7):
            it.fail()
            for _ in range(8):
                yield it.breaker.retry_after
                if changed:
                    it.breaker.reconfigure(success_threshold=4)
                it.due()
                it.fail()

    assert list(open_times(changed=True)) == list(open_times(changed=False))


def test_a_probe_in_flight_is_kept(service):
    """A half-open circuit stays half-open, and its probe decides under the rules it began with."""
    it = service(failure_threshold=1, half_open_calls=1)
    it.fail()
    it.due()
    probe = it.begin()
    it.breaker.reconfigure(open_duration=5)
    it.refused()
    probe.end()
    assert it.state == "closed"


def test_more_probes_than_there_were(service):
    """After a change to more probes, exactly so many are let in."""
    it = service(failure_threshold=1, half_open_calls=1, success_threshold=50)
    it.fail()
    it.due()
    it.succeed()
    it.breaker.reconfigure(half_open_calls=12)
    flights = [it.begin() for _ in range(12)]
    it.refused()
    for flight in flights:
        flight.end()
    assert it.state == "half_open"


@pytest.mark.parametrize(
    "changes", [{"failure_rate": 2}, {"min_call": 5}, {"failure_threshold": 3, "on": 5}]
)
def test_wrong_changes_change_nothing(service, changes):
    """Of a change with one wrong setting nothing is done, not even what was right."""
    it = service(failure_rate=0.5, on=OSError)
    before = dict(it.breaker.settings)
    with pytest.raises(seawall.ConfigError):
        it.breaker.reconfigure(**changes)
    assert dict(it.breaker.settings) == before


def test_none_brings_the_default_back(service):
    """A setting changed to None is as if it had never been named."""
    it = service(failure_threshold=3)
    it.breaker.reconfigure(failure_threshold=None, open_duration=5)
    assert it.breaker.settings["failure_rate"] == 0.5
    it.breaker.reconfigure(open_duration=None)
    assert it.breaker.settings["open_duration"] == 30.0


def test_changes_add_up(service):
    """A later change leaves alone what it does not name."""
    it = service(failure_threshold=3)
    it.breaker.reconfigure(open_duration=5)
    it.breaker.reconfigure(half_open_calls=7)
    settings = it.breaker.settings
    assert (settings["failure_threshold"], settings["open_duration"]) == (3, 5)
    assert settings["half_open_calls"] == 7


def test_decorated_functions_follow(service):
    """Functions decorated before a change go by the new settings."""
    it = service(failure_threshold=100)
    other = it.kind.protect(it.breaker, lambda: 1)
    it.breaker.reconfigure(failure_threshold=1)
    it.fail()
    with pytest.raises(seawall.CircuitOpenError):
        other()


def test_a_name_stands_for_its_declaration(service):
    """Code that declares a breaker again as it did before gets it, changes and all."""
    it = service(name="payments", failure_threshold=5)
    it.breaker.reconfigure(failure_threshold=9)
    again = seawall.CircuitBreaker("payments", failure_threshold=5)
    assert again is it.breaker
    assert again.settings["failure_threshold"] == 9


def test_a_new_listener_hears_from_now_on(service):
    """`on_event` may be changed like any other setting."""
    first, second = [], []
    it = service(on_event=first.append)
    it.breaker.force_open()
    it.breaker.reconfigure(on_event=second.append)
    it.breaker.reset()
    assert [event.kind for event in first] == ["breaker.forced_open"]
    assert [event.kind for event in second] == ["breaker.reset"]
