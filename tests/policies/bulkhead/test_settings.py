"""A bulkhead's settings, its name, what it becomes live, and what it tells."""

import copy
import os
import pickle
import threading
from datetime import timedelta

import pytest
import seawall

from tests import needs


def problems(**settings):
    """What is wrong with them, by field."""
    with pytest.raises(seawall.ConfigError) as wrong:
        seawall.Bulkhead("wrong", **settings)
    return {problem.field: problem for problem in wrong.value.problems}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_concurrent", 0),
        ("max_concurrent", 10**7),
        ("max_concurrent", 1.5),
        ("max_concurrent", "ten"),
        ("max_wait", -1),
        ("max_wait", float("inf")),
        ("max_wait", float("nan")),
        ("max_queue", -1),
        ("max_queue", 10**7),
        ("max_queue", 5),
        ("on_event", 1),
        ("pool", "fibres"),
        ("pool", 3),
        ("key", 1),
        ("max_keys", 5),
        ("max_calls", 5),
    ],
)
def test_what_is_wrong_is_named(field, value):
    """The setting that it is."""
    assert set(problems(**{field: value})) == {field}


def test_all_at_once():
    """One error names every problem, and the nearest name of what there is none of."""
    found = problems(max_concurrent=0, max_wait=-1, max_queue=-1, on_event=1, max_waits=3)
    assert set(found) == {"max_concurrent", "max_wait", "max_queue", "on_event", "max_waits"}
    assert found["max_waits"].nearest == "max_wait"


def test_a_queue_that_nobody_waits_in():
    """Is a mistake where it is declared, unless it is said that nobody waits for now."""
    assert "max_wait" in problems(max_queue=5)["max_queue"].rule
    assert seawall.Bulkhead(max_queue=5, max_wait=0).settings["max_wait"] == 0.0


def test_settings_in_force():
    """With defaults; a time may be a timedelta."""
    assert dict(seawall.Bulkhead().settings) == {
        "max_concurrent": 10,
        "max_wait": 0.0,
        "max_queue": 100,
        "pool": None,
        "on_event": None,
        "key": None,
        "max_keys": None,
        "key_idle": None,
    }
    settings = seawall.Bulkhead(max_wait=timedelta(minutes=1), key="host").settings
    assert (settings["max_wait"], settings["max_queue"]) == (60.0, 100)
    assert (settings["key"], settings["max_keys"], settings["key_idle"]) == ("host", 10_000, 600.0)


def test_a_name_stands_for_what_was_declared():
    """The same settings are the same bulkhead; others are refused; copies and pickles are it."""
    bulkhead = seawall.Bulkhead("one", max_concurrent=3)
    assert seawall.Bulkhead("one", max_concurrent=3) is bulkhead
    with pytest.raises(seawall.ConfigError, match="max_concurrent"):
        seawall.Bulkhead("one", max_concurrent=4)
    assert seawall.registry.get("bulkhead", "one") is bulkhead
    for other in (copy.copy(bulkhead), copy.deepcopy(bulkhead)):
        assert other is bulkhead
    assert pickle.loads(pickle.dumps(bulkhead)) is bulkhead
    assert seawall.Bulkhead("one", max_concurrent=4, replace=True) is not bulkhead


def test_the_decorator():
    """Bare, called, and named after the function without a name of its own."""

    @seawall.bulkhead
    def bare():
        return 1

    @seawall.bulkhead("named", max_concurrent=2)
    def called():
        return 2

    assert (bare(), called()) == (1, 2)
    names = [policy.name for policy in seawall.registry.policies() if policy.kind == "bulkhead"]
    assert [name.rpartition(".")[2] for name in names] == ["named", "bare"]
    with pytest.raises(TypeError, match="two names"):
        seawall.bulkhead("a", name="b")


def test_repr_says_how_full_it_is(crowd, until):
    """And how many wait."""
    bulkhead = seawall.Bulkhead("r", max_concurrent=2, max_wait=30)
    assert repr(bulkhead) == "<Bulkhead 'r' 0 of 2>"
    with bulkhead, bulkhead:
        crowd.start(bulkhead.call, int)
        until(lambda: bulkhead.snapshot().waiting == 1)
        assert repr(bulkhead) == "<Bulkhead 'r' 2 of 2, 1 waiting>"
    assert repr(seawall.Bulkhead("k", key="host")) == "<Bulkhead 'k' 0 of 10 each>"


