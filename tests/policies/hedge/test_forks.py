"""A forked child starts without the calls and losers of its parent."""

import itertools
import os
import threading

import seawall

from tests import needs


@needs.fork
def test_a_child_has_no_losers():
    """Those of its parent run in threads that it has not; its own hedges work."""
    go, numbers = threading.Event(), itertools.count(1)
    hedge = seawall.Hedge("h", delay=0, max_losers=1)

    @hedge
    def work():
        number = next(numbers)
        if number % 2:
            go.wait(60)
        return number

    assert work() == 2
    assert hedge.snapshot().losers == 1
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        said = b"failed"
        try:
            before = hedge.snapshot().losers
            said = f"{before} {work()} {hedge.snapshot().losers}".encode()
        finally:
            os.write(writer, said)
            os._exit(0)
    os.close(writer)
    said = os.read(reader, 100).decode()
    os.waitpid(child, 0)
    go.set()
    assert said == "0 4 1"
