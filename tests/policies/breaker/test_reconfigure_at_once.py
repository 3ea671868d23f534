"""Changes of settings while others read or change them: threads, forks, code of the user's."""

import contextlib
import os
import select
import threading

import pytest
import seawall

from tests import needs


class Whole:
    """A whole number that does something when it is read, once."""

    def __init__(self, number, when_read):
        self.number, self.when_read = number, when_read

    def __index__(self):
        when_read, self.when_read = self.when_read, None
        if when_read is not None:
            when_read()
        return self.number


def test_a_change_while_a_setting_is_read():
    """A change made by what reads a setting, in this thread, is not lost, nor is its own."""
    breaker = seawall.CircuitBreaker()
    inner = Whole(7, lambda: breaker.reconfigure(half_open_calls=5))
    breaker.reconfigure(failure_threshold=inner)
    settings = breaker.settings
    assert (settings["failure_threshold"], settings["half_open_calls"]) == (7, 5)
    breaker.reconfigure(open_duration=9)
    settings = breaker.settings
    assert (settings["failure_threshold"], settings["half_open_calls"]) == (7, 5)


def test_no_lock_is_held_while_a_setting_is_read():
    """What reads a setting may wait for a thread that changes this breaker, or another."""
    breaker, other = seawall.CircuitBreaker(), seawall.CircuitBreaker()
    done = []

    def elsewhere():
        def change():
            other.reconfigure(half_open_calls=4)
            breaker.reconfigure(half_open_calls=5)
            done.append(True)

        thread = threading.Thread(target=change, daemon=True)
        thread.start()
        thread.join(10)

    breaker.reconfigure(failure_threshold=Whole(7, elsewhere))
    assert done
    settings = breaker.settings
    assert (settings["failure_threshold"], settings["half_open_calls"]) == (7, 5)


def test_a_change_that_loses_and_fails_is_undone():
    """What others changed meanwhile stays in force when a change then turns out wrong."""
    breaker = seawall.CircuitBreaker(slow_call_rate=0.5, slow_call_duration=1)
    without = {"slow_call_rate": None, "slow_call_duration": None, "failure_threshold": 3}
    reading = Whole(4, lambda: breaker.reconfigure(**without))
    with pytest.raises(seawall.ConfigError, match="slow_call_duration"):
        breaker.reconfigure(slow_call_rate=0.9, half_open_calls=reading)
    settings = breaker.settings
    assert (settings["slow_call_rate"], settings["half_open_calls"]) == (None, 3)
    assert settings["failure_threshold"] == 3


def test_threads_that_change_one_breaker_lose_nothing():
    """Of changes made at once by several threads each is there in the end."""
    fields = ["failure_threshold", "half_open_calls", "success_threshold", "min_calls"]
    breaker = seawall.CircuitBreaker()
    start = threading.Barrier(len(fields))

    def change(field):
        start.wait(30)
        for number in range(1, 101):
            breaker.reconfigure(**{field: number})

    threads = [threading.Thread(target=change, args=(field,)) for field in fields]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [breaker.settings[field] for field in fields] == [100] * 4


@needs.fork
def test_a_fork_during_a_change_blocks_no_child():
    """A child forked while another thread changes a breaker can change it."""
    breaker = seawall.CircuitBreaker()
    reading, done = threading.Event(), threading.Event()

    def wait():
        reading.set()
        done.wait(30)

    thread = threading.Thread(
        target=breaker.reconfigure, kwargs={"failure_threshold": Whole(7, wait)}
    )
    thread.start()
    assert reading.wait(30)
    answers, answer = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            breaker.reconfigure(half_open_calls=5)
            os.write(answer, str(breaker.settings["half_open_calls"]).encode())
        os._exit(0)
    os.close(answer)
    try:
        assert first_of(answers) == b"5"
    finally:
        done.set()
        thread.join(30)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(answers)


def first_of(pipe):
    """What comes out of a pipe, or nothing after a while."""
    ready, _, _ = select.select([pipe], [], [], 10)
    return os.read(pipe, 10) if ready else b""
