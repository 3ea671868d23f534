"""`policy.block(key=…)` as an object."""

import copy
import pickle

import pytest
import seawall


@pytest.fixture
def hosts():
    """A breaker with a circuit for each host."""
    return seawall.CircuitBreaker("hosts", failure_threshold=1, key="host")


def test_its_repr_says_what_it_is(hosts):
    """Whose block it is, and of which key; that of a pipeline likewise."""
    assert repr(hosts.block(key="a")) == f"<block of {hosts!r} with key 'a'>"
    pipeline = seawall.Pipeline("outer", hosts)
    assert repr(pipeline.block(key=7)) == f"<block of {pipeline!r} with key 7>"


def test_a_copy_is_itself(hosts):
    """Its circuit is one."""
    block = hosts.block(key="a")
    assert copy.copy(block) is block
    assert copy.deepcopy(block) is block
    assert copy.deepcopy([block])[0] is block


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_by_policy_and_key(hosts, protocol):
    """What arrives is a block of the policy of that name, and of the same key."""
    for guard in (hosts, seawall.Pipeline("outer", hosts)):
        arrived = pickle.loads(pickle.dumps(guard.block(key="a"), protocol))
        assert arrived.policies == (hosts,)
        assert repr(arrived) == repr(guard.block(key="a"))
    with pytest.raises(LookupError), arrived:
        raise LookupError
    with pytest.raises(seawall.CircuitOpenError), hosts.block(key="a"):
        pass
    with hosts.block(key="b"):
        pass
