//! What a hedge is set up with.

use super::race::MOST_HEDGES;
use crate::error::Problem;
use crate::time::{LONGEST, Nanos, SECOND, seconds};

const MOST_THREADS: u32 = 100_000;
const MOST_LOSERS: u32 = 100_000;
const MOST_SAMPLES: u32 = 100_000;
/// Threads of its own at once, and losers that still run, unless told otherwise.
const DEFAULT_MOST: u32 = 256;

/// When a further attempt starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// So long after the one before.
    Fixed(Nanos),
    /// As long as nearly all calls take.
    Quantile(Quantile),
}

/// A delay that follows the latencies of calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// The share of calls that are to be quicker.
    pub share: f64,
    /// How many samples it takes.
    pub min_samples: u32,
    /// How many are remembered.
    pub window: u32,
    /// The delay before there are enough; `None`: nothing is hedged until then.
    pub initial: Option<Nanos>,
    /// It is never shorter.
    pub min_delay: Nanos,
    /// And never longer.
    pub max_delay: Option<Nanos>,
}

/// Checked settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// When a further attempt starts.
    pub delay: Delay,
    /// How many further attempts a call may have.
    pub max_hedges: u32,
    /// How many losers may still run before no further attempt is started.
    pub max_losers: u32,
    /// How many threads plain functions may have at once.
    pub max_threads: u32,
}

/// A delay as the user wrote it.
#[derive(Clone, Debug, PartialEq)]
pub enum DelayDraft {
    /// Seconds.
    Seconds(f64),
    /// A quantile.
    Quantile(QuantileDraft),
}

/// A quantile as the user wrote it; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Quantile`")]
pub struct QuantileDraft {
    pub share: Option<f64>,
    pub min_samples: Option<i64>,
    pub window: Option<i64>,
    pub initial: Option<f64>,
    pub min_delay: Option<f64>,
    pub max_delay: Option<f64>,
}

/// Settings as the user wrote them; times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Settings`")]
pub struct Draft {
    pub delay: Option<DelayDraft>,
    pub max_hedges: Option<i64>,
    pub max_losers: Option<i64>,
    pub max_threads: Option<i64>,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let quantile = QuantileDraft::default();
        let delay = match &self.delay {
            None => Delay::Quantile(quantile.check(problems)),
            Some(DelayDraft::Quantile(draft)) => Delay::Quantile(draft.check(problems)),
            Some(DelayDraft::Seconds(given)) => Delay::Fixed(time("delay", *given, problems)),
        };
        let mut count = |field, given, least, most, default| {
            whole(field, given, least, most, default, problems)
        };
        let settings = Settings {
            delay,
            max_hedges: count("max_hedges", self.max_hedges, 1, MOST_HEDGES, 1),
            max_losers: count("max_losers", self.max_losers, 1, MOST_LOSERS, DEFAULT_MOST),
            max_threads: count("max_threads", self.max_threads, 1, MOST_THREADS, DEFAULT_MOST),
        };
        (problems.len() == before).then_some(settings)
    }
}

impl QuantileDraft {
    fn check(&self, problems: &mut Vec<Problem>) -> Quantile {
        let share = self.share.unwrap_or(0.95);
        if !(share > 0.0 && share < 1.0) {
            let rule = "must be more than 0 and less than 1";
            problems.push(Problem::new("delay.share", share, rule));
        }
        let mut length = |field, given: Option<f64>| given.map(|it| time(field, it, problems));
        let initial = length("delay.initial", self.initial);
        let min_delay = length("delay.min_delay", self.min_delay).unwrap_or(SECOND / 1000);
        let max_delay = length("delay.max_delay", self.max_delay);
        if let Some(most) = max_delay.filter(|most| *most < min_delay) {
            let rule = "must not be less than min_delay";
            problems.push(Problem::new("delay.max_delay", most as f64 / SECOND as f64, rule));
        }
        let mut count = |field, given, least, default| {
            whole(field, given, least, MOST_SAMPLES, default, problems)
        };
        let window = count("delay.window", self.window, 10, 1000);
        let min_samples = count("delay.min_samples", self.min_samples, 1, 100.min(window));
        if min_samples > window {
            let rule = "must not be more than the window: as many samples are remembered";
            problems.push(Problem::new("delay.min_samples", min_samples, rule));
        }
        Quantile { share, min_samples, window, initial, min_delay, max_delay }
    }
}

fn time(field: &str, given: f64, problems: &mut Vec<Problem>) -> Nanos {
    seconds(given).unwrap_or_else(|| {
        let years = LONGEST / (365 * 86_400 * SECOND);
        let rule = format!("must be 0 seconds or more, and at most {years} years");
        problems.push(Problem::new(field, given, rule));
        0
    })
}

fn whole(
    field: &str,
    given: Option<i64>,
    least: u32,
    most: u32,
    default: u32,
    problems: &mut Vec<Problem>,
) -> u32 {
    let Some(given) = given else { return default };
    match u32::try_from(given) {
        Ok(number) if (least..=most).contains(&number) => number,
        _ => {
            let rule = format!("must be a whole number from {least} to {most}");
            problems.push(Problem::new(field, given, rule));
            default
        }
    }
}
