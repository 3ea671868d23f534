"""What tells calls apart: nobody is answered with what another was told."""

import collections
import functools
import gc
import warnings
import weakref
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import seawall

from tests.policies.fallback.calls import Service, counts

SET_BACK = datetime(2021, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
EVENING = datetime(2021, 1, 1, 23, tzinfo=UTC)
Point = collections.namedtuple("Point", "x")  # noqa: PYI024  not a type for annotations


class Asked:
    """A service that has answered, and fails from then on; and who asks it."""

    def __init__(self, **settings):
        """Of a fallback with these settings."""
        self.service = Service()
        self.fallback = seawall.Fallback(stale=60, **settings)
        self.protected = self.fallback(self.service)

    def once(self, *arguments, **named):
        """A call that goes well."""
        self.service.error = None
        return self.protected(*arguments, **named)

    def remembers(self, *arguments, **named):
        """Is there an answer when the service is down?"""
        self.service.error = ConnectionError()
        try:
            self.protected(*arguments, **named)
        except ConnectionError:
            return False
        return True


def test_all_arguments_count():
    """By place and by name, each one."""
    asked = Asked()
    asked.once(1, "a", more=2)
    assert asked.remembers(1, "a", more=2)
    for others in [((1,), {}), ((1, "a"), {}), ((1, "b"), {"more": 2}), ((1, "a", 2), {})]:
        assert not asked.remembers(*others[0], **others[1])
    assert not asked.remembers(1, "a", less=2)
    assert not asked.remembers(1, "a", more=3)


def test_a_name_and_a_value_are_not_mixed_up():
    """What is given by name is none of what is given by place."""
    asked = Asked()
    asked.once("a", 1)
    assert not asked.remembers(a=1)
    asked.once(x=1, y=2)
    assert not asked.remembers(x=2, y=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ("1", b"1"),
        ((1,), (True,)),
        ((1, (2,)), (1, (2.0,))),
        (frozenset({1}), frozenset({True})),
        ((), frozenset()),
        ((1, int), (1,)),
        (("a", str), ("a",)),
        (None, "None"),
        (Point(1), Point(True)),
        ((Point((1,)),), (Point((1.0,)),)),
        (complex(0.0, 1.0), complex(-0.0, 1.0)),
        (range(0), range(5, 5)),
        (Decimal("1.0"), Decimal("1.00")),
        (time(2, 30), time(2, 30, fold=1)),
        # An hour apart, when clocks are set back.
        (SET_BACK, SET_BACK.replace(fold=1)),
        # The same moment, and another day's agenda.
        (EVENING, EVENING.astimezone(timezone(timedelta(hours=1)))),
    ],
    ids=repr,
)
def test_equal_is_not_the_same(one, other):
    """What is of another type, also inside of tuples and sets, is another argument.

    So is what is equal and can yet be told apart by what it looks like.
    """
    asked = Asked()
    asked.once(one)
    assert asked.remembers(one)
    assert not asked.remembers(other)
    asked = Asked(key=lambda value: value)
    asked.once(one)
    if one is not None:
        assert asked.remembers(one)
    assert not asked.remembers(other)


def test_objects_have_answers_of_their_own():
    """A method's `self` is one of its arguments."""

    class Shop:
        error = None
        fallback = seawall.Fallback(stale=60)

        def __init__(self, name):
            self.name = name

        @fallback
        def cart(self, user):
            if self.error:
                raise self.error
            return self.name, user

    here, there = Shop("here"), Shop("there")
    here.cart("ann")
    Shop.error = ConnectionError()
    assert here.cart("ann") == ("here", "ann")
    with pytest.raises(ConnectionError):
        there.cart("ann")


def test_functions_have_answers_of_their_own():
    """Of one fallback, and also where ``key`` says the same of both."""
    for settings in ({}, {"key": lambda user: user}):
        fallback = seawall.Fallback(stale=60, **settings)
        one, other = Service(), Service()
        one.given, other.error = "one", ConnectionError()

        protected = fallback(one)
        assert protected("ann") == "one"
        assert fallback.call(one, "bob") == "one"
        one.error = ConnectionError()
        assert protected("ann") == fallback.call(one, "ann") == protected("bob") == "one"
        for call in (fallback(other), functools.partial(fallback.call, other)):
            with pytest.raises(ConnectionError):
                call("ann")


def test_methods_of_objects_are_functions_of_their_own():
    """Bound ones, by the object that they are bound to."""
    fallback = seawall.Fallback(stale=60)
    here, there = Service(), Service()
    fallback.call(here.__call__, 1)
    here.error = there.error = ConnectionError()
    assert fallback.call(here.__call__, 1) == ((1,), {})
    with pytest.raises(ConnectionError):
        fallback.call(there.__call__, 1)


@pytest.mark.filterwarnings("ignore::seawall.NotRememberedWarning")
def test_what_cannot_be_hashed_is_not_remembered():
    """Lists, dicts: no answer, and none that belongs to another list."""
    asked = Asked()
    for value in ([1], {"a": 1}, ([1],), {1}):
        assert asked.once(value) == ((value,), {})
        assert not asked.remembers(value)
    assert asked.fallback.snapshot().remembered == 0
    assert counts(asked.fallback) == {"success": 4, "failed": 4, "unkeyed": 8}