def test_more_permits_let_in_who_waits(crowd, until):
    """At once, in order, without anybody leaving."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30)
    go, inside = threading.Event(), []

    def work(number):
        inside.append(number)
        go.wait(30)

    with bulkhead:
        for number in range(3):
            crowd.start(bulkhead.call, work, number)
            until(lambda number=number: bulkhead.snapshot().waiting == number + 1)
        bulkhead.reconfigure(max_concurrent=3)
        until(lambda: len(inside) == 2)
        assert sorted(inside) == [0, 1]
        assert (bulkhead.snapshot().in_flight, bulkhead.snapshot().waiting) == (3, 1)
        go.set()
    crowd.join()
    assert sorted(inside) == [0, 1, 2]


def test_fewer_permits_drain():
    """It waits for nobody and stops nobody; until enough have left, nobody is let in."""
    bulkhead = seawall.Bulkhead(max_concurrent=3)
    first, second = bulkhead, bulkhead
    with first:
        with second, bulkhead:
            bulkhead.reconfigure(max_concurrent=1)
            assert (bulkhead.snapshot().in_flight, bulkhead.snapshot().limit) == (3, 1)
        assert not bulkhead.try_call(int).ok
    assert bulkhead.call(int) == 0


def test_waiting_may_be_switched_on_and_off(clock):
    """For the calls that begin from then on, decorated before or not."""
    bulkhead = seawall.Bulkhead(max_concurrent=1)
    work = bulkhead(lambda: None)
    waited = []
    with bulkhead:
        for seconds in (0, 3, 0):
            bulkhead.reconfigure(max_wait=seconds)
            with pytest.raises(seawall.BulkheadFullError) as refused:
                work()
            waited.append(refused.value.waited)
    assert waited == [0.0, 3.0, 0.0]
    with pytest.raises(seawall.ConfigError):
        bulkhead.reconfigure(max_concurrent=0)
    assert bulkhead.settings["max_concurrent"] == 1


def test_keys_have_a_limit_each(counts):
    """One that is full is not in the way of another; without a key there is one more."""
    bulkhead = seawall.Bulkhead("hosts", max_concurrent=1, key="host")

    @bulkhead
    def fetch(host, then=()):
        return [host, *(fetch(*then) if then else [])]

    assert fetch("a", ("b",)) == ["a", "b"]
    with pytest.raises(seawall.BulkheadFullError, match="of key 'a' is full") as refused:
        fetch("a", ("a",))
    assert refused.value.key == "a"
    assert counts(bulkhead, key="a") == {"entered": 2, "rejected": 1}
    assert counts(bulkhead, key="b") == {"entered": 1}
    assert counts(bulkhead) == {"entered": 3, "rejected": 1}
    assert sorted(bulkhead.keys) == ["a", "b"]
    with bulkhead.block(key="a"):
        assert bulkhead.snapshot(key="a").in_flight == 1
        with pytest.raises(seawall.BulkheadFullError):
            fetch("a")
        assert fetch("c") == ["c"]
    assert fetch(None) == [None]
    with pytest.raises(KeyError, match="nowhere"):
        bulkhead.snapshot(key="nowhere")
    with pytest.raises(TypeError, match="one limit for all"):
        seawall.Bulkhead("plain").snapshot(key="a")
    with pytest.raises(TypeError, match="one limit for all"):
        seawall.Bulkhead("plain").block(key="a")


def test_keys_are_resized_and_bounded():
    """Each of them; those that are busy are never forgotten, and the others leave their counts."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, key="key", max_keys=2)

    @bulkhead
    def work(key):
        return key

    with bulkhead.block(key="busy"):
        for number in range(50):
            assert work(number) == number
        assert "busy" in bulkhead.keys
        assert len([key for key in bulkhead.keys if key is not seawall.OTHER_KEYS]) <= 2
        assert not bulkhead.try_call(work.__wrapped__, "busy").ok
        bulkhead.reconfigure(max_concurrent=2)
        assert bulkhead.snapshot(key="busy").limit == 2
        assert work("busy") == "busy"
    assert bulkhead.snapshot().counts["entered"] == 52
    with pytest.raises(seawall.ConfigError, match="can't be changed"):
        bulkhead.reconfigure(key="other")


