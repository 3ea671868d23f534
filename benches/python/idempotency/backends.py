"""The backends, and who is compared on each."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import bridge, by_hand, on_postgresql, on_redis, ours, servers
from .orders import Contender

SYNC = "sync"
TASKS = "async"


@dataclass(frozen=True, slots=True)
class Backend:
    """A store, where it is, and who is measured on it."""

    key: str
    about: str
    place: Callable[[], AbstractContextManager[str]]
    contenders: Mapping[str, Contender]

    def lanes(self) -> dict[str, tuple[str, str]]:
        """What is measured, by its row: the contender, and in which way."""
        found = {}
        for name, contender in self.contenders.items():
            for way, make in ((SYNC, contender.sync), (TASKS, contender.tasks)):
                if make is not None:
                    found[f"{name}, {way}"] = (name, way)
        return found


@contextlib.contextmanager
def _nowhere() -> Iterator[str]:
    yield "memory://?max_size=70000000000"


@contextlib.contextmanager
def _file(durability: str) -> Iterator[str]:
    """Where the machine has its disk: a folder for temporary files may be memory."""
    here = Path("target") if Path("target").is_dir() else Path()
    with tempfile.TemporaryDirectory(dir=here.resolve(), prefix="bench-") as folder:
        yield f"sqlite:///{folder}/store.db?durability={durability}"


MEMORY = "idempotency, memory"
RELAXED = "idempotency, SQLite relaxed"
FULL = "idempotency, SQLite full"
REDIS = "idempotency, Redis"
POSTGRESQL = "idempotency, PostgreSQL"
BRIDGE_FILE = "idempotency, bridge to SQLite"
BRIDGE_REDIS = "idempotency, bridge to Redis"

_ON_FILE = {**ours.CONTENDERS, **by_hand.IN_FILE}

BACKENDS = {
    backend.key: backend
    for backend in (
        Backend(
            MEMORY,
            "In memory; each of several processes has its own.",
            _nowhere,
            {**ours.IN_MEMORY, **by_hand.IN_MEMORY},
        ),
        Backend(
            RELAXED,
            "A file with WAL; a commit does not wait for the disk (`synchronous = NORMAL`).",
            partial(_file, "relaxed"),
            _ON_FILE,
        ),
        Backend(
            FULL,
            "A file with WAL; each commit waits for the disk (`synchronous = FULL`).",
            partial(_file, "full"),
            _ON_FILE,
        ),
        Backend(
            REDIS,
            "A Valkey on this machine that writes nothing down.",
            servers.valkey,
            {**ours.CONTENDERS, **on_redis.CONTENDERS},
        ),
        Backend(
            POSTGRESQL,
            "A PostgreSQL on this machine that does not wait for its disk.",
            servers.postgresql,
            {**ours.CONTENDERS, **on_postgresql.CONTENDERS},
        ),
        Backend(
            BRIDGE_FILE,
            "Pair and replay are one question here: what is kept of a key of which nothing is.",
            partial(_file, "relaxed"),
            bridge.CONTENDERS,
        ),
        Backend(
            BRIDGE_REDIS,
            "Pair and replay are one question here: what is kept of a key of which nothing is.",
            servers.valkey,
            bridge.CONTENDERS,
        ),
    )
}
