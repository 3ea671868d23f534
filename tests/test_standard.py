"""The pipeline that most calls of a service want."""

import asyncio

import pytest
import seawall

from tests.policies.retry.service import KINDS


@pytest.fixture(autouse=True)
def own():
    """Names and chance of a test are its own."""
    with seawall.testing.isolated(), seawall.testing.seed(7):
        yield


@pytest.fixture(autouse=True)
def clock():
    """Time, which moves when everything waits."""
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    """Plain functions, then coroutine functions under each loop."""
    return request.param


class Response:
    """What a client returns, whatever the status is."""

    def __init__(self, status, **headers):
        """With a status, and headers."""
        self.status_code = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def test_order_and_names():
    """Total, retry, breaker, bulkhead, attempt, named after the service; the budget likewise."""
    guard = seawall.standard("shop")
    assert guard.name == "shop"
    assert [(policy.kind, policy.name) for policy in guard.policies] == [
        ("timeout", "shop.total"),
        ("retry", "shop"),
        ("breaker", "shop"),
        ("bulkhead", "shop"),
        ("timeout", "shop.attempt"),
    ]
    retry, breaker = guard.policies[1:3]
    assert retry.settings["budget"] is seawall.registry.find("budget", "shop")
    assert (retry.settings["on"], retry.settings["on_result"]) == (seawall.transient,) * 2
    assert (breaker.settings["on"], breaker.settings["on_result"]) == (seawall.unhealthy,) * 2


def test_settings_reach_their_policies():
    """What differs is said to the policy that it is for; None takes a limit away."""
    guard = seawall.standard(
        "shop",
        total=None,
        attempt=2,
        concurrent=7,
        rate=50,
        retry={"attempts": 5},
        budget={"ratio": 0.1},
        breaker={"failure_threshold": 3},
        rate_limit={"burst": 1},
        bulkhead={"max_queue": 3},
    )
    retry, breaker, rate_limit, bulkhead, attempt = guard.policies
    assert (rate_limit.settings["limit"], rate_limit.settings["burst"]) == (50, 1)
    queue = [bulkhead.settings[of] for of in ("max_concurrent", "max_wait", "max_queue")]
    assert queue == [7, 1.0, 3]
    assert (retry.settings["attempts"], attempt.settings["seconds"]) == (5, 2)
    assert retry.settings["budget"].settings["ratio"] == 0.1
    assert breaker.settings["failure_threshold"] == 3


def test_none_leaves_a_policy_out():
    """And what would have been its settings is a mistake."""
    guard = seawall.standard("shop", total=None, attempt=None, concurrent=None)
    assert [policy.kind for policy in guard.policies] == ["retry", "breaker"]
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.standard(
            "other", concurrent=None, bulkhead={"max_queue": 1}, rate_limit={"burst": 1}
        )
    assert [problem.field for problem in caught.value.problems] == ["rate_limit", "bulkhead"]


def test_a_fallback_answers_for_all_of_it(kind):
    """It is outermost, and the policies further in have seen what the service did."""
    guard = seawall.standard("shop", fallback=seawall.Fallback("closed", name="shop"))
    assert [policy.kind for policy in guard.policies][:2] == ["fallback", "timeout"]

    def down():
        raise ConnectionError

    for _ in range(20):
        assert kind.run(guard(kind.function(down))) == "closed"
    assert guard.policies[3].state == "open"
    with pytest.raises(seawall.ConfigError, match=r"fallback='closed' must be a seawall.Fallback"):
        seawall.standard("other", fallback="closed")


def test_calls_beyond_those_that_may_run_wait_and_are_refused(kind, clock):
    """Of three calls at once, one runs, one has the wait of a second, and it is not tried again."""
    guard = seawall.standard("shop", concurrent=1, bulkhead={"max_queue": 1})
    with guard.policies[3], pytest.raises(seawall.BulkheadFullError):
        kind.run(guard(kind.function(lambda: 1)))
    assert clock.elapsed == 1.0
    assert guard.policies[2].state == "closed"


def test_the_same_name_is_the_same_policies():
    """Two modules that name one service share its state; with other settings it is an error."""
    first, second = seawall.standard("shop"), seawall.standard("shop")
    assert all(a is b for a, b in zip(first.policies, second.policies, strict=True))
    with pytest.raises(seawall.ConfigError, match=r"standard 'shop': total=5 differs from 30"):
        seawall.standard("shop", total=5)


def test_everything_wrong_is_said_at_once():
    """Of all the policies, and of the name; what would have been made has taken no name."""
    wrong = {"total": "soon", "retry": {"attempts": 0}, "breaker": {"failure_rate": 7}}
    wrong |= {"rate": -1, "concurrent": 0}
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.standard("shop", budget={"ratio": 0.5}, attempt=-1, **wrong)
    assert [problem.field for problem in caught.value.problems] == [
        "total",
        "retry.attempts",
        "breaker.failure_rate",
        "rate_limit.limit",
        "bulkhead.max_concurrent",
        "attempt",
    ]
    assert seawall.registry.policies() == []
    assert seawall.standard("shop", budget={"ratio": 0.3}).policies[1].name == "shop"
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.standard("", budget={"ratio": 9})
    assert [problem.field for problem in caught.value.problems] == ["name", "budget.ratio"]


def test_names_that_are_taken_are_all_named():
    """Whatever stands with other settings is said, and what does not stand is not made."""
    seawall.Retry("shop", attempts=7)
    seawall.CircuitBreaker("shop", failure_threshold=1)
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.standard("shop")
    fields = {problem.field.split(".")[0] for problem in caught.value.problems}
    assert fields == {"retry", "breaker"}
    assert [policy.kind for policy in seawall.registry.policies()] == ["breaker", "retry"]


