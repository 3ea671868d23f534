"""A database with the table and something to have effects on."""

import psycopg
import pytest
import seawall

from tests.idempotency.transaction.desks import DESKS


@pytest.fixture
def url(postgres_url):
    """Where it is."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE charges (id serial PRIMARY KEY, what text)")
    # A store makes its tables when it is first asked, and that of transactions with them.
    with seawall.open_store(postgres_url) as store:
        assert store.get("nothing") is None
    return postgres_url


@pytest.fixture(params=DESKS)
def desk(request, url):
    """Makes one desk of a driver after another."""
    return lambda: DESKS[request.param](url)


@pytest.fixture
def charges(url):
    """What was charged, as others see it."""

    def charges():
        with psycopg.connect(url) as connection:
            return [row[0] for row in connection.execute("SELECT what FROM charges ORDER BY id")]

    return charges
