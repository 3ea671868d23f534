"""A store as operators and programs have it."""

import asyncio
import copy
import datetime
import pickle

import pytest
import seawall
import trio
from seawall._core import Op, Terms
from seawall.stores.record import STATES

NOW = datetime.datetime.now(datetime.UTC)


def own(store, key, **terms):
    """A claim that was given, and its fence."""
    claim = Op.claim(store.address("pay", key.encode()), Terms(terms))
    return claim, store.call(claim).fence


def completed(store, key, data=b"result"):
    """An operation that took effect."""
    claim, fence = own(store, key)
    assert store.call(claim.complete(fence, 7, data)).kind == "done"


def quarantined(store, key):
    """One whose outcome nobody knows."""
    claim, fence = own(store, key)
    assert store.call(claim.quarantine(fence)).kind == "done"


@pytest.fixture(
    params=["memory://", "sqlite:///{}/s.db?durability=relaxed"], ids=["memory", "sqlite"]
)
def store(request, tmp_path):
    """An open store."""
    with seawall.open_store(request.param.format(tmp_path), namespace="shop") as store:
        yield store


@pytest.fixture(params=["threads", "asyncio", "trio"])
def ask(request, store):
    """A method of the store by its name, in the way in which each caller calls it."""

    async def awaited(method, arguments, named):
        return await method(*arguments, **named)

    def ask(name, *arguments, **named):
        if request.param == "threads":
            return getattr(store, name)(*arguments, **named)
        run = asyncio.run if request.param == "asyncio" else lambda it: trio.run(lambda: it)
        return run(awaited(getattr(store, f"a{name}"), arguments, named))

    return ask


def test_a_record_says_what_is_known(store, ask):
    """State, owner, fence, times in UTC; never its payload unless it is asked for."""
    claim, fence = own(store, "a", lease=60, ttl=3600)
    record = ask("get", "a", scope="pay")
    assert (record.namespace, record.scope, record.key) == ("shop", "pay", "a")
    assert (record.state, record.attempts, record.fence) == ("in_progress", 1, fence)
    assert record.owner == claim.owner.hex()
    minute = datetime.timedelta(seconds=60)
    assert record.lease_until - record.created == minute
    assert record.hard_deadline - record.created == 15 * minute
    assert abs(record.created - NOW) < 60 * minute
    assert record.created.tzinfo is datetime.UTC
    assert (record.size, record.data) == (None, None)
    store.call(claim.complete(fence, 7, b"secret"))
    ended = ask("get", record)
    assert (ended.state, ended.size, ended.codec, ended.data) == ("completed", 6, 7, b"secret")
    assert ended.lease_until is None
    assert ended.expires - ended.changed == 60 * minute
    assert "secret" not in repr(ended)
    assert "secret" not in repr(claim.complete(fence, 7, b"secret"))
    assert ask("get", "b", scope="pay") is None
    assert ask("get", "a", scope="other") is None


def test_what_nobody_knows_is_decided(store, ask):
    """An operator releases what had no effect and gives a result to what had one."""
    for key in ("a", "b"):
        quarantined(store, key)
    ask("release", "a", scope="pay")
    assert store.get("a", scope="pay").state == "released"
    ask("resolve", "b", {"charged": True}, scope="pay")
    record = store.get("b", scope="pay")
    assert (record.state, record.owner) == ("completed", None)
    assert record.size > 0


def test_there_is_nothing_to_decide(store, ask):
    """What is settled, or not there at all, is left as it is; the error says which."""
    completed(store, "a")
    with pytest.raises(seawall.NotResolvableError, match="is completed, and there is nothing"):
        ask("release", "a", scope="pay")
    with pytest.raises(seawall.NotResolvableError, match="nothing is kept of"):
        ask("resolve", "x", 1, scope="pay")
    assert store.get("a", scope="pay").state == "completed"


