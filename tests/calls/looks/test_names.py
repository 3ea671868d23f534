"""What a protected function says of itself is what its function says."""

import asyncio
import functools
import inspect
import pydoc
import sys
import typing
from unittest import mock

import pytest

from tests.calls.looks.looked_at import BREAKER, Service, coroutine, plain


@pytest.mark.parametrize("function", [plain, coroutine, Service.method, Service.static])
def test_names_and_notes(function):
    """Names, module, documentation and annotations are the function's own."""
    bare = function.__wrapped__
    for attribute in functools.WRAPPER_ASSIGNMENTS:
        assert getattr(function, attribute) == getattr(bare, attribute)
    for attribute in ("__code__", "__defaults__", "__kwdefaults__", "__globals__"):
        assert getattr(function, attribute) is getattr(bare, attribute)
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        _ = function.missing


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (plain, "(a: int, b: 'str' = 'b', *, c: float = 1.0) -> 'list[int]'"),
        (coroutine, "(a: int) -> int"),
        (Service.method, "(self, a: int) -> int"),
        (Service().method, "(a: int) -> int"),
        (Service.of_class, "(a: int) -> int"),
        (Service().static, "(a: int) -> int"),
    ],
)
def test_signature(function, signature):
    """`inspect.signature` is the function's, bound or not."""
    assert str(inspect.signature(function)) == signature


@pytest.mark.parametrize(
    ("function", "is_async"),
    [
        (plain, False),
        (coroutine, True),
        (Service.method, False),
        (Service().method, False),
        (Service.later, True),
        (Service().later, True),
        (Service.of_class, False),
        (Service.static, True),
        (BREAKER(functools.partial(coroutine.__wrapped__, 1)), True),
        (functools.partial(BREAKER(coroutine.__wrapped__), 1), True),
        (BREAKER(Service.later.__wrapped__.__get__(Service())), True),
        (BREAKER(mock.AsyncMock()), True),
        (BREAKER(functools.partial(plain.__wrapped__, 1)), False),
    ],
)
def test_coroutine_functions_are_known(function, is_async):
    """`iscoroutinefunction` of inspect and asyncio say what they say of the function."""
    assert inspect.iscoroutinefunction(function) is is_async
    if sys.version_info < (3, 14):
        assert asyncio.iscoroutinefunction(function) is is_async
    assert not inspect.isgeneratorfunction(function)
    assert not inspect.isasyncgenfunction(function)


def test_source_and_unwrapping():
    """`getsource`, `getfile`, `getdoc` and `unwrap` find the function."""
    assert "async def coroutine" in inspect.getsource(coroutine)
    assert inspect.getsourcefile(inspect.unwrap(plain)) == inspect.getsourcefile(Service)
    assert inspect.unwrap(plain).__name__ == "plain"
    assert inspect.getdoc(plain) == "Plain."
    assert inspect.isroutine(plain)
    assert inspect.getmodule(plain) is sys.modules[Service.__module__]


def test_type_hints():
    """`typing.get_type_hints` resolves the annotations, text ones too."""
    assert typing.get_type_hints(plain) == {
        "a": int,
        "b": str,
        "c": float,
        "return": list[int],
    }
    assert typing.get_type_hints(Service.later) == {"a": int, "return": int}


def test_it_says_what_it_is():
    """It is a function to `isinstance` where one is inside, and nothing false elsewhere."""
    import types

    for function in (
        plain,
        coroutine,
        Service.method,
        BREAKER(Service.method.__wrapped__.__get__(Service())),
        BREAKER(functools.partial(plain.__wrapped__, 1)),
    ):
        assert inspect.isfunction(function)
        assert isinstance(function, types.FunctionType)
        assert type(function) is not types.FunctionType
    assert inspect.ismethod(Service().method)
    for function in (BREAKER(len), BREAKER(functools.partial(len)), BREAKER("".join)):
        assert not inspect.isfunction(function)
    assert [name for name, _ in inspect.getmembers(Service, inspect.isfunction)] == [
        "later",
        "method",
        "static",
    ]


def test_help():
    """`help` shows the function's signature and documentation, alone and in its class."""
    assert "Plain." in pydoc.render_doc(plain, renderer=pydoc.plaintext)
    assert "plain(a: int, b:" in pydoc.render_doc(plain, renderer=pydoc.plaintext)
    page = pydoc.render_doc(Service, renderer=pydoc.plaintext)
    for words in ("method(self, a: int)", "Method.", "of_class(a: int)", "Static."):
        assert words in page


def test_repr():
    """Its repr tells the function and the policies."""
    assert repr(plain).startswith("<<function plain at ")
    assert "<CircuitBreaker 'looks' closed>" in repr(plain)


def test_functools_wraps_over_and_under(patient, tally):
    """`functools.wraps` copies from it and onto it."""

    def over(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)

        return wrapper

    wrapped = over(plain)
    assert (wrapped.__name__, wrapped.__doc__, wrapped.__wrapped__) == ("plain", "Plain.", plain)
    assert str(inspect.signature(wrapped)) == str(inspect.signature(plain))
    under = functools.wraps(coroutine)(patient(lambda *args: args))
    assert (under.__name__, under.__doc__, under.__wrapped__) == (
        "coroutine",
        "Coroutine.",
        coroutine,
    )
    assert under(1) == (1,)
    assert tally(patient) == {"success": 1}


def test_autospec():
    """`create_autospec` makes a mock of the same kind that checks the arguments."""
    imitation = mock.create_autospec(plain)
    imitation.return_value = [7]
    assert imitation(1, c=2.0) == [7]
    with pytest.raises(TypeError):
        imitation()
    later = mock.create_autospec(coroutine, return_value=8)
    assert asyncio.run(later(1)) == 8
    service = mock.create_autospec(Service, instance=True)
    service.later.return_value = 9
    assert asyncio.run(service.later(1)) == 9
    with pytest.raises(TypeError):
        service.method(1, 2)


def test_patching():
    """`mock.patch` replaces a protected function and puts it back."""
    with mock.patch.object(Service, "method", autospec=True) as replaced:
        replaced.return_value = 7
        assert Service().method(1) == 7
    assert Service().method(1) == 1


def test_protocols_and_callable(patient):
    """It is callable, and satisfies a runtime protocol of `__call__`."""

    @typing.runtime_checkable
    class Calls(typing.Protocol):
        def __call__(self) -> int: ...

    for function in (patient(len), patient(lambda: 1)):
        assert callable(function)
        assert isinstance(function, Calls)
        assert isinstance(function, typing.Callable)


@pytest.mark.parametrize("set_hook", [sys.settrace, sys.setprofile])
def test_tracing_goes_on(patient, kind, set_hook):
    """Tracers and profilers see the function's frame, and no other of ours."""
    seen = []

    def body():
        return 7

    protected = patient(kind.function(body))

    def hook(frame, event, argument):
        if event == "call":
            seen.append(frame.f_code.co_name)
        return hook

    previous = {sys.settrace: sys.gettrace, sys.setprofile: sys.getprofile}[set_hook]()
    set_hook(hook)
    try:
        result = kind.finish(protected())
    finally:
        set_hook(previous)
    assert result == 7
    assert seen[:1] == (["finish"] if kind.name == "async" else ["function"])
    assert {"function", "body"} <= set(seen) <= {"finish", "function", "body", "pause"}
