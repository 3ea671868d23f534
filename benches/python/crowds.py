"""Many threads at once: what they get done together, and what each of them gets."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from .harness import Function

T = TypeVar("T")


def served(protected: Function, many: int, seconds: float) -> tuple[list[int], float]:
    """How many calls each of so many threads got done, and in how many seconds."""
    done = [0] * many
    failures: list[BaseException] = []
    start = threading.Barrier(many + 1)
    over = threading.Event()

    def work(number: int) -> None:
        start.wait()
        try:
            while not over.is_set():
                protected()
                done[number] += 1
        except Exception as error:
            failures.append(error)

    def measure() -> tuple[list[int], float]:
        start.wait()
        begun = time.perf_counter()
        time.sleep(seconds)
        counted = list(done)
        took = time.perf_counter() - begun
        over.set()
        return counted, took

    counted, took = with_threads([partial(work, number) for number in range(many)], measure)
    if failures:
        raise failures[0]
    return counted, took


def rate(protected: Function, many: int, seconds: float) -> float:
    """Calls a second, over all threads."""
    done, took = served(protected, many, seconds)
    return sum(done) / took


def with_threads(work: list[Callable[[], None]], meanwhile: Callable[[], T]) -> T:
    """Runs each in a thread of its own, and something here meanwhile; waits for all."""
    threads = [threading.Thread(target=each, daemon=True) for each in work]
    for thread in threads:
        thread.start()
    result = meanwhile()
    for thread in threads:
        thread.join()
    return result
