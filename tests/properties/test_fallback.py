"""Answers from memory, of random calls: each is one that this very key gave, within its age."""

import asyncio
import random

import pytest
import seawall

HISTORIES = 40
CALLS = 250
#: Several of these are equal, and no two the same.
ARGUMENTS = (1, True, 1.0, 0, False, 0.0, -0.0, "1", b"1", None, (), (1,), (True,), ((1,),), "x")


class Answer:
    """What the service gave."""

    def __init__(self, key, at):
        """By whom it was asked, and when."""
        self.key, self.at = key, at


def same(one, other):
    """Two keys, compared by how they are written."""
    return repr(one) == repr(other)


class History:
    """Random calls of several functions through one fallback, and what each came to."""

    def __init__(self, seed, clock):
        """Chooses a fallback and its functions."""
        self.chance = random.Random(seed)
        self.clock = clock
        self.stale = self.chance.choice([1, 5, 50])
        self.keyed = self.chance.random() < 0.3
        self.provided = object()
        self.fallback = seawall.Fallback(
            self.provided,
            stale=self.stale,
            max_keys=self.chance.choice([1, 3, 1000]),
            key=(lambda *args, **named: args[:1] or None) if self.keyed else None,
            on_result=lambda value: value == "bad",
        )
        # Few, so that the same is asked for again; equal ones are among them as a rule.
        self.some = self.chance.sample(ARGUMENTS, 6)
        self.last = {}
        self.seen = {"stale": 0, "provided": 0, "good": 0}
        self.plain = [self.fallback(self.function(number)) for number in range(2)]
        self.later = [self.fallback(self.coroutine(number)) for number in (2, 3)]

    def function(self, number):
        """One of the functions; it ends by chance."""

        def service(*args, **named):
            end = self.chance.random()
            if end < 0.4:
                raise ConnectionError
            if end < 0.5:
                return "bad"
            if end < 0.55:
                return iter(())
            return Answer(self.key(number, args, named), self.clock.elapsed)

        return service

    def coroutine(self, number):
        """The same, as a coroutine function."""
        service = self.function(number)

        async def later(*args, **named):
            await asyncio.sleep(0)
            return service(*args, **named)

        return later

    def key(self, number, args, named):
        """What a call's answers are told apart by."""
        return (number, args[:1]) if self.keyed else (number, args, named)

    def arguments(self):
        """Some, by place and by name."""
        args = tuple(self.chance.choices(self.some, k=self.chance.randrange(2)))
        named = {"a": self.chance.choice(self.some)} if self.chance.random() < 0.2 else {}
        return args, named

    def check(self, number, args, named, outcome):
        """An answer is the service's to this call, now or not too long ago, or the provider's."""
        key, now = self.key(number, args, named), self.clock.elapsed
        assert outcome.ok
        answer = outcome.value
        if isinstance(answer, Answer):
            assert same(answer.key, key)
            if outcome.stale:
                assert answer is self.last[repr(key)]
                assert now - answer.at <= self.stale
                self.seen["stale"] += 1
            else:
                assert answer.at == now
                self.last[repr(key)] = answer
                self.seen["good"] += 1
        else:
            assert not outcome.stale
            assert answer is self.provided or not hasattr(answer, "__len__")
            self.seen["provided"] += answer is self.provided

    async def run(self):
        """All calls, one after another: the memory of one is the answer of the next."""
        for _ in range(CALLS):
            args, named = self.arguments()
            number = self.chance.randrange(4)
            if number < 2:
                outcome = self.fallback.try_call(self.bodies[number], *args, **named)
            else:
                outcome = await self.fallback.try_call(self.bodies[number], *args, **named)
            self.check(number, args, named, outcome)
            if self.chance.random() < 0.3:
                self.clock.advance(self.chance.choice([0.1, 0.5, 10]))

    @property
    def bodies(self):
        """The functions, as `try_call` takes them: what is put on them is one with it."""
        return [protected.__wrapped__ for protected in (*self.plain, *self.later)]


@pytest.mark.filterwarnings("ignore::seawall.NotRememberedWarning")
def test_answers_are_those_of_their_own_key():
    """Whatever was called, by whom, and in what order; equal arguments of other types included."""
    seen = {"stale": 0, "provided": 0, "good": 0}
    for seed in range(HISTORIES):
        with seawall.testing.isolated(), seawall.testing.clock() as clock:
            history = History(seed, clock)
            asyncio.run(history.run())
            seen = {what: seen[what] + count for what, count in history.seen.items()}
    assert min(seen.values()) > 500, seen