def test_it_is_said_once():
    """That there are such calls: by a warning at the first, which names the fallback."""
    asked = Asked(name="carts")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(3):
            asked.once([1])
    (warning,) = seen
    assert warning.category is seawall.NotRememberedWarning
    assert "'carts' remembers no answer" in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.filterwarnings("ignore::seawall.NotRememberedWarning")
def test_arguments_that_fail_when_they_are_hashed_are_not_remembered():
    """Whatever they raise; what interrupts them is raised."""

    class Strange:
        error = ValueError

        def __hash__(self):
            raise self.error

    asked = Asked()
    strange = Strange()
    asked.once(strange)
    assert counts(asked.fallback) == {"success": 1, "unkeyed": 1}
    Strange.error = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        asked.once(strange)


@pytest.mark.filterwarnings("ignore::seawall.NotRememberedWarning")
def test_arguments_without_end_are_not_remembered():
    """Nested deeper than anybody looks."""
    deep = ()
    for _ in range(10_000):
        deep = (deep,)
    asked = Asked()
    asked.once(deep)
    assert counts(asked.fallback) == {"success": 1, "unkeyed": 1}


class Named:
    """Equal by its name, which may change, against all good advice."""

    def __init__(self, name):
        """So called at first."""
        self.name = name

    def __eq__(self, other):
        """By name."""
        return self.name == other.name

    def __hash__(self):
        """By name."""
        return hash(self.name)


def test_an_argument_that_changes_is_another():
    """While the function runs: what was said to one is not said to whom it became."""

    def rename(user):
        if error:
            raise error
        answer, user.name = user.name, "bob"
        return answer

    error = None
    fallback = seawall.Fallback(stale=60)
    protected = fallback(rename)
    assert protected(Named("ann")) == "ann"
    error = ConnectionError()
    for name in ("bob", "ann"):
        with pytest.raises(ConnectionError):
            protected(Named(name))
    assert counts(fallback) == {"success": 1, "failed": 2, "unkeyed": 1}


def test_an_argument_that_changes_later_takes_no_answer_along():
    """Neither where it is found, nor when memory is put in order."""
    asked = Asked(max_keys=50)
    users = [Named(f"user {number}") for number in range(50)]
    for user in users:
        asked.once(user)
    for number, user in enumerate(users):
        user.name = f"other {number}"
    for number in range(500):
        asked.once(number)
    for number in range(50):
        assert not asked.remembers(Named(f"other {number}"))
        assert not asked.remembers(Named(f"user {number}"))


def test_a_key_of_ones_own(kind):
    """A callable of the arguments, or the name of one: what it leaves out does not matter."""
    for key in ("user", lambda user, trace: user):
        service = Service()

        def body(user, trace, service=service):
            return service(user)

        fallback = seawall.Fallback(stale=60, key=key)
        if kind.awaits:

            async def function(user, trace, body=body):
                return body(user, trace)
        else:
            function = body
        protected = fallback(function)
        kind.run(protected, "ann", [1])
        service.error = ConnectionError()
        assert kind.run(protected, "ann", [2]) == (("ann",), {})
        assert kind.run(protected, trace=0, user="ann") == (("ann",), {})
        with pytest.raises(ConnectionError):
            kind.run(protected, "bob", [1])


def test_none_is_no_key():
    """Calls without one have nothing in common: none is remembered."""
    asked = Asked(key=lambda user: None)
    asked.once("ann")
    assert not asked.remembers("ann")
    assert not asked.remembers("bob")
    assert asked.fallback.snapshot().remembered == 0


def test_a_key_that_fails_is_the_callers():
    """It is a mistake, as with every policy that has keys; nothing is called then."""

    def key(user):
        raise ZeroDivisionError

    asked = Asked(key=key)
    with pytest.raises(ZeroDivisionError):
        asked.once("ann")
    assert asked.service.calls == 0
    assert counts(asked.fallback) == {}


def test_another_rule_has_other_answers():
    """After a `reconfigure` nothing is found that went by the rule before."""
    asked = Asked(key=lambda user, shop: user)
    asked.once(1, 2)
    asked.fallback.reconfigure(key=lambda user, shop: shop)
    assert not asked.remembers(2, 1)
    assert not asked.remembers(1, 2)


def test_a_key_names_a_parameter_there_is():
    """Refused where it is put on a function that has none of that name."""
    fallback = seawall.Fallback(stale=60, key="user")
    with pytest.raises(seawall.ConfigError, match="must be one of the parameters"):
        fallback(lambda order: order)


def test_arguments_are_kept_no_longer_than_their_answers():
    """What a key holds goes with it."""

    class User:
        pass

    asked = Asked()
    user = User()
    asked.once(user)
    ref = weakref.ref(user)
    del user
    gc.collect()
    assert ref() is not None
    asked.fallback.forget()
    asked.service.error = None
    gc.collect()
    assert ref() is None


def test_a_call_that_is_never_begun_keeps_nothing():
    """A coroutine that was made and thrown away: its arguments go with it, also in a circle."""

    class User:
        pass

    @seawall.fallback(stale=60)
    async def cart(user):
        """Never runs."""

    user = User()
    user.call = cart(user)
    ref = weakref.ref(user)
    user.call.close()
    del user
    gc.collect()
    assert ref() is None
