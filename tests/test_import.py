"""Importing seawall: quick, quiet, and no more than is needed."""

import json

import pytest
import seawall

from tests.children import printed


def child(code):
    """What a fresh interpreter prints, as JSON."""
    return json.loads(printed(code, "-W", "error").splitlines()[-1])


def test_nothing_is_started_or_opened():
    """The import starts no thread, no process, opens no socket, and writes to no file."""
    code = """
import json, sys
STARTS = ("socket.", "subprocess.", "os.fork", "os.spawn", "os.exec", "_thread.start")
watched = []
def hook(event, args):
    if event == "open":
        if any(letter in (args[1] or "r") for letter in "wax+"):
            watched.append([event, str(args[0])])
    elif event.startswith(STARTS):
        watched.append([event, ""])
import importlib.util
sys.dont_write_bytecode = True
sys.addaudithook(hook)
import seawall
for name in seawall.__all__:
    getattr(seawall, name)
import threading
print(json.dumps([watched, threading.active_count()]))
"""
    assert child(code) == [[], 1]


HEAVY = [
    "asyncio",
    "concurrent.futures",
    "dataclasses",
    "inspect",
    "json",
    "logging",
    "multiprocessing",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "traceback",
    "typing",
    "unittest",
    "urllib.request",
]
COLD = [
    "seawall.hints",
    "seawall.background",
    "seawall.clients.signs",
    "seawall.events",
    "seawall.policies.breaker.events",
    "seawall.policies.breaker.snapshot",
    "seawall.policies.budget",
    "seawall.testing",
]


def test_what_is_not_pulled_in():
    """Importing seawall and protecting a function loads no event loop, no inspect, no cold room."""
    code = f"""
import json, sys
before = set(sys.modules)
import seawall
alone = set(sys.modules) - before
breaker = seawall.CircuitBreaker("shop", failure_threshold=1)
breaker.call(int)
breaker.try_call(lambda: 1 / 0)
breaker.try_call(int)
used = set(sys.modules) - before
print(json.dumps([sorted(alone & set({HEAVY + COLD!r})), sorted(used & set({HEAVY + COLD!r}))]))
"""
    assert child(code) == [[], []]


@pytest.mark.parametrize("name", sorted({*seawall.__all__}))
def test_every_name_is_there(name):
    """Each public name can be imported from a fresh seawall, by itself."""
    assert child(f"from seawall import {name}; print('true')") is True


def test_names_are_listed():
    """`dir` shows the names that are loaded when asked for, and a star import has them all."""
    code = """
import json, seawall
listed = set(dir(seawall))
space = {}
exec("from seawall import *", space)
print(json.dumps(sorted(set(seawall.__all__) - (listed & set(space)))))
"""
    assert child(code) == []


def test_a_name_that_is_not_there():
    """An unknown name is an AttributeError as of any module, and an ImportError by `from`."""
    with pytest.raises(AttributeError, match="module 'seawall' has no attribute 'circuitbreaker'"):
        seawall.circuitbreaker  # noqa: B018
    with pytest.raises(ImportError):
        from seawall import CircuitBreakr  # noqa: F401


def test_a_name_is_looked_up_once():
    """A cold name, once asked for, is an ordinary attribute."""
    code = """
import json, seawall
before = "BreakerOpened" in vars(seawall)
seawall.BreakerOpened
print(json.dumps([before, "BreakerOpened" in vars(seawall)]))
"""
    assert child(code) == [False, True]


def test_hints_can_be_read():
    """Importing loads no `typing`; who asks a public function for its hints gets them."""
    code = """
import sys, seawall
loaded = "typing" in sys.modules
import inspect, json, typing
functions = [
    *(getattr(seawall, name) for name in seawall.__all__),
    *(getattr(seawall.registry, name) for name in seawall.registry.__all__),
    *(
        value
        for cls in (seawall.CircuitBreaker, seawall.Pipeline, seawall.deadline)
        for base in cls.__mro__
        for value in vars(base).values()
    ),
]
read = 0
for function in functions:
    function = getattr(function, "fget", function)
    public = inspect.isfunction(function) or inspect.isclass(function)
    if public and function.__module__.startswith("seawall"):
        typing.get_type_hints(function)
        read += 1
print(json.dumps([loaded, read > 20]))
"""
    assert child(code) == [False, True]
