"""`@circuit_breaker`, bare and called, and the class's instance as a decorator."""

import inspect
import pickle

import pytest
import seawall


@seawall.circuit_breaker
def bare(x: int) -> int:
    """Docs."""
    return x + 1


@seawall.circuit_breaker("decorated", failure_threshold=5)
async def called(x: int) -> int:
    """Docs of the other."""
    return x + 1


def test_bare_is_named_after_its_function():
    """Without a name the function's own is taken, and it keeps its kind and papers."""
    assert bare(1) == 2
    assert not inspect.iscoroutinefunction(bare)
    assert (bare.__name__, bare.__doc__) == ("bare", "Docs.")
    assert str(inspect.signature(bare)) == "(x: int) -> int"


def test_called_gives_the_breaker():
    """Called with settings it gives back the breaker, which is the decorator."""
    breaker = seawall.circuit_breaker("shop", failure_threshold=2)
    assert isinstance(breaker, seawall.CircuitBreaker)
    assert breaker is seawall.CircuitBreaker("shop", failure_threshold=2)
    assert inspect.iscoroutinefunction(called)


@pytest.mark.parametrize(
    "make",
    [
        lambda: seawall.circuit_breaker("shop", failure_threshold=2),
        lambda: seawall.circuit_breaker(name="shop", failure_threshold=2),
        lambda: seawall.CircuitBreaker("shop", failure_threshold=2),
        lambda: seawall.CircuitBreaker(name="shop", failure_threshold=2),
    ],
)
def test_the_name_may_be_a_keyword(make):
    """The name comes first or by its name, for the class and for the decorator."""
    assert make().name == "shop"


def test_two_names_are_one_too_many():
    """A name in both places is refused rather than one of them dropped."""
    with pytest.raises(TypeError, match="two names"):
        seawall.circuit_breaker("shop", name="other")


@pytest.mark.parametrize("what", [5, None.__class__, [], seawall.CircuitBreaker])
def test_what_can_not_be_protected_is_refused(what):
    """Decorating what is no function is a mistake that is told at once."""
    with pytest.raises(seawall.ConfigError):
        seawall.circuit_breaker(what)


def test_functions_share_the_state_of_a_shared_instance(service):
    """One breaker on two functions is one circuit: the failures of one reject the other."""
    it = service(failure_threshold=1)
    other = it.kind.protect(it.breaker, lambda: 1)
    it.fail()
    with pytest.raises(seawall.CircuitOpenError):
        other()


def test_a_breaker_is_pickled_by_its_name():
    """Unpickled where a breaker of that name is, it is that one."""
    breaker = seawall.CircuitBreaker("shop")
    assert pickle.loads(pickle.dumps(breaker)) is breaker


def test_unpickling_where_there_is_none_says_so():
    """Elsewhere the error names what is missing and what is there."""
    data = pickle.dumps(seawall.CircuitBreaker("shop"))
    with seawall.testing.isolated():
        seawall.CircuitBreaker("bank")
        with pytest.raises(KeyError, match=r"no breaker named 'shop'; there are: 'bank'"):
            pickle.loads(data)


def test_a_subclass_is_a_breaker():
    """A class of one's own on top works like the original."""

    class Mine(seawall.CircuitBreaker):
        pass

    breaker = Mine("mine", failure_threshold=1)
    assert type(breaker) is Mine
    assert Mine("mine", failure_threshold=1) is breaker
    assert breaker.call(len, "abc") == 3
