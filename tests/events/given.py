"""What the tests of events have in common."""

import pytest


def fail(breaker, times=1):
    """Calls that raise."""

    def down():
        raise OSError("down")

    for _ in range(times):
        with pytest.raises(OSError, match="down"):
            breaker.call(down)


class CutError(BaseException):
    """An exit of a user's own."""
