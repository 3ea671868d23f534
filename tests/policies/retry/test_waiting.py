"""What a plain call does while it waits for its next attempt: it blocks, but not against reason."""

import asyncio
import warnings

import pytest
import seawall
import trio

from tests.children import child


@pytest.mark.parametrize(
    "call",
    [
        "down()",
        "retry.call(down.__wrapped__)",
        "retry.try_call(down.__wrapped__)",
        "next(items())",
        "[1 for attempt in retry if attempt.__enter__() and attempt.__exit__(*raised)]",
    ],
)
def test_interrupt_ends_a_wait(call):
    """Ctrl-C in a wait of an hour ends the call at once: nothing is tried again or swallowed."""
    code = f"""
import os, signal, threading, time
import seawall
calls = []
retry = seawall.Retry("shop", attempts=5, backoff=3600)
raised = (ConnectionError, ConnectionError(), None)

@retry
def down():
    calls.append(1)
    raise ConnectionError

@retry
def items():
    calls.append(1)
    raise ConnectionError
    yield

threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
begun = time.monotonic()
try:
    {call}
except KeyboardInterrupt:
    seen = retry.snapshot()
    print(time.monotonic() - begun < 30, len(calls) <= 1, seen.in_flight)
"""
    assert child(code) == (0, "True True 0", "")


def test_greenlets_go_on_meanwhile():
    """Under gevent's patches a greenlet that waits for its next attempt holds up no other."""
    code = """
from gevent import monkey; monkey.patch_all()
import gevent
import seawall
order = []

def work(name, wait):
    fails = iter([True, False])
    def body():
        if next(fails):
            raise ConnectionError
        order.append(name)
    seawall.Retry(backoff=wait).call(body)

gevent.joinall([gevent.spawn(work, "b", 0.2), gevent.spawn(work, "a", 0.1)])
print("".join(order))
"""
    status, printed, errors = child(code)
    assert (status, printed) == (0, "ab"), errors


@pytest.mark.parametrize("host", ["asyncio", "trio"])
def test_a_plain_function_on_a_loop_says_so(script, host):
    """A retry that is to block a running loop warns, by its name, and blames the caller's line."""
    body = script(ConnectionError, 1)

    async def main():
        with pytest.warns(seawall.BlockingWaitWarning, match="retry 'shop'") as told:
            assert seawall.Retry("shop", backoff=1).call(body) == 1
        return told

    told = asyncio.run(main()) if host == "asyncio" else trio.run(main)
    assert [warning.filename for warning in told] == [__file__]


def test_no_wait_no_warning(script):
    """On a running loop a plain function that tries again at once blocks nothing, and is quiet."""

    async def main():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return seawall.Retry(backoff=0).call(script(ConnectionError, 1))

    assert asyncio.run(main()) == 1
