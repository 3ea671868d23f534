"""A page that loses its recommendations, but not its readers, while their service is down.

The breaker judges the share of failures over the last ten calls. A virtual clock plays the minute
in which the service is down.
"""

import seawall

BESTSELLERS = ["Moby-Dick", "Emma"]

breaker = seawall.CircuitBreaker(
    "recommendations",
    failure_rate=0.5,
    window=seawall.calls(10),
    min_calls=4,
    open_duration=seawall.exponential(5, cap=60, jitter="none"),
)
down = False
asked = 0


def recommend(reader: str) -> list[str]:
    """Stands for a request to another service."""
    global asked  # noqa: PLW0603 - stands for the other service's own log
    asked += 1
    if down:
        raise ConnectionError("recommendations are down")
    return [f"picked for {reader}"]


def page(reader: str) -> list[str]:
    """What a reader sees: always something, at once."""
    outcome = breaker.try_call(recommend, reader)
    return outcome.unwrap() if outcome.ok else BESTSELLERS


with seawall.testing.clock() as clock:
    assert page("ada") == ["picked for ada"]
    down = True
    for _ in range(60):
        clock.advance(1)
        assert page("ada") == BESTSELLERS
    during = asked
    down = False
    clock.advance(60)
    assert page("ada") == ["picked for ada"]

print(f"of 60 page views in the outage, {during - 1} asked the service; every reader got a page")
assert during < 30
