"""The circuits of a keyed breaker: how they are kept, forgotten, changed and set by hand."""

import asyncio
import functools
import gc
import threading
import weakref
from datetime import timedelta

import pytest
import seawall

from tests.keys.hosts import down, fails, keyed


def test_the_key_can_not_be_changed():
    """Its states belong to the keys they have. The bounds can."""
    breaker = keyed()
    with pytest.raises(seawall.ConfigError, match="can't be changed"):
        breaker.reconfigure(key="user")
    with pytest.raises(seawall.ConfigError, match="can't be changed"):
        seawall.CircuitBreaker().reconfigure(key="user")
    breaker.reconfigure(max_keys=1, key_idle=timedelta(seconds=1))
    assert (breaker.settings["max_keys"], breaker.settings["key"]) == (1, "host")


def test_settings_change_for_every_key(clock):
    """A change in place reaches every key's circuit, those that are open too."""
    breaker = keyed(failure_threshold=3, open_duration=10)
    touch = breaker(down)
    for _ in range(2):
        fails(touch, "a")
    for _ in range(3):
        fails(touch, "b")
    breaker.reconfigure(failure_threshold=2, open_duration=99, half_open_calls=1)
    assert (breaker.snapshot(key="a").state, breaker.snapshot(key="b").state) == ("closed", "open")
    fails(touch, "a")
    assert breaker.snapshot(key="a").retry_after == 99
    clock.advance(10)
    fails(touch, "b")
    assert breaker.snapshot(key="b").retry_after == 99


def test_calls_in_flight_end_in_the_circuit_they_began_in():
    """A call that is under way through a change, and through the coming of many keys, counts."""
    breaker = keyed(failure_threshold=1, max_keys=2)

    async def body(host, gate):
        await gate.wait()
        down(host)

    async def main():
        gate = asyncio.Event()
        task = asyncio.create_task(breaker(body)("a", gate))
        await asyncio.sleep(0)
        breaker.reconfigure(failure_rate=0.5, window=seawall.seconds(60), failure_threshold=1)
        for number in range(50):
            breaker.call(lambda host: None, number)
        assert breaker.snapshot(key="a").in_flight == 1
        gate.set()
        with pytest.raises(OSError, match="down"):
            await task
        assert breaker.snapshot(key="a").state == "open"

    asyncio.run(main())


def test_never_more_than_so_many():
    """However many keys come, no more states are kept; what was forgotten is still in the sums."""
    breaker = keyed(max_keys=10)
    touch = breaker(lambda host: None)
    for number in range(1000):
        touch(number)
    assert len(breaker.keys) == 10
    assert breaker.snapshot().counts["success"] == 1000


def test_the_unused_are_forgotten_first():
    """A key that is asked for all the time keeps its state; those asked for once make room."""
    breaker = keyed(max_keys=10, failure_threshold=None, failure_rate=1.0)
    touch = breaker(lambda host: None)
    for number in range(500):
        touch("loved")
        touch(number)
    assert breaker.snapshot(key="loved").counts["success"] == 500


def test_open_ones_are_never_forgotten(clock):
    """A circuit that is not closed stays, whatever comes; so does one with a call in flight."""
    breaker = keyed(max_keys=5, open_duration=1000)
    touch = breaker(lambda host, sick=False: down(host) if sick else None)
    for host in "abc":
        fails(touch, host, True)

    def busy(host):
        for number in range(200):
            touch(number)
        assert breaker.snapshot(key="busy").in_flight == 1

    breaker(busy)("busy")
    assert {"a", "b", "c"} <= set(breaker.keys)
    for host in "abc":
        with pytest.raises(seawall.CircuitOpenError):
            touch(host)


def test_when_all_must_stay_newcomers_share(clock):
    """With no place left, further keys share one circuit, until there is room again."""
    breaker = keyed(max_keys=2, open_duration=10)
    touch = breaker(lambda host, sick=False: down(host) if sick else None)
    for host in "ab":
        fails(touch, host, True)
    touch("c")
    fails(touch, "d", True)
    with pytest.raises(seawall.CircuitOpenError, match="<other keys>"):
        touch("e")
    clock.advance(10)
    for _ in range(3):
        touch("a")
    touch("f")
    assert "f" in breaker.keys
    assert "a" not in breaker.keys or "b" in breaker.keys


def test_the_idle_are_forgotten_as_others_come(clock):
    """Unused for long enough, a state goes though there is room, as newcomers pass by."""
    breaker = keyed(max_keys=1000, key_idle=60)
    touch = breaker(lambda host: None)
    for number in range(50):
        touch(number)
    clock.advance(61)
    for number in range(100, 400):
        touch(number)
        clock.advance(1)
    assert not set(range(50)) & set(breaker.keys)


def test_by_hand(clock):
    """One key, or every key and those to come, are opened, switched off and reset by hand."""
    breaker = keyed()
    touch = breaker(lambda host: host)
    touch("a")
    breaker.force_open(key="a")
    assert (breaker.state, breaker.retry_after) == ("forced_open", None)
    assert touch("b") == "b"
    breaker.force_open()
    for host in ("b", "new"):
        with pytest.raises(seawall.CircuitOpenError, match="forced open"):
            touch(host)
    breaker.disable(key="b")
    assert touch("b") == "b"
    breaker.reset()
    assert (touch("a"), touch("new"), breaker.state) == ("a", "new", "closed")