def test_records_are_listed_and_counted(store, ask):
    """In the order of their keys, of one scope, in one state; more than fit into one stretch."""
    for number in range(1100):
        own(store, f"k{number:04}")
    quarantined(store, "q")
    assert [record.key for record in store.list()] == [
        *(f"k{number:04}" for number in range(1100)),
        "q",
    ]
    assert [record.key for record in store.list(scope="pay", state="quarantined")] == ["q"]
    assert list(store.list(scope="nothing")) == []
    stats = ask("stats")
    assert tuple(stats.by_state) == STATES
    assert (stats.by_state["in_progress"], stats.by_state["quarantined"]) == (1100, 1)
    assert (stats.total, stats.expired) == (1101, 0)
    assert ask("stats", scope="nothing").total == 0

    async def listed():
        return [record.key async for record in store.alist(state="quarantined")]

    assert asyncio.run(listed()) == trio.run(listed) == ["q"]


def test_a_state_that_there_is_not(store):
    """A list of an unknown state is refused, and told the known ones."""
    with pytest.raises(seawall.ConfigError, match="must be one of in_progress, completed"):
        next(store.list(state="done"))


def test_what_has_expired_is_removed(store, ask):
    """It is nothing to anybody before, and gone after."""
    own(store, "a", lease=0.001, max_lease=0.001, ttl=0.001)
    while store.get("a", scope="pay") is not None:
        pass  # a millisecond of the store's own time
    assert store.stats().expired == 1
    assert ask("gc") == 1
    assert store.gc() == store.stats().expired == 0


def test_others_namespaces_are_others(tmp_path):
    """Two stores on one file with different namespaces never meet."""
    url = f"sqlite:///{tmp_path}/s.db"
    with seawall.open_store(url) as one, seawall.open_store(url, namespace="other") as other:
        completed(one, "a")
        assert other.get("a", scope="pay") is None
        assert other.stats().total == 0
        assert own(other, "a")[1]


def test_each_store_in_memory_is_its_own():
    """`memory://` opened twice is two stores."""
    one, other = seawall.open_store("memory://"), seawall.open_store("memory://")
    completed(one, "a")
    assert other.get("a", scope="pay") is None


def test_what_was_answered_is_counted(store):
    """Each store counts what this process heard of it."""
    claim, fence = own(store, "a")
    own(store, "a")
    store.call(claim.complete(fence, 7, b""))
    own(store, "a")
    store.call(claim.release(fence + 1))
    counted = store.counted
    assert (counted.owned, counted.in_progress, counted.replayed) == (1, 1, 1)
    assert (counted.settled, counted.stale, counted.errors) == (1, 1, 0)


def test_a_closed_store(store, ask):
    """Whoever asks it is told that it is closed."""
    store.close()
    store.close()
    with pytest.raises(seawall.StoreClosedError, match=r"the store is closed; open it again"):
        ask("stats")


def test_blocks_close_it(tmp_path):
    """`with` and `async with` close it."""

    async def used():
        async with seawall.open_store("memory://") as store:
            await store.astats()
        return store

    with seawall.open_store(f"sqlite:///{tmp_path}/s.db") as store:
        store.stats()
    for closed in (store, asyncio.run(used())):
        with pytest.raises(seawall.StoreClosedError):
            closed.stats()


def test_a_store_shows_no_password():
    """Neither its name nor its repr nor an error has a password in it."""
    store = seawall.open_store("redis://me:hunter2@localhost:1/0", timeout=0.5)
    assert repr(store) == "<Store redis://me:…@localhost:1/0 namespace='default'>"
    with pytest.raises(seawall.StoreError) as caught:
        store.stats()
    assert "hunter2" not in str(caught.value) + repr(caught.value)
    assert caught.value.store == "redis://me:…@localhost:1/0"


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_store_stays_where_it_is(store, way):
    """It can't be pickled, which would take a password along: the error says what to do."""
    with pytest.raises(TypeError, match=r"can't be pickled: give the other process its URL"):
        way(store)


