"""Events: who hears what, in which order, and what a listener can't do."""

import asyncio
import contextvars
import gc
import logging
import multiprocessing
import os
import pickle
import threading
import time

import pytest
import seawall
from seawall import background, events


@pytest.fixture(autouse=True)
def own():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


@pytest.fixture
def breaker():
    """A breaker to switch."""
    return seawall.CircuitBreaker("shop", failure_threshold=2)


def fail(breaker, times=1):
    """Calls that raise."""

    def down():
        raise OSError("down")

    for _ in range(times):
        with pytest.raises(OSError, match="down"):
            breaker.call(down)


def test_a_listener_hears_until_it_is_cancelled(breaker):
    """From subscribing to cancelling, and cancelling twice does nothing."""
    heard = []
    subscription = seawall.subscribe(heard.append)
    breaker.force_open()
    subscription.cancel()
    subscription.cancel()
    breaker.reset()
    assert [event.kind for event in heard] == ["breaker.forced_open"]


def test_a_subscription_is_a_block(breaker):
    """As a context manager it cancels at the end."""
    heard = []
    with seawall.subscribe(heard.append):
        breaker.force_open()
    breaker.reset()
    assert len(heard) == 1


def test_order_and_numbers(breaker):
    """Events come in the order of transitions; numbers only grow, and skip what nobody heard."""
    with seawall.testing.clock() as clock, seawall.testing.record() as told:
        fail(breaker, 2)
        clock.advance(30)
        for _ in range(3):
            breaker.call(int)
        breaker.force_open()
    breaker.reset()
    with seawall.testing.record() as later:
        breaker.disable()
    assert told.kinds == [
        "breaker.opened",
        "breaker.half_opened",
        "breaker.closed",
        "breaker.forced_open",
    ]
    assert [event.seq for event in (*told, *later)] == [2, 3, 4, 5, 7]


def test_fields_are_typed(breaker):
    """An opening tells rule, rates, volume, states, how long, and both clocks."""
    with seawall.testing.clock() as clock, seawall.testing.record() as told:
        clock.advance(5)
        fail(breaker, 2)
    [opened] = told
    assert isinstance(opened, seawall.BreakerOpened)
    assert isinstance(opened, seawall.BreakerEvent)
    assert isinstance(opened, seawall.Event)
    assert (opened.policy, opened.name, opened.key) == ("breaker", "shop", None)
    assert (opened.before, opened.after) == ("closed", "open")
    assert (opened.cause, opened.calls) == ("consecutive_failures", 2)
    assert (opened.failure_rate, opened.slow_call_rate) == (None, None)
    assert opened.open_duration == 30.0
    assert isinstance(opened.at, float)
    assert isinstance(opened.wall, float)


def test_both_clocks_are_the_tests(breaker):
    """Between two events a test's clock moves both times by what it was moved."""
    with seawall.testing.clock() as clock, seawall.testing.record() as told:
        breaker.force_open()
        clock.advance(100)
        breaker.reset()
    first, second = told
    assert second.at - first.at == pytest.approx(100, abs=1e-6)
    assert second.wall - first.wall == pytest.approx(100, abs=1e-3)


def test_events_are_values(breaker):
    """They are frozen, equal by what they say, and can be pickled."""
    with seawall.testing.record() as told:
        breaker.force_open()
        fail_open = seawall.CircuitBreaker("other", failure_threshold=1)
        fail(fail_open)
    for event in told:
        with pytest.raises(AttributeError):
            event.name = "x"
        assert pickle.loads(pickle.dumps(event)) == event


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ({"kinds": ["breaker.reset"]}, ["breaker.reset"]),
        ({"kinds": {"breaker"}}, ["breaker.forced_open", "breaker.reset", "breaker.disabled"]),
        ({"kinds": []}, []),
        ({"names": ["other"]}, ["breaker.disabled"]),
        ({"names": ["shop"], "kinds": ["breaker.disabled"]}, []),
    ],
)
def test_filters(breaker, asked, kinds):
    """By kind, by a whole policy's kinds, by name, and by both."""
    heard = []
    with seawall.subscribe(heard.append, **asked):
        breaker.force_open()
        breaker.reset()
        seawall.CircuitBreaker("other").disable()
    assert [event.kind for event in heard] == kinds


