"""Operations in the caller's own PostgreSQL transaction: exactly once for what it writes.

- `seawall.idempotency.transaction.links`: the user's connections and sessions, known by name.
- `seawall.idempotency.transaction.statements`: the SQL.
- `seawall.idempotency.transaction.operation`: what is to happen once, and its row.
- `seawall.idempotency.transaction.steps`: claim and completion, written once for ``with`` and
  ``async with``.
- `seawall.idempotency.transaction.block`: the block and its claim.
"""

from seawall.idempotency.transaction.block import TransactionBlock, TransactionClaim
from seawall.idempotency.transaction.operation import Operation, address

__all__ = ["Operation", "TransactionBlock", "TransactionClaim", "address"]
