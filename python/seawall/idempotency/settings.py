"""What can be said of an idempotent operation, and all that can be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, TypeGuard, get_args

from seawall._core import Terms
from seawall.codecs.results import chosen
from seawall.errors import ConfigError, Rejected
from seawall.idempotency.events import IdempotencyEvent

__all__ = ["UNSET", "IdempotencySettings", "check_name", "checked", "of_parameters"]

Seconds: TypeAlias = float | timedelta
OnConflict: TypeAlias = Literal["wait", "refuse"]
OnLost: TypeAlias = Literal["takeover", "quarantine"]
OnError: TypeAlias = Literal["release", "quarantine", "store"]
OnStoreError: TypeAlias = Literal["raise", "run"]
Errors: TypeAlias = "type[BaseException] | tuple[type[BaseException], ...]"
Problem: TypeAlias = tuple[str, str, str, str | None]

DAY = 86_400
#: A scope is kept with its length in one byte.
LONGEST_NAME = 255


class _Unset:
    __slots__ = ()

    def __repr__(self) -> str:
        return "<unset>"

    def __reduce__(self) -> str:
        return "UNSET"


#: In place of a default that was not named: None is one that may be.
UNSET: Final = _Unset()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencySettings:
    """The settings of an operation. Times are seconds.

    Attributes:
        ttl: For how long an end is remembered. A call that comes later runs again.
        lease: For how long an owner that is not heard of keeps others out. A running call renews
            it each third of that.
        max_lease: For how long a call may renew it, from its beginning on: a hung one would keep
            its key for ever.
        attempts: How often an operation whose owners are lost is begun, the first time included.
        on_conflict: A call that finds another at it waits for its result, or is refused at once.
        wait: For how many seconds it waits at most. The deadline around it bounds it as well.
        on_lost: What becomes of an operation whose owner's lease ran out: the next call takes it
            over, or it waits for an operator.
        on_error: What becomes of one whose body raised: it may be run again, it waits for an
            operator, or the error is kept and raised again for later calls.
        on_store_error: What happens while the store gives no answer: the call fails with a
            `StoreError`, or its body is run unprotected.
        safe_errors: Errors after which the body has had no effect: they release, whatever
            `on_error` says. `Rejected` always is one.
        store_errors: Errors that are kept and raised again for later calls, whatever `on_error`
            says.
        codec: How results are written. See the page on results.
        max_result: How many bytes a result may have. What is larger is not kept: later calls get
            a `ResultUnavailableError`, or the default.
        default: What later calls get in place of a result that could not be kept.
        on_event: Called with each `IdempotencyEvent` of the operation.
    """

    ttl: float = DAY
    lease: float = 30.0
    max_lease: float = 900.0
    attempts: int = 3
    on_conflict: OnConflict = "wait"
    wait: float = 10.0
    on_lost: OnLost = "takeover"
    on_error: OnError = "release"
    on_store_error: OnStoreError = "raise"
    safe_errors: tuple[type[BaseException], ...] = (Rejected,)
    store_errors: tuple[type[BaseException], ...] = ()
    codec: Any = None
    max_result: int = 262_144
    default: Any = UNSET
    on_event: Callable[[IdempotencyEvent], object] | None = None


_WORDS = {
    "on_conflict": get_args(OnConflict),
    "on_lost": get_args(OnLost),
    "on_error": get_args(OnError),
    "on_store_error": get_args(OnStoreError),
}
_TERMS = ("lease", "max_lease", "ttl", "attempts", "on_lost")
_NAMES = tuple(field.name for field in fields(IdempotencySettings))


def checked(
    subject: str, given: dict[str, Any], problems: list[Problem]
) -> tuple[IdempotencySettings, Terms]:
    """The settings, and the terms on which is claimed.

    Args:
        subject: What they are of, for the error.
        given: Those that were named; what is None is as if it was not.
        problems: What was found wrong already.

    Raises:
        ConfigError: Everything that is wrong, with what was found before.
    """
    given = {
        name: value
        for name, value in given.items()
        if value is not UNSET and (value is not None or name == "default")
    }
    once = given.pop("at_most_once", False)
    for name in sorted(given.keys() - set(_NAMES)):
        problems.append((name, "…", "is no setting of an operation", _nearest(name)))
        del given[name]
    if once not in (True, False):
        problems.append(("at_most_once", repr(once), "must be True or False", None))
    elif once:
        for name in ("on_lost", "on_error"):
            if given.get(name, "quarantine") != "quarantine":
                rule = "contradicts at_most_once=True, which quarantines"
                problems.append((name, repr(given[name]), rule, None))
            given[name] = "quarantine"
    for name, words in _WORDS.items():
        if name in given and name != "on_lost" and given[name] not in words:
            problems.append((name, repr(given[name]), f"must be one of {', '.join(words)}", None))
    _check_numbers(given, problems)
    for name in ("safe_errors", "store_errors"):
        given[name] = _classes(name, given.get(name, ()), problems)
    given["safe_errors"] = (*given["safe_errors"], Rejected)
    if (hook := given.get("on_event")) is not None and not callable(hook):
        problems.append(("on_event", repr(hook), "must be callable", None))
    try:
        chosen(given.get("codec"))
    except ConfigError as error:
        problems += error.problems
    terms = None
    try:
        terms = Terms({name: given[name] for name in _TERMS if name in given}, subject)
    except ConfigError as error:
        problems += error.problems
    if problems or terms is None:
        raise ConfigError(subject, problems)
    given |= {name: getattr(terms, name) for name in _TERMS}
    return IdempotencySettings(**given), terms


def of_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """The settings among the parameters of a function that takes them by name."""
    return {name: parameters[name] for name in (*_NAMES, "at_most_once") if name in parameters}


def _nearest(name: str) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, [*_NAMES, "at_most_once"], 1)), None)


def check_name(name: Any, problems: list[Problem]) -> None:
    """Says what is wrong with the name of an operation."""
    if not isinstance(name, str):
        problems.append(("name", repr(name), "must be a string", None))
        return
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        problems.append(("name", ascii(name), "must be text that UTF-8 can say", None))
        return
    if length > LONGEST_NAME:
        rule = f"must have at most {LONGEST_NAME} bytes"
        problems.append(("name", f"({length} bytes)", rule, None))


def _check_numbers(given: dict[str, Any], problems: list[Problem]) -> None:
    wait = given.get("wait", 10.0)
    seconds = wait.total_seconds() if isinstance(wait, timedelta) else wait
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= DAY:
        rule = f"must be seconds or a timedelta, at least 0 and at most {DAY} s"
        problems.append(("wait", repr(wait), rule, None))
    given["wait"] = seconds
    most = given.get("max_result", 262_144)
    if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= 262_144:
        rule = "must be a number of bytes, at least 0 and at most 262144"
        problems.append(("max_result", repr(most), rule, None))


def _several(given: Any) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(given, tuple)


def _classes(name: str, given: Any, problems: list[Problem]) -> tuple[type[BaseException], ...]:
    classes: tuple[Any, ...] = given if _several(given) else (given,)
    for one in classes:
        if not (isinstance(one, type) and issubclass(one, BaseException)):
            problems.append((name, repr(classes), "must be exception types", None))
            return ()
    if name == "store_errors" and not all(issubclass(one, Exception) for one in classes):
        rule = "must be types of Exception: cancellation and exits are no answers"
        problems.append((name, repr(classes), rule, None))
    return classes
