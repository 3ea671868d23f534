"""One outage, seen twice: by callers without a circuit breaker, and by callers with one.

Both send the same requests at the same moments, whatever became of the earlier ones (as users do),
to a service that falls ill and recovers (`service.py`). Exits with 1 if the breaker did not help.
"""

import argparse
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import seawall

REQUESTS_PER_SECOND = 40
CLIENT_TIMEOUT = 1.0


@dataclass
class Seen:
    """What one group of callers went through."""

    ends: Counter[str] = field(default_factory=Counter[str])
    waits: list[float] = field(default_factory=list[float])
    timeline: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    sick_hits: int = 0

    @property
    def mean_wait(self) -> float:
        """Mean seconds from the moment a request was due until its caller knew how it ended."""
        return sum(self.waits) / len(self.waits)

    def wait(self, share: float) -> float:
        """Seconds that this share of the callers waited at most."""
        return sorted(self.waits)[math.ceil(share * len(self.waits)) - 1]


class ServiceFailedError(Exception):
    """The service answered, but not with what was asked for."""


@contextmanager
def service(falls_ill: float, recovers: float) -> Iterator[int]:
    """Runs the service in its own process; gives its port."""
    script = Path(__file__).with_name("service.py")
    with subprocess.Popen(
        [sys.executable, str(script), str(falls_ill), str(recovers)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def get(port: int, path: str) -> str:
    """One request.

    Raises:
        ServiceFailedError: Any status but 200.
        OSError: No connection, or no answer in time.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=CLIENT_TIMEOUT)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    if response.status != 200:
        raise ServiceFailedError(f"status {response.status}")
    return body


def call(work: Callable[[], object], due: float, seen: Seen) -> None:
    """One caller: asks, and notes how it ended and how long it took since it was due."""
    try:
        work()
        end = "answers"
    except seawall.CircuitOpenError:
        end = "rejected at once"
    except (ServiceFailedError, OSError):
        end = "errors"
    seen.ends[end] += 1
    seen.waits.append(time.monotonic() - due)


def live_through(seconds: float, breaker: seawall.CircuitBreaker | None) -> Seen:
    """Sends the schedule at one service that is ill for the middle two fifths of it."""
    seen = Seen()
    with (
        service(falls_ill=0.2 * seconds, recovers=0.6 * seconds) as port,
        ThreadPoolExecutor(max_workers=100) as callers,
    ):

        def plain() -> str:
            return get(port, "/work")

        work: Callable[[], object] = breaker(plain) if breaker else plain
        get(port, "/start")
        started = time.monotonic()

        def note(event: seawall.Event) -> None:
            seen.timeline.append((time.monotonic() - started, event.kind))

        with seawall.subscribe(note, kinds=["breaker"]):
            for number in range(round(seconds * REQUESTS_PER_SECOND)):
                due = started + number / REQUESTS_PER_SECOND
                time.sleep(max(0.0, due - time.monotonic()))
                callers.submit(call, work, due, seen)
            callers.shutdown()
        seen.sick_hits = int(get(port, "/stats"))
    return seen


def table(without: Seen, with_breaker: Seen) -> str:
    """Both, side by side."""
    rows: list[tuple[str, Callable[[Seen], str]]] = [
        *(
            (end, lambda seen, end=end: str(seen.ends[end]))
            for end in ("answers", "errors", "rejected at once")
        ),
        ("mean wait", lambda seen: f"{seen.mean_wait * 1000:.0f} ms"),
        ("p90 wait", lambda seen: f"{seen.wait(0.90) * 1000:.0f} ms"),
        ("p99 wait", lambda seen: f"{seen.wait(0.99) * 1000:.0f} ms"),
        ("hits while it was ill", lambda seen: str(seen.sick_hits)),
    ]
    lines = [f"{'':24}{'without':>12}{'with breaker':>16}"]
    lines += [f"{name:24}{of(without):>12}{of(with_breaker):>16}" for name, of in rows]
    return "\n".join(lines)


def helped(without: Seen, with_breaker: Seen) -> list[str]:
    """What the breaker owes its callers and did not give them."""
    owed = {
        "the sick service was spared less than half of its requests": (
            with_breaker.sick_hits <= without.sick_hits / 2
        ),
        "callers waited no less": with_breaker.mean_wait < without.mean_wait,
        "more than a quarter of the answers was lost to rejections": (
            with_breaker.ends["answers"] >= 0.75 * without.ends["answers"]
        ),
        "it never closed again": with_breaker.timeline[-1:] != []
        and with_breaker.timeline[-1][1] == "breaker.closed",
    }
    return [fault for fault, kept in owed.items() if not kept]


def main() -> int:
    """Lives through the outage twice and tells."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=8.0, help="length of the schedule")
    seconds = arguments.parse_args().seconds
    print(
        f"{REQUESTS_PER_SECOND} requests a second for {seconds:g} s; the service is ill from "
        f"{0.2 * seconds:.1f} s to {0.6 * seconds:.1f} s, then slow for a while.\n"
    )
    without = live_through(seconds, None)
    breaker = seawall.CircuitBreaker(
        "service",
        failure_rate=0.5,
        window=seawall.calls(10),
        min_calls=5,
        open_duration=0.2,
        half_open_calls=2,
    )
    with_breaker = live_through(seconds, breaker)
    print(table(without, with_breaker))
    print("\nthe breaker, second by second:")
    print(*(f"  {at:5.2f} s  {kind}" for at, kind in with_breaker.timeline), sep="\n")
    faults = helped(without, with_breaker)
    print("", *(faults or ["The breaker helped."]), sep="\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
