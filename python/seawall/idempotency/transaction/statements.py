"""What is asked in the user's transaction, in SQL.

All values are bound. Parameters are written as the server knows them (``$1``); who speaks otherwise
translates (`named`). Nothing is left in the session or in the transaction but the row, so that
the connection may be anybody's afterwards and everything works behind a pooler of transactions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

BEGUN: Final = 1
"""Its transaction goes on. Nobody but itself ever sees that, and it can't be committed so."""
COMPLETED: Final = 2
OPAQUE: Final = 3
"""It took effect, and its result could not be kept."""

LAYOUT: Final = 1
"""The layout of rows that this version writes and reads."""

# Microseconds since 1970 on the server's own clock: that of the transaction's beginning would give
# back rows that expired while it ran, and take others for alive.
_CLOCK = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS int8)"

# One round trip. The bound of the wait for locks holds within the statement and not after it: each
# part takes something of the one before, so that the server can't turn them round. What is there
# already is not written to, so that those who only look don't wait for one another.
_CLAIM = """
WITH bound AS MATERIALIZED (
    SELECT current_setting('lock_timeout') AS before,
           set_config('lock_timeout', CAST($1 AS text), true) AS now
), claimed AS (
    {claim}
    RETURNING 1
), done AS MATERIALIZED (
    SELECT count(*) AS claims FROM claimed
)
SELECT done.claims,
       set_config('lock_timeout', CASE WHEN done.claims >= 0 THEN bound.before END, true),
       kept.layout, kept.state, kept.fingerprint, kept.codec, kept.result, kept.checksum,
       kept.expires - {clock},
       kept.transaction = CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS int8)
FROM done CROSS JOIN bound
LEFT JOIN {table} AS kept ON kept.id = CAST($2 AS bytea)
"""

_INSERT = """
    INSERT INTO {table} (id, layout, state, begun, transaction, fingerprint, created, expires)
    SELECT CAST($2 AS bytea), {layout}, {begun}, 1,
           CAST(CAST(pg_current_xact_id() AS text) AS int8),
           CAST($3 AS bytea), {clock}, {clock} + CAST($4 AS int8)
    FROM bound
    WHERE bound.now IS NOT NULL
      AND NOT EXISTS (SELECT FROM {table} WHERE id = CAST($2 AS bytea))
    ON CONFLICT (id) DO NOTHING
"""

_RETAKE = """
    UPDATE {table} AS old
    SET layout = {layout}, state = {begun}, begun = 1, fingerprint = CAST($3 AS bytea),
        transaction = CAST(CAST(pg_current_xact_id() AS text) AS int8),
        created = {clock}, expires = {clock} + CAST($4 AS int8),
        codec = NULL, result = NULL, checksum = NULL
    FROM bound
    WHERE bound.now IS NOT NULL AND old.id = CAST($2 AS bytea) AND old.expires <= {clock}
"""

_COMPLETE = """
UPDATE {table}
SET state = CAST($2 AS int2), begun = NULL, codec = CAST($3 AS int2), result = CAST($4 AS bytea),
    checksum = CAST($5 AS bytea), expires = {clock} + CAST($6 AS int8)
WHERE id = CAST($1 AS bytea) AND state = {begun}
  AND transaction = CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS int8)
RETURNING 1
"""


class Statements(NamedTuple):
    """The texts for the table of one schema."""

    claim: str
    """Bound of the wait as text, id, fingerprint, ttl: see `_CLAIM` for what comes back."""
    retake: str
    """The same, of a row that has expired."""
    complete: str
    """Id, state, codec, result, checksum, ttl: a row, or none if it is not this transaction's."""


@lru_cache(maxsize=64)
def statements(schema: str) -> Statements:
    """The texts for a schema, whatever it is called."""
    quoted = schema.replace('"', '""')
    words = {
        "table": f'"{quoted}".transactions',
        "clock": _CLOCK,
        "layout": LAYOUT,
        "begun": BEGUN,
    }

    def said(text: str, **more: str) -> str:
        return text.format_map(words | more)

    return Statements(
        claim=said(_CLAIM, claim=said(_INSERT)),
        retake=said(_CLAIM, claim=said(_RETAKE)),
        complete=said(_COMPLETE),
    )


@lru_cache(maxsize=256)
def named(statement: str) -> str:
    """The statement with parameters by name, ``:p1`` for ``$1``, as SQLAlchemy writes them."""
    # What is in quotes is a name, whatever it looks like; a colon in it would begin a parameter.
    return re.sub(
        r'("(?:[^"]|"")*")|\$(\d+)',
        lambda found: f":p{found[2]}" if found[2] else found[1].replace(":", "\\:"),
        statement,
    )
