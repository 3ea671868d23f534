"""The context goes along to threads that would not inherit it."""

import asyncio
import contextvars
import inspect
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import seawall

variable = contextvars.ContextVar("variable", default=0)


def test_a_thread(clock):
    """A thread whose target is carried has the deadline, and the clock that it goes by."""
    seen = []

    def target(one, *, two):
        seen.append((one, two, seawall.remaining()))

    with seawall.deadline(5):
        clock.advance(1)
        thread = threading.Thread(target=seawall.carried(target), args=(1,), kwargs={"two": 2})
    thread.start()
    thread.join()
    assert seen == [(1, 2, 4.0)]


def test_run_in_executor(clock):
    """`run_in_executor` with a carried function, or with an executor that carries."""

    async def main():
        loop = asyncio.get_running_loop()
        with seawall.deadline(5):
            bare = await loop.run_in_executor(None, seawall.remaining)
            carried = await loop.run_in_executor(None, seawall.carried(seawall.remaining))
            with seawall.CarryingExecutor(ThreadPoolExecutor(1)) as executor:
                whole = await loop.run_in_executor(executor, seawall.remaining)
        return bare, carried, whole

    assert asyncio.run(main()) == (None, 5.0, 5.0)


def test_submit_and_map(clock):
    """Each submission has the context of its moment; `map` that of its call."""
    with seawall.CarryingExecutor(ThreadPoolExecutor(2)) as executor:
        with seawall.deadline(5):
            future = executor.submit(seawall.remaining)
            mapped = list(executor.map(lambda item: (item, seawall.remaining()), [1, 2]))
        after = executor.submit(seawall.remaining)
        assert (future.result(), mapped, after.result()) == (5.0, [(1, 5.0), (2, 5.0)], None)
    with pytest.raises(RuntimeError):
        executor.submit(int)


def test_overlapping_calls_keep_apart():
    """One carried function runs in several threads at once; what a call sets is its own."""
    barrier = threading.Barrier(2, timeout=5)
    seen = []

    def work(value):
        variable.set(value)
        barrier.wait()
        seen.append(variable.get() == value)

    token = variable.set(7)
    carried = seawall.carried(work)
    variable.reset(token)
    threads = [threading.Thread(target=carried, args=(value,)) for value in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True, True]
    assert variable.get() == 0
    assert seawall.carried(variable.get)() == 0


def test_it_looks_like_what_it_carries():
    """The carried function has the name and the signature of the function."""

    def work(one, *, two=2):
        """Says something."""

    carried = seawall.carried(work)
    assert (carried.__name__, carried.__doc__) == ("work", "Says something.")
    assert inspect.signature(carried) == inspect.signature(work)
    assert seawall.carried(int)("5") == 5


def test_what_cannot_be_carried():
    """What can't be called, and executors of processes, are refused at once."""
    with pytest.raises(TypeError, match="what can be called"):
        seawall.carried(5)
    with pytest.raises(TypeError, match="another process"):
        seawall.CarryingExecutor(ProcessPoolExecutor(1))
    with pytest.raises(TypeError, match="executor of threads"):
        seawall.CarryingExecutor(None)
