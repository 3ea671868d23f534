//! What a breaker does, one claim a test.

mod probes;

use super::*;
use crate::outcome::Verdict::{self, Cancelled, Failure, Ignored, Success};
use crate::time::{Clock, Manual, SECOND};

const OPEN: Nanos = 30 * SECOND;

fn draft() -> Draft {
    Draft { open_duration: Some(30.0), ..Draft::default() }
}

fn settings(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    let settings = draft.check(&mut problems);
    assert_eq!(problems, []);
    settings.unwrap()
}

struct Circuit {
    breaker: Breaker,
    clock: Manual,
}

impl Circuit {
    fn new(draft: &Draft) -> Self {
        let clock = Manual::new(1_000 * SECOND);
        Self { breaker: Breaker::new(settings(draft), clock.now()), clock }
    }

    fn enter(&self) -> Ticket {
        match self.breaker.acquire(&self.clock) {
            Admission::Admitted(ticket) | Admission::HalfOpened(_, Ok(ticket)) => ticket,
            other => panic!("not admitted: {other:?}"),
        }
    }

    fn refused(&self) -> Rejection {
        match self.breaker.acquire(&self.clock) {
            Admission::Rejected(rejection) => rejection,
            other => panic!("not rejected: {other:?}"),
        }
    }

    fn leave(&self, ticket: Ticket, verdict: Verdict, elapsed: Nanos) -> Settled {
        self.breaker.settle(ticket, verdict, elapsed, &self.clock)
    }

    /// One call, and the transition it caused.
    fn call(&self, verdict: Verdict) -> Option<Transition> {
        let ticket = self.enter();
        self.act(self.leave(ticket, verdict, 0))
    }

    fn act(&self, settled: Settled) -> Option<Transition> {
        match settled {
            Settled::Trips(trip) => self.breaker.open(trip, OPEN, self.clock.now()),
            Settled::Moved(transition) => Some(transition),
            Settled::Stays | Settled::Late => None,
        }
    }

    fn calls(&self, verdicts: &[Verdict]) -> Option<Transition> {
        verdicts.iter().filter_map(|verdict| self.call(*verdict)).last()
    }

    fn snapshot(&self) -> Snapshot {
        self.breaker.snapshot(self.clock.now())
    }
}

/// Every wrong field is named, in one go.
#[test]
fn draft_names_every_problem() {
    let wrong = Draft {
        failure_threshold: Some(0),
        failure_rate: Some(f64::NAN),
        slow_call_rate: Some(1.5),
        slow_call_duration: Some(f64::INFINITY),
        window: Some(DraftWindow::Seconds(0.05)),
        min_calls: Some(-1),
        open_duration: Some(0.0),
        half_open_calls: Some(257),
        success_threshold: Some(65_536),
        half_open_max_duration: Some(4e8),
    };
    let mut problems = Vec::new();
    assert_eq!(wrong.check(&mut problems), None);
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    let expected = [
        "failure_threshold",
        "failure_rate",
        "slow_call_rate",
        "slow_call_duration",
        "window",
        "min_calls",
        "open_duration",
        "half_open_calls",
        "success_threshold",
        "half_open_max_duration",
    ];
    assert_eq!(fields, expected);
    assert_eq!(
        problems[0].to_string(),
        "failure_threshold=0 must be a whole number from 1 to 65535"
    );
}

/// A slow-call rule needs both its halves; the problem is put on the one that is missing.
#[test]
fn slow_rule_needs_both_halves() {
    for (rate, duration, missing) in
        [(Some(0.5), None, "slow_call_duration"), (None, Some(1.0), "slow_call_rate")]
    {
        let mut problems = Vec::new();
        let half = Draft { slow_call_rate: rate, slow_call_duration: duration, ..draft() };
        assert_eq!(half.check(&mut problems), None);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].field, missing);
    }
}

