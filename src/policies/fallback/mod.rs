//! Fallback: what answers in the place of a call that failed, and in what order.
//!
//! A remembered answer is asked for first: it was the service's own, and costs nothing. Then the
//! providers are, in their order, each after the one before it has failed. Where good answers are
//! kept is a [`Shelf`]; how old one may be is decided here.

mod settings;
mod shelf;
#[cfg(test)]
#[cfg(not(loom))]
mod tests;

pub use settings::{Draft, Settings};
pub use shelf::{Kept, Shelf};

use crate::time::Nanos;

/// How far the answering of one call has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// The call itself has not come to its end.
    #[default]
    Own,
    /// It failed, and the provider of this number was asked.
    Asked(u16),
    /// It failed, and a provider has answered.
    Provided,
    /// It failed, and was answered from memory.
    Remembered,
    /// Nothing took the place of its end.
    Passed,
}

impl Stage {
    /// Has something taken the place of the call's own end?
    #[must_use]
    pub const fn answered(self) -> bool {
        matches!(self, Self::Provided | Self::Remembered)
    }
}

impl Settings {
    /// The stage after `stage` has failed; `None`: there is nobody left to ask. What is remembered
    /// does not fail: it is there, and comes before the first provider, or it is not.
    #[must_use]
    pub const fn next(&self, stage: Stage) -> Option<Stage> {
        let number = match stage {
            Stage::Own => 0,
            Stage::Asked(number) => number + 1,
            Stage::Provided | Stage::Remembered | Stage::Passed => return None,
        };
        if number < self.providers { Some(Stage::Asked(number)) } else { None }
    }

    /// How old the answer `kept` is, if it is young enough to be given at `now`.
    #[must_use]
    pub fn age<A>(&self, kept: &Kept<A>, now: Nanos) -> Option<Nanos> {
        // An answer of the future is one by another clock, and its age is not known.
        let age = now.checked_sub(kept.at)?;
        self.stale.filter(|most| age <= *most).map(|_| age)
    }
}
