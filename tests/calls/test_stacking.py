"""Several policies on one function: one wrapper, one plan."""

import functools

import pytest
import seawall


def breaker(name, **settings):
    """A breaker that opens at the first failure."""
    return seawall.CircuitBreaker(name, **{"failure_threshold": 1, **settings})


def fail():
    """Fails."""
    raise OSError("ill")


WAYS = {
    "stacked": lambda policies, function: functools.reduce(
        lambda inside, policy: policy(inside), reversed(policies), function
    ),
    "pipeline": lambda policies, function: seawall.Pipeline("all", *policies)(function),
    "pipelines of pipelines": lambda policies, function: seawall.Pipeline("out", *policies[:1])(
        seawall.Pipeline("in", *policies[1:])(function)
    ),
}


@pytest.fixture(params=WAYS)
def protect(request):
    """Puts policies, outermost first, on a function."""
    return WAYS[request.param]


def test_one_wrapper(protect):
    """However it is written, there is one wrapper with all policies, outermost first."""
    policies = [breaker(f"b{at}") for at in range(3)]
    protected = protect(policies, fail)
    assert protected.__policies__ == tuple(policies)
    assert repr(protected).startswith("<<function fail at")


def test_all_count(protect, tally, kind):
    """Each policy counts the call once."""
    policies = [breaker(f"b{at}", failure_threshold=9) for at in range(3)]
    protected = protect(policies, kind.function(lambda: 7))
    failing = protect(policies, kind.function(fail))
    assert kind.finish(protected()) == 7
    with pytest.raises(OSError, match="ill"):
        kind.finish(failing())
    assert [tally(policy) for policy in policies] == [{"success": 1, "failure": 1}] * 3


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_refusal_is_neutral_to_those_outside(protect, tally, kind, closed):
    """The policy that refuses is named; those outside ignore it, those inside are not asked."""
    policies = [breaker(f"b{at}") for at in range(3)]
    protected = protect(policies, kind.function(lambda: 7))
    policies[closed].force_open()
    with pytest.raises(seawall.CircuitOpenError) as refused:
        kind.finish(protected())
    assert refused.value.name == f"b{closed}"
    assert [tally(policy) for policy in policies] == [
        *[{"ignored": 1}] * closed,
        {"rejected": 1},
        *[{}] * (2 - closed),
    ]


def test_a_refusal_gives_the_outer_probe_back(protect, kind, clock):
    """An outer circuit whose probe was refused further in stays half-open, its probe free."""
    outer, inner = breaker("outer", open_duration=1, half_open_calls=1), breaker("inner")
    protected = protect([outer, inner], kind.function(lambda: 7))
    outer.try_call(fail)
    inner.force_open()
    clock.advance(1)
    for _ in range(3):
        with pytest.raises(seawall.CircuitOpenError, match="inner"):
            kind.finish(protected())
    assert outer.state == "half_open"
    inner.reset()
    assert kind.finish(protected()) == 7
    assert outer.state == "closed"


@pytest.mark.parametrize(
    "on", [seawall.Rejected, seawall.CircuitOpenError, (OSError, seawall.Rejected)]
)
def test_a_refusal_counts_where_it_is_named(protect, tally, kind, on):
    """An outer policy whose `on` names refusals counts those from inside as failures."""
    outer, inner = breaker("outer", on=on), breaker("inner")
    protected = protect([outer, inner], kind.function(lambda: 7))
    inner.force_open()
    with pytest.raises(seawall.CircuitOpenError, match="inner"):
        kind.finish(protected())
    assert tally(outer) == {"failure": 1}
    assert outer.state == "open"


def test_by_hand_it_is_the_same(tally, kind):
    """A refusal that rises through another wrapper is as neutral as one inside the plan."""
    outer, inner = breaker("outer"), breaker("inner")
    innermost = inner(kind.function(lambda: 7))

    @outer
    def between():
        return innermost()

    inner.force_open()
    with pytest.raises(seawall.CircuitOpenError, match="inner"):
        kind.finish(between())
    assert tally(outer) == {"ignored": 1}


def test_sixteen(protect, kind, tally):
    """Sixteen policies can be passed by one call."""
    policies = [breaker(f"b{at}", failure_threshold=9) for at in range(16)]
    protected = protect(policies, kind.function(lambda: 7))
    assert kind.finish(protected()) == 7
    assert [tally(policy) for policy in policies] == [{"success": 1}] * 16
    policies[15].force_open()
    with pytest.raises(seawall.CircuitOpenError, match="b15"):
        kind.finish(protected())
    assert [tally(policy) for policy in policies[:15]] == [{"success": 1, "ignored": 1}] * 15


