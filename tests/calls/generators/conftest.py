"""A generator function that tells what is done with it."""

import pytest

from tests.calls.given import GIVEN, TroubleError


@pytest.fixture
def items(patient):
    """A protected generator function that tells what is done with it."""

    @patient
    def items(*values, end=None, told=None):
        told = [] if told is None else told
        try:
            for value in values or GIVEN:
                told.append((yield value))
        except TroubleError as error:
            told.append(error)
            raise
        finally:
            told.append("finally")
        return end

    return items
