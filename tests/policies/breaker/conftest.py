"""Every test has its own registry and its own clock."""

import pytest
import seawall

from tests.policies.breaker.service import KINDS, Service


@pytest.fixture(autouse=True)
def registry():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


@pytest.fixture
def clock():
    """Time, which stands still unless told to move."""
    with seawall.testing.clock() as clock:
        yield clock


@pytest.fixture
def told():
    """The events of the test."""
    with seawall.testing.record() as told:
        yield told


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    """Sync functions, then async ones."""
    return request.param


@pytest.fixture
def service(kind, clock):
    """Makes a service behind a breaker of the settings given."""
    return lambda **settings: Service(kind, clock, **settings)


@pytest.fixture
def unraisable(monkeypatch):
    """The exceptions that were reported to `sys.unraisablehook`."""
    seen = []
    monkeypatch.setattr("sys.unraisablehook", lambda report: seen.append(report.exc_value))
    return seen
