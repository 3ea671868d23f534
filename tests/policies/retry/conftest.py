"""Every test has its own registry, and a clock that jumps over every wait."""

import pytest
import seawall

from tests.policies.retry.service import KINDS, Script


@pytest.fixture(autouse=True)
def clock():
    """Time, which moves when everything waits."""
    with seawall.testing.clock(autojump=True) as clock:
        yield clock


@pytest.fixture
def script(clock):
    """Makes a body that ends as the lines say."""
    return lambda *lines: Script(clock, *lines)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    """Plain functions, then coroutine functions under each loop."""
    return request.param


@pytest.fixture(params=KINDS[1:], ids=lambda kind: kind.name)
def loop(request):
    """Coroutine functions under each loop."""
    return request.param