def test_a_call_that_was_made_before_its_key_was_forgotten():
    """A coroutine is let in by the state that its key has when it begins."""
    bulkhead = seawall.Bulkhead(max_concurrent=1, key="key", max_keys=1)

    @bulkhead
    async def work(key):
        return key

    made = work("early")
    for number in range(20):
        with pytest.raises(StopIteration):
            work(number).send(None)
    with bulkhead.block(key="early"), pytest.raises(seawall.BulkheadFullError):
        made.send(None)


def test_what_it_tells(told, clock):
    """Of calls that were refused, and of those that had to wait."""
    heard = []
    bulkhead = seawall.Bulkhead(
        "b", max_concurrent=1, max_wait=2, max_queue=1, on_event=heard.append
    )
    with bulkhead, pytest.raises(seawall.BulkheadFullError):
        bulkhead.call(int)
    [event] = heard
    assert told.events == heard if hasattr(told, "events") else list(told) == heard
    assert isinstance(event, seawall.BulkheadRejected)
    assert (event.kind, event.policy, event.name) == ("bulkhead.rejected", "bulkhead", "b")
    assert (event.why, event.waited, event.limit, event.waiting) == ("waited", 2.0, 1, 0)
    assert (event.key, event.seq) == (None, 1)


def test_it_tells_of_one_that_waited(crowd, until):
    """Once it is let in."""
    heard = []
    bulkhead = seawall.Bulkhead(max_concurrent=1, max_wait=30, on_event=heard.append)
    with bulkhead:
        crowd.start(bulkhead.call, int)
        until(lambda: bulkhead.snapshot().waiting == 1)
        assert heard == []
    crowd.join()
    assert [(event.kind, event.waited > 0) for event in heard] == [("bulkhead.waited", True)]
    assert isinstance(heard[0], seawall.BulkheadWaited)


def test_a_listener_may_call_it_again():
    """No lock is held while it hears."""
    bulkhead = seawall.Bulkhead(
        max_concurrent=1, on_event=lambda event: seen.append(bulkhead.snapshot().in_flight)
    )
    seen = []
    with bulkhead:
        bulkhead.try_call(int)
    assert seen == [1]


@needs.fork
def test_a_forked_child_has_all_permits(crowd, until):
    """Those that its parent's threads had would never come back; and the parent keeps its own."""
    bulkhead = seawall.Bulkhead(max_concurrent=2, max_wait=30)
    keyed = seawall.Bulkhead(max_concurrent=1, key="key")
    go = threading.Event()
    for _ in range(3):
        crowd.start(bulkhead.call, lambda: go.wait(30))
    crowd.start(keyed.call, lambda key: go.wait(30), "a")
    until(lambda: bulkhead.snapshot().waiting == 1 and keyed.snapshot().in_flight == 1)
    child = os.fork()
    if child == 0:
        try:
            seen = bulkhead.snapshot()
            fine = (seen.in_flight, seen.waiting) == (0, 0)
            with bulkhead, bulkhead:
                fine = fine and bulkhead.snapshot().in_flight == 2
            with keyed.block(key="a"):
                pass
            os._exit(0 if fine and bulkhead.snapshot().in_flight == 0 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (bulkhead.snapshot().in_flight, bulkhead.snapshot().waiting) == (2, 1)
    go.set()
    crowd.join()
    assert bulkhead.snapshot().in_flight == 0


def test_compositions():
    """A retry inside of it is warned of; so it is refused inside of a timeout with threads."""
    bulkhead = seawall.Bulkhead("around")
    with pytest.warns(seawall.CompositionWarning, match="permit is held while the retry sleeps"):
        seawall.Pipeline("odd", bulkhead, seawall.Retry())
    pooled = seawall.Timeout(1, pool="threads")
    with pytest.raises(seawall.ConfigError, match="put the timeout inside"):
        seawall.Pipeline("wrong", pooled, bulkhead)
    assert seawall.Pipeline("right", bulkhead, pooled).call(int) == 0
    with pytest.raises(seawall.ConfigError, match="twice"):
        seawall.Pipeline("twice", bulkhead, bulkhead)


def test_a_limit_that_changes_while_a_key_is_looked_up():
    """The new key has the new limit: its own code may have changed it."""

    class Key:
        def __hash__(self):
            if bulkhead.settings["max_concurrent"] != 2:
                bulkhead.reconfigure(max_concurrent=2)
            return 1

    bulkhead = seawall.Bulkhead(max_concurrent=1, key="key")
    key = Key()

    @bulkhead
    def work(key, again=True):
        return again and work(key, False)

    assert work(key) is False
    assert bulkhead.snapshot().counts["entered"] == 2
