"""What holds for every test."""

import signal


def pytest_sessionstart() -> None:
    """Ctrl-C interrupts, also here and in the interpreters of tests started in the background.

    A shell without job control starts what is in its background deaf to it, and children inherit
    that: tests that interrupt themselves would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
