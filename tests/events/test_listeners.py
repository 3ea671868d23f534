"""What a listener may do, and what it can't."""

import asyncio
import gc
import logging
import threading
import time

import pytest
import seawall
from seawall import events

from tests.events.given import CutError, fail


@pytest.mark.parametrize(
    "error", [SystemExit(3), GeneratorExit(), CutError(), asyncio.CancelledError()]
)
def test_no_exception_of_a_listener_gets_out(breaker, caplog, error):
    """Whatever a listener raises, a policy's own or another, all hear and the call is unharmed."""
    heard = []
    before = events.listener_failures()

    def broken(event):
        raise error

    own = seawall.CircuitBreaker("own", failure_threshold=1, on_event=broken)
    with seawall.subscribe(broken), seawall.subscribe(heard.append):
        fail(own)
    assert [event.kind for event in heard] == ["breaker.opened"]
    assert events.listener_failures() == before + 2
    assert [record.exc_info[1] for record in caplog.records] == [error, error]


def test_a_log_that_fails_harms_nobody(breaker, monkeypatch):
    """A filter or handler that raises keeps nobody from hearing; the failure is counted."""
    heard = []
    before = events.listener_failures()
    logger = logging.getLogger("seawall")
    monkeypatch.setattr(logger, "filters", [lambda record: 1 / 0])
    with seawall.subscribe(lambda event: 1 / 0), seawall.subscribe(heard.append):
        breaker.force_open()
    assert len(heard) == 1
    assert events.listener_failures() == before + 1


def interrupted(event):
    """Ctrl-C falls into this listener."""
    raise KeyboardInterrupt


def interruptible(act):
    """Acts, and then gives an interruption some time to come."""
    act()
    for _ in range(1000):
        # Real time: a signal ends a sleep, and is heard between two.
        time.sleep(0.01)


def test_an_interruption_is_not_lost(breaker):
    """Ctrl-C in a listener is raised again, once everybody has heard."""
    heard = []
    with (
        seawall.subscribe(interrupted),
        seawall.subscribe(heard.append),
        pytest.raises(KeyboardInterrupt),
    ):
        interruptible(breaker.force_open)
    assert len(heard) == 1


def test_an_interruption_of_the_background_is_not_lost(breaker):
    """On a listener's thread it is raised in the main one, and the thread goes on."""
    with seawall.subscribe(interrupted, background=True) as subscription:
        with pytest.raises(KeyboardInterrupt):
            interruptible(breaker.force_open)
        with pytest.raises(KeyboardInterrupt):
            interruptible(breaker.reset)
        assert subscription.flush(30)


def test_a_listener_must_be_callable():
    """What can't be called is refused when it subscribes, not when something happens."""
    with pytest.raises(TypeError, match="listener"):
        seawall.subscribe("print")


def test_a_failing_listener_harms_nobody(breaker, caplog):
    """It is logged and counted; the call gets its own end, and the others hear."""
    heard = []
    before = events.listener_failures()

    def broken(event):
        raise ZeroDivisionError("in the listener")

    with seawall.subscribe(broken), seawall.subscribe(heard.append), caplog.at_level(logging.ERROR):
        fail(breaker, 2)
    assert breaker.state == "open"
    assert len(heard) == 1
    assert events.listener_failures() == before + 1
    [record] = caplog.records
    assert record.name == "seawall"
    assert "breaker.opened of 'shop'" in record.getMessage()
    assert record.exc_info[0] is ZeroDivisionError


def test_a_failing_own_listener_harms_nobody(caplog):
    """So it is with `on_event`."""
    breaker = seawall.CircuitBreaker("shop", failure_threshold=1, on_event=lambda event: 1 / 0)
    with seawall.testing.record() as told:
        fail(breaker)
    assert told.kinds == ["breaker.opened"]


def test_a_listener_may_cancel_itself(breaker):
    """Cancelled while an event is told, it hears no further one, and the others all do."""
    heard, others = [], []

    def once(event):
        heard.append(event)
        subscription.cancel()

    with seawall.subscribe(others.append):
        subscription = seawall.subscribe(once)
        with seawall.subscribe(others.append):
            breaker.force_open()
            breaker.reset()
    assert (len(heard), len(others)) == (1, 4)


def test_a_listener_may_subscribe_and_switch(breaker):
    """A listener may use seawall: no lock is held while it hears."""
    heard = []

    def listener(event):
        heard.append(event.kind)
        if event.kind == "breaker.opened":
            breaker.reset()

    with seawall.subscribe(listener):
        fail(breaker, 2)
    assert heard == ["breaker.opened", "breaker.reset"]
    assert breaker.state == "closed"


def test_threads_that_subscribe_lose_nobody(breaker):
    """Listeners that come and go in many threads are all there, and all gone."""
    heard = []
    start = threading.Barrier(8)
    kept = []

    def work():
        start.wait(30)
        for _ in range(200):
            seawall.subscribe(heard.append).cancel()
            kept.append(seawall.subscribe(heard.append))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    breaker.force_open()
    assert len(heard) == 8 * 200
    for subscription in kept:
        subscription.cancel()
    breaker.reset()
    assert len(heard) == 8 * 200


def test_a_listener_is_let_go(breaker):
    """A cancelled subscription keeps its listener no longer than it is kept itself."""
    import weakref

    class Listener:
        def __call__(self, event):
            pass

    listener = Listener()
    gone = weakref.ref(listener)
    with seawall.subscribe(listener):
        breaker.force_open()
    del listener
    gc.collect()
    assert gone() is None
