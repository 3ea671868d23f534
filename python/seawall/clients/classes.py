"""Exception classes of clients, by the package that defines them.

The first class along the method resolution order that is listed decides, so a listing covers
subclasses that are not listed themselves. Classes are known by name because no client is ever
imported here: what is not installed costs nothing, and what is installed is not loaded early.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Kind: TypeAlias = Literal["connect", "transport", "timeout", "unable", "broken", "busy", "ours"]

CONNECT: Kind = "connect"
"""The request never left: no route, no name, no connection."""
TRANSPORT: Kind = "transport"
"""The exchange broke: connection lost, protocol or TLS violated. It may have had an effect."""
TIMEOUT: Kind = "timeout"
"""No answer in time. It may have had an effect."""
UNABLE: Kind = "unable"
"""The service answered that it can't work now."""
BROKEN: Kind = "broken"
"""The service answered that something in it is broken: asking again won't help."""
BUSY: Kind = "busy"
"""The service is well, but something stood in the way: a lock, a moved key. Worth another try."""
OURS: Kind = "ours"
"""The caller's own doing: bad URLs, bad credentials, a closed client, a rejection by seawall."""

_HTTPX: dict[str, Kind] = {
    "ConnectError": CONNECT,
    "ConnectTimeout": CONNECT,
    # Waiting for one's own pool: the pool is empty because the service holds its connections.
    "PoolTimeout": TIMEOUT,
    "TimeoutException": TIMEOUT,
    "NetworkError": TRANSPORT,
    "ProxyError": TRANSPORT,
    "RemoteProtocolError": TRANSPORT,
    "DecodingError": TRANSPORT,
    "UnsupportedProtocol": OURS,
    "LocalProtocolError": OURS,
}

_REDIS: dict[str, Kind] = {
    "AuthenticationError": OURS,
    "AuthorizationError": OURS,
    "ExternalAuthProviderError": OURS,
    "BusyLoadingError": UNABLE,
    "ClusterDownError": UNABLE,
    "MasterDownError": UNABLE,
    "MasterNotFoundError": UNABLE,
    "OutOfMemoryError": UNABLE,
    # A failover is under way: the node spoken to has become a replica.
    "ReadOnlyError": UNABLE,
    "SlaveNotFoundError": UNABLE,
    "AskError": BUSY,
    "TryAgainError": BUSY,
    # A watched key was changed by another: the transaction is worth another run.
    "WatchError": BUSY,
    "ConnectionError": TRANSPORT,
    "InvalidResponse": TRANSPORT,
    "TimeoutError": TIMEOUT,
}

_PSYCOPG: dict[str, Kind] = {
    # With a SQLSTATE the server's code decides; without one the connection failed.
    "OperationalError": TRANSPORT,
    "ConnectionTimeout": CONNECT,
    "PipelineAborted": OURS,
    "PoolClosed": OURS,
    "PoolTimeout": TIMEOUT,
}

_STREAMS: dict[str, Kind] = {
    "BrokenResourceError": TRANSPORT,
    "EndOfStream": TRANSPORT,
    "IncompleteRead": TRANSPORT,
    "TooSlowError": TIMEOUT,
}

CLASSES: dict[str, dict[str, Kind]] = {
    "builtins": {
        "ConnectionRefusedError": CONNECT,
        "ConnectionError": TRANSPORT,
        "TimeoutError": TIMEOUT,
    },
    "aiohttp": {
        "ClientConnectorError": CONNECT,
        "ConnectionTimeoutError": CONNECT,
        "ServerTimeoutError": TIMEOUT,
        "ClientConnectionError": TRANSPORT,
        "ClientPayloadError": TRANSPORT,
        "HttpProcessingError": TRANSPORT,
    },
    "anyio": _STREAMS,
    "asyncio": {"IncompleteReadError": TRANSPORT},
    "asyncpg": {
        "ConnectionDoesNotExistError": TRANSPORT,
        "InternalClientError": TRANSPORT,
        "TargetServerAttributeNotMatched": CONNECT,
    },
    "botocore": {
        "EndpointConnectionError": CONNECT,
        "ConnectTimeoutError": CONNECT,
        "ConnectionError": TRANSPORT,
        "ReadTimeoutError": TIMEOUT,
        "HTTPClientError": TRANSPORT,
        "IncompleteReadError": TRANSPORT,
    },
    "grpc": {"FutureTimeoutError": TIMEOUT},
    "h11": {"RemoteProtocolError": TRANSPORT},
    "http": {
        "BadStatusLine": TRANSPORT,
        "IncompleteRead": TRANSPORT,
        "LineTooLong": TRANSPORT,
        "UnknownProtocol": TRANSPORT,
    },
    "httpcore": _HTTPX,
    "httpcore2": _HTTPX,
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "psycopg": _PSYCOPG,
    "psycopg2": _PSYCOPG,
    "psycopg_pool": _PSYCOPG,
    "redis": _REDIS,
    "requests": {
        "ConnectTimeout": CONNECT,
        "Timeout": TIMEOUT,
        "ConnectionError": TRANSPORT,
        "ChunkedEncodingError": TRANSPORT,
        "ContentDecodingError": TRANSPORT,
    },
    "seawall": {"Rejected": OURS},
    "socket": {"gaierror": CONNECT, "herror": CONNECT},
    "sqlalchemy": {
        "DisconnectionError": TRANSPORT,
        "OperationalError": TRANSPORT,
        "TimeoutError": TIMEOUT,
    },
    # A file, not a service: a missing table or a lock held by this machine.
    "sqlite3": {"OperationalError": OURS},
    "ssl": {"SSLError": TRANSPORT},
    "trio": _STREAMS,
    "urllib": {"ContentTooShortError": TRANSPORT},
    "urllib3": {
        "NewConnectionError": CONNECT,
        "ConnectTimeoutError": CONNECT,
        "TimeoutError": TIMEOUT,
        "EmptyPoolError": TIMEOUT,
        "DecodeError": TRANSPORT,
        "IncompleteRead": TRANSPORT,
        "InvalidChunkLength": TRANSPORT,
        "ProtocolError": TRANSPORT,
        "ProxyError": TRANSPORT,
        "SSLError": TRANSPORT,
    },
    "valkey": _REDIS,
}
"""Package → class name → what it means."""

WRAPPERS: dict[str, dict[str, str]] = {
    "requests": {"RetryError": "args"},
    "sqlalchemy": {"DBAPIError": "orig"},
    "urllib": {"URLError": "reason"},
    "urllib3": {"MaxRetryError": "reason"},
}
"""Package → class name → the attribute that holds the error it passes on, which is read first."""
