//! What a user may ask for.

use crate::error::Problem;
use crate::time::{LONGEST, Nanos, SECOND, seconds};

const DEFAULT_RATE: f64 = 0.5;
const DEFAULT_WINDOW: u32 = 100;
const DEFAULT_MIN_CALLS: u32 = 20;
const DEFAULT_PROBES: u32 = 3;
/// The most probes that settings may ask for.
pub(super) const MOST_PROBES: u32 = 256;
const SHORTEST_LEASE: Nanos = 60 * SECOND;
const SHORTEST_WINDOW: Nanos = SECOND / 10;

/// What the rates are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowSize {
    /// The last so many outcomes.
    Calls(u32),
    /// The outcomes of the last stretch of time.
    Time(Nanos),
}

/// Settings that have been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// So many failures in a row open the circuit, however few calls there were.
    pub failure_threshold: Option<u32>,
    /// This share of failures in the window opens it.
    pub failure_rate: Option<f64>,
    /// This share of slow calls in the window opens it.
    pub slow_call_rate: Option<f64>,
    /// A call that takes this long, or longer, is slow.
    pub slow_call_duration: Option<Nanos>,
    /// What rates are taken over.
    pub window: WindowSize,
    /// Rates count only from so many outcomes on; at most what a count window holds.
    pub min_calls: u32,
    /// How many probes run at once; without a success threshold also the size of their sample.
    pub half_open_calls: u32,
    /// So many successful probes close the circuit, and any bad one re-opens it.
    pub success_threshold: Option<u32>,
    /// How long a probe may keep others from probing.
    pub lease: Nanos,
}

/// A window as the user wrote it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DraftWindow {
    /// A number of calls.
    Calls(i64),
    /// A length in seconds.
    Seconds(f64),
}

/// Settings as the user wrote them: any number may be wrong. Durations are in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "named and meant as in `Settings`")]
pub struct Draft {
    pub failure_threshold: Option<i64>,
    pub failure_rate: Option<f64>,
    pub slow_call_rate: Option<f64>,
    pub slow_call_duration: Option<f64>,
    pub window: Option<DraftWindow>,
    pub min_calls: Option<i64>,
    /// Fixed, in seconds; `None` where it is worked out anew each time.
    pub open_duration: Option<f64>,
    pub half_open_calls: Option<i64>,
    pub success_threshold: Option<i64>,
    /// The lease; by default the longer of `open_duration` and a minute.
    pub half_open_max_duration: Option<f64>,
}

impl Draft {
    /// Settings, or every problem there is with them.
    pub fn check(&self, problems: &mut Vec<Problem>) -> Option<Settings> {
        let before = problems.len();
        let mut check = Check(problems);
        let failure_threshold = check.count("failure_threshold", self.failure_threshold, 65_535);
        let failure_rate = check.rate("failure_rate", self.failure_rate);
        let slow_call_rate = check.rate("slow_call_rate", self.slow_call_rate);
        let slow_call_duration = check.duration("slow_call_duration", self.slow_call_duration, 1);
        check.pair(self.slow_call_rate.is_some(), self.slow_call_duration.is_some());
        let window = match self.window {
            None => None,
            Some(DraftWindow::Calls(calls)) => {
                check.count("window", Some(calls), 100_000).map(WindowSize::Calls)
            }
            Some(DraftWindow::Seconds(length)) => {
                check.duration("window", Some(length), SHORTEST_WINDOW).map(WindowSize::Time)
            }
        };
        let min_calls = check.count("min_calls", self.min_calls, 4_000_000_000);
        let open_duration = check.duration("open_duration", self.open_duration, 1);
        let half_open_calls = check.count("half_open_calls", self.half_open_calls, MOST_PROBES);
        let success_threshold = check.count("success_threshold", self.success_threshold, 65_535);
        let lease = check.duration("half_open_max_duration", self.half_open_max_duration, 1);
        if problems.len() > before {
            return None;
        }

        let window = window.unwrap_or(WindowSize::Calls(DEFAULT_WINDOW));
        let min_calls = min_calls.unwrap_or(DEFAULT_MIN_CALLS);
        let unnamed =
            failure_threshold.is_none() && failure_rate.is_none() && slow_call_rate.is_none();
        Some(Settings {
            failure_threshold,
            failure_rate: if unnamed { Some(DEFAULT_RATE) } else { failure_rate },
            slow_call_rate,
            slow_call_duration,
            window,
            min_calls: match window {
                WindowSize::Calls(size) => min_calls.min(size),
                WindowSize::Time(_) => min_calls,
            },
            half_open_calls: half_open_calls.unwrap_or(DEFAULT_PROBES),
            success_threshold,
            lease: lease.unwrap_or(open_duration.unwrap_or(0).max(SHORTEST_LEASE)),
        })
    }
}

/// Takes down what is wrong. What is wrong or not given comes out as `None`.
struct Check<'a>(&'a mut Vec<Problem>);

impl Check<'_> {
    fn count(&mut self, field: &str, given: Option<i64>, most: u32) -> Option<u32> {
        let given = given?;
        let count = u32::try_from(given).ok().filter(|count| (1..=most).contains(count));
        if count.is_none() {
            let rule = format!("must be a whole number from 1 to {most}");
            self.0.push(Problem::new(field, given, rule));
        }
        count
    }

    fn rate(&mut self, field: &str, given: Option<f64>) -> Option<f64> {
        let given = given?;
        let fits = given > 0.0 && given <= 1.0;
        if !fits {
            self.0.push(Problem::new(field, given, "must be above 0 and at most 1"));
        }
        fits.then_some(given)
    }

    fn duration(&mut self, field: &str, given: Option<f64>, least: Nanos) -> Option<Nanos> {
        let given = given?;
        // A positive number that rounds to no nanosecond at all is still a duration.
        let nanos = seconds(given).filter(|_| given > 0.0).map(|nanos| nanos.max(1));
        let fitting = nanos.filter(|nanos| *nanos >= least);
        if fitting.is_none() {
            let rule = match least {
                0 | 1 => "must be more than 0 seconds".to_owned(),
                _ => format!("must be at least {} seconds", least as f64 / SECOND as f64),
            };
            let years = LONGEST / (365 * 86_400 * SECOND);
            self.0.push(Problem::new(field, given, format!("{rule} and at most {years} years")));
        }
        fitting
    }

    fn pair(&mut self, rate: bool, duration: bool) {
        let (missing, given) = match (rate, duration) {
            (true, false) => ("slow_call_duration", "slow_call_rate"),
            (false, true) => ("slow_call_rate", "slow_call_duration"),
            _ => return,
        };
        self.0.push(Problem::new(missing, "None", format!("must be given with {given}")));
    }
}
