"""What the tests of keys share."""

import pytest
import seawall


def keyed(**settings):
    """A breaker with a circuit for each host, which one failure opens."""
    return seawall.CircuitBreaker(**{"failure_threshold": 1, "key": "host", **settings})


def fails(function, *args, **kwargs):
    """A call that raises what `down` raises."""
    with pytest.raises(OSError, match="down"):
        function(*args, **kwargs)


def down(host):
    """Fails."""
    raise OSError(f"{host} is down")
