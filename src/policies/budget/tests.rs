//! A budget, one step after the other.
#![allow(clippy::float_cmp, reason = "balances are a whole number by 1000, and written likewise")]

use super::terms::Terms;
use super::{Budget, Draft, Mode, Settings, Turn};
use crate::time::{Clock, Manual, Nanos, SECOND};

/// A time that no bucket of these tests begins at.
const NOON: Nanos = 1_234_567 * SECOND + 7;

fn settings(draft: &Draft) -> Settings {
    let mut problems = Vec::new();
    draft.check(&mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn problems(draft: &Draft) -> Vec<String> {
    let mut problems = Vec::new();
    assert!(draft.check(&mut problems).is_none());
    problems.into_iter().map(|problem| problem.field).collect()
}

fn ratio(ratio: f64, min_per_second: f64, ttl: f64) -> Draft {
    Draft {
        ratio: Some(ratio),
        min_per_second: Some(min_per_second),
        ttl: Some(ttl),
        ..Draft::default()
    }
}

fn mode(name: &str) -> Draft {
    Draft { mode: Some(name.to_owned()), ..Draft::default() }
}

fn tokens(ratio: f64, most: i64) -> Draft {
    Draft { ratio: Some(ratio), max_tokens: Some(most), ..mode("tokens") }
}

fn made(draft: &Draft) -> (Budget, Manual) {
    (Budget::new(settings(draft), NOON), Manual::new(NOON))
}

fn begin(budget: &Budget, times: usize, clock: &Manual) {
    (0..times).for_each(|_| budget.begin(clock));
}

fn permits(budget: &Budget, asked: usize, clock: &Manual) -> usize {
    (0..asked).filter(|_| budget.permit(clock)).count()
}

/// Every share of 1000 calls is the number of attempts it says, not one that divides nicely.
#[test]
fn ratios_are_exact() {
    for percent in 0..=100_u32 {
        let (budget, clock) = made(&ratio(f64::from(percent) / 100.0, 0.0, 10.0));
        begin(&budget, 1_000, &clock);
        assert_eq!(permits(&budget, 2_000, &clock), percent as usize * 10);
    }
    for (share, expected) in [(1.0 / 3.0, 333), (0.123_456_789, 123), (0.001, 1), (0.000_9, 0)] {
        let (budget, clock) = made(&ratio(share, 0.0, 10.0));
        begin(&budget, 1_000, &clock);
        assert_eq!(permits(&budget, 2_000, &clock), expected, "{share}");
    }
}

/// The reserve is there from the start, once for each `ttl`, and parts of attempts add up.
#[test]
fn the_reserve() {
    let (budget, clock) = made(&ratio(0.0, 10.0, 10.0));
    assert_eq!(permits(&budget, 1_000, &clock), 100);
    clock.advance(13 * SECOND);
    assert_eq!(permits(&budget, 1_000, &clock), 100);
    let (budget, clock) = made(&ratio(0.1, 0.05, 10.0));
    begin(&budget, 4, &clock);
    assert_eq!(permits(&budget, 10, &clock), 0);
    begin(&budget, 1, &clock);
    assert_eq!(permits(&budget, 10, &clock), 1);
}

/// A call counts for 7/9 of `ttl` at least and never for longer than it; an attempt for all of it
/// and never for longer than 5/4, wherever a bucket begins.
#[test]
fn what_is_old_counts_no_longer() {
    for ttl in [0.1, 1.0, 3.3, 10.0, 60.0, 3_600.0] {
        for shift in 0..40 {
            let length = crate::time::seconds(ttl).unwrap();
            let start = NOON + length * shift / 40;
            let (budget, clock) =
                (Budget::new(settings(&ratio(0.5, 0.0, ttl)), 0), Manual::new(start));
            begin(&budget, 2, &clock);
            assert!(budget.permit(&clock));
            let held = |at: Nanos| {
                let seen = budget.snapshot(start + at);
                (seen.deposited.unwrap() > 0, seen.withdrawn.unwrap() > 0)
            };
            assert_eq!(held(length * 7 / 9), (true, true));
            assert!(held(length - 1).1);
            assert!(!held(length).0);
            assert!(!held(length * 5 / 4).1);
        }
    }
}

/// A steady stream of calls to a service that is down: each is granted its share, for an hour.
#[test]
fn an_hour_of_outage() {
    let (budget, clock) = made(&ratio(0.1, 10.0, 10.0));
    let (mut calls, mut attempts) = (0_u64, 0_u64);
    for _ in 0..360_000 {
        budget.begin(&clock);
        calls += 1;
        while budget.permit(&clock) {
            attempts += 1;
            budget.attempt_over();
        }
        budget.finish();
        clock.advance(SECOND / 100);
    }
    // Ten a second of the reserve, ten of the calls; the grain costs a quarter at most.
    assert!(attempts <= calls / 10 + 361 * 100, "{attempts}");
    assert!(attempts >= (calls / 10 + 360 * 100) * 3 / 4, "{attempts}");
    assert_eq!((budget.snapshot(clock.now()).in_flight, budget.settings().ratio()), (0, 0.1));
}

/// Attempts in flight are a share of the calls in flight, or the minimum.
#[test]
fn concurrency() {
    let (budget, clock) = made(&Draft { ratio: Some(0.3), ..mode("concurrency") });
    assert_eq!(permits(&budget, 10, &clock), 3);
    begin(&budget, 13, &clock);
    assert_eq!(permits(&budget, 10, &clock), 0);
    begin(&budget, 1, &clock);
    assert_eq!(permits(&budget, 10, &clock), 1);
    (0..14).for_each(|_| budget.finish());
    assert_eq!(permits(&budget, 10, &clock), 0);
    budget.attempt_over();
    assert_eq!(permits(&budget, 10, &clock), 0);
    budget.attempt_over();
    assert_eq!(permits(&budget, 10, &clock), 1);
    let seen = budget.snapshot(NOON);
    assert_eq!((seen.in_flight, seen.retries_in_flight, seen.balance), (0, 3, 0.0));
    assert!(seen.exhausted);
}

/// More ends than beginnings make no room.
#[test]
fn ends_without_a_beginning() {
    let (budget, clock) = made(&Draft { ratio: Some(1.0), ..mode("concurrency") });
    (0..5).for_each(|_| budget.finish());
    (0..5).for_each(|_| budget.attempt_over());
    assert_eq!(budget.snapshot(NOON).in_flight, 0);
    assert_eq!(permits(&budget, 10, &clock), 3);
}

/// Tokens, as in the table of gRPC's A6: attempts stop at half, and thousandths are exact.
#[test]
fn tokens_in_thousandths() {
    let (budget, clock) = made(&tokens(0.1, 10));
    (0..4).for_each(|_| budget.failed());
    assert!(budget.permit(&clock));
    budget.failed();
    assert_eq!(budget.snapshot(NOON).balance, 5.0);
    assert!(!budget.permit(&clock));
    budget.succeeded();
    assert_eq!(budget.snapshot(NOON).balance, 5.1);
    assert!(budget.permit(&clock));
    (0..100).for_each(|_| budget.failed());
    assert_eq!(budget.snapshot(NOON).balance, 0.0);
    let (budget, _) = made(&tokens(0.001, 1));
    budget.failed();
    (0..999).for_each(|_| budget.succeeded());
    assert_eq!(budget.snapshot(NOON).balance, 0.999);
    (0..9).for_each(|_| budget.succeeded());
    assert_eq!(budget.snapshot(NOON).balance, 1.0);
}

/// Every wrong number is named; what the mode has no use for is refused.
#[test]
fn everything_wrong_is_named() {
    let wrong = Draft {
        ratio: Some(1.1),
        min_per_second: Some(-1.0),
        ttl: Some(0.01),
        min_concurrent: Some(2),
        max_tokens: Some(0),
        mode: None,
    };
    let fields = ["ratio", "min_per_second", "ttl", "max_tokens", "min_concurrent"];
    assert_eq!(problems(&wrong), fields);
    assert_eq!(problems(&mode("ration")), ["mode"]);
    assert_eq!(problems(&Draft { ttl: Some(9.0), ..mode("tokens") }), ["ttl"]);
    assert_eq!(problems(&tokens(0.000_1, 10)), ["ratio"]);
    assert_eq!(problems(&tokens(0.0, 10)), ["ratio"]);
    assert_eq!(problems(&Draft { ratio: Some(f64::NAN), ..Draft::default() }), ["ratio"]);
    for share in [0.0, 0.001, 1.0] {
        assert!(settings(&ratio(share, 0.0, 3_600.0)).ratio().to_bits() == share.to_bits());
    }
}

/// Settings survive being words, at the ends of what they may be.
#[test]
fn terms_are_their_words() {
    for draft in [
        ratio(1.0, 1e6, 3_600.0),
        ratio(0.0, 0.0, 0.1),
        Draft { min_concurrent: Some(1_000_000), ..mode("concurrency") },
        tokens(1.0, 1_000_000),
    ] {
        let terms = Terms::new(settings(&Draft::default()));
        let mut expected = None;
        for _ in 0..3 {
            terms.change(settings(&draft), |_, next| expected = Some(next));
            assert_eq!(Some(terms.shape()), expected);
        }
        assert_eq!(terms.settings(), settings(&draft));
    }
}

/// Other numbers over the same `ttl` judge what was counted before; old handles go by them too.
#[test]
fn reconfigured_in_place() {
    let (budget, clock) = made(&ratio(0.1, 0.0, 10.0));
    let handle = budget.clone();
    begin(&budget, 100, &clock);
    assert_eq!(permits(&budget, 20, &clock), 10);
    budget.reconfigure(settings(&ratio(0.5, 0.0, 10.0)), clock.now());
    assert_eq!(permits(&handle, 100, &clock), 40);
    budget.reconfigure(settings(&ratio(0.1, 0.0, 10.0)), clock.now());
    assert_eq!(handle.snapshot(NOON).balance, 0.0);
    assert_eq!(permits(&handle, 100, &clock), 0);
}

/// Under another `ttl` what counted goes on counting, as though it had just happened.
#[test]
fn another_ttl_keeps_the_balance() {
    let (budget, clock) = made(&ratio(0.5, 0.0, 10.0));
    begin(&budget, 100, &clock);
    clock.advance(5 * SECOND);
    assert_eq!(permits(&budget, 20, &clock), 20);
    for ttl in [1.0, 60.0, 10.0, 1.0] {
        budget.reconfigure(settings(&ratio(0.5, 0.0, ttl)), clock.now());
        let seen = budget.snapshot(clock.now());
        assert_eq!((seen.deposited, seen.withdrawn), (Some(100), Some(20)), "{ttl}");
    }
    clock.advance(2 * SECOND);
    let seen = budget.snapshot(clock.now());
    assert_eq!((seen.deposited, seen.withdrawn), (Some(0), Some(0)));
}

/// What is in flight is known in every mode; tokens keep their share, or begin full.
#[test]
fn another_mode() {
    let (budget, clock) = made(&ratio(0.5, 10.0, 10.0));
    begin(&budget, 20, &clock);
    assert_eq!(permits(&budget, 5, &clock), 5);
    budget.reconfigure(settings(&Draft { ratio: Some(0.5), ..mode("concurrency") }), NOON);
    assert_eq!(permits(&budget, 20, &clock), 5);
    (0..20).for_each(|_| budget.finish());
    (0..10).for_each(|_| budget.attempt_over());
    let seen = budget.snapshot(NOON);
    assert_eq!((seen.in_flight, seen.retries_in_flight, seen.balance), (0, 0, 3.0));
    budget.reconfigure(settings(&tokens(0.5, 10)), NOON);
    (0..4).for_each(|_| budget.failed());
    assert_eq!(budget.snapshot(NOON).balance, 6.0);
    budget.reconfigure(settings(&tokens(0.5, 100)), NOON);
    assert_eq!(budget.snapshot(NOON).balance, 60.0);
    assert!(matches!(budget.settings().mode, Mode::Tokens { max_tokens: 100, .. }));
}

/// The two ends of an episode are told, each once, however often yes and no take turns within.
#[test]
fn episodes() {
    let (budget, clock) = made(&ratio(0.5, 0.0, 1.0));
    let mut told = Vec::new();
    let ask = |told: &mut Vec<(Turn, u64)>| {
        told.extend(budget.ask(&clock).turned.map(|turned| (turned.turn, turned.seq)));
    };
    for _ in 0..1_000 {
        begin(&budget, 1, &clock);
        ask(&mut told);
        clock.advance(SECOND / 100);
    }
    assert_eq!(told, [(Turn::Exhausted, 1)]);
    clock.advance(2 * SECOND);
    begin(&budget, 2, &clock);
    ask(&mut told);
    assert_eq!(told, [(Turn::Exhausted, 1), (Turn::Recovered, 2)]);
    ask(&mut told);
    assert_eq!(told.last(), Some(&(Turn::Exhausted, 3)));
    // Nobody asked meanwhile: it is a new episode all the same.
    clock.advance(5 * SECOND);
    ask(&mut told);
    assert_eq!(told.len(), 4);
    assert_eq!(told.last(), Some(&(Turn::Exhausted, 4)));
}

/// A clock that was ahead, as a test's may be, and is left again wedges nothing.
#[test]
fn a_clock_that_goes_back() {
    let (budget, clock) = made(&ratio(0.0, 1.0, 10.0));
    clock.advance(100_000 * SECOND);
    assert_eq!(permits(&budget, 20, &clock), 10);
    let (back, mut told) = (Manual::new(NOON), 0);
    for _ in 0..40 {
        permits(&budget, 20, &back);
        back.advance(SECOND);
    }
    assert_eq!(permits(&budget, 1, &Manual::new(NOON + 60 * SECOND)), 1);
    for _ in 0..20 {
        told += usize::from(budget.ask(&back).turned.is_some());
    }
    assert!(told <= 1);
}
