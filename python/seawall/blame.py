"""Warnings that name the line of the program that is to blame, not one of seawall's."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]


def warn(message: str, category: type[Warning]) -> None:
    """Warns of the line that called into seawall. Python tells a text once for each such line."""
    level, frame = 1, sys._getframe(0).f_back
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] == "seawall":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level + 1)
