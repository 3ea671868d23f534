"""Protected functions of every kind, to be looked at."""

import seawall

BREAKER = seawall.CircuitBreaker("looks", failure_threshold=65_000)


@BREAKER
def plain(a: int, b: "str" = "b", *, c: float = 1.0) -> "list[int]":
    """Plain."""
    return [a]


@BREAKER
async def coroutine(a: int) -> int:
    """Coroutine."""
    return a


class Service:
    """A class with protected methods."""

    @BREAKER
    def method(self, a: int) -> int:
        """Method."""
        return a

    @BREAKER
    async def later(self, a: int) -> int:
        """Later."""
        return a

    @BREAKER
    @classmethod
    def of_class(cls, a: int) -> int:
        """Of the class."""
        return a

    @staticmethod
    @BREAKER
    async def static(a: int) -> int:
        """Static."""
        return a
