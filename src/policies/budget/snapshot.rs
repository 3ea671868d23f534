//! Reading. Nothing here changes a budget.

use super::calls::limit;
use super::place::THOUSANDTHS;
use super::settings::BILLION;
use super::terms::Kind;
use super::{Budget, Place};
use crate::sync::Ordering;
use crate::time::Nanos;

/// What a budget has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// What is left: further attempts that would be permitted now, or in tokens mode, tokens.
    pub balance: f64,
    /// Whether a further attempt would be refused now.
    pub exhausted: bool,
    /// Ratio mode: how many calls count.
    pub deposited: Option<u64>,
    /// Ratio mode: how many further attempts count.
    pub withdrawn: Option<u64>,
    /// Calls that have begun and not ended.
    pub in_flight: u64,
    /// Further attempts that were permitted and have not ended.
    pub retries_in_flight: u64,
    /// Calls that have ever begun.
    pub calls: u64,
    /// Further attempts that were ever permitted.
    pub permitted: u64,
    /// Further attempts that were ever refused.
    pub refused: u64,
}

impl<P: Place> Budget<P> {
    /// All of it. Exact when nobody calls meanwhile.
    #[must_use]
    pub fn snapshot(&self, now: Nanos) -> Snapshot {
        let words = self.place.words();
        let (calls, attempts) = (self.calls(), self.attempts());
        // What has ended before what has begun, which is never less then.
        let finished = words.finished.load(Ordering::Acquire);
        let over = words.over.load(Ordering::Acquire);
        let mut seen = Snapshot {
            balance: 0.0,
            exhausted: false,
            deposited: None,
            withdrawn: None,
            in_flight: calls.total().saturating_sub(finished),
            retries_in_flight: attempts.total().saturating_sub(over),
            calls: calls.total(),
            permitted: attempts.total(),
            refused: words.refused.get(),
        };
        match self.shape().kind {
            Kind::Ratio(terms) => {
                let epoch = terms.pace.epochs(now);
                let since = |back: u64| epoch.saturating_sub(back);
                let saved = calls.since(terms.pace, since(terms.whole - 1), epoch).recent;
                let spent = attempts.since(terms.pace, since(terms.reach), epoch).recent;
                let paid = u128::from(saved) * u128::from(terms.share) + u128::from(terms.reserve);
                let spent_units = u128::from(spent) * u128::from(BILLION);
                // New settings may be stricter than those that what is spent was permitted by.
                let left = paid.saturating_sub(spent_units);
                seen.balance = left as f64 / BILLION as f64;
                seen.exhausted = left < u128::from(BILLION);
                (seen.deposited, seen.withdrawn) = (Some(saved), Some(spent));
            }
            Kind::Concurrency { ratio, least } => {
                let most = limit(seen.in_flight, ratio, least);
                let left = most.saturating_sub(seen.retries_in_flight);
                seen.balance = left as f64;
                seen.exhausted = left == 0;
            }
            Kind::Tokens { most, .. } => {
                let tokens = words.tokens.load(Ordering::Acquire);
                seen.balance = tokens as f64 / THOUSANDTHS as f64;
                seen.exhausted = tokens <= most / 2;
            }
        }
        seen
    }
}
