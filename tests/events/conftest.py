"""A breaker to switch, in a registry of its own."""

import pytest
import seawall


@pytest.fixture(autouse=True)
def own():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


@pytest.fixture
def breaker():
    """A breaker to switch."""
    return seawall.CircuitBreaker("shop", failure_threshold=2)
