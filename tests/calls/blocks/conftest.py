"""Blocks of a policy and of a pipeline, plain and asynchronous."""

import pytest
import seawall

from tests.calls.blocks.ways import AsyncWith, With


@pytest.fixture(params=[With, AsyncWith], ids=["with", "async"])
def way(request):
    """What fits both runs on both."""
    return request.param


@pytest.fixture(params=["policy", "pipeline"])
def guard(request, patient):
    """A breaker that counts, bare or in a pipeline."""
    return patient if request.param == "policy" else seawall.Pipeline("one", patient)