@pytest.mark.parametrize("asked", [{"kinds": "breaker"}, {"names": "shop"}])
def test_a_string_is_no_filter(asked):
    """A string where names are wanted would be taken letter by letter: it is refused."""
    with pytest.raises(TypeError, match="must be a collection of strings"):
        seawall.subscribe(print, **asked)


@pytest.mark.parametrize(
    ("kind", "nearest"),
    [
        ("breaker.opend", "breaker.opened"),
        ("braker", "breaker"),
        ("opened", "breaker.opened"),
        ("cache", None),
        (5, None),
    ],
)
def test_an_unknown_kind_is_refused(kind, nearest):
    """A kind that no policy tells would be waited for in vain: the nearest known one is named."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.subscribe(print, kinds=["breaker.reset", kind])
    assert caught.value.problems == (("kinds", repr(kind), "is not a kind of event", nearest),)


def test_every_kind_is_known(breaker):
    """What a breaker tells in all of its transitions are the kinds that may be subscribed to."""
    from seawall.policies.breaker.events import KINDS

    with (
        seawall.testing.clock() as clock,
        seawall.testing.record() as told,
        seawall.subscribe(print, kinds=KINDS),
    ):
        fail(breaker, 2)
        clock.advance(30)
        for _ in range(3):
            breaker.call(int)
        breaker.metrics_only()
        fail(breaker, 2)
        breaker.force_open()
        breaker.disable()
        breaker.reset()
    assert set(told.kinds) == set(KINDS)


class CutError(BaseException):
    """An exit of a user's own."""


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


@pytest.mark.parametrize("error", [SystemExit(3), CutError()])
def test_the_background_survives_an_exit(breaker, caplog, error):
    """A listener that raises what is no `Exception` on its thread hears the next event."""
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


def test_a_listener_must_be_callable():
    """What can't be called is refused when it subscribes, not when something happens."""
    with pytest.raises(TypeError, match="listener"):
        seawall.subscribe("print")


def test_own_listener_hears_first():
    """A policy's `on_event` comes before everybody else, and hears only its own."""
    heard = []
    mine = seawall.CircuitBreaker("mine", on_event=lambda event: heard.append("own"))
    other = seawall.CircuitBreaker("other")
    with seawall.subscribe(lambda event: heard.append(event.name)):
        mine.force_open()
        other.force_open()
    mine.reset()
    assert heard == ["own", "mine", "other", "own"]


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


def test_nothing_is_built_when_nobody_listens(breaker, monkeypatch):
    """Without a listener no event object is made."""
    monkeypatch.setattr("seawall.policies.breaker.events.tell", lambda *_: pytest.fail("built"))
    breaker.force_open()
    with seawall.subscribe(print):
        pass
    with seawall.testing.record():
        pass
    breaker.reset()


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


def test_background_survives_a_failing_listener(breaker, caplog):
    """A listener that raises on its thread is logged and counted, and hears the next event."""
    heard = []

    def listener(event):
        heard.append(event.kind)
        raise ZeroDivisionError

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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
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


def test_recordings_are_of_their_context(breaker):
    """A recording hears its own context; a subscription hears everybody."""
    heard = []
    with seawall.subscribe(heard.append), seawall.testing.record() as told:
        thread = threading.Thread(target=breaker.force_open)
        thread.start()
        thread.join()
        assert told == []
        copied = threading.Thread(target=contextvars.copy_context().run, args=(breaker.reset,))
        copied.start()
        copied.join()
    assert told.kinds == ["breaker.reset"]
    assert len(heard) == 2


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
