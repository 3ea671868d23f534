//! A backoff as a user wrote it, and what can be wrong with it.

use super::{Backoff, CEILING, Jitter, Kind};
use crate::error::Problem;
use crate::time::{Nanos, SECOND};

const KINDS: [&str; 4] = ["constant", "linear", "exponential", "fibonacci"];
const JITTERS: [&str; 5] = ["none", "full", "equal", "decorrelated", "smooth"];

/// Settings that nobody has checked; times are seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct BackoffDraft {
    /// `constant`, `linear`, `exponential` or `fibonacci`.
    pub kind: String,
    /// The delay that the others are multiples of.
    pub base: f64,
    /// Growth from one delay to the next; asked for by `exponential` only.
    pub factor: f64,
    /// The longest delay allowed.
    pub cap: Option<f64>,
    /// The spread.
    pub jitter: JitterDraft,
}

/// A jitter that nobody has checked.
#[derive(Clone, Debug, PartialEq)]
pub enum JitterDraft {
    /// `none`, `full`, `equal`, `decorrelated` or `smooth`.
    Named(String),
    /// A share of the delay, to both sides.
    Share(f64),
}

impl Default for BackoffDraft {
    /// Exponential from 0.1 s by 2 with full jitter and no cap.
    fn default() -> Self {
        Self {
            kind: "exponential".into(),
            base: 0.1,
            factor: 2.0,
            cap: None,
            jitter: JitterDraft::Named("full".into()),
        }
    }
}

impl BackoffDraft {
    /// The checked backoff, or every problem added to `problems` under the name `field`:
    /// `field.base`, `field.jitter`, ….
    pub fn check(&self, field: &str, problems: &mut Vec<Problem>) -> Option<Backoff> {
        let before = problems.len();
        let kind = self.check_kind(field, problems);
        let base = check_time(&format!("{field}.base"), self.base, problems);
        let cap = self.cap.map(|cap| check_cap(&format!("{field}.cap"), cap, problems));
        let jitter = self.check_jitter(field, problems);
        if let (Some(base), Some(Some(cap))) = (base, cap)
            && cap < base
        {
            let rule = format!("must be at least the base ({})", self.base);
            problems.push(Problem::new(format!("{field}.cap"), self.cap.unwrap_or_default(), rule));
        }
        if let (Some(kind), Some(jitter @ (Jitter::Decorrelated | Jitter::Smooth))) = (kind, jitter)
        {
            check_own_growth(field, kind, jitter, problems);
        }
        if problems.len() > before {
            return None;
        }
        Some(Backoff { kind: kind?, base: base?, cap: cap.flatten(), jitter: jitter? })
    }

    fn check_kind(&self, field: &str, problems: &mut Vec<Problem>) -> Option<Kind> {
        match self.kind.as_str() {
            "constant" => Some(Kind::Constant),
            "linear" => Some(Kind::Linear),
            "fibonacci" => Some(Kind::Fibonacci),
            "exponential" if self.factor.is_finite() && self.factor >= 1.0 => {
                Some(Kind::Exponential { factor: self.factor })
            }
            "exponential" => {
                let rule = "must be a finite number of at least 1";
                problems.push(Problem::new(format!("{field}.factor"), self.factor, rule));
                None
            }
            unknown => {
                problems.push(one_of(format!("{field}.kind"), unknown, &KINDS));
                None
            }
        }
    }

    fn check_jitter(&self, field: &str, problems: &mut Vec<Problem>) -> Option<Jitter> {
        let field = format!("{field}.jitter");
        match &self.jitter {
            JitterDraft::Share(share) if (0.0..=1.0).contains(share) => Some(Jitter::Share(*share)),
            JitterDraft::Share(share) => {
                problems.push(Problem::new(field, share, "must be a share from 0 to 1"));
                None
            }
            JitterDraft::Named(name) => match name.as_str() {
                "none" => Some(Jitter::None),
                "full" => Some(Jitter::Full),
                "equal" => Some(Jitter::Equal),
                "decorrelated" => Some(Jitter::Decorrelated),
                "smooth" => Some(Jitter::Smooth),
                unknown => {
                    problems.push(one_of(field, unknown, &JITTERS));
                    None
                }
            },
        }
    }
}

/// A cap in nanoseconds. Also for delays that are computed elsewhere, see [`super::bound`].
pub fn check_cap(field: &str, seconds: f64, problems: &mut Vec<Problem>) -> Option<Nanos> {
    check_time(field, seconds, problems)
}

fn check_time(field: &str, seconds: f64, problems: &mut Vec<Problem>) -> Option<Nanos> {
    let longest = (CEILING / SECOND) as f64;
    if (0.0..=longest).contains(&seconds) {
        return Some(nanos(seconds));
    }
    let rule = format!("must be a number of seconds from 0 to {longest}");
    problems.push(Problem::new(field, seconds, rule));
    None
}

/// Jitters that bring a growth of their own would silently drop another growth asked for.
fn check_own_growth(field: &str, kind: Kind, jitter: Jitter, problems: &mut Vec<Problem>) {
    let name = if jitter == Jitter::Smooth { "smooth" } else { "decorrelated" };
    match kind {
        Kind::Exponential { factor: 2.0 } => {}
        Kind::Exponential { factor } => {
            let rule = format!("must be 2 with the jitter {name}, which grows by its own rule");
            problems.push(Problem::new(format!("{field}.factor"), factor, rule));
        }
        Kind::Constant | Kind::Linear | Kind::Fibonacci => {
            let rule = "grows by its own rule: it goes with an exponential backoff";
            problems.push(Problem::new(format!("{field}.jitter"), name, rule));
        }
    }
}

fn one_of(field: String, given: &str, known: &[&str]) -> Problem {
    let rule = format!("must be one of {}", known.join(", "));
    Problem {
        nearest: Problem::unknown(given, given, known).nearest,
        ..Problem::new(field, given, rule)
    }
}

/// Seconds as nanoseconds, see [`whole`].
pub(super) fn nanos(seconds: f64) -> Nanos {
    whole(seconds * SECOND as f64)
}

/// Rounded to the nanosecond: nothing below zero, nothing above [`CEILING`].
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and what is not a number becomes zero"
)]
pub(super) fn whole(nanos: f64) -> Nanos {
    (nanos.round() as Nanos).min(CEILING)
}
