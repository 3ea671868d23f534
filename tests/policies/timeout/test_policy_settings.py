"""A timeout's settings, its name, what it refuses to protect, and what it tells."""

import copy
import pickle
from datetime import timedelta

import pytest
import seawall


def problems(*seconds, **settings):
    """What is wrong with them, by field."""
    with pytest.raises(seawall.ConfigError) as wrong:
        seawall.Timeout(*seconds, name="wrong", **settings)
    return {problem.field: problem for problem in wrong.value.problems}


@pytest.mark.parametrize(
    "seconds", [0, -1, float("nan"), float("inf"), 1e12, "soon", None, True, timedelta(0)]
)
def test_a_length_that_is_none(seconds):
    """More than nothing, and no more than the clock can count."""
    assert set(problems(seconds)) == {"seconds"}


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("pool", {"pool": "thread"}),
        ("pool", {"pool": 3}),
        ("max_threads", {"max_threads": 3}),
        ("max_threads", {"pool": "threads", "max_threads": 0}),
        ("max_threads", {"pool": "threads", "max_threads": 1.5}),
        ("max_threads", {"pool": "threads", "max_threads": 10**6}),
        ("on_event", {"on_event": 1}),
        ("limit", {"limit": 1}),
    ],
)
def test_what_is_wrong_is_named(field, settings):
    """The setting that it is."""
    assert set(problems(1, **settings)) == {field}


def test_all_at_once():
    """One error names every problem, and the nearest name of what there is none of."""
    found = problems(-1, pool="fibres", max_threads=0, on_event=1, max_thread=1)
    assert set(found) == {"seconds", "pool", "max_threads", "on_event", "max_thread"}
    assert found["max_thread"].nearest == "max_threads"
    assert "'threads'" in found["pool"].rule


def test_nothing_is_made_of_wrong_settings():
    """The name stays free."""
    problems(-1)
    assert seawall.Timeout(1, name="wrong").settings["seconds"] == 1.0


def test_settings_in_force():
    """With defaults; a length may be a timedelta."""
    assert dict(seawall.Timeout(timedelta(minutes=1)).settings) == {
        "seconds": 60.0,
        "pool": None,
        "max_threads": None,
        "on_event": None,
    }
    assert seawall.Timeout(1, pool="threads").settings["max_threads"] == 256


def test_its_name():
    """The same name with the same settings is the same timeout; with others it is refused."""
    one = seawall.Timeout(2, name="payments")
    assert seawall.timeout(2, name="payments") is one
    assert seawall.registry.find("timeout", "payments") is one
    with pytest.raises(seawall.ConfigError, match="payments"):
        seawall.Timeout(3, name="payments")
    assert seawall.Timeout(3, name="payments", replace=True) is not one


def test_it_is_named_after_its_first_function():
    """Also in the threads that it has, and in its errors."""

    def charge():
        """Nothing."""

    timeout = seawall.Timeout(2, pool="threads")
    timeout(charge)
    assert timeout.name == f"{__name__}.{charge.__qualname__}"
    assert timeout._pool.name == timeout.name


def test_copies_and_pickles_are_itself():
    """It has counters, which are one."""
    timeout = seawall.Timeout(2, name="payments")
    assert copy.copy(timeout) is copy.deepcopy(timeout) is timeout
    assert pickle.loads(pickle.dumps(timeout)) is timeout


def test_its_looks():
    """Name and length, also after a change."""
    timeout = seawall.Timeout(2, name="payments")
    assert repr(timeout) == "<Timeout 'payments' 2 s>"
    timeout.reconfigure(seconds=0.25)
    assert repr(timeout) == "<Timeout 'payments' 0.25 s>"


def test_a_snapshot_is_a_picture():
    """It does not change, and can't be changed."""
    timeout = seawall.Timeout(2, name="seen")
    before = timeout.snapshot()
    timeout.call(int)
    assert (before.name, before.kind, before.key) == ("seen", "timeout", None)
    assert before.counts == {"in_time": 0, "late": 0, "timed_out": 0, "other": 0}
    assert (before.threads, before.abandoned, before.in_flight) == (0, 0, 0)
    assert timeout.snapshot().counts["in_time"] == 1
    with pytest.raises(TypeError):
        before.counts["late"] = 1


def test_calls_in_flight():
    """A call is in flight from its first step to its end."""
    timeout = seawall.Timeout(2)
    seen = []
    timeout.call(lambda: seen.append(timeout.snapshot().in_flight))
    assert (seen, timeout.snapshot().in_flight) == ([1], 0)