/// The defaults, and that the rate rule is one of them only when no rule is named.
#[test]
fn defaults() {
    let default = settings(&Draft::default());
    assert_eq!(default.failure_rate, Some(0.5));
    assert_eq!(default.window, WindowSize::Calls(100));
    assert_eq!((default.min_calls, default.half_open_calls), (20, 3));
    assert_eq!(default.lease, 60 * SECOND);
    let named = settings(&Draft { failure_threshold: Some(5), ..Draft::default() });
    assert_eq!(named.failure_rate, None);
    let small = settings(&Draft { window: Some(DraftWindow::Calls(10)), ..Draft::default() });
    assert_eq!(small.min_calls, 10);
    let patient = settings(&Draft { open_duration: Some(90.0), ..Draft::default() });
    assert_eq!(patient.lease, 90 * SECOND);
}

/// A ticket is plain data of at most three words, and a breaker over a hundred calls stays small.
#[test]
fn sizes() {
    assert!(size_of::<Ticket>() <= 24);
    let words = size_of::<super::Circuit>() + 8 * (8 + crate::window::ring::words(100));
    let total = size_of::<Breaker>() + words + 3 * 16;
    assert!(total < 600, "{total} bytes");
}

/// Failures in a row open the circuit; any success starts the row anew.
#[test]
fn consecutive_failures() {
    let circuit = Circuit::new(&Draft { failure_threshold: Some(3), ..draft() });
    assert_eq!(circuit.calls(&[Failure, Failure, Success, Failure, Ignored, Failure]), None);
    let opened = circuit.call(Failure).unwrap();
    assert_eq!((opened.from, opened.to), (State::Closed, State::Open));
    assert_eq!((opened.cause, opened.calls), (Cause::ConsecutiveFailures, 3));
    assert_eq!(opened.open_duration, Some(OPEN));
    assert_eq!(opened.failure_rate, None);
    let rejection = circuit.refused();
    assert_eq!(rejection, Rejection { state: State::Open, retry_after: Some(OPEN) });
}

/// A rate counts from `min_calls` on, and the outcome that reaches it may be a success.
#[test]
fn success_may_reach_min_calls() {
    let circuit = Circuit::new(&Draft {
        failure_rate: Some(0.5),
        min_calls: Some(4),
        window: Some(DraftWindow::Calls(10)),
        ..draft()
    });
    assert_eq!(circuit.calls(&[Failure, Failure, Success]), None);
    let opened = circuit.call(Success).unwrap();
    assert_eq!((opened.cause, opened.failure_rate), (Cause::FailureRate, Some(0.5)));
    assert_eq!(opened.calls, 4);
}

/// Only the last N outcomes count.
#[test]
fn count_window_forgets() {
    let circuit = Circuit::new(&Draft {
        failure_rate: Some(0.3),
        min_calls: Some(10),
        window: Some(DraftWindow::Calls(10)),
        ..draft()
    });
    circuit.calls(&[Failure, Failure]);
    circuit.calls(&[Success; 9]);
    assert_eq!(circuit.snapshot().failure_rate, Some(0.1));
    circuit.call(Success);
    assert_eq!(circuit.snapshot().failure_rate, Some(0.0));
    circuit.calls(&[Success; 25]);
    assert_eq!(circuit.calls(&[Failure, Failure]), None);
    assert_eq!(circuit.call(Failure).unwrap().failure_rate, Some(0.3));
}

/// What is older than a time window is forgotten, and its absence can trip on a success.
#[test]
fn time_window_forgets() {
    let circuit = Circuit::new(&Draft {
        failure_rate: Some(0.6),
        min_calls: Some(4),
        window: Some(DraftWindow::Seconds(16.0)),
        ..draft()
    });
    circuit.calls(&[Success; 6]);
    circuit.clock.advance(8 * SECOND);
    assert_eq!(circuit.calls(&[Failure; 4]), None);
    assert_eq!(circuit.snapshot().failure_rate, Some(0.4));
    circuit.clock.advance(8 * SECOND);
    let opened = circuit.call(Success).unwrap();
    assert_eq!((opened.calls, opened.failure_rate), (5, Some(0.8)));
}

