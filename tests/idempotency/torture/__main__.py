"""``python -m tests.idempotency.torture``: kills, effects, doubles and losses for each store."""

import argparse
import signal
import sys
import warnings

import seawall

from tests.idempotency.torture import fire, natives
from tests.idempotency.torture.sites import SITES

HEAD = (
    *("where", "store", "guarantee", "kills", "stops", "servers", "effects", "again"),
    *("completed", "unknown", "refused", "doubles", "losses"),
)
ABOUT = """
where: the face is `@idempotent` in Python, the core is the stores alone, in Rust
kills: processes ended by SIGKILL at any moment; stops: by SIGSTOP, and let go on later
servers: how often the server was killed and started again under load
effects: bodies that ran; again: of these, those of operations that had been begun before
unknown: operations that wait for an operator, or for their lease to end
refused: ends that came too late and were not kept
doubles: effects that must not have been; losses: results and effects that the store forgot
memory has no row: what it keeps is one process's and gone with it, so that nothing can be doubled
"""


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.idempotency.torture", description=__doc__
    )
    parser.add_argument(
        "--kills", type=int, default=1000, help="for each store and guarantee (default: 1000)"
    )
    parser.add_argument("--store", action="append", choices=list(SITES), help="only this one")
    parser.add_argument("--face", action="store_true", help="not the stores alone")
    return parser.parse_args()


def guarantee(once):
    """In words."""
    return "at most once" if once else "one result"


def of_face(done):
    """A row."""
    said = done.verdict
    return (
        *("face", done.store, guarantee(done.once), done.kills, done.stops, done.servers),
        *(said.effects, said.again, said.completed, said.unknown, said.refused),
        *(len(said.doubles), len(said.losses)),
    )


def of_native(done):
    """A row. What is lost there is a test that fails."""
    return (
        *("core", done.store, guarantee(done.once), done.kills, "", "", done.effects, done.again),
        *(done.completed, done.unknown, "", done.doubles, 0),
    )


def table(rows):
    """Rows in columns."""
    words = [["" if cell is None else str(cell) for cell in row] for row in (HEAD, *rows)]
    widths = [max(map(len, column)) for column in zip(*words, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 3 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in words
    )


def main():
    """Tortures what is asked for; 1 if something was doubled or lost."""
    asked = arguments()
    # Of a PostgreSQL that does not wait for its disk. It is processes that are killed here: what
    # the system has, the disk may have later.
    warnings.simplefilter("ignore", seawall.StoreWarning)
    rows, bad = [], []
    if not asked.face:
        found, is_good = natives.tortured(asked.kills)
        rows += map(of_native, found)
        bad += [] if is_good else ["a test of the core failed: see above"]
    for store in asked.store or SITES:
        for once in (True, False):
            done = fire.tortured(store, once, asked.kills)
            raised = ", ".join(f"{many} {name}" for name, many in done.verdict.raised.items())
            print(
                f"{store}, {guarantee(once)}: {done.kills} kills in {done.seconds:.0f} s; calls "
                f"raised {raised or 'nothing'}",
                flush=True,
            )
            rows.append(of_face(done))
            for what in ("doubles", "losses"):
                bad += [f"{store}, {guarantee(once)}: {it}" for it in getattr(done.verdict, what)]
    print(f"\n{table(rows)}\n{ABOUT}")
    for line in bad[:50]:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
