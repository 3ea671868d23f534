"""Operations in the caller's own PostgreSQL transaction: exactly once for what it writes.

- `seawall.idempotency.transaction.links`: the user's connections and sessions, known by name.
- `seawall.idempotency.transaction.statements`: the SQL.
- `seawall.idempotency.transaction.operation`: what is to happen once, and its row.
- `seawall.idempotency.transaction.steps`: claim and completion, written once for ``with`` and
  ``async with``.
- `seawall.idempotency.transaction.block`: the block.
- `seawall.idempotency.transaction.entry`: from what users say to blocks and functions.
"""

from seawall.idempotency.transaction.entry import operation_within, within, within_parameter

__all__ = ["operation_within", "within", "within_parameter"]
