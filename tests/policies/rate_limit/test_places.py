"""Where a rate limit stands among other policies."""

import warnings

import pytest
import seawall

from tests.policies.rate_limit.calls import nothing


def test_the_recommended_order_is_not_warned_of():
    """Inside of the breaker, which does not count its refusals; outside of an attempt's timeout."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        seawall.Pipeline(
            "sms",
            seawall.Retry("sms"),
            seawall.CircuitBreaker("sms"),
            seawall.RateLimit("sms", 5),
            seawall.Timeout(2),
        )


def test_a_retry_inside_is_warned_of():
    """It would count one call where the service is called several times."""
    with pytest.warns(seawall.CompositionWarning, match="put the rate limit inside"):
        seawall.Pipeline("sms", seawall.RateLimit("sms", 5), seawall.Retry("sms"))


def test_a_breaker_does_not_count_its_refusals(clock):
    """They say nothing of the service."""
    breaker = seawall.CircuitBreaker("sms", failure_threshold=1)
    guard = seawall.Pipeline("sms", breaker, seawall.RateLimit("sms", 1))
    guard.call(nothing)
    for _ in range(3):
        with pytest.raises(seawall.RateLimitedError):
            guard.call(nothing)
    assert breaker.state == "closed"
    assert breaker.snapshot().counts["ignored"] == 3


def test_a_refusal_is_retried_only_if_it_is_named(clock):
    """And then as any other error."""
    limit = seawall.RateLimit(limit=1)
    limit.call(nothing)
    plain = seawall.Pipeline("plain", seawall.Retry(attempts=3, backoff=0), limit)
    with pytest.raises(seawall.RateLimitedError):
        plain.call(nothing)
    assert limit.snapshot().counts["rejected"] == 1


def test_each_attempt_counts():
    """Inside of a retry, every attempt asks."""
    with seawall.testing.clock(autojump=True):
        limit = seawall.RateLimit(limit=100)
        tries = iter([OSError("down"), OSError("down"), None])

        def call():
            error = next(tries)
            if error is not None:
                raise error

        retry = seawall.Retry(attempts=3, on=OSError, backoff=0.1)
        seawall.Pipeline("each", retry, limit).call(call)
        assert limit.snapshot().counts["admitted"] == 3


def test_stacked_decorators_are_one_plan(clock):
    """A function under two limits passes both, the outer one first."""
    outer, inner = seawall.RateLimit("outer", 2), seawall.RateLimit("inner", 1)
    function = outer(inner(nothing))
    function()
    with pytest.raises(seawall.RateLimitedError, match="inner"):
        function()
    with pytest.raises(seawall.RateLimitedError, match="outer"):
        function()


def test_the_same_limit_twice_is_refused():
    """One call would be counted as two."""
    limit = seawall.RateLimit("twice", 5)
    with pytest.raises(seawall.ConfigError, match="there twice"):
        limit(limit(nothing))


def test_threads_do_not_wait_for_it():
    """A timeout with a pool counts from where a call runs: what waits inside is refused."""
    threads = seawall.Timeout(2, name="threads", pool="threads")
    seawall.Pipeline("at once", threads, seawall.RateLimit("at once", 5))
    with pytest.raises(seawall.ConfigError, match="put the timeout inside of it"):
        seawall.Pipeline("waits", threads, seawall.RateLimit("waits", 5, max_wait=1))