/// What an older generation says is counted as late and moves nothing.
#[test]
fn older_generations_are_late() {
    let circuit = Circuit::new(&Draft { failure_threshold: Some(1), ..draft() });
    let old = circuit.enter();
    circuit.breaker.reset(circuit.clock.now()).unwrap();
    assert_eq!(circuit.leave(old, Failure, 0), Settled::Late);
    assert_eq!(circuit.breaker.state(), State::Closed);
    let counts = circuit.snapshot().counts;
    assert_eq!((counts.late, counts.failure), (1, 0));
}

/// A trip that took its time to be acted on opens nothing that has moved on meanwhile.
#[test]
fn stale_trip_opens_nothing() {
    let circuit = Circuit::new(&Draft { failure_threshold: Some(1), ..draft() });
    let ticket = circuit.enter();
    let Settled::Trips(trip) = circuit.leave(ticket, Failure, 0) else { panic!("it failed") };
    circuit.breaker.reset(circuit.clock.now()).unwrap();
    assert_eq!(circuit.breaker.open(trip, OPEN, circuit.clock.now()), None);
    assert_eq!(circuit.breaker.state(), State::Closed);
}

/// A slow call counts from its very threshold on, a cancelled one too; it is no failure then.
#[test]
fn slow_calls() {
    let circuit = Circuit::new(&Draft {
        slow_call_rate: Some(0.5),
        slow_call_duration: Some(2.0),
        min_calls: Some(4),
        ..draft()
    });
    assert!(circuit.breaker.timed());
    let slowly = |verdict, elapsed| circuit.leave(circuit.enter(), verdict, elapsed);
    assert_eq!(slowly(Success, 2 * SECOND - 1), Settled::Stays);
    assert_eq!(slowly(Cancelled, 2 * SECOND - 1), Settled::Stays);
    assert_eq!(slowly(Cancelled, 2 * SECOND), Settled::Stays);
    assert_eq!(slowly(Ignored, 2 * SECOND), Settled::Stays);
    assert_eq!(circuit.snapshot().window_calls, 2);
    assert_eq!(slowly(Success, 0), Settled::Stays);
    let Settled::Trips(trip) = slowly(Success, 2 * SECOND) else { panic!("half were slow") };
    assert_eq!((trip.cause, trip.slow_call_rate), (Cause::SlowCallRate, Some(0.5)));
    assert_eq!((trip.failure_rate, trip.calls), (Some(0.0), 4));
    let counts = circuit.snapshot().counts;
    assert_eq!((counts.success, counts.slow, counts.cancelled, counts.ignored), (3, 2, 2, 1));
}

/// What is left to wait is 0 wherever a call is let in, and unknown where only a word ends it.
#[test]
fn retry_after_of_every_state() {
    let circuit = Circuit::new(&Draft { failure_threshold: Some(1), ..draft() });
    let left = || circuit.breaker.retry_after(circuit.clock.now());
    assert_eq!(left(), Some(0));
    circuit.call(Failure);
    assert_eq!((left(), circuit.snapshot().retry_after), (Some(OPEN), Some(OPEN)));
    circuit.clock.advance(OPEN);
    let probe = circuit.enter();
    assert_eq!((circuit.breaker.state(), left()), (State::HalfOpen, Some(0)));
    circuit.leave(probe, Cancelled, 0);
    circuit.breaker.disable(circuit.clock.now());
    assert_eq!(left(), Some(0));
    circuit.breaker.metrics_only(circuit.clock.now());
    assert_eq!(left(), Some(0));
    circuit.breaker.force_open(circuit.clock.now());
    assert_eq!((left(), circuit.snapshot().retry_after), (None, None));
}

