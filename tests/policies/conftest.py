"""Every test of a policy has its own registry."""

import pytest
import seawall


@pytest.fixture(autouse=True)
def registry():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield
