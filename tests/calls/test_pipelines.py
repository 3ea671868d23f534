"""Pipelines as objects: copied, pickled, shown."""

import copy
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
