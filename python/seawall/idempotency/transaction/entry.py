"""From what users say to blocks and functions in transactions of their own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seawall.errors import ConfigError
from seawall.idempotency.claim import current
from seawall.idempotency.conversation import REPLAYED
from seawall.idempotency.functions import is_coroutine_function
from seawall.idempotency.settings import UNSET, check_name, checked
from seawall.idempotency.transaction.block import TransactionBlock
from seawall.idempotency.transaction.links import link
from seawall.idempotency.transaction.operation import CallPassage, Passage, TransactionOperation
from seawall.idempotency.values import Values
from seawall.stores import Store

if TYPE_CHECKING:
    from seawall.idempotency.functions import Identify
    from seawall.idempotency.settings import Problem

__all__ = ["operation_within", "within", "within_parameter"]

_ROLLED_BACK = "has no meaning in a transaction, of which a rollback leaves nothing: leave it out"
_NO_MEANING = (
    "lease",
    "max_lease",
    "attempts",
    "on_lost",
    "on_error",
    "at_most_once",
    "safe_errors",
    "store_errors",
    "on_store_error",
)


def operation_within(
    name: Any,
    store: Any,
    settings: dict[str, Any],
    problems: list[Problem],
    *,
    function: Callable[..., Any] | None = None,
    expected: object = None,
) -> TransactionOperation:
    """The operation of these settings.

    Raises:
        ConfigError: Everything that is wrong, with the problems that were found before.
    """
    problems = list(problems)
    for setting in _NO_MEANING:
        given = settings.get(setting)
        if given is not None and given is not UNSET and given is not False and given != ():
            problems.append((setting, repr(given), _ROLLED_BACK, None))
    if store is not None and not isinstance(store, Store):
        rule = "must be what seawall.open_store gives, or left out"
        problems.append(("store", f"<{type(store).__name__}>", rule, None))
    elif store is not None and not store.name.startswith(("postgresql://", "postgres://")):
        rule = "must be on PostgreSQL where there is a transaction=, or left out"
        problems.append(("store", store.name, rule, None))
    check_name(name, problems)
    kept = {named: given for named, given in settings.items() if named not in _NO_MEANING}
    made, _terms = checked(f"idempotency {name!r}", kept, problems)
    return TransactionOperation(name, store, made, Values(made, function, expected))


def within(
    transaction: object,
    key: bytes,
    fingerprint: bytes | None,
    *,
    name: Any,
    store: Any,
    settings: dict[str, Any],
    expected: object = None,
) -> TransactionBlock:
    """A block in a transaction of the user's.

    Raises:
        ConfigError: It is no connection or session that is known, or in no transaction, or
            something about the settings is wrong; names all of it.
    """
    problems: list[Problem] = []
    found = None
    try:
        found = link(transaction)
    except ConfigError as error:
        problems += error.problems
    operation = operation_within(name, store, settings, problems, expected=expected)
    passage = Passage(operation, key, fingerprint, current.get())
    return TransactionBlock(transaction, passage, found)


def within_parameter(
    function: Callable[..., Any],
    parameter: str,
    operation: TransactionOperation,
    identify: Identify,
) -> Callable[..., Any]:
    """The function, once for each key, in the transaction that is one of its arguments."""
    signature = inspect.signature(function)

    def begun(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[TransactionBlock, Passage]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        passage = CallPassage(operation, *identify(args, kwargs), current.get())
        return TransactionBlock(bound.arguments[parameter], passage), passage

    @functools.wraps(function)
    async def task(*args: Any, **kwargs: Any) -> Any:
        block, passage = begun(args, kwargs)
        async with block:
            if passage.state == REPLAYED:
                return passage.answer()
            value = await function(*args, **kwargs)
            passage.returned(value)
        return value

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        block, passage = begun(args, kwargs)
        with block:
            if passage.state == REPLAYED:
                return passage.answer()
            value = function(*args, **kwargs)
            if inspect.isawaitable(value):
                raise _awaitable(operation, value)
            passage.returned(value)
        return value

    return task if is_coroutine_function(function) else plain


def _awaitable(operation: TransactionOperation, value: Any) -> ConfigError:
    kind: str = type(value).__name__
    if inspect.iscoroutine(value):
        value.close()
    rule = (
        "returned an awaitable, which is no result: make it `async def`, so that it is over when "
        "its result is kept"
    )
    return ConfigError(f"idempotency {operation.name!r}", [("function", kind, rule, None)])
