//! The formulas by hand, and every wrong setting by name. Laws: `tests/properties/backoff.rs`.

use super::*;
use crate::random::{Random, Seeded};
use crate::time::SECOND;

/// A source that always says the same.
struct Always(f64);

impl Random for Always {
    fn share(&mut self) -> f64 {
        self.0
    }
}

fn draft(kind: &str, base: f64, jitter: &str) -> BackoffDraft {
    BackoffDraft {
        kind: kind.into(),
        base,
        jitter: JitterDraft::Named(jitter.into()),
        ..BackoffDraft::default()
    }
}

fn checked(draft: &BackoffDraft) -> Backoff {
    let mut problems = Vec::new();
    let backoff = draft.check("backoff", &mut problems);
    assert_eq!(problems, []);
    backoff.unwrap()
}

fn problems(draft: &BackoffDraft) -> Vec<String> {
    let mut problems = Vec::new();
    assert_eq!(draft.check("open_duration", &mut problems), None);
    problems.iter().map(ToString::to_string).collect()
}

fn run(backoff: &Backoff, delays: u32, random: &mut impl Random) -> Vec<Nanos> {
    let mut memory = Memory::default();
    (0..delays).map(|n| backoff.delay(n, &mut memory, random)).collect()
}

/// Six delays in seconds, the source always saying `share`.
fn seconds(draft: &BackoffDraft, share: f64) -> Vec<f64> {
    let delays = run(&checked(draft), 6, &mut Always(share));
    delays.into_iter().map(|delay| delay as f64 / SECOND as f64).collect()
}

