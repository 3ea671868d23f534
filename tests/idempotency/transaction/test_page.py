"""The page about transactions."""

from pathlib import Path

import psycopg

from tools import pages

PAGE = Path(__file__).parents[3] / "docs" / "idempotency" / "transaction.md"


def test_its_python_runs(url, charges):
    """A reader who types its Python, with a database at hand, sees no error and one effect each."""
    namespace = {"DATABASE": url, "__name__": "typed"}
    for block in pages.blocks(PAGE.read_text()):
        exec(block.code, namespace)
    namespace["engine"].dispose()
    assert charges() == ["Moby-Dick", "-Moby-Dick"]


def test_its_rights_suffice(url, charges):
    """A role with the rights that it names, and no others, can do it all."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute("CREATE ROLE clerk LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA seawall TO clerk")
        connection.execute("GRANT SELECT, INSERT, UPDATE ON seawall.transactions TO clerk")
        connection.execute("GRANT ALL ON charges, charges_id_seq TO clerk")
    try:
        first = next(iter(pages.blocks(PAGE.read_text())))
        exec(first.code, {"DATABASE": url.replace("postgres@", "clerk@"), "__name__": "typed"})
        assert charges() == ["Moby-Dick"]
    finally:
        with psycopg.connect(url) as connection:
            connection.execute("DROP OWNED BY clerk")
            connection.execute("DROP ROLE clerk")
