//! The breaker against a model of it, over random histories.
//!
//! One caller at a time: what happens between several is the matter of `concurrency/breaker.rs`.
#![cfg(not(loom))]

#[path = "breaker/model.rs"]
mod model;

use model::{Entry, Exit, Model, Pass};
use proptest::prelude::*;
use seawall::outcome::Verdict;
use seawall::policies::breaker::{
    Admission, Breaker, Draft, DraftWindow, Passed, Settings, Settled, State, Ticket, Trip,
};
use seawall::time::{Clock, Manual, Nanos};

#[derive(Clone, Debug)]
enum Act {
    Enter,
    /// Enters from inside of a call that is under way.
    Ride(usize),
    Leave {
        which: usize,
        verdict: Verdict,
        elapsed: Nanos,
    },
    /// Enters and leaves as often as said: histories that fill a window.
    Calls {
        verdict: Verdict,
        times: usize,
    },
    Open {
        which: usize,
        duration: Nanos,
    },
    Pass(Nanos),
    Control(State),
    Reconfigure(Box<Settings>),
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(Verdict::Success),
        4 => Just(Verdict::Failure),
        1 => Just(Verdict::Ignored),
        1 => Just(Verdict::Cancelled),
    ]
}

fn rate() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![0.05, 0.1, 0.3, 1.0 / 3.0, 0.5, 0.7, 1.0])
}

fn settings() -> impl Strategy<Value = Settings> {
    let window = prop_oneof![
        (1_i64..40).prop_map(DraftWindow::Calls),
        (0.1..3.0).prop_map(DraftWindow::Seconds),
    ];
    let rules = (prop::option::of(1_i64..6), prop::option::of(rate()), prop::option::of(rate()));
    let trial = (1_i64..12, prop::option::of(1_i64..5), prop_oneof![1e-9..1e-6, 0.01..2.0]);
    (rules, window, 1_i64..20, trial).prop_map(|(rules, window, min_calls, trial)| {
        let draft = Draft {
            failure_threshold: rules.0,
            failure_rate: rules.1,
            slow_call_rate: rules.2,
            slow_call_duration: rules.2.map(|_| 0.5),
            window: Some(window),
            min_calls: Some(min_calls),
            open_duration: None,
            half_open_calls: Some(trial.0),
            success_threshold: trial.1,
            half_open_max_duration: Some(trial.2),
        };
        let mut problems = Vec::new();
        draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
    })
}

fn act() -> impl Strategy<Value = Act> {
    let elapsed = prop::sample::select(vec![0, 499_999_999, 500_000_000, 2_000_000_000]);
    let state = prop::sample::select(vec![
        State::Closed,
        State::ForcedOpen,
        State::Disabled,
        State::MetricsOnly,
        State::MetricsOnly,
    ]);
    let time = prop_oneof![0_u64..1_000, 0_u64..100_000_000, 0_u64..5_000_000_000];
    prop_oneof![
        10 => Just(Act::Enter),
        3 => any::<usize>().prop_map(Act::Ride),
        10 => (any::<usize>(), verdict(), elapsed)
            .prop_map(|(which, verdict, elapsed)| Act::Leave { which, verdict, elapsed }),
        4 => (verdict(), 1_usize..40).prop_map(|(verdict, times)| Act::Calls { verdict, times }),
        5 => (any::<usize>(), 1_u64..1_000_000_000)
            .prop_map(|(which, duration)| Act::Open { which, duration }),
        6 => time.prop_map(Act::Pass),
        1 => state.prop_map(Act::Control),
        1 => settings().prop_map(|settings| Act::Reconfigure(Box::new(settings))),
    ]
}

/// The breaker and its model, side by side.
struct Pair {
    /// Calls take the way of good calls where there is one, as drivers do.
    quick: bool,
    breaker: Breaker,
    model: Model,
    clock: Manual,
    inside: Vec<(Ticket, Pass)>,
    trips: Vec<Trip>,
}

