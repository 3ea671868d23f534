//! Laws of backoff that hold for all settings, and what its jitters do on average.

use proptest::prelude::*;
use seawall::policies::backoff::{Backoff, BackoffDraft, CEILING, JitterDraft, Memory};
use seawall::random::{Random, Seeded};
use seawall::time::{Nanos, SECOND};

fn named(jitter: &str) -> JitterDraft {
    JitterDraft::Named(jitter.to_owned())
}

fn checked(draft: &BackoffDraft) -> Backoff {
    let mut problems = Vec::new();
    match draft.check("backoff", &mut problems) {
        Some(backoff) => backoff,
        None => panic!("{problems:?}"),
    }
}

fn run(backoff: &Backoff, delays: u32, random: &mut impl Random) -> Vec<Nanos> {
    let mut memory = Memory::default();
    (0..delays).map(|n| backoff.delay(n, &mut memory, random)).collect()
}

/// Any settings that pass the check.
fn backoffs() -> impl Strategy<Value = Backoff> {
    let kinds = prop::sample::select(vec!["constant", "linear", "exponential", "fibonacci"]);
    let jitters = prop_oneof![
        prop::sample::select(vec!["none", "full", "equal", "decorrelated", "smooth"])
            .prop_map(named),
        (0.0..=1.0).prop_map(JitterDraft::Share),
    ];
    let bases = prop_oneof![Just(0.0), 1e-9..10.0, 0.0..3e8];
    let factors = prop_oneof![Just(2.0), 1.0..50.0, Just(f64::MAX)];
    (kinds, bases, factors, prop::option::of(0.0..3e8), jitters)
        .prop_map(|(kind, base, factor, cap, jitter)| BackoffDraft {
            kind: kind.to_owned(),
            base,
            factor,
            cap,
            jitter,
        })
        .prop_filter_map("refused", |draft| draft.check("backoff", &mut Vec::new()))
}

proptest! {
    /// No delay is above the cap, whatever the number, the settings and the run before it.
    #[test]
    fn delays_stay_under_the_cap(backoff in backoffs(), numbers: Vec<u32>, seed: u64) {
        let (mut memory, mut random) = (Memory::default(), Seeded::new(seed));
        for n in numbers.into_iter().flat_map(|n| [n % 100, n % 2000, n]) {
            let delay = backoff.delay(n, &mut memory, &mut random);
            prop_assert!(delay <= backoff.longest().unwrap_or(CEILING));
            prop_assert!(delay <= CEILING);
        }
    }

    /// The same seed gives the same run.
    #[test]
    fn a_seed_is_a_run(backoff in backoffs(), seed: u64) {
        let twice = [(); 2].map(|()| run(&backoff, 50, &mut Seeded::new(seed)));
        prop_assert_eq!(&twice[0], &twice[1]);
    }

    /// Without jitter delays never shrink: growth saturates, it does not wrap.
    #[test]
    fn growth_never_turns(base in 0.0..3e8, factor in 1.0..1e9, kind in 0..4_usize, n: u32) {
        let kind = ["constant", "linear", "exponential", "fibonacci"][kind].to_owned();
        let draft = BackoffDraft { kind, base, factor, cap: None, jitter: named("none") };
        let backoff = checked(&draft);
        let delay = |n| backoff.delay(n, &mut Memory::default(), &mut Seeded::new(0));
        prop_assert!(delay(n) <= delay(n.saturating_add(1)));
        prop_assert!(delay(n % 100) <= delay(n % 100 + 1));
    }

    /// Each jitter keeps to its range around the delay of the kind.
    #[test]
    fn jitters_keep_their_ranges(seed: u64, n in 0..30_u32, share in 0.0..=1.0) {
        let delay = |jitter| {
            let draft = BackoffDraft { jitter, ..BackoffDraft::default() };
            let backoff = checked(&draft);
            backoff.delay(n, &mut Memory::default(), &mut Seeded::new(seed)) as f64
        };
        let plain = delay(named("none"));
        prop_assert!(delay(named("full")) <= plain);
        prop_assert!((plain / 2.0 - 1.0..=plain).contains(&delay(named("equal"))));
        let (low, high) = (plain * (1.0 - share) - 1.0, plain * (1.0 + share) + 1.0);
        prop_assert!((low..=high).contains(&delay(JitterDraft::Share(share))));
    }

    /// A decorrelated delay lies between the base and three times the one before it.
    #[test]
    fn decorrelated_follows_the_delay_before(seed: u64, cap in 1.0..100.0) {
        let draft = BackoffDraft {
            base: 1.0,
            cap: Some(cap),
            jitter: named("decorrelated"),
            ..BackoffDraft::default()
        };
        let backoff = checked(&draft);
        let mut last = SECOND;
        for delay in run(&backoff, 40, &mut Seeded::new(seed)) {
            prop_assert!((SECOND..=last * 3).contains(&delay));
            last = delay;
        }
    }
}

/// 20 000 runs of six delays in units of the base, sorted by size for each number.
fn samples(jitter: &str) -> Vec<Vec<f64>> {
    let draft = BackoffDraft { base: 0.25, jitter: named(jitter), ..BackoffDraft::default() };
    let backoff = checked(&draft);
    let mut random = Seeded::new(42);
    let runs: Vec<_> = (0..20_000).map(|_| run(&backoff, 6, &mut random)).collect();
    let mut columns: Vec<Vec<f64>> = (0..6)
        .map(|n| runs.iter().map(|run| run[n] as f64 / SECOND as f64 / 0.25).collect())
        .collect();
    for column in &mut columns {
        column.sort_by(f64::total_cmp);
    }
    columns
}

/// Smooth jitter has the medians that its authors promise.
#[test]
fn medians_of_smooth() {
    for (column, expected) in samples("smooth").iter().zip([0.90, 1.14, 2.0, 4.0, 8.0, 16.0]) {
        let median = column[column.len() / 2];
        assert!((median / expected - 1.0).abs() < 0.05, "{median} is far from {expected}");
    }
}

/// Full jitter halves the mean delay, equal jitter takes a quarter away.
#[test]
fn means_of_full_and_equal() {
    for (jitter, share) in [("full", 0.5), ("equal", 0.75)] {
        for (column, plain) in samples(jitter).iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]) {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            assert!((mean / plain - share).abs() < 0.01, "mean {mean} of {plain}");
        }
    }
}
