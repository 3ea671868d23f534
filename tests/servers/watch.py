"""Waits until its standard input ends, then kills a server and removes the server's folder.

It is run as a program beside each server, with the folder as its argument, and reads the server's
process group, again whenever that changes. Its input ends when the tests say so, and as well when
they are killed: this way nothing of a server is ever left.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # Ctrl-C is for the tests: the server stays until they have ended.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pid = 0
    for line in sys.stdin:
        if line == "end\n":
            break
        pid = int(line)
    if pid:
        try:
            # What was stopped by SIGSTOP takes no other signal before this one.
            os.killpg(pid, signal.SIGCONT)
            os.killpg(pid, getattr(signal, sys.argv[2]))
        except ProcessLookupError:
            pass
    shutil.rmtree(Path(sys.argv[1]), ignore_errors=True)
