use super::{Delay, DelayDraft, Draft, End, Latencies, Now, Quantile, QuantileDraft, Race};
use crate::time::SECOND;

const MS: u64 = SECOND / 1000;

fn rule() -> Quantile {
    Quantile {
        share: 0.95,
        min_samples: 20,
        window: 100,
        initial: None,
        min_delay: 0,
        max_delay: None,
    }
}

/// The next attempt starts a delay after the one before, and none beyond the most.
#[test]
fn attempts_start_one_delay_apart() {
    let mut race = Race::new(2, Some(10), 100);
    assert_eq!(race.now(109), Now::Wait(Some(110)));
    assert_eq!(race.now(110), Now::Due);
    assert_eq!(race.start(112), 1);
    assert_eq!(race.now(121), Now::Wait(Some(122)));
    assert_eq!(race.start(122), 2);
    assert_eq!(race.now(1000), Now::Wait(None));
}

/// A failure before the delay makes the next attempt due at once.
#[test]
fn a_failure_starts_the_next_at_once() {
    let mut race = Race::new(1, Some(10), 0);
    assert!(race.ended(0, End::Failed, 3));
    assert_eq!(race.now(3), Now::Due);
    race.start(3);
    assert!(race.ended(1, End::Good, 4));
    assert_eq!(race.now(4), Now::Over(1));
}

/// When all fail, the call came to what the first failure was.
#[test]
fn the_first_failure_is_the_calls() {
    let mut race = Race::new(1, Some(10), 0);
    race.start(10);
    assert!(!race.ended(1, End::Failed, 11));
    assert_eq!(race.now(11), Now::Wait(None));
    assert!(race.ended(0, End::Failed, 12));
    assert_eq!(race.now(12), Now::Over(1));
}

/// The first good answer decides, and a later one changes nothing.
#[test]
fn the_first_good_answer_wins() {
    let mut race = Race::new(1, Some(10), 0);
    race.start(10);
    assert!(race.ended(1, End::Good, 12));
    assert!(!race.ended(0, End::Good, 13));
    assert_eq!(race.decided(), Some(1));
}

/// What was not let in starts no other attempt: alone it is what the call came to, beside one that
/// runs it is waited for that.
#[test]
fn a_rejection_starts_nothing() {
    let mut race = Race::new(2, Some(10), 0);
    assert!(race.ended(0, End::Rejected, 1));
    assert_eq!(race.now(1), Now::Over(0));
    let mut race = Race::new(2, Some(10), 0);
    race.start(10);
    assert!(!race.ended(1, End::Rejected, 10));
    assert_eq!(race.now(1000), Now::Wait(None));
    assert!(race.ended(0, End::Failed, 1000));
    assert_eq!(race.now(1000), Now::Over(0));
}

/// Without a delay nothing is hedged for being slow; a failure is.
#[test]
fn without_a_delay_only_failures_count() {
    let mut race = Race::new(1, None, 0);
    assert_eq!(race.now(u64::MAX), Now::Wait(None));
    race.ended(0, End::Failed, 5);
    assert_eq!(race.now(5), Now::Due);
    race.stop();
    assert_eq!(race.now(5), Now::Over(0));
}

/// There is no delay before there are enough samples, unless one was given for that time.
#[test]
fn a_quantile_needs_samples() {
    let seen = Latencies::new(100);
    let rule = rule();
    for _ in 0..19 {
        seen.record(10 * MS, &rule);
    }
    assert_eq!(seen.delay(&rule), None);
    assert_eq!(seen.delay(&Quantile { initial: Some(7), ..rule }), Some(7));
    seen.record(10 * MS, &rule);
    let delay = seen.delay(&rule).unwrap_or(0);
    assert!((10 * MS..=11 * MS).contains(&delay), "{delay}");
}

/// It is the value that the share of the last samples lies below, and follows them.
#[test]
fn a_quantile_follows_the_window() {
    let seen = Latencies::new(100);
    let rule = rule();
    for number in 0..100 {
        seen.record(if number % 10 == 9 { 100 * MS } else { 10 * MS }, &rule);
    }
    let delay = seen.delay(&rule).unwrap_or(0);
    assert!((100 * MS..=107 * MS).contains(&delay), "{delay}");
    for _ in 0..100 {
        seen.record(20 * MS, &rule);
    }
    let delay = seen.delay(&rule).unwrap_or(0);
    assert!((20 * MS..=22 * MS).contains(&delay), "{delay}");
    assert_eq!(seen.held(), 100);
}

/// It stays between its bounds.
#[test]
fn a_quantile_has_bounds() {
    let seen = Latencies::new(100);
    let rule = Quantile { min_delay: 50 * MS, max_delay: Some(60 * MS), ..rule() };
    for _ in 0..100 {
        seen.record(MS, &rule);
    }
    assert_eq!(seen.delay(&rule), Some(50 * MS));
    for _ in 0..100 {
        seen.record(SECOND, &rule);
    }
    assert_eq!(seen.delay(&rule), Some(60 * MS));
}

/// Everything that is wrong is said at once.
#[test]
fn settings_are_checked_together() {
    let delay = QuantileDraft {
        share: Some(1.0),
        min_samples: Some(500),
        window: Some(5),
        initial: Some(-1.0),
        min_delay: Some(2.0),
        max_delay: Some(1.0),
    };
    let draft = Draft {
        delay: Some(DelayDraft::Quantile(delay)),
        max_hedges: Some(0),
        max_losers: Some(-1),
        max_threads: Some(0),
    };
    let mut problems = Vec::new();
    assert!(draft.check(&mut problems).is_none());
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    let expected = [
        "delay.share",
        "delay.initial",
        "delay.max_delay",
        "delay.window",
        "max_hedges",
        "max_losers",
        "max_threads",
    ];
    assert_eq!(fields, expected);
}

/// Without settings, one further attempt starts at the 95th percentile.
#[test]
fn defaults() {
    let mut problems = Vec::new();
    let settings = Draft::default().check(&mut problems);
    let Some(settings) = settings else { panic!("{problems:?}") };
    assert_eq!(settings.max_hedges, 1);
    let Delay::Quantile(quantile) = settings.delay else { panic!("a quantile") };
    assert_eq!((quantile.min_samples, quantile.window, quantile.initial), (100, 1000, None));
}
