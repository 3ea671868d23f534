"""Threads share a fallback, and no answers but their own."""

import itertools
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
import seawall


@pytest.fixture(autouse=True)
def switching():
    """Threads take turns far more often than usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_each_thread_gets_its_own_answers():
    """Of a memory too small for all of them, while they fail and while settings change."""
    fallback = seawall.Fallback(lambda error, user, _: (user, "provider"), stale=60, max_keys=7)
    numbers = itertools.count()

    @fallback
    def service(user, more):
        if random.random() < 0.5:
            raise ConnectionError
        return user, next(numbers)

    def ask(seed):
        chance = random.Random(seed)
        for _ in range(3_000):
            user = chance.randrange(20)
            assert service(user, "more")[0] == user
            if chance.random() < 0.01:
                fallback.reconfigure(max_keys=chance.randrange(1, 20))
        return True

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(8)))
    seen = fallback.snapshot()
    assert sum(seen.counts[what] for what in ("success", "stale", "used")) == 24_000
    assert min(seen.counts[what] for what in ("success", "stale", "used")) > 100
    assert seen.in_flight == 0


def test_the_latest_answer_stays():
    """Whoever is overtaken on the way to memory does not bring an older one back."""
    fallback = seawall.Fallback(stale=60)
    numbers = itertools.count()
    down = False

    @fallback
    def service():
        if down:
            raise ConnectionError
        return next(numbers)

    def ask(context):
        return context.run(lambda: max(service() for _ in range(1_000)))

    for _ in range(5):
        down = False
        with ThreadPoolExecutor(4) as threads:
            highest = max(threads.map(ask, [copy_context() for _ in range(4)]))
        last = service()
        assert last == highest + 1
        down = True
        assert service() == last


def test_a_fork_keeps_what_was_remembered():
    """As it was; what a child learns is its own."""
    import os

    fallback = seawall.Fallback(stale=60)
    error = None

    @fallback
    def service(user):
        if error:
            raise error
        return os.getpid()

    here = service("ann")
    child = os.fork()
    if child == 0:
        try:
            own = service("bob")
            error = ConnectionError()
            good = (service("ann"), service("bob")) == (here, own) and own != here
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    error = ConnectionError()
    assert service("ann") == here
    with pytest.raises(ConnectionError):
        service("bob")
