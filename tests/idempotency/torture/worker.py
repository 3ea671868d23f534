"""What each process does until it is killed."""

import asyncio
import os
import random
import signal
import time

import seawall

from tests.idempotency.torture.ledger import ANSWERED, RAISED, RAN, Ledger

NAME = "torture"
#: Seconds. Short, so that orders of killed processes are soon had by others.
LEASE = 0.4
#: From so many orders a call chooses one: enough to meet others there, few enough to be run again.
ORDERS = 8
#: How many entries there are for an order, about, before calls go on to the next.
ENTRIES = 4
TASKS = 4


def settings(store, *, once):
    """Those of the operation."""
    return {
        "store": store,
        "name": NAME,
        "key": lambda order: order,
        "lease": LEASE,
        "attempts": 1000,
        "wait": 5,
        "at_most_once": once,
    }


def _pause():
    """Seconds for which an effect takes place: it may be killed there. Some need a longer lease.

    Real time: leases go by the store's clock, which is.
    """
    return 1.5 * LEASE if random.randrange(50) == 0 else random.uniform(0, 0.004)


class Worker:
    """Calls the operation again and again, with one order or another that others call as well."""

    def __init__(self, url, path, *, once):
        """In a process of its own."""
        self._ledger = Ledger(path)
        self._parent = os.getppid()
        self._settings = settings(seawall.open_store(url), once=once)

    def _order(self):
        if os.getppid() != self._parent:
            # Whoever was to kill it was killed.
            os._exit(3)
        return self._ledger.count() // ENTRIES + random.randrange(ORDERS)

    def _ran(self, order):
        fence = seawall.current_claim().fence
        self._ledger.write(RAN, order, fence)
        return fence

    def _body(self, order):
        fence = self._ran(order)
        time.sleep(_pause())
        return fence

    def _answered(self, order, result):
        self._ledger.write(ANSWERED, order, result)

    def _raised(self, error):
        # Nobody knows what a killed process did, nor what a server did that was killed.
        expected = (
            seawall.AttemptsExhaustedError,
            seawall.LeaseLostError,
            seawall.OperationInProgressError,
            seawall.OutcomeNotRecordedError,
            seawall.OutcomeUnknownError,
            seawall.StoreError,
        )
        if not isinstance(error, expected):
            raise error
        self._ledger.write(RAISED, type(error).__name__)

    def in_a_thread(self):
        """One call after the other."""
        call = seawall.idempotent(**self._settings)(self._body)
        while True:
            order = self._order()
            try:
                result = call(order)
            except Exception as error:
                self._raised(error)
            else:
                self._answered(order, result)

    def in_tasks(self):
        """Several at once."""

        @seawall.idempotent(**self._settings)
        async def call(order):
            await asyncio.sleep(0)
            fence = self._ran(order)
            await asyncio.sleep(_pause())
            return fence

        async def calls():
            while True:
                order = self._order()
                try:
                    result = await call(order)
                except Exception as error:
                    self._raised(error)
                else:
                    self._answered(order, result)

        async def main():
            async with asyncio.TaskGroup() as group:
                for _ in range(TASKS):
                    group.create_task(calls())

        asyncio.run(main())


def forked(url, path, *, once, tasks):
    """A new process that works; its id.

    It is forked from one that has imported seawall and opened nothing: it is a process like any
    other, only that it need not read its modules first.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        random.seed()
        worker = Worker(url, path, once=once)
        if tasks:
            worker.in_tasks()
        else:
            worker.in_a_thread()
    except BaseException:
        # What is unexpected is seen: the process ends, and not by the signal that it should.
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)