def test_a_state_for_all_leaves_room():
    """Keys that are in the state that was set for all, and at rest, make room like closed ones."""
    breaker = keyed(max_keys=5)
    breaker.metrics_only()
    touch = breaker(lambda host: None)
    for number in range(100):
        touch(number)
    assert len(breaker.keys) == 5


def test_one_circuit_has_no_keys():
    """Of a breaker with one circuit for all calls, nobody can ask for a key's."""
    breaker = seawall.CircuitBreaker("one")
    assert breaker.keys == []
    for ask in (
        lambda: breaker.snapshot(key="a"),
        lambda: breaker.reset(key=1),
    ):
        with pytest.raises(TypeError, match="'one' has one circuit for all calls"):
            ask()
    with pytest.raises(KeyError, match="no circuit for 'a'"):
        keyed().snapshot(key="a")


def test_events_say_the_key():
    """An event tells whose circuit moved."""
    breaker = keyed()
    touch = breaker(down)
    with seawall.testing.record() as told:
        fails(touch, "a")
        fails(touch, "b")
    assert [(event.kind, event.key) for event in told] == [
        ("breaker.opened", "a"),
        ("breaker.opened", "b"),
    ]


def test_a_backoff_for_each_key(clock):
    """Each key's circuit stays open for as long as its own re-openings say."""
    breaker = keyed(open_duration=seawall.exponential(1, jitter="none"))
    touch = breaker(down)
    for wait in (1, 2, 4):
        fails(touch, "a")
        assert breaker.snapshot(key="a").retry_after == wait
        clock.advance(wait)
    fails(touch, "b")
    assert breaker.snapshot(key="b").retry_after == 1


def test_probes_are_a_keys_own(clock):
    """Half-open, each key lets in its own probes, and calls inside them ride."""
    breaker = keyed(half_open_calls=1, open_duration=10)
    touch = breaker(lambda host, inside=None: inside() if inside else 1)
    for host in "ab":
        fails(breaker.call, lambda host: down(host), host)
    clock.advance(10)

    def inside():
        with pytest.raises(seawall.CircuitOpenError):
            threaded(lambda: touch("a"))
        return touch("a") + touch("b")

    assert touch("a", inside) == 2
    assert breaker.state == "closed"


def threaded(call):
    """What ``call`` does in a thread of its own, which has a context of its own."""
    outcome = []

    def run():
        try:
            outcome.append((call(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = outcome[0]
    if error:
        raise error
    return value


def at_once(work):
    """Does each in a thread of its own."""
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_make_one_state_a_key():
    """Threads that bring the same new keys at once find one circuit for each, and lose no call."""
    breaker = keyed(max_keys=100)

    class Slow:
        """A key whose comparison gives other threads time."""

        def __init__(self, number):
            self.number = number

        def __hash__(self):
            return hash(self.number % 3)

        def __eq__(self, other):
            for _ in range(20):
                pass
            return self.number == other.number

    touch = breaker(lambda host: None)

    def work():
        for round_ in range(20):
            for number in range(30):
                touch(Slow(number + round_ % 2))

    at_once([work] * 4)
    assert len(breaker.keys) == 31
    assert breaker.snapshot().counts["success"] == 4 * 20 * 30
    assert breaker.snapshot().in_flight == 0


def test_threads_while_keys_come_and_go():
    """While states are forgotten under load, no call is lost and no bound is broken."""
    breaker = keyed(max_keys=8)
    touch = breaker(lambda host: None)

    def work(seed):
        for number in range(3000):
            touch((number * seed) % 40)

    at_once([functools.partial(work, seed) for seed in (1, 3, 7, 11)])
    whole = breaker.snapshot()
    assert (whole.counts["success"], whole.in_flight) == (12_000, 0)
    assert len(breaker.keys) <= 8


def test_what_is_forgotten_is_freed():
    """Keys are let go of with their states; a cycle through a key is collected with its breaker."""

    class Key:
        pass

    breaker = keyed(max_keys=1)
    touch = breaker(lambda host: None)
    first = Key()
    gone = weakref.ref(first)
    touch(first)
    first = None
    touch("x")
    touch("y")
    assert gone() is None
    last = Key()
    last.breaker = breaker
    last.touch = touch
    touch(last)
    there = weakref.ref(last)
    del last, breaker, touch
    gc.collect()
    assert there() is None


def test_state_and_repr_of_many_keys(clock):
    """The gravest state is known without looking at every key, through all that moves a circuit."""
    breaker = keyed(max_keys=100, open_duration=10, half_open_calls=1)
    touch = breaker(lambda host, sick=False: down(host) if sick else host)
    seen = [breaker.state]

    def see():
        shown = repr(breaker).removesuffix(">").rsplit(" ", 1)[-1]
        assert shown == breaker.state == breaker.snapshot().state
        seen.append(shown)

    for number in range(500):
        touch(number)
    see()
    for host in ("a", None):
        fails(touch, host, True)
        see()
    for number in range(500):
        touch(number)
    breaker.reset(key="a")
    see()
    clock.advance(10)

    def inside(host):
        see()

    breaker.call(inside, None)
    see()
    breaker.disable()
    for number in range(500):
        touch(number)
        fails(touch, -number, True)
    see()
    breaker.force_open(key="b")
    see()
    breaker.metrics_only(key="b")
    see()
    breaker.reset()
    see()
    assert seen == [
        "closed",
        "closed",
        "open",
        "open",
        "open",
        "half_open",
        "closed",
        "disabled",
        "forced_open",
        "metrics_only",
        "closed",
    ]
