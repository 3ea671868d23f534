"""Awaitables that are no coroutines."""


class Steps:
    """An iterator that can't be closed or thrown into."""

    def __init__(self, value):
        """Ends with `value`."""
        self.left = 2
        self.value = value

    def __iter__(self):
        """Itself."""
        return self

    def __next__(self):
        """Suspends twice, then ends."""
        self.left -= 1
        if self.left >= 0:
            return
        if isinstance(self.value, BaseException):
            raise self.value
        raise StopIteration(self.value)


class Awaitable:
    """An awaitable of one's own."""

    def __init__(self, value=7):
        """Gives `value`."""
        self.value = value

    def __await__(self):
        """The bare iterator."""
        return Steps(self.value)
