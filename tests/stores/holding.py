"""A process that holds the write lock of a store's file: whoever writes waits."""

import subprocess
import sys
from contextlib import contextmanager

PROGRAM = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read(1)
connection.execute("COMMIT")
connection.close()
print("gone", flush=True)
sys.stdin.read(1)
"""


class Holder:
    """Whoever holds it, until told to let go. The file has to be there."""

    def __init__(self, path):
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout.readline() == b"held\n"

    def let_go(self):
        """Others may write from now on."""
        self._process.stdin.write(b"-")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == b"gone\n"

    def end(self):
        """It is over, whether it has let go or not."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def held(path):
    """For as long as the block lasts, or until it lets go."""
    holder = Holder(path)
    try:
        yield holder
    finally:
        holder.end()
