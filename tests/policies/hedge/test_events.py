"""What a hedge tells, and when."""

import pytest
import seawall


def test_what_happens_is_told(way, clock, service, told):
    """A further attempt, and that it has won: numbered, with the times."""
    hedge = seawall.Hedge("h", delay=0.05)
    way.call(hedge(way.of(service(10, 0.01))))
    started, won = told
    assert isinstance(started, seawall.HedgeStarted)
    assert (started.kind, started.policy, started.name) == ("hedge.started", "hedge", "h")
    assert (started.why, started.delay, started.attempts) == ("slow", 0.05, 2)
    assert started.elapsed == pytest.approx(0.05)
    assert isinstance(won, seawall.HedgeWon)
    assert (won.number, won.attempts, won.elapsed) == (1, 2, pytest.approx(0.06))
    assert [event.seq for event in told] == [1, 2]
    assert won.at == pytest.approx(started.at + 0.01)


def test_failures_are_told(way, clock, service, told):
    """Why there is a further attempt, and that none gave an answer."""
    first = OSError("down")
    with pytest.raises(OSError, match="down"):
        way.call(
            seawall.Hedge("h", delay=5)(way.of(service((0.01, first), (0.01, OSError("down")))))
        )
    assert [event.kind for event in told] == ["hedge.started", "hedge.failed"]
    assert told[0].why == "failed"
    assert (told[1].error, told[1].attempts) == (first, 2)


def test_a_quick_call_tells_nothing(way, clock, service, told):
    """Nothing was hedged."""
    way.call(seawall.Hedge("h", delay=5)(way.of(service(0.1))))
    assert list(told) == []


def test_a_listener_of_its_own(clock, service):
    """It hears what this hedge tells; one that fails changes nothing."""
    heard = []

    def listen(event):
        heard.append(event.kind)
        raise ValueError("listener")

    hedge = seawall.Hedge("h", delay=0.05, on_event=listen)
    assert hedge(service(10, 0.01).answer)() == 1
    assert heard == ["hedge.started", "hedge.won"]


def test_kinds_can_be_asked_for(clock, service):
    """By the kind, and by the policy."""
    heard = []
    with seawall.subscribe(heard.append, kinds=["hedge.won"]):
        seawall.Hedge("h", delay=0.05)(service(10, 0.01).answer)()
    assert [event.kind for event in heard] == ["hedge.won"]