def test_a_returned_503_is_tried_again_and_counted(kind):
    """Clients that raise nothing are understood: by the retry, and by the breaker."""
    guard = seawall.standard("shop")
    answers = [Response(503), Response(200)]
    assert kind.run(guard(kind.function(lambda: answers.pop(0)))).status_code == 200
    counts = guard.policies[2].snapshot().counts
    assert (counts["failure"], counts["success"]) == (1, 1)
    assert guard.policies[1].snapshot().counts["recovered"] == 1


def test_a_returned_404_is_an_answer(kind):
    """It is neither tried again nor held against the service."""
    guard = seawall.standard("shop")
    calls = []
    kind.run(guard(kind.function(lambda: calls.append(1) or Response(404))))
    assert len(calls) == 1
    assert guard.policies[2].snapshot().counts["failure"] == 0


def test_retry_after_is_honoured(kind, clock):
    """The next attempt starts no earlier than the service asked for."""
    guard = seawall.standard("shop")
    answers = [Response(429, Retry_After="3"), Response(200)]
    times = []
    kind.run(guard(kind.function(lambda: times.append(clock.elapsed) or answers.pop(0))))
    assert times[0] == 0.0
    assert 3.0 <= times[1] <= 5.0


def test_an_attempt_that_hangs_is_cancelled_and_tried_again(clock):
    """The attempt's limit makes room for another one inside of the total."""
    guard = seawall.standard("shop", attempt=2)
    lengths = [60, 0]

    async def body():
        await clock.asleep(lengths.pop(0))
        return "answer"

    assert asyncio.run(guard.call(body)) == "answer"
    assert 2 <= clock.elapsed < 3


def test_nothing_takes_longer_than_the_total(clock):
    """Attempts that hang until their limit, and are tried again, end with the total."""
    guard = seawall.standard("shop", total=5, attempt=2, retry={"attempts": 100})
    with pytest.raises(TimeoutError):
        asyncio.run(guard.call(clock.asleep, 60))
    assert clock.elapsed <= 5.01


def test_inside_of_another_standard_attempts_do_not_multiply(kind):
    """A service that calls another: three attempts together while the outer has some left."""
    outer, inner = seawall.standard("outer"), seawall.standard("inner")
    calls = []

    def dead():
        calls.append(1)
        raise ConnectionError

    called = inner(kind.function(dead))
    if kind.awaits:

        async def calling():
            return await called()
    else:

        def calling():
            return called()

    with pytest.raises(ConnectionError):
        kind.run(outer(calling))
    # Two attempts of the outer one, and its last, in which the inner one has all of its own.
    assert len(calls) == 1 + 1 + 3


@pytest.mark.parametrize("together", [False, True])
def test_retry_storm(together):
    """1000 callers of a dead service with a budget of 10 % send at most 1.1 times the calls.

    And the reserve. Without a breaker, which would end it sooner.
    """
    guard = seawall.Pipeline("shop", seawall.Retry("shop", attempts=10, budget="shop"))
    budget = seawall.RetryBudget("shop", ratio=0.1, min_per_second=1, ttl=10)
    sent = []

    def dead():
        sent.append(1)
        raise ConnectionError

    async def adead():
        dead()

    async def storm():
        calls = (guard.call(adead) for _ in range(1000))
        return await asyncio.gather(*calls, return_exceptions=True)

    if together:
        assert {type(end) for end in asyncio.run(storm())} == {ConnectionError}
    else:
        with seawall.testing.clock():  # of a time that stands still all of them belong to one ttl
            retry = guard.policies[0]
            retry.reconfigure(backoff=0)
            for _ in range(1000):
                guard.try_call(dead)
    assert 1000 < len(sent) <= 1000 * 1.1 + 10
    assert len(sent) == 1000 + budget.snapshot().counts["retries"]
    assert budget.snapshot().counts["refused"] > 0


def hour(kind):
    """Ten minutes of health, 40 of outage, ten of health: a call every ten seconds."""
    with (
        seawall.testing.isolated(),
        seawall.testing.seed(7),
        seawall.testing.clock(autojump=True) as clock,
        seawall.testing.record() as told,
    ):
        guard = seawall.standard("shop", breaker={"failure_threshold": 3})
        sent = []

        def body():
            sent.append(clock.elapsed)
            if 600 <= clock.elapsed < 3000:
                raise ConnectionError

        function = guard(kind.function(body))
        ends = []

        def ended(error):
            ends.append((clock.elapsed, type(error).__name__))

        def calling():
            try:
                function()
            except (ConnectionError, seawall.Rejected) as error:
                ended(error)
            else:
                ended(None)

        async def acalling():
            while clock.elapsed < 3600:
                try:
                    await function()
                except (ConnectionError, seawall.Rejected) as error:
                    ended(error)
                else:
                    ended(None)
                await clock.asleep(10)

        if kind.awaits:
            kind.run(acalling)
        else:
            while clock.elapsed < 3600:
                calling()
                clock.sleep(10)
        return sent, ends, told.kinds, guard.policies[2].state


def test_an_hours_outage_plays_the_same_each_time(kind):
    """And in a moment: calls, their times, what callers get and what is told are equal."""
    first = hour(kind)
    assert first == hour(kind)
    sent, ends, kinds, state = first
    during = [end for at, end in ends if 650 < at < 2990]
    assert set(during) <= {"CircuitOpenError", "ConnectionError"}
    assert during.count("CircuitOpenError") > 200
    assert sum(600 <= at < 3000 for at in sent) < 120
    assert (kinds.count("breaker.opened") > 50, state) == (True, "closed")
    assert ends[-1][1] == "NoneType"