def test_seventeen_are_refused(protect):
    """One more is refused, and the message says how many there may be."""
    with pytest.raises(seawall.ConfigError, match="at most 16"):
        protect([breaker(f"b{at}") for at in range(17)], fail)


def test_twice_the_same_is_refused(protect):
    """The same policy twice would count a call as two."""
    twice = breaker("twice")
    with pytest.raises(seawall.ConfigError, match="is there twice") as refused:
        protect([twice, breaker("other"), twice], fail)
    assert "'twice'" in str(refused.value)


def logged(function):
    """A decorator of somebody else's."""

    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


LAYERS = {
    "partial": functools.partial,
    "nested partial": lambda function: functools.partial(functools.partial(function, 1), 2),
    "method": lambda function: type("Api", (), {"method": function})().method,
    "class method": lambda function: type("Api", (), {"method": classmethod(function)}).method,
    "cache": functools.cache,
    "singledispatch": functools.singledispatch,
    "wraps": logged,
    "wraps of a partial": lambda function: logged(functools.partial(function)),
    "object": lambda function: type("Api", (), {"__call__": function})(),
    "staticmethod": staticmethod,
    "other policy": lambda function: functools.partial(breaker("between")(function)),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_twice_the_same_through_a_layer_is_refused(protect, layer, kind):
    """A layer between does not hide that the same policy is there already."""
    twice = breaker("twice")
    inside = LAYERS[layer](protect([breaker("inner"), twice], kind.function(fail)))
    with pytest.raises(seawall.ConfigError, match=r"'twice'.*is there twice"):
        protect([breaker("outer"), twice], inside)
    assert protect([breaker("another")], inside)


def test_everything_wrong_is_said_at_once():
    """A composition's problems are all in one error."""
    twice = breaker("twice")
    with pytest.raises(seawall.ConfigError) as refused:
        seawall.Pipeline("wrong", twice, twice, 7, *(breaker(f"b{at}") for at in range(20)))
    assert {problem.field for problem in refused.value.problems} >= {
        "policies",
        "policies[1]",
        "policies[2]",
    }


def test_a_refused_stack_changes_nothing():
    """The function below keeps working with what it had."""
    one = breaker("one")
    protected = one(lambda: 7)
    with pytest.raises(seawall.ConfigError):
        one(protected)
    assert protected() == 7
    assert protected.__policies__ == (one,)


def test_the_inner_wrapper_lives_on(tally):
    """Stacking on a protected function leaves the one below as it was."""
    one, two = breaker("one"), breaker("two")
    below = one(lambda: 7)
    above = two(below)
    assert (below(), above()) == (7, 7)
    assert tally(one) == {"success": 2}
    assert tally(two) == {"success": 1}


def test_wrapped_leads_to_the_function():
    """`__wrapped__` leads down through what was stacked to the function itself."""
    import inspect

    below = breaker("one")(fail)
    above = breaker("two")(below)
    assert above.__wrapped__ is below
    assert below.__wrapped__ is fail
    assert inspect.unwrap(above) is fail


def test_attributes_travel_up():
    """What was set on the function or on a wrapper below is seen above."""

    def function():
        """Documented."""

    function.own = 1
    below = breaker("one")(function)
    below.added = 2
    above = breaker("two")(below)
    assert (above.own, above.added, above.__doc__) == (1, 2, "Documented.")


def test_with_a_decorator_between(tally, kind):
    """A decorator of somebody else's between two policies makes two plans, and both count."""
    one, two = breaker("one"), breaker("two")

    def between(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)

        return wrapper

    protected = one(between(two(kind.function(lambda: 7))))
    assert protected.__policies__ == (one,)
    assert kind.finish(protected()) == 7
    assert tally(one) == tally(two) == {"success": 1}


def test_an_empty_pipeline_passes_everything(kind):
    """A pipeline without policies hands on results and errors."""
    empty = seawall.Pipeline("empty")
    assert kind.finish(empty(kind.function(lambda: 7))()) == 7
    with pytest.raises(OSError, match="ill"):
        kind.finish(empty(kind.function(fail))())
    assert empty.try_call(fail).error.args == ("ill",)
    assert empty(fail).__policies__ == ()


def test_reconfigured_while_it_runs(clock, tally, pause):
    """A call under way keeps its plan; the next one has the new one."""
    one = breaker("one", failure_threshold=2)

    @one
    async def function(error=None):
        await pause()
        if error:
            raise error

    running = function(OSError("ill"))
    running.send(None)
    one.reconfigure(failure_threshold=3, on=KeyError)
    with pytest.raises(OSError, match="ill"):
        running.send(None)
    assert tally(one) == {"failure": 1}
    after = function(OSError("ill"))
    after.send(None)
    with pytest.raises(OSError, match="ill"):
        after.send(None)
    assert tally(one) == {"failure": 1, "success": 1}