/// Without jitter each kind is its formula.
#[test]
fn kinds_are_their_formulas() {
    assert_eq!(seconds(&draft("constant", 0.3, "none"), 0.9), [0.3; 6]);
    assert_eq!(seconds(&draft("linear", 0.5, "none"), 0.9), [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
    assert_eq!(seconds(&draft("exponential", 0.1, "none"), 0.9), [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]);
    assert_eq!(seconds(&draft("fibonacci", 1.5, "none"), 0.9), [1.5, 1.5, 3.0, 4.5, 7.5, 12.0]);
    let tripling = BackoffDraft { factor: 3.0, ..draft("exponential", 1.0, "none") };
    assert_eq!(seconds(&tripling, 0.9), [1.0, 3.0, 9.0, 27.0, 81.0, 243.0]);
}

/// A cap bounds the delay before it is spread, so that full jitter stays uniform under the cap.
#[test]
fn the_cap_comes_before_the_jitter() {
    let capped = BackoffDraft { cap: Some(0.5), ..draft("exponential", 0.1, "full") };
    assert_eq!(seconds(&capped, 0.5), [0.05, 0.1, 0.2, 0.25, 0.25, 0.25]);
}

/// A symmetric share may not lift a delay over the cap either.
#[test]
fn the_cap_comes_after_the_jitter_too() {
    let share = JitterDraft::Share(0.5);
    let capped =
        BackoffDraft { cap: Some(0.5), jitter: share, ..draft("exponential", 0.2, "none") };
    assert_eq!(seconds(&capped, 0.75), [0.25, 0.5, 0.5, 0.5, 0.5, 0.5]);
    assert_eq!(seconds(&capped, 0.0), [0.1, 0.2, 0.25, 0.25, 0.25, 0.25]);
}

/// Jitter keeps whole seconds and what is below a second alike.
#[test]
fn jitters_are_their_formulas() {
    assert_eq!(seconds(&draft("constant", 2.5, "full"), 0.25), [0.625; 6]);
    assert_eq!(seconds(&draft("constant", 2.5, "equal"), 0.5), [1.875; 6]);
    let quarter = BackoffDraft { jitter: JitterDraft::Share(0.25), ..draft("constant", 2.0, "") };
    assert_eq!(seconds(&quarter, 0.75), [2.25; 6]);
    // From b to three times the previous: the middle of 1..3 is 2, of 1..6 is 3.5, of 1..10.5 ….
    let decorrelated = draft("exponential", 1.0, "decorrelated");
    assert_eq!(seconds(&decorrelated, 0.5)[..3], [2.0, 3.5, 5.75]);
    assert_eq!(seconds(&decorrelated, 0.0), [1.0; 6]);
}

/// Smooth jitter is the difference of two points of its curve, over 1.4.
#[test]
fn smooth_is_its_formula() {
    let curve = |t: f64| 2.0_f64.powf(t) * (4.0 * t).sqrt().tanh() / 1.4;
    let given = seconds(&draft("exponential", 1.0, "smooth"), 0.5);
    let expected = [curve(0.5), curve(1.5) - curve(0.5), curve(2.5) - curve(1.5)];
    for (given, expected) in given.iter().zip(expected) {
        assert!((given - expected).abs() < 2e-9, "{given} is not {expected}");
    }
}

/// Far beyond any real attempt, delays end at the cap, or at the ceiling, and never wrap to zero.
#[test]
fn nothing_overflows() {
    for (kind, jitter) in [
        ("linear", "none"),
        ("fibonacci", "none"),
        ("exponential", "none"),
        ("exponential", "smooth"),
    ] {
        let open = checked(&draft(kind, 3e8, jitter));
        let capped = checked(&BackoffDraft { cap: Some(20.0), ..draft(kind, 1.0, jitter) });
        for n in [63, 64, 93, 94, 1023, 1024, 1025, 1_000_000, u32::MAX] {
            let delay = |backoff: &Backoff| {
                let mut memory = Memory::default();
                backoff.delay(n.saturating_sub(1), &mut memory, &mut Always(0.9));
                backoff.delay(n, &mut memory, &mut Always(0.1))
            };
            assert_eq!(delay(&open), CEILING, "{kind} {jitter} {n}");
            assert_eq!(delay(&capped), 20 * SECOND, "{kind} {jitter} {n}");
        }
    }
}

/// A base of zero is zero at every step, also where the growth is infinite.
#[test]
fn no_base_no_delay() {
    for (kind, jitter) in [("linear", "full"), ("exponential", "none"), ("exponential", "smooth")] {
        let nothing = checked(&draft(kind, 0.0, jitter));
        for n in [0, 1, 2000, u32::MAX] {
            assert_eq!(nothing.delay(n, &mut Memory::default(), &mut Seeded::new(1)), 0);
        }
    }
}

/// `longest` is the cap, or what a constant delay can reach.
#[test]
fn longest_is_what_can_come_out() {
    assert_eq!(checked(&draft("exponential", 1.0, "full")).longest(), None);
    let capped = BackoffDraft { cap: Some(9.0), ..draft("linear", 1.0, "full") };
    assert_eq!(checked(&capped).longest(), Some(9 * SECOND));
    assert_eq!(checked(&draft("constant", 30.0, "full")).longest(), Some(30 * SECOND));
    let half = BackoffDraft { jitter: JitterDraft::Share(0.5), ..draft("constant", 30.0, "") };
    assert_eq!(checked(&half).longest(), Some(45 * SECOND));
    let cut = BackoffDraft { cap: Some(40.0), ..half };
    assert_eq!(checked(&cut).longest(), Some(40 * SECOND));
    assert_eq!(Backoff::constant(Nanos::MAX).longest(), Some(CEILING));
}

/// A delay from elsewhere is cut to the cap, and what is no delay is said to be none.
#[test]
fn foreign_delays_are_bounded() {
    assert_eq!(bound(1.5, None), Some(1_500_000_000));
    assert_eq!(bound(1.5, Some(SECOND)), Some(SECOND));
    assert_eq!(bound(f64::INFINITY, Some(SECOND)), Some(SECOND));
    assert_eq!(bound(f64::INFINITY, None), Some(CEILING));
    assert_eq!(bound(-0.1, None), None);
    assert_eq!(bound(f64::NAN, None), None);
}

/// Every wrong field is named, in one go.
#[test]
fn all_problems_at_once() {
    let wrong = BackoffDraft {
        kind: "exponental".into(),
        base: -1.0,
        factor: 0.5,
        cap: Some(f64::NAN),
        jitter: JitterDraft::Named("smoth".into()),
    };
    assert_eq!(
        problems(&wrong),
        [
            "open_duration.kind=exponental must be one of constant, linear, exponential, fibonacci \
             (did you mean exponential?)",
            "open_duration.base=-1 must be a number of seconds from 0 to 315360000",
            "open_duration.cap=NaN must be a number of seconds from 0 to 315360000",
            "open_duration.jitter=smoth must be one of none, full, equal, decorrelated, smooth \
             (did you mean smooth?)",
        ]
    );
}

/// Each remaining rule, alone.
#[test]
fn rules() {
    let valid = BackoffDraft::default();
    for (wrong, says) in [
        (BackoffDraft { factor: 0.5, ..valid.clone() }, "open_duration.factor=0.5 must be a"),
        (BackoffDraft { factor: f64::INFINITY, ..valid.clone() }, "open_duration.factor=inf must"),
        (BackoffDraft { base: f64::NAN, ..valid.clone() }, "open_duration.base=NaN must be a"),
        (BackoffDraft { base: 1e10, ..valid.clone() }, "open_duration.base=10000000000 must be"),
        (
            BackoffDraft { base: 2.0, cap: Some(1.5), ..valid.clone() },
            "open_duration.cap=1.5 must be at least the base (2)",
        ),
        (
            BackoffDraft { jitter: JitterDraft::Share(1.5), ..valid.clone() },
            "open_duration.jitter=1.5 must be a share from 0 to 1",
        ),
        (
            draft("linear", 1.0, "smooth"),
            "open_duration.jitter=smooth grows by its own rule: it goes with an exponential",
        ),
        (
            BackoffDraft { factor: 3.0, ..draft("exponential", 1.0, "decorrelated") },
            "open_duration.factor=3 must be 2 with the jitter decorrelated",
        ),
    ] {
        let said = problems(&wrong);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(says), "{} does not start with {says}", said[0]);
    }
    assert_eq!(problems(&BackoffDraft { base: -1.0, factor: 0.0, ..valid }).len(), 2);
}
