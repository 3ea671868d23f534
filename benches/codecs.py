"""What keys and results cost: `python -m benches.codecs`, in an environment that has seawall."""

import sys
import timeit
from collections.abc import Callable

from seawall import codecs
from seawall.idempotency.arguments import arguments
from seawall.idempotency.keys import stored

CALLS = 1_000
BATCHES = 300

VALUE = {"id": "order-1", "amount": 1299, "ok": True, "items": [1, 2, 3]}


def rows() -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    two = arguments(lambda order, amount: None).digest
    three = arguments(lambda order, amount, *, urgent=False: None).digest
    placed, named = ("order-123", 1299), {"urgent": True}
    packed, text = codecs.Results(), codecs.Results("json")
    as_bytes, as_text, short = packed.encode(VALUE), text.encode(VALUE), packed.encode("charged")
    return {
        "nothing": lambda: None,
        "digest of 2 arguments": lambda: two(placed),
        "digest of 3, one by name": lambda: three(placed, named),
        "a readable key": lambda: stored("order-123"),
        "MessagePack, write a text": lambda: packed.encode("charged"),
        "MessagePack, read a text": lambda: packed.decode(*short),
        "MessagePack, write a dict": lambda: packed.encode(VALUE),
        "MessagePack, read a dict": lambda: packed.decode(*as_bytes),
        "JSON, write a dict": lambda: text.encode(VALUE),
        "JSON, read a dict": lambda: text.decode(*as_text),
        "may it be shared": lambda: codecs.is_immutable("charged"),
    }


def main() -> int:
    """Prints the least of many short batches: what else the machine does is not in it."""
    for name, call in rows().items():
        seconds = min(timeit.repeat(call, number=CALLS, repeat=BATCHES)) / CALLS
        print(f"{name:28}{seconds * 1e9:8.0f} ns")
    return 0


if __name__ == "__main__":
    sys.exit(main())
