"""An `Outcome` is a value: it is copied, carried to another process, and freed however deep."""

import concurrent.futures
import copy
import multiprocessing
import pickle

import pytest
import seawall

BREAKER = seawall.CircuitBreaker("carried outcomes", failure_threshold=60_000, open_duration=60)
SHUT = seawall.CircuitBreaker("carried refusals", failure_threshold=1, open_duration=60)


@pytest.fixture(autouse=True)
def known():
    """The policies of this module, under their names, although each test has its own registry."""
    SHUT.force_open()
    with seawall.testing.isolated():
        yield
    BREAKER.reset()


def fail():
    """Fails."""
    raise LookupError("ill", 7)


def double(number):
    """Works."""
    return 2 * number


def seen(outcome):
    """What it says of itself; of errors, what they are made of."""
    error = None if outcome.error is None else (type(outcome.error), outcome.error.args)
    fields = ("ok", "value", "attempts", "elapsed", "stale", "hedged")
    return error, [getattr(outcome, field) for field in fields], outcome.rejected is outcome.error


def ends():
    """Outcomes of every sort, made anew."""
    return {
        "value": BREAKER.try_call(double, 2),
        "None": BREAKER.try_call(lambda: None),
        "error": BREAKER.try_call(fail),
        "refusal": SHUT.try_call(double, 2),
        "nested": BREAKER.try_call(lambda: BREAKER.try_call(double, 2)),
    }


@pytest.mark.parametrize("end", ["value", "None", "error", "refusal"])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled(end, protocol):
    """It arrives with all that it says, a refusal as its exception; a second time as well."""
    outcome = ends()[end]
    arrived = pickle.loads(pickle.dumps(outcome, protocol))
    assert type(arrived) is seawall.Outcome
    assert arrived is not outcome
    assert seen(arrived) == seen(outcome)
    assert repr(arrived) == repr(outcome)
    assert seen(pickle.loads(pickle.dumps(arrived, protocol))) == seen(outcome)


def test_one_inside_another_is_pickled():
    """The value of an outcome may be an outcome."""
    arrived = pickle.loads(pickle.dumps(ends()["nested"]))
    assert arrived.value.unwrap() == 4


def test_a_refusal_that_arrived_is_raised_as_a_new_one_each_time():
    """No exception object is raised twice, also where the outcome only has a copy."""
    arrived = pickle.loads(pickle.dumps(ends()["refusal"]))
    raised = []
    for _ in range(2):
        with pytest.raises(seawall.CircuitOpenError, match="carried refusals") as refusal:
            arrived.unwrap()
        raised.append(refusal.value)
    assert raised[0] is not raised[1]
    assert arrived.rejected not in raised
    assert arrived.rejected.__traceback__ is None


def test_an_error_that_arrived_is_raised():
    """`unwrap` raises it; where it came from is not carried."""
    arrived = pickle.loads(pickle.dumps(ends()["error"]))
    with pytest.raises(LookupError, match="ill") as raised:
        arrived.unwrap()
    assert raised.value is arrived.error


def test_what_cannot_be_pickled_says_so():
    """An outcome is as portable as what it holds."""
    outcome = BREAKER.try_call(lambda: (number for number in ()))
    with pytest.raises(TypeError, match="generator"):
        pickle.dumps(outcome)


def test_a_copy_is_itself():
    """Nothing of it can change; a deep copy has copies of what it holds."""
    value = [1, [2]]
    outcome = BREAKER.try_call(lambda: value)
    assert copy.copy(outcome) is outcome
    deep = copy.deepcopy(outcome)
    assert deep is not outcome
    assert deep.value == value
    assert deep.value[1] is not value[1]
    assert copy.deepcopy(ends()["refusal"]).rejected.name == "carried refusals"


def test_two_are_equal_only_if_they_are_one():
    """As exceptions are, which they may hold; so they go into sets whatever they hold."""
    one, other = (BREAKER.try_call(lambda: [1]) for _ in range(2))
    assert one == one
    assert one != other
    assert len({one, other}) == 2


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_from_a_pool_of_processes(start):
    """`try_call` can be handed to other processes, and its outcome comes back."""
    context = multiprocessing.get_context(start)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(attempt, False).result() == 4
        refused = pool.submit(attempt, True).result()
    assert refused.rejected.state == "forced_open"
    assert not refused.ok


def attempt(refused):
    """Runs over there."""
    if refused:
        own = seawall.CircuitBreaker("over there")
        own.force_open()
        return own.try_call(double, 2)
    return seawall.CircuitBreaker("over there, well").try_call(double, 2).unwrap()


def test_a_long_chain_is_freed():
    """However many hold one another, freeing the first takes no more stack than a few."""

    class Watched:
        """Tells when it goes."""

        gone = 0

        def __del__(self):
            """One less."""
            Watched.gone += 1

    last = Watched()
    chain = last
    del last
    for _ in range(200_000):
        chain = BREAKER.try_call(lambda end=chain: end)
    assert Watched.gone == 0
    del chain
    assert Watched.gone == 1


@pytest.mark.parametrize("link", ["list", "tuple", "instance", "closure", "steps"])
def test_a_long_chain_with_something_between_is_freed(link):
    """Also where other objects lie between them."""

    class Node:
        """Holds one."""

        def __init__(self, held):
            """Keeps it."""
            self.held = held

    wrap = {
        "list": lambda held: [held],
        "tuple": lambda held: (held,),
        "instance": Node,
        "closure": lambda held: lambda: held,
        "steps": lambda held: held and held.__await__(),
    }[link]
    chain = None
    for _ in range(100_000):
        held = wrap(chain)
        chain = BREAKER.try_call(lambda held=held: held)
        del held
    del chain


def test_what_is_freed_on_the_way_may_free_more():
    """A chain that is freed by a destructor within a chain is freed as well, all of it."""

    class Holder:
        """Drops a chain of its own when it goes."""

        gone = 0

        def __init__(self, held):
            """Keeps it."""
            self.held = held

        def __del__(self):
            """Lets go."""
            self.held = None
            Holder.gone += 1

    def chain(end):
        for _ in range(1_000):
            end = BREAKER.try_call(lambda end=end: end)
        return end

    whole = None
    for _ in range(100):
        whole = chain(Holder(whole))
    del whole
    assert Holder.gone == 100
