"""The predicate that says whether another try may end better."""

from __future__ import annotations

from seawall.clients.classes import BUSY, CONNECT, TIMEOUT, TRANSPORT, UNABLE
from seawall.clients.signs import sign, special
from seawall.clients.statuses import TRANSIENT
from seawall.clients.within import chain, is_group, members

_KINDS = frozenset({CONNECT, TRANSPORT, TIMEOUT, UNABLE, BUSY})


def transient(outcome: object, /) -> bool:
    """Whether an outcome is of the moment: the same call may end better if it is tried again.

    For ``on=`` and ``on_result=``. It says nothing about whether the call may run twice: a request
    that timed out may have been carried out.

    True for errors of connection and name resolution, for timeouts, for exchanges that broke, for
    the statuses 408, 425, 429, 500, 502, 503 and 504, and for the losers of a race: PostgreSQL's
    serialization failures, deadlocks and locks that were not to be had, Redis' ``WATCH`` and
    ``TRYAGAIN``. False for other statuses, for a certificate that is not trusted, for seawall's
    own rejections, for cancellation, and for whatever is not known. A status of 400 or more
    outweighs the class of the exception that carries it. An exception that says nothing by itself
    is what it was raised ``from`` (its ``__cause__``, up to four deep). An exception group is
    transient if every member is: with one that will fail again, so will the whole.

    Known are the clients of `unhealthy`, none of which is imported, read in the same way. gRPC's
    UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and ABORTED are transient. Its UNKNOWN and
    INTERNAL are not, although HTTP calls both 500: what gRPC means by them comes again
    (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md).

    Args:
        outcome: The exception that was raised, or the value that was returned.
    """
    if is_group(outcome):
        return all(map(transient, members(outcome)))
    said = sign(outcome)
    if isinstance(said, int):
        return said in TRANSIENT
    return said in _KINDS and not _distrusted(outcome)


def _distrusted(outcome: object) -> bool:
    """Whether a certificate was refused, which clients report as a connection that failed."""
    return isinstance(outcome, Exception) and any(
        special(type(error)) == "distrusted" for error in chain(outcome)
    )
