"""A process that charges: run with a driver, where the database is, and a number of operations.

It says which operation is written and not committed, and waits for a word if it is asked to.
"""

import asyncio
import random
import sys

from tests.idempotency.transaction.desks import DESKS
from tests.idempotency.transaction.given import block


async def main(kind, url, count, stop):
    """Charges for each of the operations, in an order of its own."""
    keys = [f"order-{at}" for at in range(count)]
    random.shuffle(keys)
    print("ready", flush=True)
    for key in keys:
        desk = DESKS[kind](url)
        async with desk.transaction() as transaction:
            async with desk.within(block(transaction, key)) as claim:
                if claim.replayed:
                    assert claim.result == key
                else:
                    await desk.write(key)
                    claim.complete(key)
            if stop == "before":
                print("written", flush=True)
                sys.stdin.readline()
        if stop == "after":
            print("committed", flush=True)
            sys.stdin.readline()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
