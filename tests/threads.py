"""Threads that are begun together, hang, or bring something about."""

import contextvars
import threading
import time


def in_threads(count, work):
    """What `work(number)` answers in so many threads at once; raises what any of them raised."""
    answers, errors = [None] * count, []
    start = threading.Barrier(count)

    def run(number):
        start.wait(30)
        try:
            answers[number] = contextvars.Context().run(work, number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive()
    if errors:
        raise errors[0]
    return answers


def until(condition):
    """Waits, for real, for other threads to bring something about."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it has not come true"
        # Real time: what other threads do takes some.
        time.sleep(0.001)


class Hung:
    """Calls that hang until they are let go."""

    def __init__(self):
        """None yet."""
        self.release = threading.Event()

    def __call__(self):
        """Hangs."""
        assert self.release.wait(30)
        return "at last"
