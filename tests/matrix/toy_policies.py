"""Bulkheads, rate limits and retries that are wrong, each in one way."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any

from benches.matrix.adapter import Adapter, Function, Policy
from benches.matrix.policies import Guard, Pace, Space, Tries


class FullError(Exception):
    """What is raised to whom is not let in."""


class Toy(Adapter):
    """It has everything."""

    name = "toy"
    module = "toys"
    policies: tuple[Policy, ...] = ("bulkhead", "rate limit", "retry")


def around(
    enter: Callable[[], None], leave: Callable[[], None] = lambda: None
) -> Callable[[Function], Function]:
    """Puts the two around functions of both kinds; what enters a task blocks its loop."""

    def protect(function: Function) -> Function:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def asynchronous(*args: Any) -> Any:
                while True:
                    try:
                        enter()
                        break
                    except BlockingIOError:
                        await asyncio.sleep(0.001)
                try:
                    return await function(*args)
                finally:
                    leave()

            return asynchronous

        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            while True:
                try:
                    enter()
                    break
                except BlockingIOError:
                    time.sleep(0.001)
            try:
                return function(*args)
            finally:
                leave()

        return wrapper

    return protect


class NakedTasks(Toy):
    """Everybody is let in at once, and nobody a second time."""

    def bulkhead(self, space: Space) -> Guard:
        return Guard(lambda function: function, FullError)

    def rate_limit(self, pace: Pace) -> Guard:
        return Guard(lambda function: function, FullError)

    def keyed_rate_limit(self, pace: Pace, keys: int) -> Callable[[str], bool]:
        seen: set[str] = set()

        def asks(key: str) -> bool:
            if len(seen) > keys:
                seen.clear()
            fresh = key not in seen
            seen.add(key)
            return fresh

        return asks

    def retry(self, tries: Tries) -> Guard:
        return Guard(lambda function: function)


class Naked(NakedTasks):
    """Of threads alone, where that shows it as well."""

    kinds = ("sync",)


class Leaking(Toy):
    """A permit that was taken is gone."""

    def bulkhead(self, space: Space) -> Guard:
        left = [space.permits]

        def enter() -> None:
            if not left[0]:
                raise BlockingIOError if space.wait else FullError
            left[0] -= 1

        return Guard(around(enter), FullError)


class PushingTasks(Toy):
    """The last who came goes first; it looks rarely, and starts a thread each time."""

    def bulkhead(self, space: Space) -> Guard:
        inside = [0]
        line: list[object] = []

        def enter() -> None:
            me = threading.current_thread()
            if inside[0] >= space.permits:
                if me not in line:
                    line.append(me)
                raise BlockingIOError
            # Of threads that wait, the last goes first.
            if me in line and line[-1] is not me:
                raise BlockingIOError
            if me in line:
                line.remove(me)
            inside[0] += 1

        def leave() -> None:
            inside[0] -= 1

        return Guard(around(enter, leave), FullError)

    def pooled(self, space: Space, seconds: float) -> Guard:
        left = threading.Semaphore(space.permits)

        def protect(function: Function) -> Function:
            def wrapper(*args: Any) -> Any:
                if not left.acquire(timeout=seconds):
                    raise TimeoutError
                threading.Thread(target=function, args=args, daemon=True).start()
                time.sleep(seconds)
                raise TimeoutError

            return wrapper

        return Guard(protect, FullError)

    def rate_limit(self, pace: Pace) -> Guard:
        begun: list[float] = []
        line: list[int] = []

        def enter() -> None:
            threading.Thread(target=time.sleep, args=(0,), daemon=True).start()
            me = threading.get_ident()
            now = time.time()
            begun[:] = [at for at in begun if at > now - pace.per]
            if len(begun) >= pace.limit or (me in line and line[-1] != me):
                if me not in line:
                    line.append(me)
                time.sleep(min(pace.wait, 1.0))
                raise BlockingIOError if pace.wait > 1 else FullError
            if me in line:
                line.remove(me)
            begun.append(now)

        return Guard(around(enter), FullError)


class Pushing(PushingTasks):
    """Of threads alone."""

    kinds = ("sync",)


class Looped(Toy):
    """It is of the loop in which it is made."""

    def bulkhead(self, space: Space) -> Guard:
        asyncio.get_running_loop()
        return Guard(lambda function: function, FullError)

    def rate_limit(self, pace: Pace) -> Guard:
        asyncio.get_running_loop()
        return Guard(lambda function: function, FullError)


class Stubborn(Toy):
    """It counts what comes after the first call, tries everything again, and sleeps in any case."""

    def retry(self, tries: Tries) -> Guard:
        count = [0]
        began = time.monotonic()

        def done() -> bool:
            count[0] += 1
            late = tries.max_duration and time.monotonic() - began > tries.max_duration
            return count[0] > tries.attempts or bool(late)

        def protect(function: Function) -> Function:
            if inspect.iscoroutinefunction(function):

                async def asynchronous(*args: Any) -> Any:
                    count[0] = 0
                    while True:
                        try:
                            return await function(*args)
                        except BaseException as error:
                            if done():
                                raise FullError from error
                            await asyncio.sleep(tries.delay)

                return asynchronous

            def wrapper(*args: Any) -> Any:
                count[0] = 0
                while True:
                    try:
                        return function(*args)
                    except BaseException as error:
                        if done():
                            raise FullError from error
                        time.sleep(tries.delay)

            return wrapper

        return Guard(protect)
