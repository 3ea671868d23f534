"""Pipelines as objects: copied, pickled, decorating, and calling what they are given."""

import asyncio
import copy
import inspect
import pickle

import pytest
import seawall


@pytest.fixture(autouse=True)
def own():
    """Names made in a test are its own."""
    with seawall.testing.isolated():
        yield


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_pipeline(copied):
    """A copy of a pipeline is the pipeline, as a copy of a policy is the policy."""
    pipeline = seawall.Pipeline("shop", seawall.CircuitBreaker("a"))
    assert copied(pipeline) is pipeline
    assert copied([pipeline]) == [pipeline]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_by_name_and_policies(protocol):
    """Unpickled it is a pipeline of that name, of the policies that have those names there."""
    pipeline = seawall.Pipeline("shop", seawall.CircuitBreaker("a"), seawall.CircuitBreaker("b"))
    carried = pickle.dumps(pipeline, protocol)
    found = pickle.loads(carried)
    assert (type(found), found.name) == (seawall.Pipeline, "shop")
    assert found.policies == pipeline.policies
    with seawall.testing.isolated():
        theirs = seawall.CircuitBreaker("a"), seawall.CircuitBreaker("b")
        assert pickle.loads(carried).policies == theirs
    with (
        seawall.testing.isolated(),
        pytest.raises(KeyError, match="no breaker named 'a'; there are: none"),
    ):
        pickle.loads(carried)


POLICIES = {
    "retry": lambda: seawall.Retry("r", backoff=0),
    "timeout": lambda: seawall.Timeout(9, name="t"),
    "breaker": lambda: seawall.CircuitBreaker("b"),
    "pipeline": lambda: seawall.standard("shop", retry={"backoff": 0}),
}


@pytest.fixture(params=POLICIES)
def policy(request):
    """Each policy by itself, and all of them in a pipeline."""
    return POLICIES[request.param]()


def test_decorating_runs_nothing(policy):
    """Backon's bug: what is decorated is called when it is called, and stays what it was."""
    ran = []

    @policy
    def plain():
        ran.append("plain")

    @policy
    async def later():
        ran.append("later")

    assert ran == []
    assert not inspect.iscoroutinefunction(plain)
    assert inspect.iscoroutinefunction(later)
    plain()
    asyncio.run(later())
    assert ran == ["plain", "later"]


def test_what_is_called_is_known_by_what_it_is(policy):
    """Aioresilience's bug: a function that lies where another lay is not taken for that one."""
    lay = set()
    again = 0
    for number in range(60):
        if number % 2:

            async def function():
                return "later"
        else:

            def function():
                return "plain"

        again += id(function) in lay
        lay.add(id(function))
        made = policy.call(function)
        assert inspect.isawaitable(made) == bool(number % 2)
        assert (asyncio.run(made) if number % 2 else made) == ("later" if number % 2 else "plain")
        del function, made
    assert again
