"""The peers, each used as its own documentation shows: three attempts after `ValueError`.

None waits: delays are nought, and sleeps are replaced by nothing where that can be done; else
`asyncio.sleep(0)` is called. hyx counts what comes after the first attempt, and has no
synchronous face.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from benches.python.functions import Decorator

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """One library. Every factory makes a fresh decorator; None: it has no such thing."""

    name: str
    sync: Callable[[], Decorator] | None
    asynchronous: Callable[[], Decorator]


def _asleep_not(seconds: float) -> None:
    """In place of a sleep."""


async def _asleep_not_async(seconds: float) -> None:
    """In place of a sleep."""


def _tenacity(sleep: Callable[[float], Any]) -> Decorator:
    tenacity = import_module("tenacity")
    made: Decorator = tenacity.retry(
        retry=tenacity.retry_if_exception_type(ValueError),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_random_exponential(multiplier=0, max=5),
        reraise=True,
        sleep=sleep,
    )
    return made


def _stamina() -> Decorator:
    made: Decorator = import_module("stamina").retry(
        on=ValueError, attempts=ATTEMPTS, timeout=None, wait_initial=0, wait_max=0, wait_jitter=0
    )
    # It logs each retry by itself, for as long as nobody says what else to do.
    import_module("stamina.instrumentation").set_on_retry_hooks([])
    return made


def _backoff() -> Decorator:
    backoff = import_module("backoff")
    logging.getLogger("backoff").setLevel(logging.CRITICAL)
    made: Decorator = backoff.on_exception(
        backoff.expo, ValueError, max_tries=ATTEMPTS, factor=0, jitter=backoff.full_jitter
    )
    return made


def _hyx() -> Decorator:
    made: Decorator = import_module("hyx.retry").retry(
        on=ValueError, attempts=ATTEMPTS - 1, backoff=0.0
    )
    return made


def _pyresilience() -> Decorator:
    pyresilience = import_module("pyresilience")
    config = pyresilience.RetryConfig(
        max_attempts=ATTEMPTS, delay=0.0, max_delay=0.0, retry_on=(ValueError,)
    )
    made: Decorator = pyresilience.resilient(retry=config)
    return made


PEERS = (
    Peer("tenacity", lambda: _tenacity(_asleep_not), lambda: _tenacity(_asleep_not_async)),
    Peer("stamina", _stamina, _stamina),
    Peer("backoff", _backoff, _backoff),
    Peer("hyx", None, _hyx),
    Peer("pyresilience", _pyresilience, _pyresilience),
)
