//! The retry budget against a model of it, over random histories.
//!
//! One caller at a time: what happens between several is the matter of `concurrency/budget.rs`.
#![cfg(not(loom))]

use proptest::prelude::*;
use seawall::policies::budget::{Budget, Draft, Settings};
use seawall::time::{Clock, Manual, Nanos, SECOND, seconds};

#[derive(Clone, Debug)]
enum Act {
    Begin(usize),
    Finish,
    Permit(usize),
    Over,
    Failed,
    Succeeded,
    Pass(Nanos),
    /// Other numbers, the mode and `ttl` as before.
    Tune {
        ratio: u32,
        least: u32,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let time = prop_oneof![
        0_u64..1_000,
        0_u64..SECOND / 10,
        0_u64..2 * SECOND,
        0_u64..40 * SECOND,
        Just(3_600 * SECOND),
    ];
    prop_oneof![
        6 => (1_usize..40).prop_map(Act::Begin),
        4 => Just(Act::Finish),
        8 => (1_usize..20).prop_map(Act::Permit),
        4 => Just(Act::Over),
        4 => Just(Act::Failed),
        4 => Just(Act::Succeeded),
        6 => time.prop_map(Act::Pass),
        1 => (1_u32..=1_000, 0_u32..20).prop_map(|(ratio, least)| Act::Tune { ratio, least }),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sort {
    Ratio { ttl: f64 },
    Concurrency,
    Tokens { most: u32 },
}

/// In seconds, of whole milliseconds: a number a second times it gives the reserve back.
fn ttl(most: u32) -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => (100..most * 1_000).prop_map(|millis| f64::from(millis) / 1_000.0),
        1 => prop::sample::select(vec![10.0, 3_600.0]),
    ]
}

fn sort() -> impl Strategy<Value = Sort> {
    prop_oneof![
        4 => ttl(30).prop_map(|ttl| Sort::Ratio { ttl }),
        1 => Just(Sort::Concurrency),
        1 => (1_u32..30).prop_map(|most| Sort::Tokens { most }),
    ]
}

/// A ratio in thousandths; `least` is the number of its mode that permits without calls.
fn draft(sort: Sort, ratio: u32, least: u32) -> Draft {
    let common = Draft { ratio: Some(f64::from(ratio) / 1_000.0), ..Draft::default() };
    match sort {
        Sort::Ratio { ttl } => {
            // So that the reserve is so many attempts.
            Draft { ttl: Some(ttl), min_per_second: Some(f64::from(least) / ttl), ..common }
        }
        Sort::Concurrency => Draft {
            mode: Some("concurrency".to_owned()),
            min_concurrent: Some(least.into()),
            ..common
        },
        Sort::Tokens { most } => {
            Draft { mode: Some("tokens".to_owned()), max_tokens: Some(most.into()), ..common }
        }
    }
}

fn settings(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn nanos(ttl: f64) -> Nanos {
    seconds(ttl).unwrap_or_else(|| panic!("{ttl}"))
}

/// What a budget should be, said as plainly as can be.
struct Model {
    sort: Sort,
    ratio: u64,
    least: u64,
    calls: Vec<Nanos>,
    attempts: Vec<Nanos>,
    in_flight: u64,
    over: u64,
    refused: u64,
    tokens: u64,
}

impl Model {
    /// In thousandths of an attempt: at least so much that may be made more of.
    fn permits(&self, now: Nanos) -> bool {
        match self.sort {
            Sort::Ratio { ttl } => {
                let ttl = nanos(ttl);
                // The widest power of two that `ttl` holds eight of.
                let mut width = 1;
                while width * 16 <= ttl {
                    width *= 2;
                }
                let bucket = |at: Nanos| at / width;
                let counts = |at: &&Nanos| bucket(**at) + ttl / width > bucket(now);
                let stands = |at: &&Nanos| bucket(**at) + ttl.div_ceil(width) >= bucket(now);
                let saved = self.calls.iter().filter(counts).count() as u64;
                let spent = self.attempts.iter().filter(stands).count() as u64;
                (spent + 1) * 1_000 <= saved * self.ratio + self.least * 1_000
            }
            Sort::Concurrency => {
                self.attempts.len() as u64 - self.over
                    < self.least.max(self.in_flight * self.ratio / 1_000)
            }
            Sort::Tokens { most } => self.tokens * 2 > u64::from(most) * 1_000,
        }
    }
}

fn run(sort: Sort, ratio: u32, least: u32, acts: &[Act]) {
    let clock = Manual::new(777 * SECOND);
    let budget = Budget::new(settings(&draft(sort, ratio, least)), clock.now());
    let most = if let Sort::Tokens { most } = sort { u64::from(most) * 1_000 } else { 0 };
    let mut model = Model {
        sort,
        ratio: ratio.into(),
        least: least.into(),
        calls: Vec::new(),
        attempts: Vec::new(),
        in_flight: 0,
        over: 0,
        refused: 0,
        tokens: most,
    };
    for act in acts {
        let now = clock.now();
        match *act {
            Act::Begin(times) => {
                for _ in 0..times {
                    budget.begin(&clock);
                    model.calls.push(now);
                    model.in_flight += 1;
                }
            }
            Act::Finish => {
                budget.finish();
                model.in_flight = model.in_flight.saturating_sub(1);
            }
            Act::Permit(times) => {
                for _ in 0..times {
                    let permitted = model.permits(now);
                    assert_eq!(budget.snapshot(now).exhausted, !permitted);
                    assert_eq!(budget.permit(&clock), permitted);
                    if permitted {
                        model.attempts.push(now);
                    } else {
                        model.refused += 1;
                    }
                }
            }
            Act::Over => {
                budget.attempt_over();
                model.over = (model.over + 1).min(model.attempts.len() as u64);
            }
            Act::Failed => {
                budget.failed();
                model.tokens = model.tokens.saturating_sub(1_000);
            }
            Act::Succeeded => {
                budget.succeeded();
                model.tokens = (model.tokens + model.ratio).min(most);
            }
            Act::Pass(time) => clock.advance(time),
            Act::Tune { ratio, least } => {
                budget.reconfigure(settings(&draft(sort, ratio, least)), now);
                (model.ratio, model.least) = (ratio.into(), least.into());
            }
        }
        let seen = budget.snapshot(clock.now());
        assert_eq!(seen.calls, model.calls.len() as u64);
        assert_eq!(seen.permitted, model.attempts.len() as u64);
        assert_eq!((seen.in_flight, seen.refused), (model.in_flight, model.refused));
        assert_eq!(seen.retries_in_flight, model.attempts.len() as u64 - model.over);
        if let Sort::Tokens { .. } = sort {
            assert!((seen.balance * 1_000.0 - model.tokens as f64).abs() < 1e-6);
        }
    }
}

proptest! {
    /// Whatever happens in whatever order, every question is answered as the model answers it.
    #[test]
    fn as_the_model(
        sort in sort(),
        ratio in 1_u32..=1_000,
        least in 0_u32..20,
        acts in prop::collection::vec(act(), 1..150),
    ) {
        run(sort, ratio, least, &acts);
    }

    /// Over any stretch of `ttl`, attempts are at most that share of the calls over it, and the
    /// reserve: exactly, with no grain of buckets to add.
    #[test]
    fn over_any_stretch_of_ttl(
        ttl in ttl(20),
        ratio in 0_u32..=1_000,
        reserve in 0_u32..10,
        steps in prop::collection::vec((0_usize..8, 0_usize..6, 0.0..0.6), 1..120),
    ) {
        let draft = draft(Sort::Ratio { ttl }, ratio, reserve);
        let ttl = nanos(ttl);
        let clock = Manual::new(777 * SECOND);
        let budget = Budget::new(settings(&draft), clock.now());
        let (mut calls, mut attempts) = (Vec::new(), Vec::new());
        for (begins, asks, share) in steps {
            for _ in 0..begins {
                budget.begin(&clock);
                calls.push(clock.now());
            }
            attempts.extend((0..asks).filter(|_| budget.permit(&clock)).map(|_| clock.now()));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time")]
            clock.advance((ttl as f64 * share * share) as Nanos);
        }
        for &end in &attempts {
            let within = |at: &&Nanos| **at <= end && end - **at < ttl;
            let made = attempts.iter().filter(within).count() as u64;
            let begun = calls.iter().filter(within).count() as u64;
            prop_assert!(made * 1_000 <= begun * u64::from(ratio) + u64::from(reserve) * 1_000);
        }
    }

    /// A thousand callers of a service that is down, each of whom tries as often as it may: at most
    /// a tenth more attempts than calls, and the reserve.
    #[test]
    fn a_storm(callers in 1_usize..1_000, tries in 1_usize..10, gap in 0_u64..1_000_000) {
        let draft = draft(Sort::Ratio { ttl: 10.0 }, 100, 50);
        let clock = Manual::new(777 * SECOND);
        let budget = Budget::new(settings(&draft), clock.now());
        let mut sent = 0;
        for _ in 0..callers {
            budget.begin(&clock);
            sent += 1;
        }
        for _ in 0..tries {
            for _ in 0..callers {
                sent += usize::from(budget.permit(&clock));
                clock.advance(gap);
            }
        }
        let stretches = (callers * tries) as u64 * gap / (10 * SECOND) + 1;
        prop_assert!(sent as u64 * 10 <= callers as u64 * 11 + 500 * stretches);
    }
}
