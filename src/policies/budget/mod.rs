//! The retry budget: how many further attempts all the calls of a service may make together.
//!
//! Retries are given one, and hedges; a call tells it of its [`Budget::begin`] and
//! [`Budget::finish`], asks by [`Budget::permit`] before each further attempt and says by
//! [`Budget::attempt_over`] when that has ended. What it saw on the way it tells by
//! [`Budget::failed`] and [`Budget::succeeded`]. One of three modes answers:
//!
//! | mode | a further attempt is permitted while | from |
//! |---|---|---|
//! | ratio | attempts over the last `ttl`, with it, ≤ ratio · calls over it + reserve | Finagle |
//! | concurrency | attempts in flight, with it, ≤ the larger of a minimum and ratio · calls in flight | Envoy |
//! | tokens | more than half of the tokens are left; a failure takes one, a success adds ratio | gRPC A6 |
//!
//! All that changes is words in a [`Place`], as with the breaker. Under any number of threads:
//!
//! - No call and no attempt is lost or counted twice. Of several who ask for the last attempt that
//!   is left exactly one gets it.
//! - In ratio mode, over *any* stretch of `ttl`, attempts ≤ ratio · calls + reserve. The grain is
//!   on the careful side: calls count for 7/9 of `ttl` at least and never for longer than `ttl`,
//!   attempts for `ttl` at least and never for longer than 5/4 of it.
//! - Settings change in place: every handle goes by the new ones from then on.
//!
//! | file | holds |
//! |---|---|
//! | `settings` | what a user may ask for, checked all at once |
//! | `terms` | settings as words, read without a lock |
//! | `place` | the words that every budget has |
//! | `ledger` | how often something happened since a given epoch |
//! | `calls` | the calls |
//! | `episode` | when it is told that the budget is exhausted, and that it has recovered |
//! | `snapshot` | reading without touching |

mod calls;
mod episode;
mod ledger;
mod place;
mod settings;
mod snapshot;
mod terms;

#[cfg(test)]
#[cfg(not(loom))]
mod tests;

pub use calls::Answer;
pub use episode::{Turn, Turned};
pub use place::{Place, Private, Words};
pub use settings::{Draft, Mode, Settings};
pub use snapshot::Snapshot;

use crate::sync::Ordering;
use crate::time::Nanos;
use ledger::Ledger;
use place::THOUSANDTHS;
use std::sync::Arc;
use terms::{Kind, Shape, Terms};

/// A handle of a budget. Clones are handles of the same one.
#[derive(Debug)]
pub struct Budget<P: Place = Private> {
    terms: Arc<Terms>,
    place: P,
}

impl<P: Place + Clone> Clone for Budget<P> {
    fn clone(&self) -> Self {
        Self { terms: Arc::clone(&self.terms), place: self.place.clone() }
    }
}

impl Budget {
    /// A budget that has seen nothing. What it will see is dated by the clocks that are handed in, so
    /// it need not know when it was made.
    #[must_use]
    pub fn new(settings: Settings, _now: Nanos) -> Self {
        let budget = Self::over(settings, Private::default());
        budget.start();
        budget
    }
}

impl<P: Place> Budget<P> {
    /// Over words that exist already.
    #[must_use]
    pub fn over(settings: Settings, place: P) -> Self {
        Self { terms: Arc::new(Terms::new(settings)), place }
    }

    /// Makes words of zeros a budget that has seen nothing. To be called once, before anybody else
    /// sees them.
    pub fn start(&self) {
        self.place.words().tokens.store(self.shape().most_tokens(), Ordering::Release);
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.terms.settings()
    }

    /// Goes by other settings from now on, as does every other handle.
    ///
    /// Counts and what is in flight are kept. What the window holds is kept; under another `ttl` of
    /// another grain it counts as though it had happened just now. Tokens keep their share of the
    /// most there may be; in a mode where they counted for nothing, they begin full.
    pub fn reconfigure(&self, settings: Settings, now: Nanos) {
        let words = self.place.words();
        self.terms.change(settings, |old, new| match (old.kind, new.kind) {
            (Kind::Ratio(old), Kind::Ratio(new)) if old.pace != new.pace => {
                for (ledger, kept) in [
                    (self.calls(), old.pace.epochs(now).saturating_sub(old.whole - 1)),
                    (self.attempts(), old.pace.epochs(now).saturating_sub(old.reach)),
                ] {
                    let held = ledger.since(old.pace, kept, old.pace.epochs(now)).recent;
                    ledger.carry(new.pace, new.pace.epochs(now), held);
                }
            }
            (Kind::Tokens { most: before, .. }, Kind::Tokens { most, .. }) => {
                let share = |held: u64| {
                    let scaled = u128::from(held) * u128::from(most) / u128::from(before.max(1));
                    Some(u64::try_from(scaled).unwrap_or(most))
                };
                let _ = words.tokens.fetch_update(Ordering::AcqRel, Ordering::Acquire, share);
            }
            (_, Kind::Tokens { most, .. }) => words.tokens.store(most, Ordering::Release),
            _ => {}
        });
    }

    #[inline]
    fn shape(&self) -> Shape {
        self.terms.shape()
    }

    #[inline]
    fn calls(&self) -> Ledger<'_> {
        let words = self.place.words();
        Ledger::new(&words.calls, &words.call_marks, !P::SHARED)
    }

    #[inline]
    fn attempts(&self) -> Ledger<'_> {
        let words = self.place.words();
        Ledger::new(&words.attempts, &words.attempt_marks, !P::SHARED)
    }
}

impl Shape {
    fn most_tokens(&self) -> u64 {
        match self.kind {
            Kind::Tokens { most, .. } => most,
            Kind::Ratio(_) | Kind::Concurrency { .. } => 100 * THOUSANDTHS,
        }
    }
}
