"""A database with the table and something to have effects on."""

import psycopg
import pytest

from tests.idempotency.transaction.desks import DESKS
from tests.idempotency.transaction.given import TABLE


@pytest.fixture
def url(postgres_url):
    """Where it is."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA seawall")
        connection.execute(TABLE.replace("{schema}", "seawall"))
        connection.execute("CREATE TABLE charges (id serial PRIMARY KEY, what text)")
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
