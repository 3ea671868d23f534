"""Runs that are made up, for those who judge and draw them."""

import pytest
from seawall.demo.script import Script
from seawall.demo.seen import Hit, Run, Turn, Visited

SCRIPT = Script(healthy=1.5, slow=2.5, down=3, recovering=2.5)


def made_up(variant):
    """A short run with a request of each route every 0.1 s; protected it goes well."""
    run = Run(variant, SCRIPT)
    naked = variant == "naked"
    for tenth in range(round(SCRIPT.seconds * 10)):
        at = tenth / 10
        phase = SCRIPT.phase(at)
        ill = phase in ("slow", "down")
        for route in ("cart", "checkout", "product"):
            end, waited = "answered", 0.02
            if ill and naked:
                end, waited = "gave up", 3.0
            elif ill and route == "checkout":
                end, waited = "refused", 0.005
            elif ill and route == "product":
                end = "fallback"
            run.visits.append(Visited(route, at, waited, end, 0.001))
        for service in ("payments", "recommendations"):
            if naked or not ill or tenth % 10 == 0:
                run.hits.append(Hit(at, service))
            if naked and ill:
                run.hits.append(Hit(at, service))
    if not naked:
        for breaker in ("payments", "recommendations"):
            run.turns += [
                Turn(2.0, breaker, "open"),
                Turn(7.1, breaker, "half_open"),
                Turn(7.2, breaker, "closed"),
            ]
    return run


@pytest.fixture
def naked():
    """Without protection."""
    return made_up("naked")


@pytest.fixture
def protected():
    """With it."""
    return made_up("protected")
