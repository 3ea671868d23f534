"""Listeners that hear on a thread of their own."""

import multiprocessing
import os
import threading

import pytest
import seawall
from seawall import background, events

from tests import needs
from tests.events.given import CutError


class Stuck:
    """A listener that hears when it is let."""

    def __init__(self):
        self.heard = []
        self.busy = threading.Event()
        self.free = threading.Event()

    def __call__(self, event):
        self.busy.set()
        assert self.free.wait(30)
        self.heard.append((event.kind, threading.current_thread().name))


def test_background_delays_nobody(breaker):
    """While a slow listener is stuck, transitions go on; it hears all of them, in order."""
    stuck = Stuck()
    with seawall.subscribe(stuck, background=True) as subscription:
        breaker.force_open()
        assert stuck.busy.wait(30)
        breaker.reset()
        breaker.disable()
        assert breaker.state == "disabled"
        assert stuck.heard == []
        assert not subscription.flush(0)
        stuck.free.set()
        assert subscription.flush(30)
    kinds = ["breaker.forced_open", "breaker.reset", "breaker.disabled"]
    assert stuck.heard == [(kind, "seawall-listener") for kind in kinds]


def test_background_counts_what_overflows(breaker, monkeypatch):
    """A full queue drops, counts what it dropped, and goes on when there is room."""
    monkeypatch.setattr(background, "CAPACITY", 2)
    stuck = Stuck()
    with seawall.subscribe(stuck, background=True) as subscription:
        breaker.force_open()
        assert stuck.busy.wait(30)
        for _ in range(5):
            breaker.reset()
        assert subscription.overflow == 3
        stuck.free.set()
        assert subscription.flush(30)
        breaker.disable()
        assert subscription.flush(30)
    assert len(stuck.heard) == 4
    assert stuck.heard[-1][0] == "breaker.disabled"


@pytest.mark.parametrize("error", [ZeroDivisionError(), SystemExit(3), CutError()])
def test_background_survives_a_failing_listener(breaker, caplog, error):
    """A listener that raises on its thread is logged and counted, and hears the next event."""
    heard = []

    def listener(event):
        heard.append(event.kind)
        raise error

    before = events.listener_failures()
    with seawall.subscribe(listener, background=True) as subscription:
        breaker.force_open()
        breaker.reset()
        assert subscription.flush(30)
    assert heard == ["breaker.forced_open", "breaker.reset"]
    assert events.listener_failures() == before + 2


def test_background_thread_starts_with_the_first_event(breaker):
    """Subscribing alone starts no thread."""
    before = threading.active_count()
    with seawall.subscribe(print, names=["none"], background=True) as subscription:
        breaker.force_open()
        assert subscription.flush(0)
        assert threading.active_count() <= before


def test_background_thread_ends_with_its_subscription(breaker):
    """A cancelled subscription, once it has heard what waited, keeps no thread."""
    heard = []
    subscription = seawall.subscribe(heard.append, background=True)
    breaker.force_open()
    assert subscription.flush(30)
    thread = subscription._queue._thread
    assert thread in threading.enumerate()
    subscription.cancel()
    thread.join(30)
    assert not thread.is_alive()
    assert len(heard) == 1


def test_cancelling_lets_what_waits_be_heard(breaker):
    """Events told before the cancelling are heard after it."""
    stuck = Stuck()
    subscription = seawall.subscribe(stuck, background=True)
    breaker.force_open()
    breaker.reset()
    assert stuck.busy.wait(30)
    subscription.cancel()
    breaker.disable()
    stuck.free.set()
    assert subscription.flush(30)
    assert [kind for kind, _ in stuck.heard] == ["breaker.forced_open", "breaker.reset"]


def test_a_thread_that_can_not_start_is_tried_again(breaker, monkeypatch, caplog):
    """If the system gives no thread now, the listener is heard of later."""
    heard = []

    def refuse(self):
        raise RuntimeError("can't start new thread")

    with seawall.subscribe(heard.append, background=True) as subscription:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            breaker.force_open()
        breaker.reset()
        assert subscription.flush(30)
    assert [event.kind for event in heard] == ["breaker.forced_open", "breaker.reset"]


@needs.fork
def test_background_works_after_fork(breaker):
    """A forked child starts its own thread; what waited at the fork is the parent's to tell."""
    stuck = Stuck()
    ours, theirs = multiprocessing.Pipe()
    with seawall.subscribe(stuck, background=True) as subscription:
        breaker.force_open()
        assert stuck.busy.wait(30)
        breaker.reset()
        child = os.fork()
        if child == 0:
            try:
                stuck.free.set()
                early = subscription.flush(10)
                breaker.disable()
                done = subscription.flush(10)
                theirs.send((early, done, [kind for kind, _ in stuck.heard]))
            finally:
                os._exit(0)
        assert ours.poll(30)
        assert ours.recv() == (True, True, ["breaker.disabled"])
        os.waitpid(child, 0)
        stuck.free.set()
        assert subscription.flush(30)
    assert [kind for kind, _ in stuck.heard] == ["breaker.forced_open", "breaker.reset"]


@needs.fork
def test_a_fork_while_a_lock_is_held_blocks_no_child(breaker):
    """Whatever another thread held at the fork, the child subscribes, tells and flushes."""
    ours, theirs = multiprocessing.Pipe()
    with seawall.subscribe(lambda event: None, background=True) as subscription:
        breaker.force_open()
        assert subscription.flush(30)
        queue = subscription._queue
        held, done = threading.Event(), threading.Event()

        def hold():
            with queue._change:
                held.set()
                done.wait(30)

        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(30)
        child = os.fork()
        if child == 0:
            try:
                heard = []
                flushed = subscription.flush(5)
                with seawall.subscribe(heard.append):
                    breaker.reset()
                theirs.send((flushed, len(heard), subscription.flush(5)))
            finally:
                os._exit(0)
        answered = ours.poll(30)
        done.set()
        thread.join(30)
        if not answered:
            os.kill(child, 9)
        os.waitpid(child, 0)
        assert answered
        assert ours.recv() == (True, 1, True)
