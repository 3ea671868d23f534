"""A protected coroutine to end in every way."""

import pytest


@pytest.fixture
def waiting(patient, pause):
    """A protected coroutine function that suspends once and returns what it is sent."""

    @patient
    async def waiting():
        return await pause("paused")

    return waiting
