"""Payments, or recommendations: a service that others call, whose fate is the script's.

It counts what reaches it, also while it is down: that is what a dead service goes through.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from seawall.demo.child import Parent, serve
from seawall.demo.script import Script, fate

__all__ = ["play"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


def play(told: Any, parent: Parent) -> None:
    """Serves.

    Args:
        told: ``name``, ``script``, ``seed``.
        parent: Hears of each request.
    """
    script = Script(*told["script"])
    name = told["name"]
    arrived = 0

    async def app(_: Message, receive: Receive, send: Send) -> None:
        nonlocal arrived
        arrived += 1
        parent.tell("hit", service=name)
        ends = fate(script, parent.start.now(), f"{told['seed']} {name} {arrived}")
        if ends.delay == math.inf:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await asyncio.sleep(ends.delay)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": ends.status, "headers": headers})
        body = json.dumps({"from": name, "number": arrived}).encode()
        await send({"type": "http.response.body", "body": body})

    serve(app, parent)
