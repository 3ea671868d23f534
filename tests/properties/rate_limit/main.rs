//! The rate limit against a plain bucket, over random histories.
//!
//! The bucket is what one would write on paper: it holds so much, fills at the rate, and owes what
//! callers wait for. It knows no theoretical arrival times and no words.

mod bucket;
mod line;

use bucket::{Bucket, FINE, Rate, rate, settings};
use proptest::prelude::*;
use seawall::policies::rate_limit::{Cost, Draft, Moment, RateLimit, Reserved};
use seawall::time::{Clock, LATEST, Manual, Nanos, SECOND};

/// A history ends here, after thirteen years of uptime. What its slowest rates then still owe
/// (nine years of burst, seven of patience, three and a half for the call) stays below the 36 years
/// that a word can tell; the bucket on paper knows no such bound.
const END: Nanos = LATEST / 2;

#[derive(Clone, Debug)]
enum Step {
    Pass(Nanos),
    Ask(u32),
    Reserve(u32, Nanos),
    GiveBack,
    Change(Rate),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        // In percent of the interval in force: see `history`.
        4 => (0..250_u64).prop_map(Step::Pass),
        1 => Just(Step::Pass(0)),
        6 => (0..4_u32).prop_map(Step::Ask),
        4 => (0..4_u32, 0..600_u64).prop_map(|(cost, wait)| Step::Reserve(cost, wait)),
        2 => Just(Step::GiveBack),
        1 => rate().prop_map(Step::Change),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever is asked, when, and under whatever settings: what the bucket says.
    #[test]
    fn a_plain_bucket(first in rate(), steps in steps()) {
        let clock = Manual::new(1_000_000 * SECOND);
        let limit = RateLimit::new(settings(first));
        let mut bucket = Bucket::new(first, clock.now());
        // The last reservation, and what the bucket held before it.
        let mut last: Option<(Reserved, u32)> = None;
        for step in steps {
            let interval = bucket.rate.interval;
            let cost = |cost: u32| Cost::of(cost.into()).expect("small enough");
            match step {
                Step::Pass(percent) => {
                    let pass = u128::from(interval) * u128::from(percent) / 100;
                    let left = END - clock.now();
                    clock.advance(u64::try_from(pass).expect("it fits").min(left));
                }
                Step::Ask(units) => {
                    let told = limit.ask(cost(units), &clock);
                    prop_assert_eq!(told, bucket.take(units, 0, clock.now()).map(|_| ()));
                    if told.is_ok() && units > 0 {
                        last = None;
                    }
                }
                Step::Reserve(units, percent) => {
                    let patience = u64::try_from(
                        u128::from(interval) * u128::from(percent) / 100).expect("it fits");
                    let told = limit.reserve(cost(units), Some(patience), &clock);
                    let model = bucket.take(units, patience, clock.now());
                    prop_assert_eq!(told.map(|it| it.wait), model);
                    if let Ok(reserved) = told && units > 0 {
                        last = Some((reserved, units)).filter(|_| reserved.wait > 0);
                    }
                }
                Step::GiveBack => {
                    if let Some((reserved, units)) = last.take() {
                        prop_assert!(limit.give_back(&reserved));
                        bucket.fill(clock.now());
                        let back = i128::from(units) * i128::from(interval) * FINE;
                        bucket.content = (bucket.content + back).min(bucket.full());
                    }
                }
                Step::Change(rate) => {
                    let moment = Moment { now: clock.now(), date: clock.now() };
                    limit.reconfigure(settings(rate), [], moment);
                    bucket.change(rate, clock.now());
                    last = None;
                }
            }
        }
    }

    /// Over any stretch, at any rate: no more than the burst and what comes back meanwhile; and
    /// who asks whenever it was told to, gets 99 % of it.
    #[test]
    fn never_more_and_hardly_less(
        per_second in 0.01..1e8_f64,
        burst in 1..50_u32,
        costs in prop::collection::vec(1..5_u32, 20..200),
    ) {
        let draft = Draft {
            limit: Some(per_second), burst: Some(burst.into()), ..Draft::default()
        };
        let mut problems = Vec::new();
        let settings = draft.check(&mut problems).expect("in range");
        let (limit, clock) = (RateLimit::new(settings), Manual::new(SECOND));
        let mut calls: Vec<(Nanos, u32)> = Vec::new();
        for units in costs.into_iter().map(|cost| cost.min(burst)) {
            let cost = Cost::of(units.into()).expect("small enough");
            while let Err(refusal) = limit.ask(cost, &clock) {
                clock.advance(refusal.retry_after.expect("it fits"));
            }
            calls.push((clock.now(), units));
        }
        for from in 0..calls.len() {
            let mut sum = 0;
            for &(at, units) in &calls[from..] {
                sum += units;
                let seconds = (at - calls[from].0) as f64 / SECOND as f64;
                let most = f64::from(burst) + seconds * per_second;
                prop_assert!(f64::from(sum) <= most * (1.0 + 1e-9), "{sum} of {most}");
            }
        }
        let sum: u32 = calls.iter().map(|call| call.1).sum();
        let seconds = (clock.now() - SECOND) as f64 / SECOND as f64;
        // Each wait is rounded up to a nanosecond.
        let rounding = calls.len() as f64 * 1e-9;
        let most = f64::from(burst) + (seconds - rounding).max(0.0) * per_second;
        prop_assert!(f64::from(sum) >= 0.99 * most - f64::from(burst), "{sum} of {most}");
    }
}
