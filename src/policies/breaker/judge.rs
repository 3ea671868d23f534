//! Whether a rule is reached, by a window or by a trial.

use super::report::Cause;
use super::settings::Settings;
use super::words::Tally;
use crate::window::Totals;

/// What the probes so far come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Undecided,
    Close,
    Reopen,
}

impl Settings {
    /// The rate that a window has reached.
    pub(super) fn rate_reached(&self, totals: &Totals) -> Option<Cause> {
        if totals.calls < u64::from(self.min_calls) {
            return None;
        }
        if reached(totals.failure_rate(), self.failure_rate) {
            return Some(Cause::FailureRate);
        }
        reached(totals.slow_call_rate(), self.slow_call_rate).then_some(Cause::SlowCallRate)
    }

    /// Whether so many failures in a row are too many.
    pub(super) fn streak_reached(&self, streak: u64) -> bool {
        self.failure_threshold.is_some_and(|most| streak >= u64::from(most))
    }

    /// With a success threshold, one bad outcome re-opens. Without, the rates judge a sample of
    /// `half_open_calls`, as soon as it is certain that they will be reached. Where no failure rate
    /// is named, a consecutive rule takes any failure for enough; where no rule speaks of failures
    /// at all, they do not count here either. Too many failures in a row always re-open it.
    pub(super) fn trial(&self, tally: Tally) -> Verdict {
        if tally.broken() {
            return Verdict::Reopen;
        }
        let slow_rule = self.slow_call_rate.is_some();
        if let Some(enough) = self.success_threshold {
            return if tally.failures() > 0 || slow_rule && tally.slow() > 0 {
                Verdict::Reopen
            } else if tally.outcomes() >= u64::from(enough) {
                Verdict::Close
            } else {
                Verdict::Undecided
            };
        }
        let sample = Totals {
            calls: self.half_open_calls.into(),
            failures: tally.failures(),
            slow: tally.slow(),
        };
        let failed = match (self.failure_rate, self.failure_threshold) {
            (None, Some(_)) => tally.failures() > 0,
            (rate, _) => reached(sample.failure_rate(), rate),
        };
        if failed || reached(sample.slow_call_rate(), self.slow_call_rate) {
            Verdict::Reopen
        } else if tally.outcomes() >= sample.calls {
            Verdict::Close
        } else {
            Verdict::Undecided
        }
    }
}

fn reached(rate: Option<f64>, threshold: Option<f64>) -> bool {
    matches!((rate, threshold), (Some(rate), Some(threshold)) if rate >= threshold)
}
