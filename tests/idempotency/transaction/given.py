"""Operations for tests, whose results are written as JSON."""

import json
from pathlib import Path

from seawall.idempotency.errors import ResultUnavailableError
from seawall.idempotency.transaction import Operation, TransactionBlock, address

TABLE = (
    Path(__file__).parents[3] / "src" / "stores" / "postgresql" / "transactions.sql"
).read_text()


def encode(value):
    """JSON; None if it can't be."""
    try:
        return 1, json.dumps(value).encode()
    except TypeError:
        return None


def operation(key="order-1", **changes):
    """An operation."""
    name = changes.pop("name", "charge")

    def no_default():
        raise ResultUnavailableError(name, key)

    settings = {
        "name": name,
        "key": key,
        "id": address("default", name, key.encode()),
        "fingerprint": None,
        "encode": encode,
        "decode": lambda _codec, data: json.loads(data),
        "default": no_default,
        "ttl": 86_400.0,
        "wait": 10.0,
    }
    return Operation(**(settings | changes))


def block(transaction, key="order-1", **changes):
    """A block for it."""
    return TransactionBlock(transaction, operation(key, **changes))
