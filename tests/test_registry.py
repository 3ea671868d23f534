"""The registry: names, what they stand for, and how long."""

import contextvars
import gc
import threading

import pytest
import seawall
from seawall import registry


@pytest.fixture(autouse=True)
def own():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


def named(*policies):
    """Their names."""
    return [policy.name for policy in policies]


def test_the_same_name_is_the_same_breaker():
    """Declared twice alike, it is one object and one state."""
    first = seawall.CircuitBreaker("shop", failure_threshold=3, on=OSError)
    again = seawall.CircuitBreaker("shop", on=OSError, failure_threshold=3)
    assert first is again
    first.force_open()
    assert again.state == "forced_open"


def test_none_and_absence_are_the_same_declaration():
    """A setting that is None has not been declared."""
    first = seawall.CircuitBreaker("shop", failure_threshold=3)
    assert seawall.CircuitBreaker("shop", failure_threshold=3, on=None) is first


def test_other_settings_are_refused():
    """Every setting that differs is named with both values; the first breaker stays."""
    first = seawall.CircuitBreaker("shop", failure_threshold=3, open_duration=5)
    with pytest.raises(seawall.ConfigError) as caught:
        seawall.CircuitBreaker("shop", failure_threshold=4, half_open_calls=2)
    problems = {problem.field: problem for problem in caught.value.problems}
    assert set(problems) == {"failure_threshold", "half_open_calls", "open_duration"}
    assert problems["failure_threshold"].value == "4"
    assert "differs from 3" in problems["failure_threshold"].rule
    assert "replace=True" in str(caught.value)
    assert registry.get("breaker", "shop") is first


def test_wrong_settings_are_named_as_wrong():
    """A slip in a second declaration is told as one, and not as a difference."""
    seawall.CircuitBreaker("shop")
    with pytest.raises(seawall.ConfigError, match="did you mean failure_threshold"):
        seawall.CircuitBreaker("shop", failure_treshold=4)


def test_callables_are_compared_by_identity():
    """Two lambdas that look alike are two; one function is one."""

    def predicate(error):
        return True

    first = seawall.CircuitBreaker("shop", on=predicate)
    assert seawall.CircuitBreaker("shop", on=predicate) is first
    with pytest.raises(seawall.ConfigError):
        seawall.CircuitBreaker("shop", on=lambda error: True)


def test_a_comparison_that_raises_is_a_difference():
    """A value whose comparison fails harms nothing but the claim."""

    class Odd:
        def __call__(self, error):
            return True

        def __eq__(self, other):
            raise RuntimeError("no")

        __hash__ = None

    seawall.CircuitBreaker("shop", on=Odd())
    with pytest.raises(seawall.ConfigError):
        seawall.CircuitBreaker("shop", on=Odd())


def test_replace_takes_the_name_over():
    """`replace=True` makes a new breaker with a new state; the old one goes on for its users."""
    old = seawall.CircuitBreaker("shop", failure_threshold=3)
    guarded = old(lambda: 1)
    new = seawall.CircuitBreaker("shop", replace=True, failure_threshold=4)
    assert registry.get("breaker", "shop") is new
    new.force_open()
    assert guarded() == 1


def test_a_given_name_is_kept():
    """A named breaker lives on without its maker, with its state."""
    seawall.CircuitBreaker("shop").force_open()
    gc.collect()
    assert seawall.CircuitBreaker("shop").state == "forced_open"


def test_a_derived_name_that_is_asked_for_is_kept():
    """A breaker named after its function is kept once somebody asked for it by that name."""

    @seawall.circuit_breaker
    def job():
        pass

    [name] = named(*registry.policies())
    seawall.CircuitBreaker(name).force_open()
    del job
    gc.collect()
    assert seawall.CircuitBreaker(name).state == "forced_open"


def test_derived_names_are_unique():
    """Functions of one name, from a loop or a reloaded module, get breakers of their own."""

    def make():
        @seawall.circuit_breaker
        def job():
            pass

        return job

    jobs = [make() for _ in range(3)]
    stem = f"{__name__}.{test_derived_names_are_unique.__name__}.<locals>.make.<locals>.job"
    assert named(*registry.policies()) == [stem, f"{stem}#2", f"{stem}#3"]
    assert len(jobs) == 3


