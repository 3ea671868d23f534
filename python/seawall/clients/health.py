"""The predicate that says whether an outcome speaks against the service."""

from __future__ import annotations

from seawall.clients.classes import BROKEN, CONNECT, TIMEOUT, TRANSPORT, UNABLE
from seawall.clients.signs import sign
from seawall.clients.statuses import UNHEALTHY_4XX
from seawall.clients.within import is_group, members

_KINDS = frozenset({CONNECT, TRANSPORT, TIMEOUT, UNABLE, BROKEN})


def unhealthy(outcome: object, /) -> bool:
    """Whether an outcome means that the service is not well. For ``on=`` and ``on_result=``.

    True for errors of transport (connection, name resolution, timeout, protocol, TLS) and for
    answers with a status of 5xx, 408, 425 or 429. False for other statuses, for seawall's own
    rejections, for cancellation, and for whatever is not known: a 404 or a bug in the caller
    must not open a circuit. A status of 400 or more outweighs the class of the exception that
    carries it. An exception group is unhealthy if a member is. An exception that says nothing by
    itself is what it was raised ``from`` (its ``__cause__``, up to four deep).

    Known are httpx, httpx2, requests, aiohttp, urllib3, ``urllib.request``, redis, psycopg,
    psycopg2, asyncpg, SQLAlchemy, botocore and grpc, none of which is imported; and every other
    exception with a status in ``response.status_code``, ``status_code``, ``status`` or ``code``. A
    returned value needs a ``status_code``, or ``status`` beside ``headers``. gRPC's UNAVAILABLE,
    DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNKNOWN and DATA_LOSS count, its other codes
    don't.

    Args:
        outcome: The exception that was raised, or the value that was returned.
    """
    # A group that holds more than Exceptions is an interruption or a cancellation.
    if is_group(outcome):
        return any(map(unhealthy, members(outcome)))
    said = sign(outcome)
    if isinstance(said, int):
        return said >= 500 or said in UNHEALTHY_4XX
    return said in _KINDS
