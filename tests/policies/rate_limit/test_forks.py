"""A limit whose process is forked, or interrupted, while calls wait for it."""

import os
import signal
import threading

import pytest
import seawall

from tests import needs
from tests.threads import until


@needs.fork
@pytest.mark.parametrize("key", [None, "key"])
def test_nobody_waits_in_a_forked_child(key):
    """Those of the parent have no place in its line; what was taken before stays taken."""
    limit = seawall.RateLimit(limit=1, per=60, burst=1, max_wait=600, key=key)

    @limit
    def call(key):
        """Asks for nothing."""

    call("a")
    threads = [threading.Thread(target=call, args=("a",), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: limit.snapshot().in_flight == 3)
    child = os.fork()
    if child == 0:
        code = 2
        try:
            seen = limit.snapshot() if key is None else limit.snapshot(key="a")
            code = 0 if (seen.in_flight, 50 < seen.retry_after <= 60) == (0, True) else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert limit.snapshot().in_flight == 3
    limit.reconfigure(limit=10**6)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


@needs.signals
def test_ctrl_c_ends_the_waiting_of_a_thread():
    """Which gives its time back: who comes next waits for no longer than the first had to."""
    limit = seawall.RateLimit(limit=1, per=60, burst=1, max_wait=600)
    limit.call(int)
    main = threading.main_thread().ident

    def interrupt():
        until(lambda: limit.snapshot().in_flight == 1)
        signal.pthread_kill(main, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        limit.call(int)
    interrupter.join()
    seen = limit.snapshot()
    assert (seen.counts["abandoned"], seen.in_flight) == (1, 0)
    assert 50 < seen.retry_after <= 60
