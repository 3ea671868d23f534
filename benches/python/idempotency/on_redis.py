"""The same state machine as scripts of a redis-py client with hiredis, and AWS Powertools."""

import asyncio
import json
import os
import socket
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from .orders import ATTEMPTS, DAY, LEASE, Calls, Contender, LostError, Order, charge, digest

BY_HAND = "redis-py, by hand"
POWERTOOLS = "AWS Powertools"
POWERTOOLS_REMEMBERED = "AWS Powertools, remembered"
BARE = "bare round trips"
BARE_CLIENT = "bare round trips of redis-py"

_CLAIM = """
local kept = redis.call('HMGET', KEYS[1], 'state', 'owner', 'fence', 'attempts', 'print', 'lease')
local time = redis.call('TIME')
local now, attempts = time[1] * 1000000 + time[2], 0
if kept[1] then
  if kept[5] ~= ARGV[2] then return {'mismatch'} end
  if kept[1] == 'done' then return {'replay', redis.call('HGET', KEYS[1], 'result')} end
  if kept[1] == 'open' then
    if kept[2] ~= ARGV[1] and tonumber(kept[6]) > now then return {'busy', kept[6] - now} end
    if tonumber(kept[4]) >= tonumber(ARGV[4]) then return {'exhausted'} end
  end
  attempts = kept[4]
end
local fence = string.format('%.0f', math.max(now, (kept[3] or 0) + 1))
redis.call('HSET', KEYS[1], 'state', 'open', 'owner', ARGV[1], 'fence', fence,
  'attempts', attempts + 1, 'print', ARGV[2], 'lease', string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'owned', fence}
"""
_END = """
local kept = redis.call('HMGET', KEYS[1], 'state', 'owner', 'fence')
if kept[1] ~= 'open' or kept[2] ~= ARGV[1] or kept[3] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'done', 'result', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""
_NOTHING = "return {'done', '1', '2', '3', 'new'}"
#: What is sent with it: as much as a claim needs.
_SENT = (os.urandom(16), os.urandom(32), LEASE * 1_000_000, ATTEMPTS, DAY * 1000)


def _claimed(order: Order) -> tuple[str, bytes, tuple[Any, ...]]:
    owner = os.urandom(16)
    terms = (owner, digest(order), LEASE * 1_000_000, ATTEMPTS, DAY * 1000)
    return f"charge:{order['id']}", owner, terms


def _replayed(said: Any) -> Any:
    if said[0] != b"replay":
        raise LostError
    return json.loads(said[1])


def by_hand(url: str) -> Calls:
    """One connection, a script a verb, by its digest."""
    client = import_module("redis").Redis.from_url(url, single_connection_client=True)
    claim, end = client.script_load(_CLAIM), client.script_load(_END)
    run = client.evalsha

    def call(order: Order) -> Any:
        key, owner, terms = _claimed(order)
        said = run(claim, 1, key, *terms)
        if said[0] != b"owned":
            return _replayed(said)
        value = charge(order)
        if run(end, 1, key, owner, said[1], json.dumps(value), DAY * 1000) != 1:
            raise LostError
        return value

    return Calls(call, call, close=client.close)


async def by_hand_tasks(url: str) -> Calls:
    """The same in tasks."""
    package = import_module("redis.asyncio")
    client = package.Redis.from_url(url, single_connection_client=True)
    claim, end = await client.script_load(_CLAIM), await client.script_load(_END)
    run = client.evalsha

    async def call(order: Order) -> Any:
        key, owner, terms = _claimed(order)
        said = await run(claim, 1, key, *terms)
        if said[0] != b"owned":
            return _replayed(said)
        value = charge(order)
        if await run(end, 1, key, owner, said[1], json.dumps(value), DAY * 1000) != 1:
            raise LostError
        return value

    return Calls(call, call, close=client.aclose)


def bare_client(url: str) -> Calls:
    """Two scripts that do nothing, for a pair; one for a replay."""
    client = import_module("redis").Redis.from_url(url, single_connection_client=True)
    nothing, run = client.script_load(_NOTHING), client.evalsha

    def once(order: Order) -> Any:
        return run(nothing, 1, order["id"], *_SENT)

    def pair(order: Order) -> Any:
        once(order)
        return once(order)

    return Calls(pair, once)


def _words(*words: Any) -> bytes:
    """A command, as it goes over the network."""
    said = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(said) + b"".join(b"$%d\r\n%b\r\n" % (len(it), it) for it in said)


def _asked(url: str) -> tuple[tuple[str, int], bytes]:
    nothing = import_module("redis").Redis.from_url(url).script_load(_NOTHING)
    parts = urlsplit(url)
    command = _words("EVALSHA", nothing, 1, "charge:order-000000-00000000", *_SENT)
    return (parts.hostname or "", parts.port or 0), command


def bare(url: str) -> Calls:
    """The least: bytes that were made before, sent and received by a socket."""
    address, command = _asked(url)
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    send, receive = connection.sendall, connection.recv

    def once(_order: Order) -> Any:
        send(command)
        return receive(4096)

    def pair(order: Order) -> Any:
        once(order)
        return once(order)

    return Calls(pair, once)


async def bare_tasks(url: str) -> Calls:
    """The same by the loop's own means."""
    address, command = _asked(url)
    loop = asyncio.get_running_loop()
    connection = socket.create_connection(address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)

    async def once(_order: Order) -> Any:
        await loop.sock_sendall(connection, command)
        return await loop.sock_recv(connection, 4096)

    async def pair(order: Order) -> Any:
        await once(order)
        return await once(order)

    return Calls(pair, once)


class _Context:
    """What AWS Lambda hands to a function: how much time it has left."""

    def get_remaining_time_in_millis(self) -> int:
        return LEASE * 1000


def _powertools(url: str, *, remembers: bool) -> Any:
    package = import_module("aws_lambda_powertools.utilities.idempotency")
    cache = import_module("aws_lambda_powertools.utilities.idempotency.persistence.cache")
    client = import_module("redis").Redis.from_url(url, single_connection_client=True)
    config = package.IdempotencyConfig(
        event_key_jmespath="id", expires_after_seconds=DAY, use_local_cache=remembers
    )
    config.register_lambda_context(_Context())
    decorate = package.idempotent_function(
        data_keyword_argument="order",
        persistence_store=cache.CachePersistenceLayer(client=client),
        config=config,
    )
    protected = decorate(charge)
    return lambda order: protected(order=order)


def powertools(url: str) -> Calls:
    """As its documentation shows, with a Redis client; it has no face for coroutine functions."""
    call = _powertools(url, remembers=False)
    return Calls(call, call)


def powertools_remembered(url: str) -> Calls:
    """With its local cache."""
    call = _powertools(url, remembers=True)
    return Calls(call, call)


CONTENDERS = {
    BY_HAND: Contender(by_hand, by_hand_tasks),
    POWERTOOLS: Contender(powertools),
    POWERTOOLS_REMEMBERED: Contender(powertools_remembered),
    BARE_CLIENT: Contender(bare_client),
    BARE: Contender(bare, bare_tasks),
}
