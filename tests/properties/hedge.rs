//! Laws of the hedge's race and of its quantile, over random ends, delays and orders.

use proptest::prelude::*;
use seawall::policies::hedge::{End, Latencies, Now, Quantile, Race};

#[derive(Clone, Copy, Debug)]
struct Attempt {
    takes: u64,
    end: End,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let end = prop_oneof![
        4 => Just(End::Good),
        4 => Just(End::Failed),
        1 => Just(End::Rejected),
        1 => Just(End::Final),
    ];
    (0..40_u64, end).prop_map(|(takes, end)| Attempt { takes, end })
}

/// What one call came to.
#[derive(Debug, Default)]
struct Seen {
    /// Of each attempt, when it began and when it would end.
    attempts: Vec<(u64, u64)>,
    most: u32,
    decided: Option<(u64, u32)>,
}

/// Runs a call as a loop would: at each moment ends come before beginnings. `grants` says whether
/// each further attempt is paid for; after the script, attempts go on as its last.
fn run(hedges: u32, delay: Option<u64>, script: &[Attempt], grants: &[bool]) -> Seen {
    let mut seen = Seen::default();
    let mut race = Race::new(hedges, delay, 0);
    let mut grants = grants.iter().copied().chain(std::iter::repeat(false));
    let of = |number: usize| script[number.min(script.len() - 1)];
    seen.attempts.push((0, of(0).takes));
    for now in 0..2000 {
        for number in 0..race.started() {
            let (_, ends) = seen.attempts[number as usize];
            if ends == now && race.runs(number) && seen.decided.is_none() {
                race.ended(number, of(number as usize).end, now);
                if let Now::Over(winner) = race.now(now) {
                    seen.decided.get_or_insert((now, winner));
                }
            }
        }
        while race.now(now) == Now::Due {
            if grants.next() == Some(true) {
                let number = race.start(now);
                let takes = of(number as usize).takes.max(1);
                seen.attempts.push((now, now + takes));
            } else {
                race.stop();
            }
        }
        seen.most = seen.most.max(race.running());
        if let Now::Over(winner) = race.now(now) {
            seen.decided.get_or_insert((now, winner));
            break;
        }
    }
    seen
}

proptest! {
    /// Never more attempts than one and `hedges`, never one more than was paid for, and each is
    /// due: a delay after the one before, or at a failure.
    #[test]
    fn attempts_are_bounded_and_due(
        hedges in 0..6_u32,
        delay in proptest::option::of(0..30_u64),
        script in proptest::collection::vec(attempt(), 1..8),
        grants in proptest::collection::vec(any::<bool>(), 0..8),
    ) {
        let seen = run(hedges, delay, &script, &grants);
        prop_assert!(seen.most <= 1 + hedges);
        let paid = grants.iter().take_while(|granted| **granted).count();
        prop_assert!(seen.attempts.len() <= 1 + (hedges as usize).min(paid));
        for (number, pair) in seen.attempts.windows(2).enumerate() {
            let (before, began) = (pair[0].0, pair[1].0);
            let failed = seen.attempts[..=number].iter().enumerate().any(|(at, (_, ends))| {
                *ends <= began && script[at.min(script.len() - 1)].end == End::Failed
            });
            let slow = delay.is_some_and(|delay| began >= before + delay);
            prop_assert!(slow || failed, "{number} began at {began}, after {before}");
        }
    }

    /// Each call is decided: by the first good or final end, else when nobody runs any more, by the
    /// first failure, else by the first rejection.
    #[test]
    fn the_first_good_answer_wins(
        hedges in 0..6_u32,
        delay in proptest::option::of(0..30_u64),
        script in proptest::collection::vec(attempt(), 1..8),
        grants in proptest::collection::vec(any::<bool>(), 0..8),
    ) {
        let seen = run(hedges, delay, &script, &grants);
        let Some((at, winner)) = seen.decided else { return Err(TestCaseError::fail("undecided")) };
        let end_of = |number: usize| script[number.min(script.len() - 1)].end;
        let deciding = |end| matches!(end, End::Good | End::Final);
        let mut ends: Vec<_> =
            seen.attempts.iter().enumerate().map(|(number, (_, ends))| (*ends, number)).collect();
        ends.sort_unstable();
        match ends.iter().find(|(_, number)| deciding(end_of(*number))) {
            Some((ends, number)) if *ends <= at => {
                prop_assert_eq!((at, winner as usize), (*ends, *number));
            }
            _ => {
                // Nobody answered: all had ended.
                prop_assert!(ends.iter().all(|(ends, _)| *ends <= at));
                let first = |kind| ends.iter().find(|(_, number)| end_of(*number) == kind);
                let expected = first(End::Failed).or(first(End::Rejected)).map(|(_, number)| *number);
                prop_assert_eq!(Some(winner as usize), expected);
            }
        }
    }

    /// Whatever ends after the decision changes nothing.
    #[test]
    fn what_is_decided_stays(
        ends in proptest::collection::vec((0..4_u32, 0..4_usize), 1..12),
    ) {
        let kinds = [End::Good, End::Failed, End::Rejected, End::Final];
        let mut race = Race::new(3, Some(0), 0);
        for _ in 0..3 {
            race.start(0);
        }
        let mut decided = None;
        for (now, (number, kind)) in (1..).zip(ends) {
            if race.runs(number) {
                race.ended(number, kinds[kind], now);
            }
            if decided.is_some() {
                prop_assert_eq!(race.decided(), decided);
                prop_assert!(matches!(race.now(u64::MAX), Now::Over(_)));
            }
            decided = race.decided();
        }
    }

    /// The delay is at least the quantile of the last samples, and at most a sixteenth and a
    /// microsecond or so above it, as far as these were counted when it was last worked out.
    #[test]
    fn the_quantile_is_that_of_the_window(
        samples in proptest::collection::vec(0..10_000_000_000_u64, 40..200),
        share in 0.05..0.99_f64,
    ) {
        let rule = Quantile {
            share,
            min_samples: 1,
            window: 40,
            initial: None,
            min_delay: 0,
            max_delay: None,
        };
        let seen = Latencies::new(40);
        for sample in &samples {
            seen.record(*sample, &rule);
        }
        let mut last = samples[samples.len() - 40..].to_vec();
        last.sort_unstable();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let rank = ((share * 40.0).ceil() as usize).clamp(1, 40);
        let exact = last[rank - 1];
        let delay = seen.delay(&rule).unwrap_or(0);
        prop_assert!(delay > exact && delay - exact <= exact / 16 + 1024, "{delay} for {exact}");
    }
}
