"""The scenarios, in the order of the report; the docstring of each is its claim."""

from __future__ import annotations

from benches.matrix.scenarios import (
    async_generators,
    blocks,
    bulkheads,
    cancellation,
    clocks,
    counting,
    errors,
    generators,
    kinds,
    locks,
    probes,
    rate_limits,
    retries,
    shared,
    stale,
)
from benches.matrix.scenarios.scenario import Scenario

_GROUPS = (
    locks,
    counting,
    probes,
    stale,
    clocks,
    kinds,
    generators,
    async_generators,
    blocks,
    cancellation,
    errors,
    shared,
    bulkheads,
    rate_limits,
    retries,
)

ALL: tuple[Scenario, ...] = tuple(
    found for group in _GROUPS for found in vars(group).values() if isinstance(found, Scenario)
)
BY_NAME = {scenario.name: scenario for scenario in ALL}
