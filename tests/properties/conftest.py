"""What the histories of every room need."""

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def few_objects():
    """What other tests have left is not looked at by each of the collections here.

    It is collected once; what stays is set aside for as long as the histories run.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
