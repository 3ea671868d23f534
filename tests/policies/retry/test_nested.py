"""Retries inside of retries do not multiply, unless they are told to: stamina #19."""

import asyncio
import contextvars
import threading

import pytest
import seawall

from tests.children import child
from tests.policies.retry.service import counts, marks


def two(kind, script, outer=None, inner=None):
    """A call inside of another, and the body that fails at its bottom."""
    body = script(ConnectionError)
    settings = {"backoff": 0}
    outer = seawall.Retry(**settings, **(outer or {}))
    inner = seawall.Retry(**settings, **(inner or {}))
    below = inner(kind.function(body))

    async def later():
        return await below()

    return outer(later if kind.awaits else lambda: below()), body, outer, inner


def test_the_inner_one_leaves_it_to_the_outer(kind, script):
    """Three attempts of three are three; only the outer's last leaves some to the inner one."""
    work, body, outer, inner = two(kind, script)
    with pytest.raises(ConnectionError):
        kind.run(work)
    assert body.calls == 5
    assert counts(outer) == {"gave_up_attempts": 1, "retries": 2}
    assert counts(inner) == {"gave_up_nested": 2, "gave_up_attempts": 1, "retries": 2}


def test_independent_ones_multiply(kind, script):
    """Three of three are nine."""
    work, body, _, inner = two(kind, script, inner={"nested": "independent"})
    with pytest.raises(ConnectionError):
        kind.run(work)
    assert body.calls == 9
    assert counts(inner) == {"gave_up_attempts": 3, "retries": 6}


def test_refusal(kind, script):
    """`nested="refuse"` is a rejection, which the outer one does not try again."""
    work, body, outer, inner = two(kind, script, inner={"nested": "refuse"})
    with pytest.raises(seawall.NestedRetryError) as refused:
        kind.run(work)
    assert refused.value.name == inner.name
    assert refused.value.retry_after == 0.0
    assert body.calls == 0
    assert counts(outer) == {"passed": 1}
    assert counts(inner) == {"rejected": 1}


def test_one_that_refuses_works_alone(kind, script):
    """Also right after another retry has ended, and beside one that has begun."""
    body = script(ConnectionError, 1)
    kind.run(seawall.Retry(backoff=0)(kind.function(body)))
    body = script(ConnectionError, 2)
    assert kind.run(seawall.Retry(nested="refuse", backoff=0)(kind.function(body))) == 2


def test_three_deep(kind, script):
    """What is furthest in asks all of those around it."""
    body = script(ConnectionError)
    work = kind.function(body)
    for _ in range(3):
        work = apart(kind, work)
    with pytest.raises(ConnectionError):
        kind.run(work)
    assert body.calls == 7


def apart(kind, work):
    """A retry around it that is in no plan with it."""

    async def later():
        return await work()

    return seawall.Retry(backoff=0)(later if kind.awaits else lambda: work())


@pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")
def test_stacked_in_one_plan(kind, script):
    """Two on one function: the same as one inside of the other."""
    body = script(ConnectionError)
    outer, inner = seawall.Retry(backoff=0), seawall.Retry(backoff=0)
    with pytest.raises(ConnectionError):
        kind.run(outer(inner(kind.function(body))))
    assert body.calls == 5
    assert counts(inner) == {"gave_up_nested": 2, "gave_up_attempts": 1, "retries": 2}


@pytest.mark.filterwarnings("ignore::seawall.CompositionWarning")
@pytest.mark.parametrize(("nested", "calls"), [("independent", 9), ("refuse", 0)])
def test_stacked_otherwise(kind, script, nested, calls):
    """The setting of the inner one holds in a plan as well."""
    body = script(ConnectionError)
    outer, inner = seawall.Retry(backoff=0), seawall.Retry(backoff=0, nested=nested)
    error = seawall.NestedRetryError if nested == "refuse" else ConnectionError
    with pytest.raises(error):
        kind.run(outer(inner(kind.function(body))))
    assert body.calls == calls


def test_a_retry_of_one_attempt_leaves_it_to_the_inner(kind, script):
    """It never has attempts left."""
    work, body, _, _ = two(kind, script, outer={"attempts": 1})
    with pytest.raises(ConnectionError):
        kind.run(work)
    assert body.calls == 3


