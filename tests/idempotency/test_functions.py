"""What callers of an idempotent function get."""

import inspect
import pickle
import threading

import pytest
import seawall
from seawall.idempotency import (
    FingerprintMismatchError,
    ResultUnavailableError,
    current_claim,
    idempotent,
)

from tests.hosts import HOSTS

ran = []


@pytest.fixture(autouse=True)
def _none_ran():
    ran.clear()


def test_a_body_runs_once_for_each_key(caller, store):
    """The second call with a key gets the first one's result; other keys are other operations."""
    charge = caller.operation(lambda order: (ran.append(order), len(ran))[1], store=store)
    assert [charge(1), charge(1), charge(2), charge(1)] == [1, 1, 2, 1]
    assert ran == [1, 2]


def test_a_stranger_replays(caller, space, tmp_path):
    """A store that was opened elsewhere, with nothing remembered here, gives the same result."""
    if space["url"] == "memory://":
        space["url"] = f"sqlite:///{tmp_path}/full.db"
    results = []
    for _ in range(2):
        with seawall.open_store(**space) as store:
            charge = caller.operation(lambda order: ran.append(order) or {"id": 7}, store=store)
            results.append(charge(1))
    assert results == [{"id": 7}, {"id": 7}]
    assert ran == [1]


def test_arguments_are_the_key_however_they_are_passed(caller, memory):
    """Without key=, the arguments tell operations apart: defaults applied, by name or place."""

    def charge(order, amount=5, *rest, note=None):
        ran.append((order, amount, rest, note))

    call = caller.operation(charge, store=memory)
    call(1)
    call(1, 5)
    call(order=1, note=None)
    call("1")
    call(1, 5, 6)
    assert ran == [(1, 5, (), None), ("1", 5, (), None), (1, 5, (6,), None)]


def test_other_arguments_for_a_key_are_refused(caller, store):
    """A key that comes with other arguments runs nothing, remembered here or not."""

    def charge(order, amount):
        ran.append(amount)

    call = caller.operation(charge, store=store, key=lambda order, amount: order)
    call(1, 10)
    with pytest.raises(FingerprintMismatchError, match="with something else") as caught:
        call(1, 20)
    assert caught.value.key == "'~int:1'"
    elsewhere = caller.operation(charge, store=store, key=lambda order, amount: order)
    elsewhere.idempotency.local._kept.clear()
    with pytest.raises(FingerprintMismatchError):
        elsewhere(1, 20)
    assert ran == [10]


@pytest.mark.parametrize("fingerprint", [False, lambda order, amount: order])
def test_what_may_differ_is_said(caller, memory, fingerprint):
    """With fingerprint= only what it says is compared; with False nothing is."""
    call = caller.operation(
        lambda order, amount: ran.append(amount),
        store=memory,
        key=lambda order, amount: order,
        fingerprint=fingerprint,
    )
    call(1, 10)
    call(1, 20)
    assert ran == [10]


def test_arguments_that_the_body_changes_change_nothing(caller, memory):
    """Key and fingerprint are those of the call, not of what its body makes of its arguments."""

    def charge(order):
        ran.append(dict(order))
        order["paid"] = True

    call = caller.operation(charge, store=memory)
    call({"id": 1})
    call({"id": 1})
    assert ran == [{"id": 1}]


def test_no_two_get_one_object(caller, store):
    """A result that can be changed is another object for each replay."""
    call = caller.operation(lambda: {"items": [1]}, store=store)
    first = call()
    first["items"].append(2)
    second = call()
    second["items"].append(3)
    assert call() == {"items": [1]}


def test_keys_of_names_and_namespaces_are_apart(caller, space):
    """Another operation, or another namespace, has other keys."""
    with seawall.open_store(**space) as one:
        for name in ("charge", "refund"):
            caller.operation(lambda order, name=name: ran.append(name), store=one, name=name)(1)
    space["namespace"] += "-else"
    with seawall.open_store(**space) as other:
        caller.operation(lambda order: ran.append("else"), store=other, name="charge")(1)
    assert ran == ["charge", "refund", "else"]


def test_a_result_that_cant_be_written_is_never_run_again(caller, store):
    """Its first caller gets it; later ones are told, or get the default."""
    call = caller.operation(lambda order: ran.append(order) or threading.Lock(), store=store)
    call(1)
    with pytest.raises(ResultUnavailableError, match="has taken effect"):
        call(1)
    default = caller.operation(lambda order: ran.append(order), store=store, default=None)
    assert default(1) is None
    assert ran == [1]


