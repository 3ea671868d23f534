"""The room of idempotency: that what is measured is what it says. Nothing here is timed."""

import asyncio
import inspect

import pytest
import seawall

from benches.python.bars import judge
from benches.python.figures import GaugeTable, Run
from benches.python.idempotency import (
    by_hand,
    crews,
    on_postgresql,
    on_redis,
    ours,
)
from benches.python.idempotency.backends import BACKENDS, MEMORY
from benches.python.idempotency.bars import BARS
from benches.python.idempotency.orders import LostError, charge, fresh

#: Who has all of the state machine, and where.
WHOLE = {
    "memory, seawall": ("memory", ours.CONTENDERS[ours.OURS]),
    "memory, by hand": ("memory", by_hand.IN_MEMORY[by_hand.BY_HAND]),
    "file, seawall": ("file", ours.CONTENDERS[ours.OURS]),
    "file, by hand": ("file", by_hand.IN_FILE[by_hand.BY_HAND]),
    "redis, seawall": ("redis", ours.CONTENDERS[ours.OURS]),
    "redis, by hand": ("redis", on_redis.CONTENDERS[on_redis.BY_HAND]),
    "postgresql, seawall": ("postgresql", ours.CONTENDERS[ours.OURS]),
    "postgresql, by hand": ("postgresql", on_postgresql.CONTENDERS[on_postgresql.BY_HAND]),
}


def table(backend):
    """As if each was measured."""
    rows = {row: [1.0] * len(crews.COLUMNS) for row in backend.lanes()}
    return GaugeTable(backend.key, "", crews.COLUMNS, rows)


def test_each_bar_names_what_is_measured():
    """Each has a figure once all are measured; a row that is not there is a slip of the pen."""
    run = Run({key: table(backend) for key, backend in BACKENDS.items()})
    judged = judge(BARS, run)
    assert [it.bar.claim for it in judged if it.value is None or it.second is None] == []


@pytest.fixture
def place(request, tmp_path):
    """The URL of a store for a contender."""

    def place(where):
        if where == "memory":
            return "memory://"
        if where == "file":
            return f"sqlite:///{tmp_path}/store.db?durability=relaxed"
        if where == "redis":
            return request.getfixturevalue("valkey").url()
        return request.getfixturevalue("postgres_url")

    return place


@pytest.fixture
def charged(monkeypatch):
    """How often an order was charged by those by hand."""
    seen = []

    def counted(order):
        seen.append(order["id"])
        return charge(order)

    for module in (by_hand, on_redis, on_postgresql, ours):
        monkeypatch.setattr(module, "charge", counted)
    return seen


@pytest.mark.parametrize("name", WHOLE)
def test_who_is_compared_charges_once(name, place, charged):
    """A contender that ran twice, or replayed something else, would be compared for nothing."""
    where, contender = WHOLE[name]
    calls, order = contender.sync(place(where)), fresh()
    try:
        assert calls.pair(order) == calls.replay(order) == charge(order)
        with pytest.raises((LostError, seawall.FingerprintMismatchError)):
            calls.replay(order | {"amount": 1})
    finally:
        calls.close()
    assert charged == [order["id"]]


@pytest.mark.parametrize("name", [name for name in WHOLE if WHOLE[name][1].tasks is not None])
def test_tasks_are_compared_by_the_same(name, place):
    """In tasks a pair answers with the charge, and a replay with the same."""
    where, contender = WHOLE[name]

    async def main():
        calls, order = await contender.tasks(place(where)), fresh()
        try:
            first = await calls.pair(order)
            if calls.prepare is not None:
                calls.prepare(order)
            return first, await calls.replay(order), charge(order)
        finally:
            closed = calls.close()
            if inspect.isawaitable(closed):
                await closed

    first, second, expected = asyncio.run(main())
    assert first == second == expected


def test_a_crew_answers_what_it_did():
    """Processes of a contender's own: so many calls, in so much time of theirs."""
    crew = crews.Crew(BACKENDS[MEMORY], f"{by_hand.BY_HAND}, sync", "memory://")
    try:
        wall, burnt, rate = crew.turn("pair", 2)
    finally:
        crew.close()
    assert wall > 0
    assert burnt > 0
    assert rate > 0


def test_who_can_not_be_measured_is_absent_with_the_reason():
    """A library that is missing ends the process, and is what the report shows."""
    with pytest.raises(crews.AbsentError, match="KeyError"):
        crews.Crew(BACKENDS[MEMORY], "nobody, sync", "memory://")
