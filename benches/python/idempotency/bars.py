"""The bars of idempotency. Why they are what they are is in ``docs/benchmarks/README.md``."""

from benches.python.bars import Bar, Term, gauge
from benches.python.figures import Run, Statistic

from . import bridge, by_hand, crews, on_postgresql, on_redis, ours
from .backends import (
    BRIDGE_FILE,
    BRIDGE_REDIS,
    FULL,
    MEMORY,
    POSTGRESQL,
    REDIS,
    RELAXED,
    SYNC,
    TASKS,
)


def _time(table: str, row: str, median: str, least: str) -> Term:
    """The least gates, as everywhere; the median is the second opinion."""
    by_least, by_median = gauge(table, row, least, "µs"), gauge(table, row, median, "µs")

    def value(run: Run, how: Statistic) -> float | None:
        return (by_least if how == "minima" else by_median).of(run, how)

    return Term(by_least.words, value, "µs")


def _pair(table: str, name: str, way: str = SYNC) -> Term:
    return _time(table, f"{name}, {way}", crews.PAIR, crews.PAIR_LEAST)


def _replay(table: str, name: str, way: str = SYNC) -> Term:
    return _time(table, f"{name}, {way}", crews.REPLAY, crews.REPLAY_LEAST)


def _burn(table: str, name: str, way: str = SYNC) -> Term:
    return gauge(table, f"{name}, {way}", crews.PAIR_BURN, "µs")


_FACE = (
    "The store alone, without keys, fingerprints, codecs and leases, takes {} µs a pair; the face "
    "in Python adds what is left of {} µs."
)


def _face(table: str) -> tuple[Term, Term]:
    return _pair(table, ours.ALONE), _pair(table, ours.OURS)


_DIGEST = (
    "The order, a dict of three, is digested to compare it, and the result, a dict, is made anew "
    "for each caller: with a number as argument and result a replay takes {} µs."
)

BARS = [
    Bar(
        "memory: a claim and its completion",
        _pair(MEMORY, ours.OURS),
        2,
        reason=_FACE,
        shown=_face(MEMORY),
    ),
    Bar(
        "memory: the store alone",
        _pair(MEMORY, ours.ALONE),
        2,
    ),
    Bar(
        "a replay of what this process completed",
        _replay(MEMORY, ours.REMEMBERED),
        1,
        reason=_DIGEST,
        shown=(_replay(MEMORY, ours.NUMBERS),),
    ),
    Bar(
        "a replay of what this process completed, async",
        _replay(MEMORY, ours.REMEMBERED, TASKS),
        1,
        reason=_DIGEST,
        shown=(_replay(MEMORY, ours.NUMBERS),),
    ),
    Bar(
        "a replay of what this process completed, of a number",
        _replay(MEMORY, ours.NUMBERS),
        1,
    ),
    Bar(
        "SQLite relaxed: a pair against its bare statements in sqlite3",
        _pair(RELAXED, ours.OURS) / _pair(RELAXED, by_hand.BARE),
        1.3,
        reason=_FACE,
        shown=_face(RELAXED),
    ),
    Bar(
        "Redis: a pair against the bare round trips",
        _pair(REDIS, ours.OURS) / _pair(REDIS, on_redis.BARE),
        1.2,
        reason=_FACE
        + " Two scripts that do nothing take {} µs by a socket, {} µs by redis-py; the same state "
        "machine by hand {} µs.",
        shown=(
            *_face(REDIS),
            _pair(REDIS, on_redis.BARE),
            _pair(REDIS, on_redis.BARE_CLIENT),
            _pair(REDIS, on_redis.BY_HAND),
        ),
    ),
    Bar(
        "PostgreSQL: a pair against the bare round trips",
        _pair(POSTGRESQL, ours.OURS) / _pair(POSTGRESQL, on_postgresql.BARE),
        1.2,
        reason=_FACE
        + " Two statements that do nothing take {} µs; the two writes alone, prepared, {} µs; the "
        "same state machine by hand {} µs.",
        shown=(
            *_face(POSTGRESQL),
            _pair(POSTGRESQL, on_postgresql.BARE),
            _pair(POSTGRESQL, on_postgresql.BARE_WRITES),
            _pair(POSTGRESQL, on_postgresql.BY_HAND),
        ),
    ),
]
BARS += [
    Bar(
        f"{what}, {way}: the processor's time of a pair against the same by hand",
        _burn(table, ours.OURS, way) / _burn(table, name, way),
        1.1,
        reason="By hand {} µs, here {} µs, of which the store alone takes {} µs in a thread.",
        shown=(_burn(table, name, way), _burn(table, ours.OURS, way), _burn(table, ours.ALONE)),
    )
    for what, table, name in (
        ("SQLite relaxed", RELAXED, by_hand.BY_HAND),
        ("SQLite full", FULL, by_hand.BY_HAND),
        ("Redis", REDIS, on_redis.BY_HAND),
        ("PostgreSQL", POSTGRESQL, on_postgresql.BY_HAND),
    )
    for way in (SYNC, TASKS)
]
BARS += [
    Bar(
        "Redis: a pair of AWS Powertools against ours",
        _pair(REDIS, on_redis.POWERTOOLS) / _pair(REDIS, ours.OURS),
        1,
        "≥",
    ),
    Bar(
        "Redis: a replay of AWS Powertools against ours",
        _replay(REDIS, on_redis.POWERTOOLS) / _replay(REDIS, ours.OURS),
        1,
        "≥",
    ),
    Bar(
        "remembered: a replay of AWS Powertools against ours",
        _replay(REDIS, on_redis.POWERTOOLS_REMEMBERED) / _replay(MEMORY, ours.REMEMBERED),
        1,
        "≥",
    ),
]
BARS += [
    Bar(
        f"a task that waits for {what}, against asyncio.to_thread",
        _pair(table, bridge.TASK, TASKS) / _pair(table, bridge.TO_THREAD, TASKS),
        1,
    )
    for what, table in (("a file", BRIDGE_FILE), ("Redis", BRIDGE_REDIS))
]
