"""The users come when they come: an open loop, by a test's clock."""

import asyncio
import math
from itertools import pairwise

import pytest
import seawall
from seawall.demo.load import MIX, Visit, send, visits
from seawall.demo.script import FAST, FULL, fate

SECOND = [Visit(tenth / 10, tenth, "cart") for tenth in range(10)]


def sent(schedule, seconds):
    """When each request is begun, when over, and how late, if each takes so many seconds."""
    begun, over, late = [], [], []

    async def main(clock):
        async def visit(one, behind):
            begun.append(round(clock.elapsed, 6))
            late.append(behind)
            await clock.asleep(seconds)
            over.append(round(clock.elapsed, 6))

        await send(iter(schedule), visit, now=lambda: clock.elapsed, sleep=clock.asleep)

    with seawall.testing.clock(autojump=True) as clock:
        asyncio.run(main(clock))
    return begun, over, late


@pytest.mark.parametrize("seconds", [0.001, 100.0])
def test_answers_move_no_request(seconds):
    """Requests begin at their due times, be the answers quick or never there while they are sent.

    A closed loop would begin the second one after 100 s.
    """
    begun, over, late = sent(SECOND, seconds)
    assert begun == [one.due for one in SECOND]
    assert over == pytest.approx([one.due + seconds for one in SECOND])
    assert late == pytest.approx([0.0] * 10, abs=1e-6)


def test_a_generator_that_is_late_says_so_and_catches_up():
    """What was due while the machine did something else is sent at once, and told how late."""
    late = []

    async def main(clock):
        async def visit(one, behind):
            late.append(round(behind, 6))

        await send(iter(SECOND), visit, now=lambda: clock.elapsed + 0.45, sleep=clock.asleep)

    with seawall.testing.clock(autojump=True) as clock:
        asyncio.run(main(clock))
        assert clock.elapsed == pytest.approx(0.45)
    assert late[:5] == [0.45, 0.35, 0.25, 0.15, 0.05]
    assert late[5:] == pytest.approx([0.0] * 5, abs=1e-6)


def test_one_that_fails_is_not_swallowed():
    """An error of a request ends the sending: figures without it would be wrong unseen."""

    async def main():
        async def visit(one, behind):
            raise ZeroDivisionError

        await send(iter(SECOND[:1]), visit, now=lambda: 1.0)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert caught.group_contains(ZeroDivisionError)


def test_the_same_seed_has_the_same_users():
    """Both runs get the same requests at the same moments; another seed has others."""
    assert [*visits(20, 1)] == [*visits(20, 1)] != [*visits(20, 2)]


def test_so_many_come():
    """The rates are what is said, within what chance allows; due times rise and end in time."""
    seconds = 2000
    schedule = [*visits(seconds, 3)]
    for route, rate in MIX.items():
        count = sum(one.route == route for one in schedule)
        assert abs(count - rate * seconds) < 4 * math.sqrt(rate * seconds)
    assert all(one.due < later.due < seconds for one, later in pairwise(schedule))
    assert [one.number for one in schedule] == [*range(len(schedule))]


@pytest.mark.parametrize("script", [FAST, FULL])
def test_phases_follow_one_another(script):
    """Each phase begins where the one before ends; before and after, the first and last hold."""
    ends = [0.0, *(end for _, _, end in script.phases)]
    assert [begin for _, begin, _ in script.phases] == ends[:-1]
    assert script.seconds == ends[-1]
    for name, begin, end in script.phases:
        assert script.phase(begin) == script.phase((begin + end) / 2) == name
    assert (script.phase(-1), script.phase(1000)) == ("healthy", "recovering")


def fates(at):
    """What becomes of many requests at a moment."""
    return [fate(FULL, at, f"{number}") for number in range(500)]


def test_fates():
    """Healthy: quick. Slow: seconds, but an answer. Down: none. Recovered: as on a good day."""
    assert all(one.status == 200 and 0.01 <= one.delay <= 0.03 for one in fates(1))
    assert all(one.status == 200 and 1.5 <= one.delay <= 3.5 for one in fates(FULL.span("slow")[0]))
    assert all(one.delay == math.inf for one in fates(FULL.span("down")[0]))
    cold = fates(FULL.span("recovering")[0])
    assert 60 < sum(one.status == 503 for one in cold) < 140
    assert max(one.delay for one in cold) > 0.1
    assert all(one.status == 200 and one.delay <= 0.03 for one in fates(FULL.warm))
    assert fates(25) == fates(25)
