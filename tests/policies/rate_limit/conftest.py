"""Every test has its own registry, and a clock that stands still unless told to move."""

import pytest
import seawall


@pytest.fixture(autouse=True)
def registry():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


@pytest.fixture
def clock():
    """Time, which stands still unless told to move."""
    with seawall.testing.clock() as clock:
        yield clock


@pytest.fixture
def told():
    """The events of the test."""
    with seawall.testing.record() as told:
        yield told