def test_tasks_that_an_attempt_starts_are_inside():
    """The mark goes with a task into the tasks that it starts, and into `gather`."""
    made = []
    inner = seawall.Retry(backoff=0)
    outer = seawall.Retry(backoff=0, attempts=2)

    @inner
    async def part(number):
        await asyncio.sleep(0)
        made.append(number)
        raise ConnectionError(number)

    @outer
    async def whole():
        results = await asyncio.gather(
            part(0), asyncio.create_task(part(1)), return_exceptions=True
        )
        raise results[0]

    with pytest.raises(ConnectionError):
        asyncio.run(whole())
    assert [made.count(number) for number in range(2)] == [4, 4]


def test_threads_with_the_context_are_inside():
    """`to_thread` takes the context along, a plain thread does not."""
    made = []
    part = seawall.Retry(backoff=0)(lambda: fail(made))

    def in_a_thread(run):
        thread = threading.Thread(target=lambda: run(expect, part))
        thread.start()
        thread.join(20)

    @seawall.Retry(backoff=0, attempts=2)
    def whole(run):
        in_a_thread(run())
        raise ConnectionError

    with pytest.raises(ConnectionError):
        whole(lambda: contextvars.copy_context().run)
    assert len(made) == 4
    made.clear()
    with pytest.raises(ConnectionError):
        whole(lambda: lambda function, *args: function(*args))
    assert len(made) == 6


def fail(made):
    """One more failure."""
    made.append(1)
    raise ConnectionError


def expect(part):
    """Its failure is expected."""
    with pytest.raises(ConnectionError):
        part()


def test_what_another_context_keeps_is_not_believed():
    """A task that outlives the call in which it was started is not inside of it any more."""
    made = []
    part = seawall.Retry(backoff=0)(lambda: fail(made))

    async def main():
        go = asyncio.Event()

        async def straggler():
            await go.wait()
            expect(part)

        @seawall.Retry(backoff=0)
        async def whole():
            return asyncio.create_task(straggler())

        task = await whole()
        go.set()
        await task

    asyncio.run(main())
    assert len(made) == 3


def test_siblings_are_not_inside_of_one_another(clock):
    """Two tasks that retry at the same time each make all of their attempts."""
    made = []

    @seawall.Retry(backoff=1)
    async def work(number):
        await clock.asleep(0.1)
        made.append(number)
        raise ConnectionError

    async def main():
        await asyncio.gather(work(0), work(1), return_exceptions=True)

    asyncio.run(main())
    assert sorted(made) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("lines", [[1], [ConnectionError, 1], [ConnectionError], [KeyError]])
def test_nothing_is_left_behind(kind, script, lines):
    """However a call ends, its context is inside of no retry afterwards."""
    seen = []

    def body():
        seen.append(len(marks(contextvars.copy_context())))
        return end()

    end = script(*lines)
    context = contextvars.copy_context()
    others = [seawall.Retry(backoff=0)(kind.function(body)) for _ in range(2)]
    outcome = context.run(kind.run, seawall.Retry().try_call, others[0])
    assert outcome.attempts >= 1
    assert set(seen) == {1}
    assert marks(context) == []


@pytest.mark.parametrize(
    ("made", "calls"),
    [
        ("seawall.Retry(backoff=0).call(fail)", [9, 5, 5]),
        ("seawall.Retry(backoff=0)(fail)()", [9, 5, 5]),
        ("kept.append(seawall.Retry(backoff=0)(fail)) or kept[-1]()", [9, 5, 5]),
        ("below()", [5, 5, 5]),
    ],
)
def test_one_that_is_made_inside(made, calls):
    """Only a program's first is not seen, also if each is gone when the call is over."""
    code = f"""
import seawall
kept = []

def fail():
    global calls
    calls += 1
    raise ConnectionError

@seawall.Retry(backoff=0)
def outer():
    {made}

if "below" in {made!r}:
    below = seawall.Retry(backoff=0)(fail)
seen = []
for _ in range(3):
    calls = 0
    try:
        outer()
    except ConnectionError:
        seen.append(calls)
print(seen)
"""
    assert child(code) == (0, str(calls), "")
