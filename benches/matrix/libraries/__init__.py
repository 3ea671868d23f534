"""The libraries, by the name they are installed under; one adapter a file."""

from __future__ import annotations

import importlib

from benches.matrix.adapter import Adapter

SUBJECT = "seawall"

_ADAPTERS = {
    "seawall": "benches.matrix.libraries.seawall:Seawall",
    "interlock-cb": "benches.matrix.libraries.interlock:Interlock",
    "pybreaker": "benches.matrix.libraries.pybreaker:PyBreaker",
    "circuitbreaker": "benches.matrix.libraries.circuitbreaker:Circuitbreaker",
    "aiobreaker": "benches.matrix.libraries.aiobreaker:AioBreaker",
    "asyncbreaker": "benches.matrix.libraries.asyncbreaker:AsyncBreaker",
    "purgatory": "benches.matrix.libraries.purgatory:Purgatory",
    "hyx": "benches.matrix.libraries.hyx:Hyx",
    "pyresilience": "benches.matrix.libraries.pyresilience:PyResilience",
    "fluxgate": "benches.matrix.libraries.fluxgate:Fluxgate",
    "resilient-circuit": "benches.matrix.libraries.resilient_circuit:ResilientCircuit",
    "backon": "benches.matrix.libraries.backon:Backon",
    "aioresilience": "benches.matrix.libraries.aioresilience:AioResilience",
    "threading.Semaphore": "benches.matrix.libraries.semaphores:ThreadingSemaphore",
    "asyncio.Semaphore": "benches.matrix.libraries.semaphores:AsyncioSemaphore",
    "aiolimiter": "benches.matrix.libraries.aiolimiter:AioLimiter",
    "limits": "benches.matrix.libraries.limits:Limits",
    "throttled-py": "benches.matrix.libraries.throttled:ThrottledPy",
    "pyrate-limiter": "benches.matrix.libraries.pyrate:PyrateLimiter",
    "tenacity": "benches.matrix.libraries.tenacity:Tenacity",
    "stamina": "benches.matrix.libraries.stamina:Stamina",
    "backoff": "benches.matrix.libraries.backoff:Backoff",
}

NAMES = tuple(_ADAPTERS)


def adapter(name: str) -> Adapter:
    """The adapter of that name, or of that `module:Class`.

    Raises:
        LookupError: There is no such library here.
    """
    path = _ADAPTERS.get(name, name)
    module, colon, attribute = path.partition(":")
    if not colon:
        raise LookupError(f"no library {name!r}; there are: {', '.join(NAMES)}")
    made: Adapter = getattr(importlib.import_module(module), attribute)()
    return made
