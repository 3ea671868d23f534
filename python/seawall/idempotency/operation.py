"""An idempotent operation: its name, its settings and its store; what all its calls share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from seawall import _core, events
from seawall.idempotency import heartbeat
from seawall.idempotency.events import of
from seawall.idempotency.local import local_of
from seawall.idempotency.settings import IdempotencySettings

if TYPE_CHECKING:
    from seawall._core import Terms
    from seawall.idempotency.values import Values
    from seawall.stores import Store

__all__ = ["IdempotencySnapshot", "Operation"]

#: Of a key that is shown, so many characters.
SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencySnapshot:
    """An operation at one moment, as this process sees it. `Store.stats` counts for all.

    Attributes:
        name: The operation's name.
        kind: ``idempotency``.
        settings: In force.
        store: The store's URL, without passwords.
        in_flight: How many of its calls run here.
    """

    name: str
    kind: str
    settings: IdempotencySettings
    store: str
    in_flight: int


class Operation:
    """What the calls of an idempotent operation share. Made by `idempotent`."""

    __slots__ = (
        "_numbers",
        "claim",
        "decode",
        "decode_error",
        "encode",
        "encode_error",
        "local",
        "name",
        "native",
        "prefix",
        "settings",
        "store",
        "terms",
        "third",
        "values",
    )

    def __init__(
        self,
        name: str,
        store: Store,
        settings: IdempotencySettings,
        terms: Terms,
        values: Values,
    ) -> None:
        self.name = name
        self.store = store
        self.native = store._native
        self.claim = store.scope(name).claim
        self.settings = settings
        self.terms = terms
        #: A lease is renewed this often.
        self.third = settings.lease / 3
        self.local = local_of(store)
        self.values = values
        self.encode, self.decode = values.encode, values.decode
        self.encode_error, self.decode_error = values.encode_error, values.decode_error
        #: Before the bytes of a key, all that makes them this operation's alone.
        namespace, scope = store.namespace.encode(), name.encode()
        self.prefix = bytes([len(namespace)]) + namespace + bytes([len(scope)]) + scope
        self._numbers = count(1)

    def watch(self) -> None:
        """Has the leases of what runs looked after."""
        heartbeat.watch(self.local, self.third)

    def show(self, key: bytes) -> str:
        """A key as it is shown to people."""
        text = key.decode("utf-8", "backslashreplace")
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        return repr(shown)

    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(
            events._subscriptions or self.settings.on_event is not None or events._recordings.get()
        )

    def tell(self, what: str, key: bytes, **facts: Any) -> None:
        """Lets it be heard, if anybody listens."""
        if not self.is_heard():
            return
        clock = _core.test_clock()
        event = of(what)(
            kind=f"idempotency.{what}",
            policy="idempotency",
            name=self.name,
            key=key.decode("utf-8", "backslashreplace"),
            seq=next(self._numbers),
            at=time.monotonic() if clock is None else clock._now / 1e9,
            wall=_core.wall(),
            **facts,
        )
        events.publish(event, self.settings.on_event)

    def snapshot(self) -> IdempotencySnapshot:
        """The operation at this moment, as this process sees it."""
        runs = list(self.local.running)
        return IdempotencySnapshot(
            name=self.name,
            kind="idempotency",
            settings=self.settings,
            store=self.store.name,
            in_flight=sum(place.startswith(self.prefix) for place in runs),
        )

    def __repr__(self) -> str:
        """Its name and its store."""
        return f"<idempotent operation {self.name!r} in {self.store.name}>"
