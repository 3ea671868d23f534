"""Blocks for tests."""

from urllib.parse import quote

import seawall


def block(transaction, key="order-1", *, name="charge", schema=None, **settings):
    """A block in a transaction, of a table in some schema."""
    store = None
    if schema is not None:
        # Nothing is connected to: it only says where.
        store = seawall.open_store(f"postgresql://nobody@nowhere/none?schema={quote(schema)}")
    return seawall.idempotency_key(key, transaction=transaction, name=name, store=store, **settings)
