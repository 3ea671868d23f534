"""What a fallback is set up with, its name, what it shows."""

import copy
import pickle

import pytest
import seawall

from tests.policies.fallback.calls import Service, answer, counts, down


def problems(*providers, **settings):
    """The fields that are wrong."""
    with pytest.raises(seawall.ConfigError) as refused:
        seawall.Fallback(*providers, **settings)
    return [problem.field for problem in refused.value.problems]


def test_it_needs_something_to_answer_with():
    """A provider, or memory."""
    assert problems() == ["providers"]
    assert problems(on=OSError) == ["providers"]


def test_everything_wrong_is_named_at_once():
    """Settings of the wrong kind, out of range, of no use, unknown; and providers."""
    assert problems(1, 2, stale=-1, on=5, key=5, max_keys=0, wrong=1) == [
        "on",
        "key",
        "providers[1]",
        "stale",
        "max_keys",
        "wrong",
    ]
    assert problems(1, key="user", max_keys=5) == ["key", "max_keys"]
    assert problems(1, name="", stale="soon") == ["name", "stale"]
    for stale in (0, -1, float("nan"), float("inf"), 1e10, True):
        assert problems(stale=stale) == ["stale"]


def test_what_can_be_used_once_is_no_value():
    """It would be given to every call."""

    async def coroutine():
        """Never awaited, and never made."""

    made = coroutine()
    for value in (iter([1]), (item for item in ()), made):
        assert problems(value) == ["providers[0]"]
    made.close()


def test_only_plain_functions_judge():
    """A coroutine would be taken for a yes."""

    async def later(error):
        """Nobody awaits it."""

    assert problems(1, on=later, on_result=later, on_event=later) == [
        "on",
        "on_result",
        "on_event",
    ]
    assert problems(stale=1, key=later) == ["key"]


def test_the_settings_in_force():
    """Defaults are filled in; what is of no use without memory is None."""
    assert dict(seawall.Fallback(1).settings) == {
        "providers": (1,),
        "on": Exception,
        "ignore": (),
        "on_result": None,
        "stale": None,
        "key": None,
        "max_keys": None,
        "on_event": None,
    }
    assert seawall.Fallback(stale=5).settings["max_keys"] == 1000


def test_settings_change_in_place(kind):
    """For calls that begin from now on."""
    fallback = seawall.Fallback("one", on=OSError)
    protected = fallback(kind.function(down))
    assert kind.run(protected) == "one"
    fallback.reconfigure(providers=("two",))
    assert kind.run(protected) == "two"
    fallback.reconfigure(on=ValueError)
    with pytest.raises(ConnectionError):
        kind.run(protected)
    fallback.reconfigure(on=None)
    assert kind.run(protected) == "two"
    assert counts(fallback) == {"used": 3, "passed": 1}


def test_wrong_changes_change_nothing(kind):
    """All are named."""
    fallback = seawall.Fallback("one", name="f")
    with pytest.raises(seawall.ConfigError) as refused:
        fallback.reconfigure(providers=(), on=5)
    assert [problem.field for problem in refused.value.problems] == ["on", "providers"]
    assert kind.run(fallback(kind.function(down))) == "one"


def test_memory_is_given_at_the_start():
    """Calls that have begun were looked at for it, or not."""
    with pytest.raises(seawall.ConfigError, match="can't be given or taken away"):
        seawall.Fallback(1).reconfigure(stale=5)
    with pytest.raises(seawall.ConfigError, match="can't be given or taken away"):
        seawall.Fallback(1, stale=5).reconfigure(stale=None)


def test_fewer_answers_are_kept_at_once():
    """Those beyond a smaller ``max_keys`` go when it is set."""
    fallback = seawall.Fallback(stale=60)
    protected = fallback(Service())
    for number in range(100):
        protected(number)
    fallback.reconfigure(max_keys=7)
    assert fallback.snapshot().remembered == 7


def test_pipelines_reconfigure_it():
    """By its kind, or its name."""
    fallback = seawall.Fallback("one", name="f")
    guard = seawall.Pipeline("p", fallback, seawall.Retry())
    guard.reconfigure(fallback={"providers": ("two",)})
    guard.reconfigure({"f": {"on": OSError}})
    assert (fallback.settings["providers"], fallback.settings["on"]) == (("two",), OSError)


def test_the_same_name_is_the_same_fallback():
    """With the same providers and settings, wherever it is declared."""
    one = seawall.Fallback(answer, 5, name="f", stale=5)
    assert seawall.fallback(answer, 5, name="f", stale=5) is one
    assert seawall.registry.find("fallback", "f") is one
    with pytest.raises(seawall.ConfigError, match="exists already"):
        seawall.Fallback(answer, 6, name="f", stale=5)
    assert seawall.Fallback(6, name="f", replace=True) is not one


def test_it_is_named_after_its_first_function():
    """Until somebody gives it a name."""
    fallback = seawall.Fallback(5)
    fallback(down)
    assert "down" in fallback.name


def test_copies_are_itself():
    """What it remembers is one; another process finds its own of that name."""
    fallback = seawall.Fallback(5, name="f")
    assert copy.copy(fallback) is fallback
    assert copy.deepcopy(fallback) is fallback
    assert pickle.loads(pickle.dumps(fallback)) is fallback


def test_how_it_shows_itself():
    """Its name, how many it asks, and how old an answer may be."""
    assert repr(seawall.Fallback(5, name="f")) == "<Fallback 'f' 1 provider>"
    assert repr(seawall.Fallback(answer, 5, name="g", stale=1.5)) == (
        "<Fallback 'g' 2 providers stale=1.5 s>"
    )


def test_a_snapshot_is_of_a_moment(kind):
    """A call that runs is in flight."""
    fallback = seawall.Fallback("default", name="f")
    seen = []

    def body():
        seen.append(fallback.snapshot())
        raise ConnectionError

    kind.run(fallback(kind.function(body)))
    assert (seen[0].in_flight, seen[0].kind, seen[0].name, seen[0].key) == (
        1,
        "fallback",
        "f",
        None,
    )
    assert (fallback.snapshot().in_flight, fallback.snapshot().remembered) == (0, 0)


def test_a_remembered_outcome_travels(kind):
    """And is stale where it arrives."""
    service = Service()
    function = kind.function(service)
    fallback = seawall.Fallback(stale=5)
    kind.run(fallback.call, function)
    service.error = ConnectionError()
    again = pickle.loads(pickle.dumps(kind.run(fallback.try_call, function)))
    assert (again.stale, again.value) == (True, ((), {}))
