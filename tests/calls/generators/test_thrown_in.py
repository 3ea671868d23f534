"""What a consumer throws into a generator, in each form that `throw` and `athrow` take."""

import contextlib
import sys
import warnings

import pytest


class TroubleError(Exception):
    """A failure that keeps what it was made of."""


class PickyError(Exception):
    """Can only be made of two."""

    def __init__(self, one, two):
        """Takes two."""
        super().__init__(one, two)


class Elsewhere(Exception):
    """Makes something else."""

    def __new__(cls, *_):
        """No exception."""
        return 7


OWN = TroubleError("own")

FORMS = {
    "class": (TroubleError,),
    "instance": (OWN,),
    "class and text": (TroubleError, "a"),
    "class and None": (TroubleError, None),
    "class and tuple": (TroubleError, ("a", "b")),
    "class and empty tuple": (TroubleError, ()),
    "class and its instance": (TroubleError, OWN),
    "wider class and instance": (Exception, OWN),
    "class and another's instance": (TroubleError, LookupError("a")),
    "class, value, no traceback": (TroubleError, "a", None),
    "instance, None, None": (OWN, None, None),
    "cannot be made": (PickyError, "one"),
    "makes something else": (Elsewhere,),
}


@pytest.fixture(params=["generator", "async generator", "async step"])
def thrown(request, finish):
    """`thrown(items, *arguments)` takes an item and throws: what came out, by that way."""

    def thrown(breaker, *arguments):
        if request.param == "generator":
            generator = _protected(breaker)
            next(generator)
            return _raised(lambda: generator.throw(*arguments))
        generator = _protected_async(breaker)
        finish(generator.__anext__())
        if request.param == "async generator":
            return _raised(lambda: finish(generator.athrow(*arguments)))
        step = generator.__anext__()
        return _raised(lambda: step.throw(*arguments))

    return thrown


def _protected(breaker):
    def items():
        yield 1
        yield 2

    return (breaker(items) if breaker else items)()


def _protected_async(breaker):
    async def items():
        yield 1
        yield 2

    return (breaker(items) if breaker else items)()


def _raised(throw):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(BaseException) as raised:  # noqa: PT011 - compared by the caller
            throw()
    error = raised.value
    own = [str(one.message) for one in warned if one.category is DeprecationWarning]
    return type(error), error.args, error is OWN, own


@pytest.mark.parametrize("form", FORMS)
def test_the_consumers_exception_is_its_own_leaving(patient, tally, thrown, form):
    """Whatever it is made of, what comes back out is what was thrown in: the consumer left."""
    bare = thrown(None, *FORMS[form])
    assert thrown(patient, *FORMS[form]) == bare
    assert tally(patient) == {"success": 1}


@pytest.mark.parametrize(
    "arguments",
    [(7,), (TroubleError, "a", 7), (OWN, "a"), (int,)],
    ids=["number", "no traceback", "instance and value", "another class"],
)
def test_what_throws_nothing_is_refused_as_ever(patient, tally, arguments):
    """Arguments that throw nothing raise what they raise without a policy, and nobody has left."""

    def refused(breaker):
        generator = _protected(breaker)
        next(generator)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(TypeError) as raised:
                generator.throw(*arguments)
        return generator, str(raised.value)

    _, bare = refused(None)
    generator, protected = refused(patient)
    assert protected == bare
    assert tally(patient) == {"in_flight": 1}
    assert list(generator) == [2]


def test_its_traceback_is_kept(patient):
    """A traceback that is thrown with a class and a value is that of what arrives."""
    try:
        raise LookupError
    except LookupError as error:
        traceback = error.__traceback__
    generator = _protected(patient)
    next(generator)
    warns = contextlib.nullcontext()
    if sys.version_info >= (3, 12):
        warns = pytest.warns(DeprecationWarning, match="signature of throw")
    with pytest.raises(TroubleError) as raised, warns:
        generator.throw(TroubleError, "a", traceback)
    frames = []
    at = raised.value.__traceback__
    while at is not None:
        frames.append(at)
        at = at.tb_next
    assert frames[-1] is traceback


def test_another_exception_of_the_same_sort_is_a_failure(patient, tally):
    """What the generator raises itself is its own, also where it was thrown the like."""

    @patient
    def items():
        try:
            yield 1
        except TroubleError:
            raise TroubleError("a") from None

    generator = items()
    next(generator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TroubleError):
            generator.throw(TroubleError, "a")
    assert tally(patient) == {"failure": 1}


def test_nothing_is_made_of_what_is_no_exception(patient):
    """A class that is no exception is not called."""
    made = []

    class Watched:
        def __init__(self):
            made.append(self)

    generator = _protected(patient)
    next(generator)
    with pytest.raises(TypeError):
        generator.throw(Watched)
    assert made == []
