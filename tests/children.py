"""Programs in interpreters of their own."""

import subprocess
import sys
import textwrap


def child(program, *options, timeout=50):
    """How an interpreter that runs a program ended, what it printed, and what it complained of."""
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr


def printed(program, *options, timeout=50):
    """What a program prints; it must end well, and what it complains of is shown if it does not."""
    status, text, errors = child(program, *options, timeout=timeout)
    assert status == 0, errors
    return text
