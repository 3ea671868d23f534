"""What the type checkers see of each kind of call. Checked, never run."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
)
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, assert_type

import seawall

T = TypeVar("T")
breaker = seawall.CircuitBreaker("typed")
guard = seawall.Pipeline("typed", breaker)


@seawall.circuit_breaker
async def bare(order: int, /, *notes: str, loud: bool = False) -> list[str]:
    """Async, by the bare decorator."""
    return [*notes] * order


@seawall.circuit_breaker()
def unnamed(order: int) -> str:
    """By the decorator called with nothing."""
    return str(order)


@guard
@breaker
def stacked(order: int = 1) -> bytes:
    """By two."""
    return bytes(order)


@breaker
def generic(value: T) -> list[T]:
    """Keeps its type variable."""
    return [value]


@breaker
def items(order: int) -> Generator[int, str, bytes]:
    """A generator function."""
    yield len((yield order))
    return b""


@guard
async def items_later(order: int) -> AsyncIterator[int]:
    """An async generator function."""
    yield order


@contextmanager
@breaker
def block(order: int) -> Generator[str]:
    """A context manager over a generator function."""
    yield str(order)


@asynccontextmanager
@breaker
async def block_later(order: int) -> AsyncGenerator[str]:
    """An async one."""
    yield str(order)


class Service(Generic[T]):
    """Methods of each sort, the policy above and below."""

    def __init__(self, value: T) -> None:
        """Keeps a value."""
        self.value = value

    @breaker
    def method(self, other: T) -> tuple[T, T]:
        """A method."""
        return self.value, other

    @breaker
    async def later(self) -> T:
        """An async method."""
        return self.value

    @classmethod
    @breaker
    def below(cls, order: int) -> int:
        """A classmethod over the policy."""
        return order

    @breaker
    @classmethod
    def above(cls, order: int) -> int:
        """A classmethod under the policy."""
        return order

    @staticmethod
    @guard
    async def static(order: int) -> int:
        """A staticmethod over the policy."""
        return order

    @property
    @breaker
    def prop(self) -> T:
        """A property over the policy."""
        return self.value


class Handler(Protocol):
    """What a framework might ask for."""

    def __call__(self, order: int) -> str:
        """Handles."""
        ...


async def fetch(url: str, *, retries: int = 0) -> bytes:
    """A function to call once."""
    return url.encode() * retries


def start(order: int) -> "asyncio.Future[int]":
    """A plain function that returns an awaitable."""
    return asyncio.get_running_loop().create_future()


def plain(order: int, *, note: str) -> dict[str, int]:
    """A function to call once."""
    return {note: order}


async def decorated() -> None:
    """A decorated function has the type that it had."""
    coroutine: Coroutine[Any, Any, list[str]] = bare(1, "a", loud=True)
    assert_type(await coroutine, list[str])
    assert_type(await bare(1), list[str])
    assert_type(unnamed(1), str)
    assert_type(stacked(), bytes)
    assert_type(generic(1), list[int])
    service = Service("x")
    assert_type(service.method("y"), tuple[str, str])
    assert_type(await service.later(), str)
    assert_type(Service.below(1), int)
    assert_type(service.above(1), int)
    assert_type(await Service.static(1), int)
    assert_type(service.prop, str)
    handler: Handler = unnamed
    callback: Callable[[int], Awaitable[list[str]]] = bare
    assert_type(handler(order=1), str)
    assert_type(await asyncio.create_task(bare(1)), list[str])
    assert_type(await asyncio.gather(bare(1), service.later()), tuple[list[str], str])
    assert_type(await callback(1), list[str])


async def generated() -> None:
    """Generators have the types that they had."""
    generator = items(1)
    assert_type(generator, Generator[int, str, bytes])
    assert_type(generator.send("a"), int)
    assert_type(breaker.call(items, 1), Generator[int, str, bytes])
    assert_type([item async for item in items_later(1)], list[int])
    with block(1) as value:
        assert_type(value, str)
    async with block_later(1) as later:
        assert_type(later, str)


def ended() -> seawall.Outcome[int]:
    """An outcome is a result, though it can be awaited."""
    return breaker.try_call(lambda: 7)


async def once() -> None:
    """`call` and `try_call` know arguments and results, of policies and pipelines alike."""
    for policy in (breaker, guard):
        assert_type(policy.call(plain, 1, note="n"), dict[str, int])
        assert_type(await policy.call(fetch, "u", retries=2), bytes)
        assert_type(await policy.call(start, 1), int)
        assert_type(policy.call(lambda: 7), int)
        assert_type(policy.call(partial(plain, note="n"), 1), dict[str, int])
        outcome = policy.try_call(plain, 1, note="n")
        assert_type(outcome, seawall.Outcome[dict[str, int]])
        assert_type(outcome.value, dict[str, int] | None)
        assert_type(outcome.error, Exception | None)
        assert_type(outcome.rejected, seawall.Rejected | None)
        assert_type(outcome.unwrap(), dict[str, int])
        assert_type(await policy.try_call(fetch, "u"), seawall.Outcome[bytes])
        assert_type((await policy.try_call(start, 1)).unwrap(), int)
        assert_type(policy.try_call(ended), seawall.Outcome[seawall.Outcome[int]])
        assert_type(await outcome, seawall.Outcome[dict[str, int]])
        assert_type(await asyncio.create_task(policy.try_call(fetch, "u")), seawall.Outcome[bytes])


def wrong(service: Service[int]) -> None:
    """What does not fit is told, and an ignore that nothing needs is an error by itself."""
    unnamed()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    unnamed("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    service.method("y")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    breaker.call(plain, 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    breaker.try_call(plain, "1", note="n")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    breaker(7)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    breaker.call()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
