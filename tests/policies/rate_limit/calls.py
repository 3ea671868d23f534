"""What the tests of rate limits share."""

import seawall


def admitted(function, times, *args, **kwargs):
    """How many of so many calls are let in."""
    count = 0
    for _ in range(times):
        try:
            function(*args, **kwargs)
        except seawall.RateLimitedError:
            continue
        count += 1
    return count


def nothing(*_args, **_kwargs):
    """Does nothing."""
