"""The peers, each used as its own documentation shows: its decorator, or a semaphore by hand.

hyx knows no wait but a queue's length, and no plain functions. pyresilience's semaphore of asyncio
is bounded by `asyncio.wait_for` where calls may wait.
"""

import asyncio
import functools
import threading
from importlib import import_module
from typing import Any

from benches.python.functions import Decorator
from benches.python.harness import AsyncFunction, Function

from .ours import PATIENCE, PERMITS


def by_semaphore(permits: int = PERMITS) -> Decorator:
    """What is written by hand for plain functions."""
    semaphore = threading.Semaphore(permits)

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with semaphore:
                return function(*args, **kwargs)

        return wrapper

    return decorate


def refusing() -> Decorator:
    """The same for calls that are refused at once: its only permit is out."""
    semaphore = threading.Semaphore(1)
    semaphore.acquire()

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not semaphore.acquire(blocking=False):
                raise RuntimeError("full")
            try:
                return function(*args, **kwargs)
            finally:
                semaphore.release()

        return wrapper

    return decorate


def by_async_semaphore(permits: int = PERMITS) -> Decorator:
    """What is written by hand for coroutine functions."""
    semaphore = asyncio.Semaphore(permits)

    def decorate(function: AsyncFunction) -> AsyncFunction:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            async with semaphore:
                return await function(*args, **kwargs)

        return wrapper

    return decorate


def by_timed_semaphore(permits: int = PERMITS) -> Decorator:
    """The same, for callers that wait no longer than they may."""
    semaphore = asyncio.Semaphore(permits)

    def decorate(function: AsyncFunction) -> AsyncFunction:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            async with asyncio.timeout(PATIENCE):
                await semaphore.acquire()
            try:
                return await function(*args, **kwargs)
            finally:
                semaphore.release()

        return wrapper

    return decorate


def hyx(permits: int = PERMITS, capacity: int = 100_000) -> Any:
    """A decorator and a block."""
    return import_module("hyx.bulkhead").bulkhead(max_concurrency=permits, max_capacity=capacity)


def pyresilience(permits: int = PERMITS, wait: float = 0.0) -> Decorator:
    """Refuses at once, unless it may wait."""
    package = import_module("pyresilience")
    config = package.BulkheadConfig(max_concurrent=permits, max_wait=wait)
    made: Decorator = package.resilient(bulkhead=config)
    return made


def patient_pyresilience(permits: int = PERMITS) -> Decorator:
    """As `pyresilience`, for calls that wait."""
    return pyresilience(permits, PATIENCE)
