"""A payment that is asked for twice, and whose process is killed in between: one charge.

Each call is a process of its own, which is really killed (SIGKILL), at the worst moment: the card
was charged, and nobody has heard of it yet. The store is a file beside the bank's.

    python examples/payment.py
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import seawall


class Bank:
    """Stands for a service that charges cards. As most do, it knows keys of idempotency."""

    def __init__(self, folder: Path) -> None:
        """Keeps a file for each charge."""
        self.folder = folder

    def charge(self, cents: int, key: str) -> str:
        """Charges once for each key; answers with the receipt."""
        receipt = f"receipt-{key[:8]}"
        (self.folder / f"{receipt}.charge").write_text(f"{cents} cents")
        return receipt


def call(folder: Path, order: str, cents: int, killed: bool) -> str:
    """What one process does; it may be killed when the card has been charged."""
    bank = Bank(folder)

    with seawall.open_store(f"sqlite:///{folder}/seawall.db") as store:

        @seawall.idempotent(key=lambda order, *_: order, store=store, name="pay", lease=0.5)
        def pay(order: str, cents: int) -> str:
            print(f"  {order}: charging {cents} cents", flush=True)
            claim = seawall.current_claim()
            assert claim is not None
            # The same for each run of this order: the bank knows the second try for what it is.
            receipt = bank.charge(cents, claim.derived_key("charge"))
            if killed:
                os.kill(os.getpid(), signal.SIGKILL)
            return receipt

        return pay(order, cents)


def process(folder: Path, order: str, cents: int, *, killed: bool = False) -> str:
    """Runs a call in a process of its own; answers with what it printed last."""
    words = [sys.executable, __file__, str(folder), order, str(cents), "killed" * killed]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    assert done.returncode == (-signal.SIGKILL if killed else 0), done.stderr
    return done.stdout.splitlines()[-1].strip()


def main() -> None:
    """Three calls for one order, and what the bank has seen of them."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print("first call: its process is killed after the charge")
        process(folder, "order-1", 4200, killed=True)
        print("second call: waits for the lease to run out, then runs again")
        receipt = process(folder, "order-1", 4200)
        print("third call: it is over, and is not run")
        assert process(folder, "order-1", 4200) == receipt
        charges = list(folder.glob("*.charge"))
        print(f"the bank has charged {len(charges)} time")
        assert len(charges) == 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        folder, order, cents, killed = sys.argv[1:]
        print(" ", call(Path(folder), order, int(cents), killed == "killed"))
    else:
        main()
