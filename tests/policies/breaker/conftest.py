"""Every test has its own registry and its own clock."""

import pytest

from tests.policies.breaker.service import KINDS, Service


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request):
    """Sync functions, then async ones."""
    return request.param


@pytest.fixture
def service(kind, clock):
    """Makes a service behind a breaker of the settings given."""
    return lambda **settings: Service(kind, clock, **settings)
