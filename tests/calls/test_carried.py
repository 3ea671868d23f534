"""A protected function reaches another process by its name, or not at all."""

import copy
import functools
import pickle
import types

import cloudpickle
import pytest
import seawall

BREAKER = seawall.CircuitBreaker("carried", failure_threshold=65_000)

SOURCE = """
@decorate
def work():
    return 7


def calls():
    return work()
"""


@BREAKER
def known():
    """A function that other processes can import."""
    return 7


def of_main(decorate):
    """A protected function of a module that other processes can't import, called `work`."""
    module = types.ModuleType("__main__")
    module.decorate = decorate
    exec(SOURCE, vars(module))
    return module


def test_by_name():
    """What can be imported there is carried by name, and is protected there."""
    assert pickle.loads(cloudpickle.dumps(known)) is known


def test_never_by_value(patient, kind):
    """Not by what takes it for a function, and would carry the function that is inside."""
    module = of_main(patient)
    local = patient(kind.function(int))
    for carried in (
        module.work,
        module.calls,
        local,
        {"key": local},
        functools.wraps(local)(lambda: 1),
    ):
        with pytest.raises(pickle.PicklingError, match="is protected, and carried by its name"):
            cloudpickle.dumps(carried)
    with pytest.raises(pickle.PicklingError, match=r"'.*function' is protected"):
        cloudpickle.dumps(local)


def test_what_is_no_function_is_refused_as_before(patient):
    """Neither is a partial or an object."""
    for target in (functools.partial(int, 1), "".join):
        with pytest.raises((pickle.PicklingError, AttributeError)):
            cloudpickle.dumps(patient(target))


def test_attributes_can_still_be_copied():
    """What refuses to be carried can be copied within the process."""
    attributes = dict(vars(known))
    assert copy.copy(attributes) == copy.deepcopy(attributes) == attributes
