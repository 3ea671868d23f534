"""`idempotent`: the decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from seawall.idempotency.events import IdempotencyEvent
from seawall.idempotency.functions import calls, identified, missing, protected, refusal
from seawall.idempotency.operation import Operation
from seawall.idempotency.settings import (
    UNSET,
    Errors,
    OnConflict,
    OnError,
    OnLost,
    OnStoreError,
    Problem,
    Seconds,
    check_name,
    checked,
    of_parameters,
)
from seawall.idempotency.values import Values
from seawall.lazy import overload
from seawall.stores import Store

if TYPE_CHECKING:
    from typing import Unpack

    from seawall.idempotency.said import BesideStore, BesideTransaction

__all__ = ["idempotent", "name_of", "operation_of"]

F = TypeVar("F", bound="Callable[..., Any] | classmethod[Any, ..., Any] | staticmethod[..., Any]")


@overload
def idempotent(
    *,
    store: Store,
    key: Callable[..., object] | None = None,
    name: str | None = None,
    fingerprint: Callable[..., object] | bool = True,
    **settings: Unpack[BesideStore],
) -> Callable[[F], F]: ...
@overload
def idempotent(
    *,
    transaction: str,
    store: Store | None = None,
    key: Callable[..., object] | None = None,
    name: str | None = None,
    fingerprint: Callable[..., object] | bool = True,
    **settings: Unpack[BesideTransaction],
) -> Callable[[F], F]: ...
def idempotent(
    *,
    key: Callable[..., object] | None = None,
    store: Store | None = None,
    transaction: str | None = None,
    name: str | None = None,
    ttl: Seconds | None = None,
    lease: Seconds | None = None,
    max_lease: Seconds | None = None,
    attempts: int | None = None,
    on_conflict: OnConflict | None = None,
    wait: Seconds | None = None,
    on_lost: OnLost | None = None,
    on_error: OnError | None = None,
    at_most_once: bool = False,
    safe_errors: Errors = (),
    store_errors: Errors = (),
    on_store_error: OnStoreError | None = None,
    fingerprint: Callable[..., object] | bool = True,
    codec: Any = None,
    max_result: int | None = None,
    default: Any = UNSET,
    on_event: Callable[[IdempotencyEvent], object] | None = None,
) -> Callable[[F], F]:
    """Makes a function take effect once for each key, whatever crashes.

    The first call with a key runs; others with that key, in any thread, task or process that uses
    the same store, wait for its result, or get it at once if it is there.

    The guarantee, by default, is *at least once, with one result*: a body that raised, was
    cancelled, or whose process was killed, is run again by the next call; once it has returned, it
    is never run again until its result expires. A body that only stood still for longer than its
    lease may run beside a second one: it can't be stopped, but what it returns is not kept.

    With ``at_most_once=True`` a body that has begun is never begun again: if it raises what is not
    in `safe_errors`, is cancelled or lost, the key waits for an operator, and calls with it get an
    `OutcomeUnknownError`.

    Args:
        key: What tells one operation from another: a callable of the arguments. Without one, the
            arguments themselves do, defaults applied and ``self`` left out.
        store: What keeps it; see `open_store`.
        transaction: In place of a store, the name of the parameter that is a connection or session
            of the caller's, in a transaction on PostgreSQL: see `idempotency_key`.
        name: The operation's name, its scope in the store. Without one it is made of the module
            and name of the function, which must be stable then: not of a function inside of
            another, a lambda or ``__main__``.
        ttl: For how many seconds an end is remembered (default 24 hours).
        lease: For how many seconds an owner that is not heard of keeps others out (default 30). It
            is renewed each third of that while the body runs.
        max_lease: For how many seconds it is renewed at most (default 900).
        attempts: How often an operation that is lost is begun (default 3).
        on_conflict: What a call does that finds another at it: ``"wait"`` (default) for its result,
            or ``"refuse"``.
        wait: For how many seconds at most (default 10); the deadline around it bounds it too.
        on_lost: ``"takeover"`` (default) or ``"quarantine"``.
        on_error: ``"release"`` (default), ``"quarantine"`` or ``"store"``.
        at_most_once: Both quarantine.
        safe_errors: Exceptions after which nothing has taken effect: they release. `Rejected`
            always does.
        store_errors: Exceptions that are kept, and raised again for later calls.
        on_store_error: While the store gives no answer: ``"raise"`` (default), or ``"run"`` the
            body unprotected.
        fingerprint: What must be the same for two calls with one key: all arguments (True), nothing
            (False), or what a callable of the arguments says.
        codec: How results are written; see the page on results.
        max_result: How many bytes a result may have (default and limit 262,144).
        default: What later calls get in place of a result that could not be kept.
        on_event: Called with each `IdempotencyEvent` of this operation.

    Raises:
        ConfigError: Something about the settings or the function is wrong; names all of it.
            Generator functions are refused: their items are no result.

    Calls raise, beside what the function raises:
        OperationInProgressError: Another call runs it, for longer than this one may wait.
        FingerprintMismatchError: The key was used with other arguments.
        OutcomeUnknownError: It may have taken effect; an operator decides.
        AttemptsExhaustedError: Its owners were lost as often as they may be.
        ResultUnavailableError: It has taken effect, but the result could not be kept.
        LeaseLostError: This call ran, but for longer than its lease.
        OutcomeNotRecordedError: This call ran, but the store could not be told.
        IdempotencyKeyError: An argument or a key has no stable form.
        StoreError: The store gives no answer; nothing was run.
    """
    settings = of_parameters(locals())
    problems: list[Problem] = []
    given: Any = (key, fingerprint, store)
    if given[0] is not None and not callable(given[0]):
        problems.append(("key", repr(key), "must be a callable of the arguments", None))
    if not isinstance(given[1], bool) and not callable(given[1]):
        rule = "must be True, False or a callable of the arguments"
        problems.append(("fingerprint", repr(fingerprint), rule, None))
    if name == "":
        problems.append(
            ("name", "''", "must not be empty: leave it out for that of the function", None)
        )
    operation_for: Callable[..., Any] = operation_of
    if transaction is not None:
        from seawall.idempotency.transaction import operation_within

        operation_for = operation_within
    if problems or name is not None or not isinstance(given[2], Store):
        # Said where it was written, not where it is put on a function.
        operation_for(name or "?", store, settings, problems)

    def decorate(function: F) -> F:
        if isinstance(function, classmethod | staticmethod):
            bound = cast("Any", function)
            return cast("F", type(bound)(decorate(bound.__func__)))
        found: list[Problem] = []
        why = refusal(function)
        if why is not None:
            found.append(("function", repr(function), why, None))
        elif name is None:
            why = _unstable(function)
            if why is not None:
                found.append(("name", "None", why, None))
        full = name or name_of(function)
        if transaction is not None and (why := missing(function, transaction)) is not None:
            found.append(("transaction", repr(transaction), why, None))
        operation = operation_for(full, store, settings, found, function=function)
        if transaction is None:
            made = protected(function, operation, calls(function, operation, key, fingerprint))
        else:
            from seawall.idempotency.transaction import within_parameter

            # Which connection it is done on makes no other operation of it.
            identify = identified(function, key, fingerprint, without=(transaction,))
            made = within_parameter(function, transaction, operation, identify)
        made.idempotency = operation  # type: ignore[attr-defined]
        return cast("F", made)

    return decorate


def operation_of(
    name: Any,
    store: Any,
    settings: dict[str, Any],
    problems: list[Problem],
    *,
    function: Callable[..., Any] | None = None,
    expected: object = None,
) -> Operation:
    """The operation of these settings.

    Raises:
        ConfigError: Everything that is wrong, with the problems that were found before.
    """
    problems = list(problems)
    if not isinstance(store, Store):
        rule = "must be what seawall.open_store gives"
        problems.append(("store", f"<{type(store).__name__}>", rule, None))
    check_name(name, problems)
    made, terms = checked(f"idempotency {name!r}", dict(settings), problems)
    return Operation(name, store, made, terms, Values(made, function, expected))


def name_of(function: Any) -> str:
    """The name of an operation, made from its function."""
    module = getattr(function, "__module__", None) or "?"
    inner = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{module}.{inner}"


def _unstable(function: Any) -> str | None:
    name = name_of(function)
    if "<lambda>" in name or "<locals>" in name or not hasattr(function, "__qualname__"):
        return (
            "is needed here: the name of a lambda, an object or a function inside of another does "
            "not tell it from others"
        )
    if name.startswith("__main__."):
        return (
            "is needed here: a function of the program that is run (__main__) has another name "
            "where it is imported, and would take effect once under each"
        )
    return None
