"""An async generator function that tells what is done with it."""

import pytest

from tests.calls.given import GIVEN


@pytest.fixture
def items(patient, pause):
    """A protected async generator function that waits for each item, and tells what it is sent."""

    @patient
    async def items(*values, told=None):
        told = [] if told is None else told
        try:
            for value in values or GIVEN:
                await pause()
                told.append((yield value))
        finally:
            told.append("finally")

    return items
