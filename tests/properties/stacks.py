"""What stacks of policies are made of, and how calls through them are ended half-way."""

import collections
import contextlib
import types

import seawall

KEYS = ("a", "b")

#: What is done to a call at one of its suspensions.
ACTS = ["close", "drop", "throw", "cancel"]


class TroubleError(Exception):
    """Nobody tries it again."""


class MineError(Exception):
    """Thrown in from outside."""


@types.coroutine
def turn():
    """Lets others have a turn, under whichever loop: what asyncio and trio both understand."""
    yield from Turn.how().__await__()


class Turn:
    """How to have a turn here."""

    how = None


def a_breaker(chance, clock):
    """A breaker, one for all or with a circuit for each key; often it is due for probes."""
    breaker = seawall.CircuitBreaker(
        failure_threshold=chance.choice([1, 2, 50]),
        open_duration=chance.choice([0.5, 1000]),
        half_open_calls=chance.choice([1, 2]),
        **chance.choice([{}, {}, {"key": "key", "key_idle": 10**6}]),
    )
    if chance.random() < 0.3:
        keyed = breaker.settings.get("key") is not None
        for key in KEYS if keyed else KEYS[:1]:
            for _ in range(breaker.settings["failure_threshold"]):
                breaker.try_call(fail, key)
        clock.advance(1001)
    return breaker


def fail(key):
    """Raises."""
    raise TroubleError(key)


def circuits(layer):
    """Snapshots of a breaker's circuits."""
    if layer.settings.get("key") is None:
        return [layer.snapshot()]
    found = []
    for key in KEYS:
        with contextlib.suppress(KeyError):  # it has not been called
            found.append(layer.snapshot(key=key))
    return found


def no_place_is_lost(breaker, told):
    """A half-open circuit still lets in as many probes as it has places for."""

    async def probe(key):
        await turn()

    keyed = breaker.settings.get("key") is not None
    for key in KEYS if keyed else KEYS[:1]:
        seen = [it for it in circuits(breaker) if it.key in (None, key)]
        if not seen or seen[0].state != "half_open":
            continue
        calls = [breaker(probe)(key) for _ in range(breaker.settings["half_open_calls"])]
        for call in calls:
            try:
                call.send(None)
            except seawall.CircuitOpenError:
                raise AssertionError((told, breaker, key)) from None
        for call in calls:
            call.close()


class Steered:
    """Awaits a coroutine, and does something to it when it has suspended so many times."""

    def __init__(self, coroutine, at, act):
        """``act`` at suspension ``at``."""
        self.coroutine, self.at, self.act = coroutine, at, act
        self.turns = 0

    def __await__(self):
        coroutine, self.coroutine = self.coroutine, None
        step, value = coroutine.send, None
        while True:
            try:
                yielded = step(value)
            except StopIteration as stop:
                return stop.value
            self.turns += 1
            if self.turns == self.at:
                if self.act == "close":
                    coroutine.close()
                    return None
                if self.act == "drop":
                    del step, coroutine
                    return None
                if self.act == "throw":
                    step, value = coroutine.throw, MineError("thrown")
                    continue
                self.act()
            try:
                value, step = (yield yielded), coroutine.send
            except BaseException as error:
                value, step = error, coroutine.throw


async def explore(host, make, run, stacks, most, *, told=None):
    """Each stack once undisturbed, then ended at each of its suspensions in some way.

    ``make(seed)`` gives a case, the same of the same seed, and ``run(case, at, act)`` makes its
    call, and says how often it suspended. So many ``stacks`` are tried, and each is ended at so
    many suspensions at the ``most``. How often what was done is returned, and with it what
    ``told(case, at)`` counts of each case, by what happened in it.
    """
    done = collections.Counter(dict.fromkeys(ACTS, 0))

    async def one(seed, at, act):
        with seawall.testing.isolated():
            case = make(seed)
            async with host.beside(case.rivals()):
                turns = await host.bounded(run, case, at, act)
            case.check((seed, at, act))
            done.update(told(case, at) if told else {})
            return turns

    for seed in range(stacks):
        turns = await one(seed, None, None)
        for at in range(1, min(turns, most) + 1):
            act = ACTS[(seed + at) % len(ACTS)]
            await one(seed, at, act)
            done[act] += 1
    return done
