//! What a race asks and tells: may there be another attempt, how did one end, who is to hear of it.

use super::counts::Why;
use super::events::{About, Told, heard, tell};
use super::race::Race;
use crate::bindings::clock::Ambient;
use crate::bindings::rules::is_rejection;
use crate::bindings::timeout;
use crate::outcome::Verdict;
use crate::policies::hedge::{Delay, End, Race as Core};
use crate::time::{Clock, Nanos};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

impl Race {
    /// Why a further attempt is not made, if it is not. If it is, the budget has paid for it.
    pub(super) fn refusal(&self, py: Python<'_>, clock: &Ambient) -> Option<Why> {
        if timeout::passed(py, clock) {
            return Some(Why::Deadline);
        }
        if self.counts.losers.get() >= u64::from(self.settings.max_losers) {
            return Some(Why::Losers);
        }
        let refused = self.budget.as_ref().is_some_and(|paid| !paid.live.permit(py, clock));
        refused.then_some(Why::Budget)
    }

    pub(super) fn judge(
        &self,
        py: Python<'_>,
        error: Option<&PyErr>,
        value: &Bound<'_, PyAny>,
    ) -> End {
        let rules = self.rules.get();
        let verdict = match error {
            Some(error) => rules.judge_error(py, error),
            None => rules.judge_value(value),
        };
        match (verdict, error) {
            (Verdict::Failure, _) => End::Failed,
            (Verdict::Ignored, Some(error)) if is_rejection(py, error) => End::Rejected,
            (_, Some(_)) => End::Final,
            (_, None) => End::Good,
        }
    }

    /// A loser has ended.
    pub(super) fn lost(&self, py: Python<'_>, error: Option<&PyErr>) {
        let counts = &self.counts;
        match error {
            None => counts.lost_succeeded.bump(),
            Some(error) if error.is_instance_of::<PyException>(py) => counts.lost_failed.bump(),
            Some(_) => counts.lost_cancelled.bump(),
        }
    }

    pub(super) fn tell(&self, py: Python<'_>, clock: &Ambient, attempts: u32, told: &Told<'_, '_>) {
        if heard(&self.rules) {
            let name = self.current.lock().name.clone_ref(py);
            let elapsed = clock.now().saturating_sub(self.began);
            let (rules, counts) = (&self.rules, &*self.counts);
            tell(py, &About { rules, counts, name, attempts, elapsed }, clock, told);
        }
    }

    /// What the first attempt says about how long calls take.
    pub(super) fn sample(&self, core: &Core, end: Option<End>, now: Nanos) {
        let first_won = core.decided() == Some(0) && end == Some(End::Good);
        let Delay::Quantile(rule) = self.settings.delay else { return };
        let Some(latencies) = &self.latencies else { return };
        if first_won || (core.runs(0) && end == Some(End::Good)) {
            latencies.record(now.saturating_sub(self.began), &rule);
        }
    }
}