def test_all_that_is_wrong_is_said_at_once():
    """The URL, the namespace and the timeout, in one error, without the password."""
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.open_store("sqlite://me:hunter2@host?x=1", namespace="n" * 256, timeout=-1)
    fields = [problem.field for problem in caught.value.problems]
    assert fields == ["url", "url", "x", "timeout", "namespace"]
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "namespace", "rule"),
    [
        (None, "n", "url=<NoneType> must be a string"),
        ("sqlite:///\udc80", "n", "url=? must be text that UTF-8 can say"),
        ("memory://", 7, "namespace=<int> must be a string"),
        ("memory://", "\udc80", r"namespace='\\udc80' must be text"),
    ],
)
def test_what_is_no_text_is_refused(url, namespace, rule):
    """Nothing else is taken for a URL or a namespace."""
    with pytest.raises(seawall.ConfigError, match=rule.replace("?", r"\?")):
        seawall.open_store(url, namespace=namespace)


@pytest.mark.parametrize("timeout", [0, -1, "1", True, float("nan"), float("inf"), None])
def test_a_timeout_is_a_length_of_time(timeout):
    """Nothing else is taken for one."""
    with pytest.raises(seawall.ConfigError, match="timeout="):
        seawall.open_store("memory://", timeout=timeout)
    day = datetime.timedelta(hours=24)
    assert seawall.open_store("memory://", timeout=day).timeout == 86_400.0


def test_errors_survive_a_pickle():
    """They go to other processes whole."""
    for kind in (seawall.StoreTimeoutError, seawall.StoreFullError, seawall.StoreConnectionError):
        again = pickle.loads(pickle.dumps(kind("memory://", "it was so")))
        assert (type(again), again.store, again.reason) == (kind, "memory://", "it was so")
        assert str(again).startswith("store memory://: it was so; ")


def test_a_scope_is_the_quicker_way(store):
    """Claims that are made by a scope are at the same addresses, each of an owner of its own."""
    scope = store.scope("pay")
    assert scope.address(b"a") == store.address("pay", b"a")
    first, second = scope.claim(b"a", Terms()), scope.claim(b"a", Terms())
    assert first.owner != second.owner
    fence = store.call(first).fence
    assert store.call(second).kind == "in_progress"
    assert store.call(first).given == "again"
    assert store.get("a", scope="pay").fence == fence
    with pytest.raises(seawall.ConfigError, match="key="):
        scope.claim(b"", Terms())
    with pytest.raises(ValueError, match="32 bytes"):
        scope.claim(b"a", Terms(), b"short")


def test_terms_are_checked():
    """All that is wrong with them is said at once, as the user wrote it."""
    with pytest.raises(seawall.ConfigError) as caught:
        Terms({"lease": "x", "ttl": -1, "attempts": 0, "on_lost": "run", "leese": 1}, "pay")
    fields = {problem.field for problem in caught.value.problems}
    assert fields == {"lease", "ttl", "attempts", "on_lost", "leese"}
    assert caught.value.subject == "pay"
    minute = datetime.timedelta(minutes=1)
    terms = Terms({"lease": minute, "ttl": 60, "attempts": 5, "on_lost": "quarantine"})
    assert (terms.lease, terms.ttl, terms.attempts) == (60.0, 60.0, 5)
    assert (terms.max_lease, terms.on_lost) == (900.0, "quarantine")


def test_only_a_claim_says_more(store):
    """Who is no owner has nothing to complete, and no step takes back what another said."""
    got = Op.get(store.address("pay", b"a"))
    with pytest.raises(TypeError, match="only who made a claim"):
        got.complete(1, 0, b"")
    assert (got.owner, got.size) == (None, None)
    with pytest.raises(ValueError, match="no state"):
        Op.list("shop", None, "done")


def test_a_result_that_is_too_large_is_kept_as_a_fact(store):
    """That it took effect is kept, if not with what result."""
    claim, fence = own(store, "a")
    ended = claim.complete(fence, 7, b"x" * 11, 10)
    assert ended.size is None
    assert store.call(ended).kind == "done"
    reply = store.call(Op.claim(store.address("pay", b"a"), Terms()))
    assert (reply.kind, reply.failed, reply.codec, reply.data) == ("replay", False, None, None)
