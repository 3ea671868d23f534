"""Where the key of a call comes from, and that each key has a circuit of its own."""

import asyncio
import functools

import pytest
import seawall

from tests.keys.hosts import down, fails, keyed


def test_each_key_has_its_circuit():
    """What one key's calls do opens that key's circuit, and no other."""
    breaker = keyed()

    @breaker
    def fetch(host, *, sick=False):
        if sick:
            down(host)
        return host

    fails(fetch, "a", sick=True)
    with pytest.raises(seawall.CircuitOpenError) as refusal:
        fetch("a")
    assert (refusal.value.key, refusal.value.state) == ("a", "open")
    assert "of key 'a' is open" in str(refusal.value)
    assert fetch("b") == "b"
    assert sorted(breaker.keys) == ["a", "b"]


@pytest.mark.parametrize(
    "call",
    [
        lambda f: f(1, "a"),
        lambda f: f(1, host="a"),
        lambda f: f(host="a", first=1),
        lambda f: functools.partial(f, 1)("a"),
        lambda f: f(*[1], host="a"),
    ],
)
def test_a_parameter_by_name(call):
    """However the argument that is the key is passed, it is found."""
    breaker = keyed()
    call(breaker(lambda first, host: None))
    assert set(breaker.keys) == {"a"}


def test_defaults_and_keywords_only():
    """A parameter that is left out has its default for a key."""
    breaker = keyed()

    @breaker
    def one(*, host="home"):
        return host

    @breaker
    def two(first=0, /, host="away", *rest):
        return host

    assert (one(), two(), one(host="x"), two(1, "y", 2)) == ("home", "away", "x", "y")
    assert set(breaker.keys) == {"home", "away", "x", "y"}


def test_methods_and_partials():
    """The parameter is found in methods of every sort, in partials and callable objects."""
    breaker = keyed()

    class Client:
        @breaker
        def plain(self, host): ...

        @classmethod
        @breaker
        def of_class(cls, host): ...

        @breaker
        @staticmethod
        def static(host): ...

        def __call__(self, host): ...

        def bound(self, host): ...

    client = Client()
    client.plain("a")
    client.of_class("b")
    client.static("c")
    breaker(Client())("d")
    breaker(client.bound)("e")
    breaker(functools.partial(lambda first, host: None, 1))("f")
    breaker.call(client.bound, "g")
    assert set(breaker.keys) == set("abcdefg")


def test_a_callable_of_the_arguments():
    """A callable gets what the function gets, and its answer is the key."""
    breaker = keyed(key=lambda *args, **kwargs: (args, tuple(kwargs.items())))
    breaker(lambda *args, **kwargs: None)(1, 2, x=3)
    assert ((1, 2), (("x", 3),)) in breaker.keys


def test_async_functions():
    """A coroutine belongs to the key it was made with, and asks nothing before its first step."""
    breaker = keyed()

    @breaker
    async def fetch(host, *, sick=False):
        await asyncio.sleep(0)
        if sick:
            down(host)
        return host

    async def main():
        never = fetch("never")
        assert await asyncio.gather(*map(fetch, "abc")) == ["a", "b", "c"]
        with pytest.raises(OSError, match="down"):
            await fetch("a", sick=True)
        with pytest.raises(seawall.CircuitOpenError, match="'a'"):
            await fetch("a")
        never.close()

    asyncio.run(main())
    assert breaker.snapshot(key="never").counts["cancelled"] == 0
    assert breaker.snapshot().in_flight == 0


def test_blocks_name_their_key():
    """`block(key=…)` calls under one key, and no other way of saying it is needed."""
    breaker = keyed()
    block = breaker.block(key="a")
    fails(block.call, down, "whatever")
    assert breaker.snapshot(key="a").state == "open"
    assert block.try_call(print).rejected.key == "a"
    assert isinstance(breaker.block(key="b").try_call(int).value, int)


def test_pipelines():
    """Each keyed policy of a pipeline finds its own key; together they are one plan."""
    hosts, users = keyed(), keyed(key=lambda host, user: user)
    pipeline = seawall.Pipeline("both", hosts, seawall.CircuitBreaker(), users)

    @pipeline
    def fetch(host, user):
        return host, user

    assert fetch("h", user="u") == ("h", "u")
    users.force_open(key="u")
    with pytest.raises(seawall.CircuitOpenError, match="'u'"):
        fetch("h", "u")
    assert hosts.snapshot(key="h").counts["ignored"] == 1
    assert hosts.snapshot().in_flight == users.snapshot().in_flight == 0


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_key_that_fails_holds_nothing(at):
    """An error in telling the key is the caller's: the function is not run, nothing is counted."""

    class Unfit(Exception):
        pass

    def bad(host):
        raise Unfit

    breakers = [keyed(key=bad if at == number else "host") for number in range(3)]
    ran = []

    async def coroutine(host):
        ran.append(host)

    def function(host):
        ran.append(host)

    for call in (seawall.Pipeline("sync", *breakers)(function), breakers[at](coroutine)):
        with pytest.raises(Unfit):
            call("h")
    assert (ran, [breaker.snapshot().in_flight for breaker in breakers]) == ([], [0, 0, 0])


def test_unhashable_keys():
    """A key that can't be hashed is a TypeError of the call, and leaves nothing behind."""
    breaker = keyed()
    with pytest.raises(TypeError, match="unhashable"):
        breaker(lambda host: None)([])
    with pytest.raises(TypeError, match="unhashable"):
        breaker.block(key={})
    assert breaker.keys == []


def test_a_missing_argument():
    """A call without the argument says what it was for."""
    with pytest.raises(TypeError, match="missing argument 'host', whose value is the key"):
        keyed()(lambda host: None)()


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ({"key": 7}, ["key=7 must be a callable of the arguments"]),
        ({"key": ""}, ["key='' must be"]),
        ({"key": "x", "max_keys": 0, "key_idle": -1}, ["max_keys=0", "key_idle=-1"]),
        ({"key": None, "max_keys": 5, "key_idle": 5}, ["max_keys", "key_idle", "only with key"]),
    ],
)
def test_wrong_settings(settings, problems):
    """Every wrong setting is named."""
    with pytest.raises(seawall.ConfigError) as error:
        seawall.CircuitBreaker(**settings)
    assert all(problem in str(error.value) for problem in problems)


def test_a_parameter_that_is_not_there():
    """Refused when decorated, with the parameters that there are."""
    with pytest.raises(seawall.ConfigError, match=r"key='host' must be one of .*: first, second"):
        keyed()(lambda first, second, *rest, **more: None)
