"""How many calls are let in, and when."""

import threading
import time

import pytest
import seawall

from tests.policies.rate_limit.calls import admitted, nothing


def test_a_burst_and_then_the_rate(clock):
    """After a pause as many as the burst, and then one each time that one has come back."""
    limit = seawall.RateLimit(limit=10, per=1.0, burst=3)
    send = limit(nothing)
    assert admitted(send, 10) == 3
    clock.advance(0.0999)
    assert admitted(send, 10) == 0
    clock.advance(0.0001)
    assert admitted(send, 10) == 1
    clock.advance(3600)
    assert admitted(send, 10) == 3


def test_the_burst_is_the_limit_unless_told_otherwise(clock):
    """A hundred a minute are a hundred at once after a pause."""
    send = seawall.RateLimit(limit=100, per=60)(nothing)
    assert admitted(send, 200) == 100
    clock.advance(0.6)
    assert admitted(send, 200) == 1


@pytest.mark.parametrize("rate", [0.001, 0.5, 3, 7.7, 999, 100_000])
def test_who_asks_all_the_time_gets_the_rate(clock, rate):
    """To one in a hundred, at any rate, and never more."""
    send = seawall.RateLimit(limit=rate, burst=2)(nothing)
    assert admitted(send, 3) == 2
    calls = 0
    for _ in range(2000):
        clock.advance(0.1 / rate)
        calls += admitted(send, 1)
    assert 198 <= calls <= 200


def test_retry_after_is_exact(clock):
    """Who waits that long is let in, and a nanosecond earlier nobody is."""
    send = seawall.RateLimit(limit=3, burst=1)(nothing)
    send()
    with pytest.raises(seawall.RateLimitedError) as refused:
        send()
    assert refused.value.retry_after == pytest.approx(1 / 3, abs=1e-8)
    clock.advance(refused.value.retry_after - 2e-9)
    assert admitted(send, 1) == 0
    clock.advance(2e-9)
    assert admitted(send, 1) == 1


def test_a_refused_call_takes_nothing(clock):
    """However often somebody asks meanwhile, the next comes back in time."""
    send = seawall.RateLimit(limit=1, burst=1)(nothing)
    send()
    assert admitted(send, 1000) == 0
    clock.advance(1)
    assert admitted(send, 1) == 1


def test_a_failed_call_has_taken_its_part(clock):
    """The service had the call; what became of it is not the limit's affair."""

    def fail():
        raise OSError("down")

    limit = seawall.RateLimit(limit=1, burst=2)
    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            limit.call(fail)
    with pytest.raises(seawall.RateLimitedError):
        limit.call(fail)


def test_a_thousand_a_second_is_no_two_hundred_and_fifty():
    """Real time, to the nanosecond: a millisecond later one is let in, not at the kernel's tick."""
    limit = seawall.RateLimit(limit=1000, burst=1)
    refusals = 0
    for _ in range(50):
        refused = limit.try_call(nothing).rejected
        if refused is not None:
            refusals += 1
            assert 0 < refused.retry_after <= 0.001
            until = time.monotonic() + refused.retry_after
            while time.monotonic() < until:
                pass
            limit.call(nothing)
    assert refusals > 0


def test_threads_share_one_limit(clock):
    """Whatever the number of threads, as many are let in as for one."""
    limit = seawall.RateLimit(limit=100, burst=1000)
    counts, start = [], threading.Barrier(8)

    def ask():
        with clock:
            start.wait()
            counts.append(admitted(limit(nothing), 500))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 1000


def test_no_thread_is_made():
    """Nothing runs in the background: time is looked at when somebody asks."""
    before = threading.active_count()
    admitted(seawall.RateLimit(limit=5)(nothing), 100)
    assert threading.active_count() == before


def test_every_refusal_is_an_error_of_its_own(clock):
    """One object raised twice would drag its traceback along."""
    limit = seawall.RateLimit("sms", 1)
    limit.call(nothing)
    errors = []
    for _ in range(2):
        with pytest.raises(seawall.Rejected) as refused:
            limit.call(nothing)
        errors.append(refused.value)
    assert errors[0] is not errors[1]
    assert (errors[0].policy, errors[0].name, errors[0].cost) == ("rate_limit", "sms", 1)
    assert str(errors[0]) == "rate limit 'sms' is reached; try again in 1 s"


def test_try_call_raises_nothing(clock):
    """The refusal is in the outcome."""
    limit = seawall.RateLimit("sms", 1)
    assert limit.try_call(nothing).ok
    outcome = limit.try_call(nothing)
    assert not outcome.ok
    assert isinstance(outcome.rejected, seawall.RateLimitedError)
    assert outcome.attempts == 0
