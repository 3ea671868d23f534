"""A protected function looks like the function: to people, to `inspect` and to frameworks."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import pydoc
import sys
import typing
import weakref
from unittest import mock

import pytest
import seawall

BREAKER = seawall.CircuitBreaker("looks", failure_threshold=65_000)


@BREAKER
def plain(a: int, b: "str" = "b", *, c: float = 1.0) -> "list[int]":
    """Plain."""
    return [a]


@BREAKER
async def coroutine(a: int) -> int:
    """Coroutine."""
    return a


class Service:
    """A class with protected methods."""

    @BREAKER
    def method(self, a: int) -> int:
        """Method."""
        return a

    @BREAKER
    async def later(self, a: int) -> int:
        """Later."""
        return a

    @BREAKER
    @classmethod
    def of_class(cls, a: int) -> int:
        """Of the class."""
        return a

    @staticmethod
    @BREAKER
    async def static(a: int) -> int:
        """Static."""
        return a


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
    assert inspect.getmodule(plain) is sys.modules[__name__]


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


def test_setting_attributes(patient):
    """Attributes can be set, replaced and deleted, and stay with the wrapper."""

    def function():
        """Documented."""

    protected = patient(function)
    protected.__name__ = "renamed"
    protected.__doc__ = "Changed."
    protected.own = 1
    assert (protected.__name__, protected.__doc__, protected.own) == ("renamed", "Changed.", 1)
    assert (function.__name__, function.__doc__) == ("function", "Documented.")
    assert not hasattr(function, "own")
    assert protected.__dict__["own"] == 1
    del protected.own
    assert not hasattr(protected, "own")
    protected.__signature__ = inspect.Signature()
    assert str(inspect.signature(protected)) == "()"
    with pytest.raises(AttributeError):
        protected.__policies__ = ()


def test_setting_defaults_and_code(patient, kind):
    """What decides how the function runs is set on the function, and read from it."""
    function = kind.function(lambda *args, **kwargs: (args, kwargs))

    def template(first=1, *, second=2):
        return first, second

    function = patient(function)
    inside = function.__wrapped__
    if kind.name == "sync":
        function.__code__ = template.__code__.replace(co_freevars=("body",))
        assert inside.__code__ is function.__code__
        function.__defaults__ = (3,)
        function.__kwdefaults__ = {"second": 4}
        assert function() == (3, 4)
    else:
        function.__defaults__ = (3,)
        function.__kwdefaults__ = {"second": 4}
    assert inside.__defaults__ == function.__defaults__ == (3,)
    assert inside.__kwdefaults__ is function.__kwdefaults__
    assert not {"__defaults__", "__kwdefaults__", "__code__"} & set(vars(function))
    del function.__defaults__
    assert inside.__defaults__ is function.__defaults__ is None
    with pytest.raises(TypeError):
        function.__defaults__ = 7


@pytest.mark.parametrize("other", ["coroutine", "generator"])
def test_code_of_another_kind_is_refused(patient, other):
    """A function's code can't be replaced by code of another kind: its driver would not fit."""

    async def later():
        return 1

    def items():
        yield 1

    @patient
    def function():
        return 7

    code = {"coroutine": later, "generator": items}[other].__code__
    with pytest.raises(TypeError, match="another kind"):
        function.__code__ = code
    assert function() == 7
    asynchronous = patient(later)
    with pytest.raises(TypeError, match="another kind"):
        asynchronous.__code__ = function.__code__


def test_setting_defaults_around_a_partial(patient):
    """Around what is no function they stay with the wrapper, as on a partial itself."""

    def function(value=1):
        return value

    protected = patient(functools.partial(function))
    protected.__defaults__ = (2,)
    assert protected.__defaults__ == (2,)
    assert function.__defaults__ == (1,)
    assert protected() == functools.partial(function)() == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_by_name(protocol):
    """A protected function is pickled by name and found again; so are bound methods."""
    for function in (plain, coroutine, Service.method, Service.static):
        assert pickle.loads(pickle.dumps(function, protocol)) is function
    service = pickle.loads(pickle.dumps(Service().method, protocol))
    assert service(3) == 3


def test_what_has_no_name_is_not_pickled(patient):
    """What pickle could not find again it refuses."""
    for function in (patient(lambda: 1), patient(functools.partial(int, 1))):
        with pytest.raises((pickle.PicklingError, AttributeError)):
            pickle.dumps(function)


def test_a_copy_is_itself():
    """Copying a function, shallow or deep, gives the function."""
    assert copy.copy(plain) is plain
    assert copy.deepcopy([plain])[0] is plain


def test_weak_references(patient):
    """A wrapper can be referred to weakly and is freed with its last reference."""
    protected = patient(lambda: 7)
    gone = []
    reference = weakref.ref(protected, gone.append)
    method = weakref.WeakMethod(Service().method)
    assert method() is None
    del protected
    assert reference() is None
    assert gone == [reference]


def test_hash_and_equality(patient):
    """It is equal to itself alone, and can be a key."""
    one, two = patient(len), patient(len)
    assert one == one
    assert one != two
    assert {one: 1, two: 2}[two] == 2


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


def test_singledispatch(patient):
    """A protected function can be dispatched on, and be what is dispatched to."""

    @functools.singledispatch
    @patient
    def show(value):
        return "any"

    @show.register
    @patient
    def _(value: int):
        return "int"

    class Shows:
        @functools.singledispatchmethod
        @patient
        def show(self, value):
            return "any"

        @show.register
        @patient
        def _(self, value: str):
            return "str"

    assert (show(1), show("")) == ("int", "any")
    assert (Shows().show(1), Shows().show("")) == ("any", "str")


def test_caches(patient, tally):
    """A cache over a protected function asks it once; one under it is asked each time."""
    over = functools.cache(patient(lambda value: value))
    assert (over(1), over(1)) == (1, 1)
    assert tally(patient) == {"success": 1}
    under = patient(functools.lru_cache(lambda value: value))
    assert (under(1), under(1)) == (1, 1)
    assert under.cache_info().hits == 1


def test_dataclasses_and_enums(patient):
    """In a dataclass or an enum it is a method, not a field or a member."""
    import dataclasses
    import enum

    @dataclasses.dataclass
    class Point:
        x: int

        @patient
        def double(self):
            return 2 * self.x

    class Colour(enum.Enum):
        RED = 1

        @patient
        def double(self):
            return 2 * self.value

    assert Point(2).double() == 4
    assert [*Colour] == [Colour.RED]
    assert Colour.RED.double() == 2


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


@pytest.fixture
def client(patient):
    """A FastAPI application with protected routes."""
    fastapi = pytest.importorskip("fastapi")
    testing = pytest.importorskip("fastapi.testclient")
    threading = pytest.importorskip("threading")
    app = fastapi.FastAPI()

    def dependency(d: int = 4) -> int:
        return d

    @app.get("/sync")
    @patient
    def sync(a: int, d: int = fastapi.Depends(patient(dependency))) -> list:
        return [a, d, threading.current_thread() is loop_thread[0]]

    @app.get("/async")
    @patient
    async def later(a: int) -> list:
        return [a, threading.current_thread() is loop_thread[0]]

    @app.get("/partial")
    @patient
    @functools.partial
    async def partial(a: int) -> list:
        return [a, threading.current_thread() is loop_thread[0]]

    loop_thread = []

    @app.middleware("http")
    async def remember(request, go_on):
        loop_thread[:] = [threading.current_thread()]
        return await go_on(request)

    with testing.TestClient(app) as client:
        yield client


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fastapi(client, tally, patient):
    """Parameters are read from the function; sync runs in a thread, async on the loop."""
    assert client.get("/sync", params={"a": 1}).json() == [1, 4, False]
    assert client.get("/async", params={"a": 2}).json() == [2, True]
    assert client.get("/partial", params={"a": 3}).json() == [3, True]
    assert client.get("/sync", params={"a": "x"}).status_code == 422
    # FastAPI asks the dependency before it refuses the parameters.
    assert tally(patient) == {"success": 5}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_starlette(patient, tally):
    """Starlette routes protected endpoints of both sorts."""
    routing = pytest.importorskip("starlette.routing")
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.testclient import TestClient

    @patient
    def sync(request):
        return PlainTextResponse("sync")

    @patient
    async def later(request):
        return PlainTextResponse("async")

    class Endpoint:
        @patient
        async def bound(self, request):
            return PlainTextResponse("bound")

    routes = [
        routing.Route("/sync", sync),
        routing.Route("/async", later),
        routing.Route("/bound", Endpoint().bound),
    ]
    with TestClient(Starlette(routes=routes)) as client:
        assert [client.get(path).text for path in ("/sync", "/async", "/bound")] == [
            "sync",
            "async",
            "bound",
        ]
    assert tally(patient) == {"success": 3}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("sort", ["sync", "async"])
def test_fastapi_dependencies_that_yield(patient, tally, sort):
    """A dependency with `yield` is one when protected, and a request's own error is not its."""
    fastapi = pytest.importorskip("fastapi")
    testing = pytest.importorskip("fastapi.testclient")
    told = []

    @patient
    def session(d: int = 4):
        try:
            yield d
        finally:
            told.append("closed")

    @patient
    async def session_later(d: int = 4):
        try:
            yield d
        finally:
            told.append("closed")

    app = fastapi.FastAPI()
    dependency = fastapi.Depends(session if sort == "sync" else session_later)

    @app.get("/")
    def route(a: int, d: int = dependency) -> list:
        if a == 0:
            raise fastapi.HTTPException(418)
        return [a, d]

    with testing.TestClient(app) as client:
        assert client.get("/", params={"a": 1, "d": 2}).json() == [1, 2]
        assert client.get("/", params={"a": 0}).status_code == 418
    assert told == ["closed"] * 2
    assert tally(patient) == {"success": 2}


@pytest.fixture(name="lent")
@seawall.CircuitBreaker("fixture of pytest", failure_threshold=60_000)
def lent_fixture(tmp_path):
    """A fixture that yields."""
    yield tmp_path
    assert tmp_path.exists()


def test_pytest_fixtures_that_yield(lent, tmp_path):
    """A protected generator function is a fixture with `yield` to pytest."""
    assert lent == tmp_path


def test_an_object_with_an_async_call(patient):
    """An object whose `__call__` is async is a coroutine function once protected."""

    class Client:
        async def __call__(self, a):
            return a

    protected = patient(Client())
    assert inspect.iscoroutinefunction(protected)
    assert str(inspect.signature(protected)) == "(a)"
    assert asyncio.run(protected(1)) == 1


def test_it_is_collected_with_its_class(patient):
    """A class with protected methods is freed like any other."""

    class Local:
        @patient
        def method(self):
            return __class__

    reference = weakref.ref(Local)
    assert Local().method() is Local
    del Local
    gc.collect()
    assert reference() is None