def test_reconfigured(run, clock, forever, counts):
    """Calls from now on have the new length; those that run keep theirs; counts stay."""
    timeout = seawall.Timeout(3)

    @timeout
    async def work():
        timeout.reconfigure(seconds=9)
        await forever()

    async def main():
        took = []
        for _ in range(2):
            with pytest.raises(seawall.CallTimeoutError) as caught:
                await work()
            took.append((caught.value.limit, round(caught.value.elapsed)))
        return took

    assert run(main) == [(3.0, 3), (9.0, 9)]
    assert counts(timeout) == {"timed_out": 2}


def test_wrong_changes_change_nothing():
    """All of them are named; what was right among them is not taken either."""
    timeout = seawall.Timeout(3, pool="threads", max_threads=5)
    with pytest.raises(seawall.ConfigError) as wrong:
        timeout.reconfigure(seconds=7, max_threads=0, on_event=1)
    assert {problem.field for problem in wrong.value.problems} == {"max_threads", "on_event"}
    assert (timeout.settings["seconds"], timeout._pool.max_threads) == (3.0, 5)


def test_threads_are_not_put_on_or_taken_off():
    """What it is on was checked for what it was: a coroutine function would have no limit."""
    with pytest.raises(seawall.ConfigError, match="in place"):
        seawall.Timeout(3).reconfigure(pool="threads")
    pooled = seawall.Timeout(3, pool="threads", max_threads=5)
    with pytest.raises(seawall.ConfigError, match="in place"):
        pooled.reconfigure(pool=None, max_threads=None)
    assert pooled.settings["pool"] == "threads"
    pooled.reconfigure(pool="threads", max_threads=None)
    assert pooled._pool.max_threads == 256


def generator():
    """Yields."""
    yield 1


async def async_generator():
    """Yields."""
    yield 1


async def coroutine():
    """Nothing."""


@pytest.mark.parametrize("pool", [None, "threads"])
@pytest.mark.parametrize("function", [generator, async_generator])
def test_generators_are_refused(function, pool):
    """Their time is their consumer's as well."""
    timeout = seawall.Timeout(1, pool=pool)
    for protect in (timeout, timeout.call, seawall.Pipeline("one", timeout)):
        with pytest.raises(seawall.ConfigError, match="generator"):
            protect(function)


def test_coroutines_need_no_thread():
    """A timeout with threads refuses them."""
    with pytest.raises(seawall.ConfigError, match="needs no thread"):
        seawall.Timeout(1, pool="threads")(coroutine)


def test_a_retry_in_a_thread_is_refused():
    """The thread would be given up for one attempt; outside it is welcome."""
    pooled = seawall.Timeout(1, pool="threads")
    with pytest.raises(seawall.ConfigError, match="inside of the retry"):
        pooled(seawall.Retry()(lambda: 1))
    with pytest.raises(seawall.ConfigError, match="inside of the retry"):
        seawall.Pipeline("both", pooled, seawall.Retry())
    assert seawall.Retry()(pooled(lambda: 1))() == 1


def test_twice_is_refused():
    """The same timeout on one function."""
    timeout = seawall.Timeout(1)
    with pytest.raises(seawall.ConfigError, match="twice"):
        timeout(timeout(lambda: 1))


def test_blocks_are_refused():
    """There is `deadline` for them, as the error says."""
    with pytest.raises(TypeError, match=r"seawall\.deadline"), seawall.Timeout(1):
        pass


def test_odd_compositions_are_warned_of():
    """A limit that can't be reached."""
    with pytest.warns(seawall.CompositionWarning, match="never reached"):
        seawall.Pipeline("odd", seawall.Timeout(1), seawall.Timeout(2))


def test_a_listener_that_raises(clock):
    """Its error never reaches the call."""

    def hear(event):
        raise RuntimeError("mistake")

    timeout = seawall.Timeout(1, on_event=hear)
    with seawall.testing.record() as told:
        assert timeout.call(clock.advance, 2) is None
    assert told.kinds == ["timeout.late"]


def test_events_are_numbered(run, clock, forever, told):
    """One after the other, for each timeout."""
    timeout = seawall.Timeout(3, name="payments")

    async def main():
        for _ in range(3):
            with pytest.raises(seawall.CallTimeoutError):
                await timeout.call(forever)

    run(main)
    assert [(event.kind, event.seq) for event in told] == [
        ("timeout.timed_out", number) for number in (1, 2, 3)
    ]
    assert {(event.policy, event.name, event.limit) for event in told} == {
        ("timeout", "payments", 3.0)
    }
    assert all(3 <= event.elapsed < 3.1 for event in told)


def test_errors_can_be_pickled(clock):
    """With what a process pool hands on: name, limit and elapsed time."""

    def check():
        clock.advance(4)
        seawall.deadline.check()

    outcome = seawall.Timeout(3, name="payments").try_call(check)
    for error in (outcome.error, outcome.error.__cause__):
        copied = pickle.loads(pickle.dumps(error))
        assert (type(copied), copied.args) == (type(error), error.args)