def test_a_default_is_each_callers_own(caller, store):
    """What one caller does to the default, the next one does not see."""
    call = caller.operation(lambda: ran.append(1) or threading.Lock(), store=store, default=[])
    call()
    call().append("mine")
    assert call() == []


def test_a_result_that_is_too_large_is_never_run_again(caller, store):
    """What has more than `max_result` bytes is not kept, and not run again."""
    call = caller.operation(lambda: ran.append(1) or "x" * 100, store=store, max_result=50)
    assert call() == "x" * 100
    with pytest.raises(ResultUnavailableError):
        call()
    assert ran == [1]


def test_after_its_time_it_runs_again(caller, memory):
    """Once the result has expired, a call runs."""
    call = caller.operation(lambda: ran.append(1), store=memory, ttl=0.05, lease=0.05)
    call()
    local = call.idempotency.local
    # Real time: the store's clock is nobody's to set.
    while local.kept(next(iter(call.idempotency.local._kept), b"")) is not None:
        threading.Event().wait(0.01)
    before = len(ran)
    end = threading.Event()
    for _ in range(100):
        call()
        if len(ran) > before:
            break
        end.wait(0.01)  # Real time: as above.
    assert ran == [1, 1]


def test_methods_leave_out_their_object(memory):
    """Two objects of a class share their operations; the key is made of the other arguments."""

    class Shop:
        @idempotent(store=memory, name="place")
        def place(self, order):
            ran.append(order)
            return order

        @idempotent(store=memory, name="of_class")
        @classmethod
        def of_class(cls, order):
            ran.append(cls)

        @classmethod
        @idempotent(store=memory, name="inner")
        def inner(cls, order):
            ran.append(cls)

        @idempotent(store=memory, name="static")
        @staticmethod
        def static(order):
            ran.append(order)

    assert Shop().place(1) == Shop().place(1) == 1
    for _ in range(2):
        Shop.of_class(2)
        Shop().inner(3)
        Shop.static(4)
    assert ran == [1, Shop, Shop, 4]


def plain(order):
    """Of this module: its name is stable."""
    return order


async def task(order):
    """Likewise."""
    return order


def test_it_keeps_its_kind_and_names(memory):
    """Signature, names and kind are those of the function; its name is made of them."""
    protected = idempotent(store=memory)(plain)
    assert inspect.signature(protected) == inspect.signature(plain)
    assert protected.__wrapped__ is plain
    assert protected.idempotency.name == f"{__name__}.plain"
    assert not inspect.iscoroutinefunction(protected)
    assert inspect.iscoroutinefunction(idempotent(store=memory)(task))
    assert inspect.iscoroutinefunction(idempotent(store=memory)(seawall.retry(task)))
    assert pickle.loads(pickle.dumps(plain)) is plain


@pytest.mark.parametrize("host", HOSTS)
def test_a_plain_function_that_returns_an_awaitable_is_refused(memory, host):
    """Nothing has been awaited when it returns: that is no result, and nothing is kept."""

    async def later():
        ran.append("later")

    call = idempotent(store=memory, name="awaitable")(lambda: later())

    async def main():
        with pytest.raises(seawall.ConfigError, match="make it `async def`"):
            call()

    HOSTS[host](main)
    assert ran == []
    assert memory.stats().by_state["released"] == 1


def test_a_body_finds_its_claim(caller, memory):
    """`current_claim` is that of the innermost operation whose body runs, and none outside."""
    fences = []

    def inner():
        claim = current_claim()
        fences.append((claim.name, claim.attempt, claim.fence > 0, claim.replayed, claim.lost))

    inside = idempotent(store=memory, name="inner")(inner)

    def outer():
        inside()
        inner()

    caller.operation(outer, store=memory, name="outer")()
    assert fences == [("inner", 1, True, False, False), ("outer", 1, True, False, False)]
    assert current_claim() is None


def test_steps_have_keys_of_their_own(caller, memory):
    """A derived key is the same for each run, and another for each step and key."""
    keys = []

    def body(order):
        claim = current_claim()
        keys.append((claim.derived_key("pay"), claim.derived_key("ship")))
        if len(keys) == 1:
            raise OSError("gone")

    call = caller.operation(body, store=memory)
    with pytest.raises(OSError, match="gone"):
        call(1)
    call(1)
    call(2)
    assert keys[0] == keys[1]
    assert len({*keys[0], *keys[2]}) == 4


def test_a_function_says_by_its_end_how_it_ended(memory):
    """Completing the claim of a function by hand is refused: its result is what it returns."""

    def body():
        with pytest.raises(RuntimeError, match="what it returns"):
            current_claim().complete(1)
        return 2

    call = idempotent(store=memory, name="by hand")(body)
    assert call() == call() == 2