def test_derived_names_do_not_pile_up():
    """A breaker that was made for a closure goes with it, and its name is free again."""
    for _ in range(50):
        seawall.circuit_breaker(lambda: None)
    gc.collect()
    assert registry.policies() == []


def test_a_derived_name_yields_to_a_given_one():
    """A function whose name is taken by hand gets another."""
    stem = f"{__name__}.test_a_derived_name_yields_to_a_given_one.<locals>.job"
    given = seawall.CircuitBreaker(stem)

    @seawall.circuit_breaker
    def job():
        pass

    assert named(*registry.policies()) == [stem, f"{stem}#2"]
    assert registry.get("breaker", stem) is given


def test_a_nameless_breaker_yields_to_a_given_name():
    """The number given to a breaker without a function is one that nobody has."""
    given = seawall.CircuitBreaker("breaker-1", failure_threshold=1)
    nameless = seawall.CircuitBreaker()
    assert nameless.name != "breaker-1"
    assert set(registry.policies()) == {given, nameless}


def test_named_after_the_first_function():
    """The first function gives the name; the second changes nothing."""

    def first():
        pass

    breaker = seawall.CircuitBreaker()
    breaker(first)
    name = breaker.name
    assert name.endswith("first")
    breaker(len)
    assert breaker.name == name
    assert registry.get("breaker", name) is breaker


class Things:
    """Methods of every kind."""

    @seawall.circuit_breaker
    def method(self):
        pass

    @classmethod
    @seawall.circuit_breaker
    def of_class(cls):
        pass

    @seawall.circuit_breaker
    @staticmethod
    def static():
        pass


def test_methods_give_their_qualified_names():
    """A method's breaker is named after class and method."""
    with seawall.testing.isolated():
        for function in (Things().method, Things.of_class, Things.static, [].append, str.upper):
            breaker = seawall.CircuitBreaker()
            breaker(function)
            assert breaker.name.endswith(function.__qualname__)


def test_find_names_what_there_is():
    """A search in vain says which names there are."""
    seawall.CircuitBreaker("b")
    seawall.CircuitBreaker("a")
    with pytest.raises(KeyError, match="no breaker named 'c'; there are: 'a', 'b'"):
        registry.find("breaker", "c")
    with pytest.raises(KeyError, match="there are: none"):
        registry.find("retry", "c")
    assert registry.get("breaker", "c") is None


def test_policies_are_listed_in_order():
    """All of them, given and derived, by kind and name."""
    seawall.CircuitBreaker("b")
    seawall.CircuitBreaker("a")
    derived = seawall.CircuitBreaker()
    assert named(*registry.policies()) == ["a", "b", derived.name]


def test_threads_that_claim_one_name_get_one_breaker():
    """However many claim a new name at once, one breaker comes out."""
    start = threading.Barrier(8)
    got = []

    def claim(number):
        start.wait(30)
        got.extend(
            (turn, seawall.CircuitBreaker(f"shop-{turn}", failure_threshold=3))
            for turn in range(50)
        )

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(claim, n)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 400
    assert len(set(got)) == 50


def test_listing_while_names_are_made_and_lost():
    """A listing is unharmed by functions that are decorated, and forgotten, meanwhile."""
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            kept = [seawall.circuit_breaker(lambda: None) for _ in range(20)]
            del kept

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(churn,)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            registry.policies()
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


class Shop(seawall.CircuitBreaker):
    """A breaker of a user's own class."""


@pytest.mark.parametrize(
    ("first", "second"), [(seawall.CircuitBreaker, Shop), (Shop, seawall.CircuitBreaker)]
)
def test_a_name_stands_for_a_class(first, second):
    """A name that one class has is refused to another, which could not tell them apart."""
    standing = first("shop")
    with pytest.raises(seawall.ConfigError) as caught:
        second("shop")
    [problem] = caught.value.problems
    assert problem.field == "class"
    assert problem.value.endswith(second.__qualname__)
    assert f"{first.__module__}.{first.__qualname__}" in problem.rule
    assert first("shop") is standing
    assert type(second("shop", replace=True)) is second
