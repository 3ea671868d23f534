"""Forms that never change: keys of one release are found by the next, and by every machine."""

import datetime as dt
import subprocess
import sys
import textwrap
import uuid
from decimal import Decimal

import pytest
from seawall.idempotency.arguments import arguments
from seawall.idempotency.keys import fingerprint

from tests.idempotency.keys import shapes

BERLIN = dt.timezone(dt.timedelta(hours=1))
#: Each value with the first 16 digits of its digest. They were written down once; a change of them
#: is a new version of the form, since every stored key would be lost.
GOLDEN = [
    (None, "876994339381e5fb"),
    (True, "2bc59fdd14679c65"),
    (0, "c1bdae773713e8dd"),
    (-1, "7f3d965574664827"),
    (2**64, "ca0b6382b53ff5a3"),
    (-(10**40), "b46cf5bb231750ca"),
    (1.5, "91c38ff90adb31a6"),
    (float("nan"), "5cdb30070ad4e6f4"),
    (float("-inf"), "0cfa045c77997206"),
    (1j, "d24b7155630c73aa"),
    ("", "286c9e6ce0302f26"),
    ("order-1", "5da097810ebfbb9e"),
    ("ä\ud800", "72f11611eec7e638"),
    ("x" * 10_000, "74476265029cfdec"),
    (b"order-1", "326e0fb277afbf7a"),
    (bytearray(b"a"), "edf84bb2b757212e"),
    ([], "a0f03b8fb28a9da0"),
    ([1, "1", 1.0, Decimal(1)], "872524bd84b03ab4"),
    ((1, (2,)), "6d4208041c676d11"),
    ({}, "1cd815a7c3094712"),
    ({1: "a", "1": [None], (1,): {}}, "70e500b5b6972b90"),
    ({"b", "a"}, "c57e4d953a73043a"),
    (frozenset({1, 2}), "d0f8ac0bb5ea24cb"),
    (Decimal("-12.50"), "9d2364121eab1401"),
    (Decimal("1E+10"), "88e30047eddb651f"),
    (uuid.UUID(int=7), "5e43451a8be5cc25"),
    (dt.datetime(2026, 3, 1, 12, 30, 15, 99, tzinfo=BERLIN), "e95e523fa4485195"),
    (dt.datetime(2026, 3, 1, 12, 30, tzinfo=dt.UTC).replace(tzinfo=None), "7d2704f3445f6e75"),
    (dt.date(1, 1, 1), "84753b5f0d123bb2"),
    (dt.time(23, 59, 59, 999_999), "366a99ae25f5f0b9"),
    (dt.timedelta(days=-1, microseconds=1), "7bc2d5e375c2ae97"),
    (shapes.Colour.RED, "3b5e2ece767c0ce3"),
    (shapes.Right.READ | shapes.Right.WRITE, "16f054db621dafc8"),
    (shapes.Line("a", 2), "c46b803ddd389188"),
    (shapes.Parcel("a", 2), "658bb5b1764b5a74"),
    (shapes.Struct("a", 2), "0d1ca03d8537713d"),
    (shapes.Model(sku="a", other=[1]), "7e4cf9ad0bab2dd0"),
    (shapes.Pair("a", 2), "3c763e0247391801"),
    (shapes.Money(5).in_("USD"), "533bde1e0fe780ee"),
]


@pytest.mark.parametrize(("value", "digest"), GOLDEN, ids=[str(at) for at in range(len(GOLDEN))])
def test_digests_are_those_that_were_written_down(value, digest):
    """Under every Python, on every machine, in every release of this form."""
    assert fingerprint(value).hex().startswith(digest)


def test_a_calls_digest_is_that_which_was_written_down():
    """Likewise for arguments."""

    def place(order, amount, *rest, urgent=False, **more):
        pass

    digest = arguments(place).digest(("a", 1299, None), {"note": "x"})
    assert digest.hex().startswith("2b311e80af2aa916")


def test_another_process_agrees():
    """Whatever its hashes are: sets and dicts of texts come in another order there."""
    program = """
        from seawall.idempotency.keys import fingerprint
        print(fingerprint([{"a", "b", "c", "d"}, {x: x for x in "abcdefgh"}]).hex())
    """
    said = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
