"""Blocks: `with breaker:` protects, or is refused."""

from __future__ import annotations

from benches.matrix.adapter import Boom, Settings
from benches.matrix.lab import Lab
from benches.matrix.scenarios.scenario import scenario
from benches.matrix.verdict import Refused


@scenario()
def with_rejects_when_open(lab: Lab) -> None:
    """Failures inside `with breaker:` count, and an open breaker rejects the block."""
    breaker = lab.breaker()
    _need_manager(breaker.block(), "__enter__")

    def enter() -> str:
        try:
            with breaker.block():
                raise Boom
        except Boom:
            return "ran"
        except breaker.open_error as error:
            # A library may wrap the failure that opens the circuit; then the block did run.
            return "ran" if isinstance(error.__context__, Boom) else "rejected"

    for _ in range(Settings().threshold):
        enter()
    lab.check(enter() == "rejected", "the block of an open breaker runs")


@scenario()
def async_with_rejects_when_open(lab: Lab) -> None:
    """Failures inside `async with breaker:` count, and an open breaker rejects the block."""
    breaker = lab.breaker()
    _need_manager(breaker.async_block(), "__aenter__")

    async def enter() -> str:
        try:
            async with breaker.async_block():
                raise Boom
        except Boom:
            return "ran"
        except breaker.open_error:
            return "rejected"

    for _ in range(Settings().threshold):
        lab.run(enter())
    lab.check(lab.run(enter()) == "rejected", "the block of an open breaker runs")


def _need_manager(block: object, method: str) -> None:
    if not hasattr(type(block), method):
        raise Refused("not a context manager: TypeError")
