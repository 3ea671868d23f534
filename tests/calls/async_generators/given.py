"""What the tests of async generators have in common."""


async def collect(generator):
    """All its items."""
    return [item async for item in generator]
