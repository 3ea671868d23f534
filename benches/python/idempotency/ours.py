"""seawall's contenders."""

from importlib import import_module
from typing import Any

from benches.python.ours import package

from .orders import ATTEMPTS, DAY, LEASE, Calls, Contender, Order, charge, charge_async

OURS = "seawall"
REMEMBERED = "seawall, remembered"
NUMBERS = "seawall, remembered, numbers"
ALONE = "seawall's store, without the face"

NAME = "charge"
FINGERPRINT = bytes(range(32))


def _protected(store: Any, function: Any) -> Any:
    seawall = package()
    decorate = seawall.idempotent(store=store, name=NAME, key=lambda order: order["id"])
    return decorate(function)


def sync(url: str) -> Calls:
    """A store completes, another one of the same process replays: it has to ask."""
    first, second = (package().open_store(url) for _ in range(2))
    if first.name.startswith("memory"):
        second = first
    pair = _protected(first, charge)
    if second is first:
        return Calls(pair, _forgetful(first, charge))
    return Calls(pair, _protected(second, charge), close=_closing(first, second))


def _closing(*stores: Any) -> Any:
    return lambda: [store.close() for store in stores]


def _forgetful(store: Any, function: Any) -> Any:
    """Of one process's store, only what it remembers not is asked for."""
    protected = _protected(store, function)
    local = protected.idempotency.local

    def replay(order: Order) -> Any:
        local._kept.clear()
        return protected(order)

    return replay


async def tasks(url: str) -> Calls:
    """The same with coroutine functions."""
    seawall = package()
    first, second = (seawall.open_store(url) for _ in range(2))
    if first.name.startswith("memory"):
        pair = _protected(first, charge_async)
        return Calls(pair, _forgetful_async(first), prepare=_protected(first, charge))
    prepare = _protected(first, charge)
    pair, replay = _protected(first, charge_async), _protected(second, charge_async)
    return Calls(pair, replay, prepare, _closing(first, second))


def _forgetful_async(store: Any) -> Any:
    protected = _protected(store, charge_async)
    local = protected.idempotency.local

    async def replay(order: Order) -> Any:
        local._kept.clear()
        return await protected(order)

    return replay


def remembered(url: str) -> Calls:
    """Who completed replays. Pairs are of another store: they would be remembered in its place."""
    first, second = (_protected(package().open_store(url), charge) for _ in range(2))
    return Calls(first, second, prepare=second)


async def remembered_tasks(url: str) -> Calls:
    """The same with coroutine functions."""
    store = package().open_store(url)
    pair = _protected(package().open_store(url), charge_async)
    return Calls(pair, _protected(store, charge_async), prepare=_protected(store, charge))


def numbers(url: str) -> Calls:
    """The same, of a number that is its own key and has a number for a result."""
    seawall = package()
    first, second = (
        seawall.idempotent(store=seawall.open_store(url), name="double")(_double) for _ in range(2)
    )

    def pair(order: Order) -> Any:
        return first(int(order["id"][-8:]))

    def replay(order: Order) -> Any:
        return second(order["amount"])

    return Calls(pair, replay, prepare=replay)


def _double(number: int) -> int:
    return number * 2


def alone(url: str) -> Calls:
    """What the face asks of the store, and nothing else: no keys, no codecs, no leases."""
    core = import_module("seawall._core")
    store = package().open_store(url)
    settings = {
        "lease": LEASE,
        "max_lease": 900,
        "ttl": DAY,
        "attempts": ATTEMPTS,
        "on_lost": "takeover",
    }
    terms = core.Terms(settings, "bench")

    def claim(order: Order) -> Any:
        address = core.Address("default", NAME, order["id"].encode())
        op = core.Op.claim(address, terms, FINGERPRINT)
        return op, store.call(op)

    def pair(order: Order) -> Any:
        op, reply = claim(order)
        return store.call(op.complete(reply.fence, 0, b'{"charged": 4200}'))

    return Calls(pair, claim)


CONTENDERS = {
    OURS: Contender(sync, tasks),
    ALONE: Contender(alone),
}
IN_MEMORY = {
    **CONTENDERS,
    REMEMBERED: Contender(remembered, remembered_tasks),
    NUMBERS: Contender(numbers),
}
