"""Where the length of a wait comes from."""

import os
from datetime import timedelta

import pytest
import seawall

from tests import needs


def waits(kind, script, *lines, **settings):
    """The waits of a call whose attempts end as the lines say."""
    body = script(*lines, 1)
    retry = seawall.Retry(attempts=len(lines) + 1, **settings)
    assert kind.run(retry(kind.function(body))) == 1
    return body.waits


FOUR = [ConnectionError] * 4


@pytest.mark.parametrize(
    ("backoff", "expected"),
    [
        (2, [2, 2, 2, 2]),
        (timedelta(seconds=2), [2, 2, 2, 2]),
        (seawall.constant(0.5), [0.5] * 4),
        (seawall.linear(1), [1, 2, 3, 4]),
        (seawall.exponential(1, cap=5, jitter="none"), [1, 2, 4, 5]),
        (seawall.exponential(1, factor=3, jitter="none"), [1, 3, 9, 27]),
        (seawall.fibonacci(1), [1, 1, 2, 3]),
        (seawall.custom(lambda n: n * 10, cap=25), [0, 10, 20, 25]),
    ],
)
def test_the_backoff_counts_the_delays_of_a_call(kind, script, backoff, expected):
    """Each call begins with the first delay."""
    for _ in range(2):
        assert waits(kind, script, *FOUR, backoff=backoff) == expected


def test_by_default_exponential_with_full_jitter(kind, script):
    """Between nothing and 0.1, 0.2, 0.4, … s, at most 5 s."""
    with seawall.testing.seed(5):
        seen = waits(kind, script, *[ConnectionError] * 9)
    most = [min(5, 0.1 * 2**n) for n in range(9)]
    assert all(0 <= wait <= bound for wait, bound in zip(seen, most, strict=True))
    assert max(seen) > 1


def test_seeded_delays_are_the_same_each_time(kind, script):
    """And others under another seed."""

    def seen(number):
        with seawall.testing.seed(number):
            return waits(kind, script, *FOUR, backoff=seawall.exponential(1, jitter="decorrelated"))

    assert seen(1) == seen(1) != seen(2)


def test_another_backoff_by_error(kind, script):
    """Of a mapping the first class that fits is taken; each counts its own delays."""
    backoff = {
        ConnectionResetError: seawall.linear(10),
        ConnectionError: 2,
        TimeoutError: lambda outcome: 3,
    }
    lines = [ConnectionResetError, ConnectionResetError, ConnectionError, TimeoutError]
    lines.append(ConnectionResetError)
    assert waits(kind, script, *lines, backoff=backoff) == [10, 20, 2, 3, 10]


def test_what_no_class_fits_waits_as_by_default(kind, script):
    """A mapping says nothing about other errors, nor about results."""
    seen = waits(
        kind,
        script,
        OSError,
        None,
        ConnectionError,
        on=OSError,
        on_result=lambda value: value is None,
        backoff={ConnectionError: 60},
    )
    assert seen[0] <= 0.1
    assert seen[1] <= 0.2
    assert seen[2] == 60


def test_a_callable_of_the_outcome(kind, script):
    """It is told what the attempt came to, and after how many of them."""
    seen = []

    def backoff(outcome):
        seen.append((type(outcome.error), outcome.value, outcome.attempts, outcome.elapsed))
        return timedelta(seconds=2)

    lines = [ConnectionError, 0]
    found = waits(kind, script, *lines, backoff=backoff, on_result=lambda value: value == 0)
    assert found == [2, 2]
    assert [entry[:3] for entry in seen] == [(ConnectionError, None, 1), (type(None), 0, 2)]
    assert seen[1][3] == pytest.approx(2, abs=0.01)


def test_a_callable_may_leave_it_to_the_default(kind, script):
    """None is the default's first delay."""
    assert all(wait <= 0.1 for wait in waits(kind, script, *FOUR, backoff=lambda outcome: None))


@pytest.mark.parametrize("answer", [-1, float("nan"), float("inf"), "soon", [], 1e300])
def test_an_answer_that_is_no_duration_is_reported(kind, script, unraisable, answer):
    """Then the default is waited for: no negative sleep, none that never ends (Polly #2163)."""
    (wait,) = waits(kind, script, ConnectionError, backoff=lambda outcome: answer)
    if answer == 1e300:
        assert 0 <= wait <= 10 * 366 * 86_400
    else:
        assert wait <= 0.1
        assert len(unraisable) == 1


def test_a_callable_that_fails_is_reported(kind, script, unraisable):
    """And takes nobody's place: the call goes on with the default."""

    def backoff(outcome):
        raise RuntimeError("mistake")

    for given in (backoff, seawall.custom(backoff)):
        (wait,) = waits(kind, script, ConnectionError, backoff=given)
        assert wait <= 0.1
    assert [str(error) for error in unraisable] == ["mistake"] * 2


def test_no_delay_overflows(kind, script):
    """Growth ends where a time can be no longer."""
    body = script(ConnectionError)
    backoff = seawall.exponential(1, factor=1e9, jitter="full")
    retry = seawall.Retry(attempts=200, backoff=backoff, max_delay=1)
    with pytest.raises(ConnectionError):
        kind.run(retry(kind.function(body)))
    assert body.calls == 200
    assert all(0 <= wait <= 1 for wait in body.waits)


@needs.fork
def test_forked_processes_do_not_jitter_in_step():
    """Two children and their parent, forked after jitter was drawn, draw different delays."""
    drawn = []
    retry = seawall.Retry(
        attempts=2,
        backoff=seawall.exponential(1000, jitter="full", cap=2000),
        before_sleep=lambda event: drawn.append(event.delay),
    )

    def draw():
        with seawall.testing.clock(autojump=True), pytest.raises(ConnectionError):
            retry.call(fails)
        return drawn.pop()

    def fails():
        raise ConnectionError

    def child():
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, repr(draw()).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        said = os.read(reader, 100)
        os.close(reader)
        os.close(writer)
        return float(said)

    draw()
    assert len({child(), child(), draw()}) == 3
