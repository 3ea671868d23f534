"""What a keyed breaker tells: numbers that only grow, and no end without a beginning."""

import seawall

from tests.keys.hosts import down, fails, keyed


def chained(told):
    """Whether each key's events follow from one another, each key beginning closed."""
    stands = {}
    for event in told:
        if event.before != stands.get(event.key, "closed"):
            return False
        stands[event.key] = event.after
    return True


def test_numbers_grow_over_all_keys(clock):
    """An event's number is the policy's: it grows with every transition, of whatever key."""
    breaker = keyed(max_keys=1, open_duration=10, half_open_calls=1)
    touch = breaker(lambda host, sick=False: down(host) if sick else host)
    with seawall.testing.record() as told:
        for host in "abc":
            fails(touch, host, True)
            clock.advance(10)
            touch(host)
        fails(touch, None, True)
        breaker.reset()
    assert [event.seq for event in told] == list(range(2, len(told) + 2))
    assert breaker.snapshot().generation == told[-1].seq


def test_a_gap_is_what_nobody_heard():
    """What happens while nobody listens is counted all the same."""
    breaker = keyed()
    touch = breaker(down)
    fails(touch, "a")
    fails(touch, "b")
    with seawall.testing.record() as told:
        fails(touch, "c")
    assert [(event.key, event.seq) for event in told] == [("c", 4)]


def test_no_end_without_a_beginning():
    """A circuit that begins forced open says so, whenever it begins; its reset follows."""
    breaker = keyed(max_keys=2)
    touch = breaker(lambda host: host)
    with seawall.testing.record() as told:
        touch("a")
        breaker.force_open()
        for host in ("b", None):
            touch_refused(touch, host)
        breaker.disable(key="c")
        breaker.reset()
    assert chained(told)
    kinds = [(event.key, event.kind) for event in told]
    assert kinds[:4] == [
        ("a", "breaker.forced_open"),
        ("b", "breaker.forced_open"),
        (None, "breaker.forced_open"),
        ("c", "breaker.forced_open"),
    ]
    assert sum(event.kind == "breaker.reset" for event in told) == len(breaker.keys)


def touch_refused(touch, host):
    """A call that is rejected."""
    try:
        touch(host)
    except seawall.CircuitOpenError:
        return
    raise AssertionError(f"{host} was let in")
