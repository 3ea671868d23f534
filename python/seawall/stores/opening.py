"""How a store is opened: all that is wrong with what was given is said at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from seawall import _core
from seawall._core import Address
from seawall.errors import ConfigError
from seawall.stores.store import Store

__all__ = ["open_store"]

#: Nobody waits for longer, in seconds.
DAY = 86_400


def open_store(url: str, *, namespace: str = "default", timeout: float | timedelta = 10.0) -> Store:
    """Opens a store. Nothing is connected to, and no file made, before it is first asked.

    Open one for each process and keep it, as one keeps a pool of connections: each has its own. Of
    ``memory://`` each is a store of its own.

    Args:
        url: ``memory://``, ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``redis://…``,
            ``rediss://…`` or ``postgresql://…``.
        namespace: Whose records these are: an application, a tenant. Those of others are neither
            seen nor met.
        timeout: For how long an answer is waited for; seconds or a ``timedelta``.

    Raises:
        ConfigError: Something about the arguments is wrong; names all of it.
    """
    problems: list[tuple[str, str, str, str | None]] = []
    native = _opened(url, problems)
    seconds: Any = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= DAY:
        rule = f"must be seconds or a timedelta, more than 0 and at most {DAY} s"
        problems.append(("timeout", repr(timeout), rule, None))
    _check_namespace(namespace, problems)
    if problems or native is None:
        raise ConfigError(f"store {_named(url)}", problems)
    return Store(native, namespace, float(seconds))


def _named(url: Any) -> str:
    text = url.encode("utf-8", "replace").decode() if isinstance(url, str) else "?"
    return _core.public_url(text)


def _opened(url: Any, problems: list[tuple[str, str, str, str | None]]) -> _core.Store | None:
    if not isinstance(url, str):
        problems.append(("url", f"<{type(url).__name__}>", "must be a string", None))
        return None
    try:
        return _core.Store(url)
    except ConfigError as error:
        problems += error.problems
    except UnicodeEncodeError:
        problems.append(("url", "?", "must be text that UTF-8 can say", None))
    return None


def _check_namespace(given: Any, problems: list[tuple[str, str, str, str | None]]) -> None:
    if not isinstance(given, str):
        problems.append(("namespace", f"<{type(given).__name__}>", "must be a string", None))
        return
    try:
        Address(given, "", b"-")
    except ConfigError as error:
        problems += error.problems
    except UnicodeEncodeError:
        problems.append(("namespace", ascii(given), "must be text that UTF-8 can say", None))
