"""Testing with seawall: a clock to move by hand, seeded randomness, recorded events.

Everything here is local to the context (the task, the thread) that enters it.
"""

from seawall.testing.clock import clock
from seawall.testing.isolation import isolated
from seawall.testing.recording import record
from seawall.testing.seeds import seed
from seawall.testing.sleepers import ClockStoppedError

__all__ = ["ClockStoppedError", "clock", "isolated", "record", "seed"]
