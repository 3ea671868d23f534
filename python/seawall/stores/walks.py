"""What is asked of a store, one question after the other, by whoever asks and however they wait."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, cast

from seawall._core import Address, Op, Reply
from seawall.stores.record import Record, RecordState, StoreStats

if TYPE_CHECKING:
    from seawall.codecs import CodecChoice

__all__ = ["get", "once", "records", "resolve", "sweep", "tally"]


def once(op: Op) -> Generator[Op, Reply, Reply]:
    """One question."""
    return (yield op)


def get(address: Address) -> Generator[Op, Reply, Record | None]:
    """What is kept there."""
    kept = (yield Op.get(address)).record
    return None if kept is None else Record._read(address, kept)  # pyright: ignore[reportPrivateUsage]


def resolve(address: Address, result: object, codec: CodecChoice) -> Generator[Op, Reply, Reply]:
    """Says that it took effect."""
    from seawall.codecs import Results

    number, data = Results(codec, expected=type(result)).encode(result)
    return (yield Op.resolve(address, number, data))


def sweep(namespace: str, scope: str | None) -> Generator[Op, Reply, int]:
    """Removes what has expired, a stretch at a time."""
    removed, after = 0, None
    while True:
        reply = yield Op.sweep(namespace, scope, after)
        removed += reply.swept or 0
        after = reply.next
        if after is None:
            return removed


def tally(namespace: str, scope: str | None) -> Generator[Op, Reply, StoreStats]:
    """Counts, a stretch at a time."""
    total: dict[str, int] = {}
    after = None
    while True:
        reply = yield Op.tally(namespace, scope, after)
        for state, number in reply.tally.items():
            total[state] = total.get(state, 0) + number
        after = reply.next
        if after is None:
            expired = total.pop("expired", 0)
            return StoreStats(cast("dict[RecordState, int]", total), expired)


def records(reply: Reply) -> tuple[list[Record], Address | None]:
    """Those of a list, and where it goes on."""
    read = Record._read  # pyright: ignore[reportPrivateUsage]
    return [read(address, kept) for address, kept in reply.records], reply.next