/// The special states admit or reject whatever happens, and each begins a generation.
#[test]
fn special_states() {
    let circuit = Circuit::new(&Draft { failure_threshold: Some(1), ..draft() });
    let now = circuit.clock.now();
    let forced = circuit.breaker.force_open(now).unwrap();
    assert_eq!((forced.to, forced.cause), (State::ForcedOpen, Cause::Manual));
    assert_eq!(circuit.breaker.force_open(now), None);
    assert_eq!(circuit.refused(), Rejection { state: State::ForcedOpen, retry_after: None });

    circuit.clock.advance(5 * SECOND);
    circuit.breaker.disable(circuit.clock.now()).unwrap();
    assert_eq!(circuit.calls(&[Failure; 9]), None);
    assert_eq!(circuit.snapshot().time_open, 5 * SECOND);

    circuit.breaker.metrics_only(circuit.clock.now()).unwrap();
    let told = circuit.call(Failure).unwrap();
    assert_eq!((told.from, told.to), (State::MetricsOnly, State::MetricsOnly));
    assert_eq!(told.cause, Cause::ConsecutiveFailures);

    let before = circuit.breaker.generation();
    assert_eq!(circuit.breaker.reset(circuit.clock.now()).unwrap().to, State::Closed);
    assert_eq!(circuit.breaker.generation(), before + 1);
    assert_eq!(circuit.snapshot().opened_count, 0);
}

/// Of two who open one generation, one wins, and the end that was proposed first stands.
#[test]
fn first_proposal_stands() {
    let circuit = Circuit::new(&Draft { failure_threshold: Some(1), ..draft() });
    let (first, second) = (circuit.enter(), circuit.enter());
    let Settled::Trips(early) = circuit.leave(first, Failure, 0) else { panic!("it failed") };
    let Settled::Trips(late) = circuit.leave(second, Failure, 0) else { panic!("it failed") };
    let now = circuit.clock.now();
    assert!(circuit.breaker.open(late, SECOND, now).is_some());
    assert_eq!(circuit.breaker.open(early, OPEN, now), None);
    assert_eq!(circuit.refused().retry_after, Some(SECOND));
}

/// An open time of nothing at the beginning of time is over at once.
#[test]
fn zero_is_an_instant_too() {
    let clock = Manual::new(0);
    let breaker =
        Breaker::new(settings(&Draft { failure_threshold: Some(1), ..draft() }), clock.now());
    let Admission::Admitted(ticket) = breaker.acquire(&clock) else { panic!("it is closed") };
    let Settled::Trips(trip) = breaker.settle(ticket, Failure, 0, &clock) else {
        panic!("it failed")
    };
    breaker.open(trip, 0, 0).unwrap();
    clock.advance(1);
    assert!(matches!(breaker.acquire(&clock), Admission::HalfOpened(_, Ok(_))));
}

/// New settings leave state, streak and window as they are, and judge them anew.
#[test]
fn reconfigured_keeps_what_was_seen() {
    let strict = Draft {
        failure_rate: Some(0.9),
        min_calls: Some(4),
        window: Some(DraftWindow::Calls(20)),
        ..draft()
    };
    let circuit = Circuit::new(&strict);
    circuit.calls(&[Success, Failure, Success, Success, Failure, Failure]);
    let now = circuit.clock.now();
    let lax = settings(&Draft { failure_rate: Some(0.4), ..strict.clone() });
    let breaker = circuit.breaker.reconfigured(lax, now);
    assert_eq!(breaker.snapshot(now), circuit.snapshot());
    let Admission::Admitted(ticket) = breaker.acquire(&circuit.clock) else { panic!("closed") };
    let Settled::Trips(trip) = breaker.settle(ticket, Success, 0, &circuit.clock) else {
        panic!("three of seven are too many now")
    };
    breaker.open(trip, OPEN, now).unwrap();
    assert_eq!(circuit.breaker.state(), State::Open);
}

/// A count window of another size takes the most recent outcomes along.
#[test]
fn reconfigured_carries_outcomes_over() {
    let sized =
        |size| Draft { failure_rate: Some(1.0), window: Some(DraftWindow::Calls(size)), ..draft() };
    let circuit = Circuit::new(&sized(20));
    circuit.calls(&[Failure; 7]);
    circuit.calls(&[Success; 14]);
    circuit.calls(&[Failure; 2]);
    let now = circuit.clock.now();
    let totals = |size| {
        let snapshot = circuit.breaker.reconfigured(settings(&sized(size)), now).snapshot(now);
        (snapshot.window_calls, snapshot.failure_rate)
    };
    assert_eq!(totals(5), (5, Some(0.4)));
    assert_eq!(totals(40), (20, Some(0.3)));
    assert_eq!(totals(20), (20, Some(0.3)));
}
