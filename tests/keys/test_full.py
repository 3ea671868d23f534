"""A table of keys that is full: who makes room, who shares, and what that costs."""

import gc
import weakref

import pytest
import seawall

from tests.keys.hosts import down, fails, keyed


def always(**settings):
    """A breaker and a function under it, by its whole argument, sick where told so."""
    breaker = keyed(key=lambda host, sick=False: host, **settings)
    return breaker, breaker(lambda host, sick=False: down(host) if sick else host)


@pytest.mark.parametrize("many", [3, 100, 3000])
def test_a_newcomer_to_healthy_keys_in_use_has_a_circuit(many):
    """Where every key is healthy and in use, one goes: sick newcomers open their own circuit."""
    breaker, touch = always(failure_threshold=5, max_keys=many)
    for _ in range(2):
        for host in range(many):
            touch(host)
    for _ in range(5):
        fails(touch, "sick", True)
    for _ in range(2):
        for host in range(many):
            assert touch(host) == host
    assert touch("another") == "another"
    assert seawall.OTHER_KEYS not in breaker.keys
    assert breaker.snapshot(key="sick").state == "open"
    assert len(breaker.keys) == many


def test_fewer_keys_from_now_on():
    """Room that is taken away is given up at once, and a newcomer has a circuit of its own."""
    breaker, touch = always(max_keys=10_000)
    for _ in range(2):
        for host in range(10_000):
            touch(host)
    fails(touch, "sick", True)
    breaker.reconfigure(max_keys=10)
    assert len(breaker.keys) == 10
    assert "sick" in breaker.keys
    touch("new")
    assert "new" in breaker.keys
    assert len(breaker.keys) == 10


def test_what_had_to_stay_goes_later():
    """Circuits beyond a bound that was lowered go once they may, as others come."""
    breaker, touch = always(max_keys=100)
    for host in range(100):
        fails(touch, host, True)
    breaker.reconfigure(max_keys=10)
    assert len(breaker.keys) == 100
    breaker.reset()
    for number in range(20):
        touch(f"new {number}")
    assert len(breaker.keys) == 10


def test_room_is_found_again():
    """Though each call looks at few places, a place that gets free is found before long."""
    breaker, touch = always(max_keys=400)
    for host in range(400):
        fails(touch, host, True)
    for _ in range(5):
        touch("x")
    breaker.reset(key=77)
    for _ in range(400):
        touch("x")
    assert "x" in breaker.keys
    assert 77 not in breaker.keys


@pytest.mark.parametrize("verb", ["force_open", "disable", "metrics_only", "reset"])
def test_by_hand_means_that_key_alone(verb):
    """Setting a key never sets the circuit of those that share: without room it is refused."""
    breaker, touch = always(max_keys=5)
    for host in range(5):
        fails(touch, host, True)
    touch("shares")
    before = breaker.snapshot(key=seawall.OTHER_KEYS)
    with pytest.raises(RuntimeError, match=r"no room for a circuit of 'b'.* max_keys=5"):
        getattr(breaker, verb)(key="b")
    assert breaker.snapshot(key=seawall.OTHER_KEYS) == before
    assert touch("c") == "c"


def test_by_hand_looks_everywhere():
    """Setting a key by hand finds the one place of thousands that may be given to it."""
    breaker, touch = always(max_keys=3000)
    for host in range(3000):
        fails(touch, host, True)
    touch("x")
    breaker.reset(key=2900)
    breaker.force_open(key="b")
    assert breaker.snapshot(key="b").state == "forced_open"
    assert 2900 not in breaker.keys


class Changing:
    """A key whose hash can be changed."""

    def __init__(self):
        self.hash = id(self)

    def __hash__(self):
        return self.hash


def test_keys_that_change_are_freed():
    """A key whose hash changes after its call is not found again, and yet not kept for good."""
    breaker, touch = always(max_keys=10)
    alive = weakref.WeakValueDictionary()
    for number in range(2000):
        key = Changing()
        touch(key)
        alive[number] = key
        key.hash += 1
    del key
    gc.collect()
    assert len(breaker.keys) == 10
    assert len(alive) < 100
    assert breaker.snapshot().counts["success"] == 2000


def test_keys_that_do_not_change_outlive_those_that_do():
    """Clearing away what can't be found any more leaves the others where they are."""
    breaker, touch = always(max_keys=10)
    fails(touch, "sick", True)
    for _ in range(500):
        key = Changing()
        touch(key)
        key.hash += 1
    with pytest.raises(seawall.CircuitOpenError):
        touch("sick")
    assert breaker.snapshot(key="sick").counts["rejected"] == 1


def test_keys_that_can_not_be_hashed_any_more(monkeypatch):
    """Nor is one kept for good, or the error anybody else's, whose hash begins to raise."""
    reported = []
    monkeypatch.setattr("sys.unraisablehook", lambda it: reported.append(it.exc_type))
    _, touch = always(max_keys=10)

    class Spoilt:
        def __hash__(self):
            if self.spoilt:
                raise ValueError("spoilt")
            return id(self)

        spoilt = False

    for _ in range(500):
        key = Spoilt()
        touch(key)
        key.spoilt = True
    del key
    gc.collect()
    assert sum(type(it) is Spoilt for it in gc.get_objects()) < 100
    assert set(reported) == {ValueError}
    assert touch("fine") == "fine"
