"""One budget under many threads, and in a forked child."""

import os
import threading

import seawall

from tests import needs
from tests.threads import in_threads


def test_no_call_is_lost_and_no_retry_is_made_twice(often):
    """Sixteen threads of a dead service make exactly the retries that their calls pay for."""
    budget = seawall.RetryBudget(ratio=0.1, min_per_second=1, ttl=60)

    def work(_):
        permitted = 0
        for _ in range(500):
            budget._begin()
            permitted += budget._permit()
            budget._finish()
        return permitted

    answers = in_threads(16, work)
    assert sum(answers) == 8000 // 10 + 60
    seen = budget.snapshot()
    assert (seen.counts["calls"], seen.deposited, seen.withdrawn) == (8000, 8000, 860)
    assert (seen.in_flight, seen.retries_in_flight) == (0, 860)


def test_the_limit_in_flight_holds(often):
    """At no time do more retries run than are allowed to."""
    budget = seawall.RetryBudget(mode="concurrency", min_concurrent=4, ratio=0)
    running, most = [], []

    def work(_):
        for _ in range(300):
            if budget._permit():
                running.append(None)
                most.append(len(running))
                running.pop()
                budget._attempt_over()

    in_threads(12, work)
    assert max(most) <= 4
    assert budget.snapshot().retries_in_flight == 0


def test_settings_change_while_threads_ask(often):
    """Reconfigured all the while, every handle goes on counting, and nothing is lost in flight."""
    budget = seawall.RetryBudget("shifting")
    done = threading.Event()

    def change():
        while not done.is_set():
            budget.reconfigure(mode="concurrency", ttl=None)
            budget.reconfigure(mode="ratio", ttl=1)

    changer = threading.Thread(target=change, daemon=True)
    changer.start()

    def work(_):
        for _ in range(300):
            budget._begin()
            if budget._permit():
                budget._attempt_over()
            budget._finish()

    in_threads(4, work)
    done.set()
    changer.join(30)
    seen = budget.snapshot()
    assert (seen.in_flight, seen.retries_in_flight, seen.counts["calls"]) == (0, 0, 1200)
    assert seen.counts["retries"] + seen.counts["refused"] == 1200


@needs.fork
def test_a_forked_child_has_its_own():
    """A child goes on from its parent's counts, and what it counts is its own."""
    budget = seawall.RetryBudget(ratio=0, min_per_second=0.5, ttl=10)
    assert [budget._permit() for _ in range(3)] == [True, True, True]
    child = os.fork()
    if child == 0:
        os._exit(sum(budget._permit() for _ in range(5)))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 2
    assert budget.snapshot().withdrawn == 3
