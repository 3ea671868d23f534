"""What tests need of the platform: where it is missing they are skipped, and say why.

seawall runs there as well, and has nothing that could be tested: a claim about forks says nothing
where nothing forks. On Linux and the newest Python none of these is skipped, and `make check` runs
that. Each mark carries its reason, which pytest prints.

Packages are not among it. What `requirements/` names is imported like any other module, so that a
test whose package is missing fails.
"""

import os
import signal
import sys
import time

import pytest

#: `sys.monitoring`. Reason to skip: on 3.11 there is nobody who could watch; 3.12 and 3.13 run it.
monitoring = pytest.mark.skipif(
    not hasattr(sys, "monitoring"), reason="sys.monitoring came with Python 3.12"
)

#: What Linux tells of a process in files. Reason to skip: elsewhere nothing tells what is asserted.
proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")

#: Signals that a process sends to itself or to one of its threads, and that interrupt what it waits
#: for. Reason to skip: without them there is no interruption of which anything could be claimed.
signals = pytest.mark.skipif(os.name != "posix", reason="the platform has no signals of POSIX")

#: Signals that come by themselves after a time. Reason to skip: as for `signals`.
timers = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="the platform has no timers that send signals"
)

#: Time zones that change while a process runs. Reason to skip: where none can, none misleads.
time_zones = pytest.mark.skipif(
    not hasattr(time, "tzset"), reason="the platform can't change a process's time zone"
)


def fork(test):
    """`os.fork`, also with threads around: newer Pythons warn of what is tested here."""
    warned = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
    # Reason to skip: where there are no forks, no child can have what is its parent's.
    can = pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform does not fork")
    return can(warned(test))
