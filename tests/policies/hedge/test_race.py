"""When further attempts start, and whose answer a call gets: in tasks and in threads."""

import asyncio
import contextvars

import pytest
import seawall


def test_a_quick_call_is_not_hedged(way, clock, service, counts):
    """It answers before the delay: one attempt, and nothing is left."""
    calls, hedge = service(0.04), seawall.Hedge(delay=0.05)
    assert way.call(hedge(way.of(calls))) == 0
    assert (calls.begun, clock.elapsed) == (1, 0.04)
    assert counts(hedge) == {"first": 1}


def test_a_call_that_never_waits(way, service, counts):
    """It answers at once, also where no clock is."""
    calls, hedge = service(None), seawall.Hedge(delay=0.05)
    assert way.call(hedge(way.of(calls))) == 0
    assert counts(hedge) == {"first": 1}


def test_a_slow_call_is_hedged_after_the_delay(way, clock, service, counts):
    """The second attempt starts at the delay, its answer is the call's, and the first has lost."""
    calls, hedge = service(10, 0.01), seawall.Hedge(delay=0.05)
    assert way.call(hedge(way.of(calls))) == 1
    assert clock.elapsed == 0.06
    seen = counts(hedge)
    assert (seen["hedged"], seen["hedges"]) == (1, 1)
    assert calls.cancelled == ([] if way.threads else [0])


def test_the_first_may_win_after_all(way, clock, service, counts):
    """The first good answer wins, whoever gives it."""
    calls, hedge = service(0.07, 1), seawall.Hedge(delay=0.05)
    assert way.call(hedge(way.of(calls))) == 0
    assert clock.elapsed == 0.07
    assert counts(hedge)["first"] == 1


def test_no_more_attempts_than_asked_for(way, clock, service):
    """One delay apart, `max_hedges` besides the first."""
    calls, hedge = service(1), seawall.Hedge(delay=0.1, max_hedges=3)
    assert way.call(hedge(way.of(calls))) == 0
    assert (calls.begun, calls.most, clock.elapsed) == (4, 4, 1.0)


def test_no_delay_starts_both_at_once(way, clock, service):
    """A delay of 0 is no delay."""
    calls, hedge = service(1, 0.2), seawall.Hedge(delay=0)
    assert way.call(hedge(way.of(calls))) == 1
    assert clock.elapsed == 0.2


def test_a_failure_starts_the_next_at_once(way, clock, service, counts):
    """Nobody waits for the delay after an attempt has failed."""
    calls, hedge = service((0.01, OSError()), 0.01), seawall.Hedge(delay=5)
    assert way.call(hedge(way.of(calls))) == 1
    assert clock.elapsed == 0.02
    assert counts(hedge) == {"hedged": 1, "hedges": 1}


def test_a_failure_while_another_runs_decides_nothing(way, clock, service):
    """The other one's answer is the call's."""
    calls, hedge = service(0.3, (0.01, OSError())), seawall.Hedge(delay=0.05)
    assert way.call(hedge(way.of(calls))) == 0
    assert clock.elapsed == 0.3


def test_when_all_fail_the_first_error_is_the_callers(way, clock, service, counts):
    """The error itself, with a note that says how many there were."""
    first, second = OSError("down"), OSError("down, too")
    calls = service((0.3, second), (0.01, first))
    hedge = seawall.Hedge("h", delay=0.05)
    with pytest.raises(OSError, match="down") as caught:
        way.call(hedge(way.of(calls)))
    assert caught.value is first
    assert first.__notes__ == ["hedge 'h': all of 2 attempts failed; this one did first"]
    assert clock.elapsed == 0.3
    assert counts(hedge) == {"failed": 1, "hedges": 1}


def test_a_result_that_is_no_answer(way, clock, service):
    """`on_result` says so; when there is no better one, the caller gets it."""
    calls = service((0.01, "busy"), 0.01, (0.01, "busy"), (0.01, "full"))
    hedged = seawall.Hedge(delay=5, on_result=lambda value: isinstance(value, str))(way.of(calls))
    assert way.call(hedged) == 1
    assert way.call(hedged) == "busy"
    assert calls.begun == 4


def test_what_is_not_hedged_against_ends_the_call(way, clock, service, counts):
    """An error outside of `on` is the call's at once, and the other attempt has lost."""
    calls = service(10, (0.01, KeyError()))
    hedge = seawall.Hedge(delay=0.05, on=OSError)
    with pytest.raises(KeyError):
        way.call(hedge(way.of(calls)))
    assert clock.elapsed == 0.06
    assert counts(hedge)["passed"] == 1


@pytest.mark.parametrize("settings", [{"on": OSError}, {"ignore": ValueError}])
def test_it_starts_no_other(way, clock, service, settings):
    """Of an error that is not hedged against, or that is to be ignored."""
    calls = service((0.01, ValueError()), 0)
    with pytest.raises(ValueError):  # noqa: PT011  it has no message
        way.call(seawall.Hedge(delay=5, **settings)(way.of(calls)))
    assert calls.begun == 1


def test_each_attempt_has_the_callers_context(way, clock):
    """A copy of its own, as it was when the call was made."""
    variable = contextvars.ContextVar("variable")
    variable.set("caller")
    seen = []

    def begin():
        seen.append(variable.get())
        variable.set(f"attempt {len(seen)}")

    async def in_task():
        begin()
        await seawall.waiting.asleep(0.3)

    def in_thread():
        begin()
        seawall.waiting.sleep(0.3)

    way.call(seawall.Hedge(delay=0.1)(in_thread if way.threads else in_task))
    assert seen == ["caller", "caller"]
    assert variable.get() == "caller"


def test_arguments_go_to_each(way, clock):
    """Those by place and those by name."""
    seen = []

    async def in_task(*args, **kwargs):
        seen.append((args, kwargs))
        await seawall.waiting.asleep(0.3)

    def in_thread(*args, **kwargs):
        seen.append((args, kwargs))
        seawall.waiting.sleep(0.3)

    hedged = seawall.Hedge(delay=0.1)(in_thread if way.threads else in_task)
    way.run(lambda: hedged(1, two=2))
    assert seen == [((1,), {"two": 2})] * 2


def test_calls_share_nothing_but_counters(clock, counts):
    """Each call has attempts of its own, however many there are at once."""
    hedge = seawall.Hedge(delay=0.105)

    @hedge
    async def work(number):
        await seawall.waiting.asleep(number / 100)
        return number

    async def main():
        return await asyncio.gather(*map(work, range(20)))

    assert asyncio.run(main()) == list(range(20))
    assert counts(hedge) == {"first": 20, "hedges": 9, "lost_cancelled": 9}
