"""A retry and a breaker, in either order, do what a few lines of Python say they do."""

import random

import pytest
import seawall

HISTORIES = 150
CALLS = 25
pytestmark = pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")


class FatalError(Exception):
    """Nobody tries it again."""


class Model:
    """Time, and the function at the bottom, which ends as the script says."""

    def __init__(self, script):
        """Starts at 0."""
        self.script = iter(script)
        self.now = 0.0
        self.calls = []

    def function(self):
        """One call: what it came to."""
        self.calls.append(self.now)
        return next(self.script)


class ModelBreaker:
    """A breaker of the consecutive rule, with one probe at a time."""

    def __init__(self, world, below, threshold, open_duration):
        """Closed."""
        self.world, self.below = world, below
        self.threshold, self.open_duration = threshold, open_duration
        self.state, self.failures, self.opened = "closed", 0, 0.0

    def call(self):
        """What a call comes to."""
        if self.state == "open":
            if self.world.now - self.opened < self.open_duration:
                return "rejected"
            self.state = "half_open"
        end = self.below()
        if end == "rejected":
            return end
        if end == "good":
            self.state, self.failures = "closed", 0
            return end
        self.failures += 1
        if self.state == "half_open" or self.failures >= self.threshold:
            self.state, self.failures, self.opened = "open", 0, self.world.now
        return end


class ModelRetry:
    """A retry of a constant backoff."""

    def __init__(self, world, below, attempts, backoff, max_duration):
        """Stateless."""
        self.world, self.below = world, below
        self.attempts, self.backoff, self.max_duration = attempts, backoff, max_duration

    def call(self):
        """What a call comes to."""
        began = self.world.now
        for number in range(1, self.attempts + 1):
            end = self.below()
            in_time = self.world.now + self.backoff - began < self.max_duration
            if end != "transient" or number == self.attempts or not in_time:
                return end
            self.world.now += self.backoff
        raise AssertionError("the last attempt returns")


def outcome(function):
    """What a call comes to, in the model's words."""
    try:
        function()
    except ConnectionError:
        return "transient"
    except FatalError:
        return "fatal"
    except seawall.CircuitOpenError:
        return "rejected"
    return "good"


class Bench:
    """The same history for both."""

    def __init__(self, chance, clock, order):
        """Draws the settings."""
        self.clock = clock
        ends = [*chance.choice([["good"] * 3, ["good"], []]), "transient", "transient", "fatal"]
        self.script = [chance.choice(ends) for _ in range(CALLS * 5)]
        self.chance = chance
        limits = {"failure_threshold": chance.choice([1, 2, 3, 5])}
        limits["open_duration"] = chance.choice([1, 4, 16])
        tries = {"attempts": chance.choice([1, 2, 3, 4]), "backoff": chance.choice([0, 0.5, 2, 8])}
        most = chance.choice([None, 3])
        self.world = Model(self.script)
        self.start = clock.elapsed
        self.calls = []
        self.feed = iter(self.script)
        self.breaker = seawall.CircuitBreaker(**limits, half_open_calls=1)
        self.retry = seawall.Retry(**tries, max_duration=most)
        threshold, duration = limits.values()
        limit = float("inf") if most is None else most
        if order == "retry(breaker)":
            self.work = self.retry(self.breaker(self.function))
            self.model = ModelBreaker(self.world, self.world.function, threshold, duration)
            self.top = ModelRetry(self.world, self.model.call, *tries.values(), limit)
        else:
            self.work = self.breaker(self.retry(self.function))
            below = ModelRetry(self.world, self.world.function, *tries.values(), limit)
            self.top = self.model = ModelBreaker(self.world, below.call, threshold, duration)

    def function(self):
        """The real one."""
        self.calls.append(self.clock.elapsed - self.start)
        end = next(self.feed)
        if end == "transient":
            raise ConnectionError(end)
        if end == "fatal":
            raise FatalError(end)
        return end

    def run(self):
        """Plays the history; both must agree at each step."""
        for number in range(CALLS):
            pause = self.chance.choice([0, 0, 0.25, 1, 5, 20])
            if pause:
                self.clock.advance(pause)
                self.world.now += pause
            was = self.world.now
            assert outcome(self.work) == self.top.call(), number
            assert self.clock.elapsed - self.start == pytest.approx(self.world.now), (number, was)
            assert self.calls == pytest.approx(self.world.calls), number
            assert self.breaker.state == self.model.state, number
            assert self.breaker.snapshot().in_flight == self.retry.snapshot().in_flight == 0


@pytest.mark.parametrize("order", ["retry(breaker)", "breaker(retry)"])
def test_histories(order):
    """Ends, moments of the calls, and states are the model's, whatever the history."""
    chance = random.Random(order)
    for _ in range(HISTORIES):
        with seawall.testing.isolated(), seawall.testing.clock(autojump=True) as clock:
            Bench(chance, clock, order).run()
