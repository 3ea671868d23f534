"""What the histories of every room need."""

import pytest
import seawall

from tests.properties.hosts import HOSTS
from tests.properties.stacks import Turn


@pytest.fixture
def clock():
    """Waits take no time, and chance is the same each time."""
    with seawall.testing.clock(autojump=True) as clock, seawall.testing.seed(1):
        yield clock


@pytest.fixture(params=HOSTS)
def host(request, monkeypatch):
    """Who runs the calls; their turns are its turns."""
    host = HOSTS[request.param]()
    monkeypatch.setattr(Turn, "how", staticmethod(host.turn))
    return host
