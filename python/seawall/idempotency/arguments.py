"""The arguments of a function, as its signature binds them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

from seawall import _core
from seawall.errors import ConfigError

__all__ = ["arguments"]


def arguments(
    function: Callable[..., Any], *, without: Collection[str] = (), bound: bool = False
) -> _core.Arguments:
    """What digests the arguments of each call of `function`.

    How an argument is passed makes no difference, and defaults are applied. A first parameter
    called ``self`` or ``cls`` is left out. The signature is read once, here, and is that of
    `function` itself, not of something that it wraps: a wrapper may pass on more or less.

    Args:
        function: What is to be called.
        without: Further parameters that do not count, such as a session.
        bound: A first ``self`` or ``cls`` is an argument like any other.

    Raises:
        ConfigError: It has no signature, or no such parameters.
    """
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError) as error:
        row = ("function", repr(function), "must have a signature, or key= must be given", None)
        raise ConfigError("arguments", [row]) from error
    parameters = list(signature.parameters.values())
    left_out = set(without)
    unknown = left_out.difference(signature.parameters)
    if unknown:
        rule = "must be parameters of the function"
        raise ConfigError("arguments", [("without", ", ".join(sorted(unknown)), rule, None)])
    if parameters and not bound:
        first = parameters[0]
        by_place = first.kind in {first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD}
        if by_place and first.name in {"self", "cls"}:
            left_out.add(first.name)
    return _core.Arguments(
        [
            (
                parameter.name,
                int(parameter.kind),
                parameter.default is not parameter.empty,
                parameter.default,
                parameter.name in left_out,
            )
            for parameter in parameters
        ],
        signature.bind,
    )