impl Pair {
    fn act(&mut self, act: &Act) {
        let now = self.clock.now();
        match act {
            Act::Enter => self.enter(),
            Act::Ride(which) => {
                if !self.inside.is_empty() {
                    let (ticket, pass) = self.inside[which % self.inside.len()];
                    match (self.breaker.ride(&ticket), self.model.ride(pass)) {
                        (Some(ticket), Some(pass)) => self.admit(ticket, pass),
                        (None, None) => {}
                        (told, expected) => panic!("{told:?} instead of {expected:?}"),
                    }
                }
            }
            Act::Leave { which, verdict, elapsed } => {
                if !self.inside.is_empty() {
                    let which = which % self.inside.len();
                    self.leave(which, *verdict, *elapsed);
                }
            }
            Act::Calls { verdict, times } => {
                for _ in 0..*times {
                    let before = self.inside.len();
                    self.enter();
                    if self.inside.len() > before {
                        self.leave(before, *verdict, 0);
                    }
                }
            }
            Act::Open { which, duration } => {
                if !self.trips.is_empty() {
                    let trip = self.trips.swap_remove(which % self.trips.len());
                    let opened = self.breaker.open(trip, *duration, now);
                    assert_eq!(opened, self.model.open(trip, *duration, now));
                }
            }
            Act::Pass(time) => self.clock.advance(*time),
            Act::Control(state) => {
                let told = match state {
                    State::ForcedOpen => self.breaker.force_open(now),
                    State::Disabled => self.breaker.disable(now),
                    State::MetricsOnly => self.breaker.metrics_only(now),
                    _ => self.breaker.reset(now),
                };
                assert_eq!(told, self.model.control(*state, now));
            }
            Act::Reconfigure(settings) => {
                self.breaker = self.breaker.reconfigured((**settings).clone(), now);
                self.model.reconfigure((**settings).clone(), now);
            }
        }
        let now = self.clock.now();
        assert_eq!(self.breaker.snapshot(now), self.model.snapshot(now));
        assert_eq!(self.breaker.state(), self.model.state);
        assert_eq!(self.breaker.generation(), self.model.generation);
        assert_eq!(self.breaker.retry_after(now), self.model.snapshot(now).retry_after);
    }

    fn enter(&mut self) {
        let now = self.clock.now();
        let admission = match self.breaker.admit() {
            Some(ticket) if self.quick => Admission::Admitted(ticket),
            Some(ticket) => {
                // Only one of the two ways may have been taken.
                self.breaker.settle(ticket, Verdict::Ignored, 0, &self.clock);
                let pass = match self.model.acquire(now) {
                    Entry::Admitted(pass) => pass,
                    other => panic!("admitted instead of {other:?}"),
                };
                self.model.settle(pass, Verdict::Ignored, 0, now);
                self.breaker.acquire(&self.clock)
            }
            None => self.breaker.acquire(&self.clock),
        };
        match (admission, self.model.acquire(now)) {
            (Admission::Admitted(ticket), Entry::Admitted(pass)) => self.admit(ticket, pass),
            (Admission::HalfOpened(told, Ok(ticket)), Entry::HalfOpened(expected, pass)) => {
                assert_eq!(told, expected);
                self.admit(ticket, pass);
            }
            (Admission::Rejected(told), Entry::Rejected(expected)) => assert_eq!(told, expected),
            (told, expected) => panic!("{told:?} instead of {expected:?}"),
        }
    }

    fn admit(&mut self, ticket: Ticket, pass: Pass) {
        assert_eq!((ticket.generation(), ticket.probe()), (pass.generation, pass.probe));
        self.inside.push((ticket, pass));
    }

    fn leave(&mut self, which: usize, verdict: Verdict, elapsed: Nanos) {
        let (ticket, pass) = self.inside.swap_remove(which);
        let passed = if self.quick && verdict == Verdict::Success {
            self.breaker.pass(&ticket, elapsed, &self.clock)
        } else {
            Passed::Not
        };
        let told = match passed {
            Passed::Quietly => Settled::Stays,
            Passed::Unjudged => self.breaker.judge_passed(ticket, &self.clock),
            Passed::Not => self.breaker.settle(ticket, verdict, elapsed, &self.clock),
        };
        match (told, self.model.settle(pass, verdict, elapsed, self.clock.now())) {
            (Settled::Stays, Exit::Stays | Exit::TripsOrStays)
            | (Settled::Late, Exit::Late)
            | (Settled::Trips(_), Exit::TripsOrStays) => {}
            (Settled::Moved(told), Exit::Moved(expected)) => assert_eq!(told, expected),
            (Settled::Trips(told), Exit::Trips(expected)) => {
                assert_eq!(told, expected);
                self.trips.push(told);
            }
            (told, expected) => panic!("{told:?} instead of {expected:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Admissions, rejections, transitions, trips, rates, counts and times are the model's, after
    /// every step of any history.
    #[test]
    fn breaker_is_its_model(
        start in prop_oneof![Just(0_u64), 1_u64..1_000_000_000_000],
        settings in settings(),
        quick in any::<bool>(),
        acts in prop::collection::vec(act(), 1..400),
    ) {
        let clock = Manual::new(start);
        let breaker = Breaker::new(settings.clone(), clock.now());
        let model = Model::new(settings, start);
        let mut pair = Pair { quick, breaker, model, clock, inside: Vec::new(), trips: Vec::new() };
        for act in &acts {
            pair.act(act);
        }
    }
}
