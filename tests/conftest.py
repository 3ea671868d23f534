"""What holds for every test, and what tests of all rooms ask for."""

import gc
import signal
import sys

import pytest
import seawall

from tests.servers import Postgres, Valkey
from tests.threads import Hung


def pytest_sessionstart() -> None:
    """Ctrl-C interrupts, also here and in the interpreters of tests started in the background.

    A shell without job control starts what is in its background deaf to it, and children inherit
    that: tests that interrupt themselves would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish() -> None:
    """What was set aside is seen again by those who look for it, as hypothesis does in the end."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="module")
def few_objects():
    """What was imported, and what tests before have left, is set aside: no collection looks at it.

    There are hundreds of thousands of objects by and by, and collections by the thousand.
    """
    gc.collect()
    gc.freeze()


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


@pytest.fixture
def unraisable(monkeypatch):
    """The exceptions that were reported to `sys.unraisablehook`."""
    seen = []
    monkeypatch.setattr("sys.unraisablehook", lambda report: seen.append(report.exc_value))
    return seen


@pytest.fixture
def often():
    """Threads take turns as often as the interpreter lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def hung():
    """A function that hangs until the test is over."""
    hung = Hung()
    yield hung
    hung.release.set()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL for all tests, each of which asks it for a database of its own."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def valkey():
    """A Valkey for all tests, each of which asks it for a space of its own."""
    with Valkey() as server:
        yield server


@pytest.fixture
def own_postgres():
    """A PostgreSQL that the test may kill and stop."""
    with Postgres() as server:
        yield server


@pytest.fixture
def own_valkey():
    """A Valkey that the test may kill and stop."""
    with Valkey() as server:
        yield server


@pytest.fixture
def postgres_url(postgres):
    """Where an empty database is."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def redis_url(valkey):
    """Where nobody else's keys are."""
    return valkey.space()
