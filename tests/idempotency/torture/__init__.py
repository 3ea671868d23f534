"""Torture of idempotent operations, as services use them: ``python -m tests.idempotency.torture``.

Processes call one operation on one store while they are killed, stopped for longer than their lease
and let go on, and while the store's server is killed and started again.

- `tests.idempotency.torture.ledger`: what they write down, and what it must not say.
- `tests.idempotency.torture.worker`: what each of them does.
- `tests.idempotency.torture.sites`: the stores.
- `tests.idempotency.torture.fire`: who is killed when.
- `tests.idempotency.torture.natives`: the same on the stores alone, which is a test in Rust.
"""
