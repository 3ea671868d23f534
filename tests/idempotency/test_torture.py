"""The torture: a short one of each store, and that it sees what it looks for."""

import subprocess
import sys

import pytest

from tests.idempotency.torture import natives
from tests.idempotency.torture.ledger import ANSWERED, RAISED, RAN, Ledger, judged
from tests.idempotency.torture.sites import SITES

DONE = ("completed", 7, 7)


@pytest.mark.parametrize("store", SITES)
def test_killed_stopped_and_cut_off(store):
    """Under fire nothing is doubled and nothing lost, whatever is killed or stopped when.

    `make torture` does the same for minutes.
    """
    command = [sys.executable, "-m", "tests.idempotency.torture", "--face", "--kills", "25"]
    done = subprocess.run(
        [*command, "--store", store], capture_output=True, text=True, timeout=55, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("face ")]
    assert len(rows) == 2
    for row in rows:
        assert row[-2:] == ["0", "0"]


@pytest.mark.parametrize(
    ("once", "entries", "record", "doubles", "losses"),
    [
        (True, ["ran 1 7", "answered 1 7"], DONE, 0, 0),
        (True, ["ran 1 6", "ran 1 7", "answered 1 7"], DONE, 1, 0),
        (False, ["ran 1 6", "ran 1 7", "answered 1 7"], DONE, 0, 0),
        (False, ["ran 1 7", "ran 1 7"], DONE, 1, 0),
        (False, ["ran 1 7", "answered 1 7", "ran 1 8"], DONE, 0, 1),
        (False, ["ran 1 6", "ran 1 7", "answered 1 6", "answered 1 7"], DONE, 1, 1),
        (True, ["ran 1 7"], ("quarantined", 7, None), 0, 0),
        (True, ["ran 1 7", "answered 1 7"], ("quarantined", 7, None), 0, 1),
        (True, ["ran 1 7"], None, 0, 1),
        (True, ["ran 1 6"], DONE, 0, 1),
        (False, ["ran 1 7"], ("completed", 7, 6), 0, 1),
    ],
)
def test_a_double_and_a_loss_are_seen(once, entries, record, doubles, losses):
    """A run too many, one after the end, an answer that differs, an end or an effect forgotten."""
    found = judged([it.split() for it in entries], {} if record is None else {1: record}, once)
    assert (len(found.doubles), len(found.losses)) == (doubles, losses)


def test_what_ran_is_counted(tmp_path):
    """Effects, those of operations begun before, ends refused; as they are written down."""
    ledger = Ledger(tmp_path / "ledger")
    ledger.write(RAN, 1, 6)
    ledger.write(RAN, 1, 7)
    ledger.write(ANSWERED, 1, 7)
    ledger.write(RAISED, "LeaseLostError")
    assert ledger.count() == 4
    found = judged(ledger.entries(), {1: DONE}, once=False)
    assert (found.effects, found.again, found.completed, found.refused) == (2, 1, 1, 1)


def test_what_the_core_says_is_read():
    """Its tests print a line for each store and guarantee, after the name of a test or alone."""
    lines = [
        "test kills::full::x ... sqlite durability=full, at most once: 40 kills, 90 effects, "
        "0 doubles, 88 completed, 3 lost",
        "redis, one result: 40 kills, 91 effects, 5 of them run again, 6 taken over",
        "test result: ok. 8 passed",
    ]
    first, second = [found for line in lines for found in natives.read(line)]
    assert (first.store, first.once, first.kills, first.doubles) == ("sqlite full", True, 40, 0)
    assert (second.store, second.once, second.effects, second.again) == ("redis", False, 91, 5)
