"""What the histories of every room need."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def many_collections(few_objects):
    """Histories are collected one by one."""
