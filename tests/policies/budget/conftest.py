"""Every test has its own registry and its own clock."""

import pytest
import seawall


@pytest.fixture
def budget(clock):
    """Makes a budget of the settings given, and counts what is asked of it."""
    return lambda **settings: Asked(seawall.RetryBudget(**settings))


class Asked:
    """A budget with the calls that retries make to it, several at a time."""

    def __init__(self, budget):
        self.budget = budget

    def begin(self, times=1):
        """So many calls begin."""
        for _ in range(times):
            self.budget._begin()

    def permits(self, times):
        """How many of so many retries are permitted."""
        return sum(self.budget._permit() for _ in range(times))

    def fail(self, times=1):
        """So many attempts fail."""
        for _ in range(times):
            self.budget._failed()

    def succeed(self, times=1):
        """So many calls succeed."""
        for _ in range(times):
            self.budget._succeeded()
