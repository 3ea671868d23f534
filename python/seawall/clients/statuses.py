"""Codes of other protocols, brought to the scale of HTTP statuses.

One scale, so that a predicate is a rule on numbers and knows no protocol.
"""

from __future__ import annotations

from seawall.clients.classes import BROKEN, BUSY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from seawall.clients.classes import Kind

UNHEALTHY_4XX = frozenset({408, 425, 429})
"""Request timeout, too early, too many requests: the service could not, though the request is fine.

RFC 9110 section 15.5.9, RFC 8470 section 5.2, RFC 6585 section 4.
"""

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that another try may change.

Of the 5xx only those that speak of the moment: 501 and 505 will be said again, and what a status
means that no standard lists nobody can tell.
"""

GRPC: dict[str, int | Kind] = {
    "CANCELLED": 499,
    "UNKNOWN": BROKEN,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "UNAUTHENTICATED": 401,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": BUSY,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 404,
    "INTERNAL": BROKEN,
    "UNAVAILABLE": 503,
    "DATA_LOSS": BROKEN,
}
"""gRPC status names, as google.rpc.Code maps them to HTTP, where that says enough.

UNIMPLEMENTED is 404 here and not 501: gRPC clients report it for a path that is not there, and
calling a method that the server lacks is the caller's mistake. It must not open a circuit for the
methods that work.

What HTTP calls 500 in any case, gRPC tells apart (grpc/doc/statuscodes.md): UNAVAILABLE is the
moment's, the connection's or the restart's. UNKNOWN (a handler raised), INTERNAL (what was sent
can't be read) and DATA_LOSS are not, and come again with the next try. ABORTED is the loser of a
race, whose whole transaction is to be run again: as with a deadlock in PostgreSQL, that is what
is protected, or should be.
"""

AWS: dict[str, int | Kind] = {
    "BandwidthLimitExceeded": 429,
    "EC2ThrottledException": 429,
    "ProvisionedThroughputExceededException": 429,
    "RequestLimitExceeded": 429,
    "RequestThrottled": 429,
    "RequestThrottledException": 429,
    "SlowDown": 503,
    "ThrottledException": 429,
    "Throttling": 429,
    "ThrottlingException": 429,
    "TooManyRequestsException": 429,
    # One after the other: an earlier request has not come through yet.
    "PriorRequestNotComplete": BUSY,
    "TransactionInProgressException": BUSY,
    "RequestTimeout": 408,
    "RequestTimeoutException": 408,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}
"""Error codes that outweigh the status beside them: many AWS services throttle with a plain 400."""

SQLSTATE: dict[str, int | Kind] = {
    "08": 503,  # connection exceptions
    "40": BUSY,  # serialization failure, deadlock: the loser of a race, not a sick server
    "40002": 400,  # a constraint, found violated at the end of the transaction
    "53": 503,  # insufficient resources: disk, memory, connections
    "55006": BUSY,  # object in use
    "55P03": BUSY,  # lock not available
    "57014": 504,  # query cancelled, as by statement_timeout
    "57P": 503,  # shutting down, starting up, crashed, session timed out
    "57P04": BROKEN,  # the database was dropped
    "58": BROKEN,  # system error outside of the server: input and output, a file that is missing
    "XX": BROKEN,  # internal error, corrupted data
}
"""SQLSTATE classes and codes, PostgreSQL manual appendix A; the longest prefix counts.

What is not listed is the statement's or the caller's fault, see `sqlstate`.
"""


def sqlstate(code: str) -> int | Kind:
    """The HTTP status, or the kind, nearest to a SQLSTATE; 400 for what is not listed."""
    for length in (5, 3, 2):
        if status := SQLSTATE.get(code[:length]):
            return status
    return 400
