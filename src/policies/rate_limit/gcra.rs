//! A rate: the generic cell rate algorithm (ITU-T I.371, the leaky bucket as a meter).
//!
//! The word is the time at which the bucket would be full again, if nobody took any more: the
//! *theoretical arrival time*, in sixteenths of a nanosecond on the monotonic clock. A call pushes
//! it on by its cost times `interval`; it is let in once that is no further off than `capacity`.
//! A word that has passed is a full bucket, so zero is one.

use super::cost::{Cost, THOUSANDTHS};
use super::{Decision, Refusal};
use crate::time::Nanos;

/// The unit of the word: 2 to this power are a nanosecond. All times that there are fit.
pub(super) const TICKS: u32 = 4;

/// A rate, in the word's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// From one call to the next, at the rate. Rounded up: the rate is never exceeded.
    pub interval: u64,
    /// How long it takes to fill the bucket.
    pub capacity: u64,
}

fn ticks(nanos: Nanos) -> u64 {
    nanos << TICKS
}

/// Rounded up: who waits so long has waited long enough.
fn nanos(ticks: u64) -> Nanos {
    ticks.div_ceil(1 << TICKS)
}

impl Rate {
    /// What a call of `cost` pushes the word on by.
    #[inline]
    pub(super) fn push(&self, cost: Cost) -> Option<u64> {
        if cost == Cost::ONE {
            return Some(self.interval);
        }
        scaled(self.interval, cost.0, THOUSANDTHS)
    }

    /// A time as the word has it.
    pub(super) fn ticks(nanos: Nanos) -> u64 {
        ticks(nanos)
    }

    /// When a call is let in by which the word became `end`.
    pub(super) fn due(&self, end: u64) -> Nanos {
        nanos(end.saturating_sub(self.capacity))
    }

    #[inline]
    pub(super) fn decide(&self, word: u64, now: Nanos, cost: Cost, patience: Nanos) -> Decision {
        if cost.0 == 0 {
            return Decision::Take { word, wait: 0 };
        }
        let now = ticks(now);
        let never = Decision::Refuse(Refusal { retry_after: None });
        let Some(push) = self.push(cost).filter(|push| *push <= self.capacity) else {
            return never;
        };
        let Some(next) = word.max(now).checked_add(push) else { return never };
        // When it is let in.
        let wait = nanos(next.saturating_sub(self.capacity).saturating_sub(now));
        if wait <= patience {
            Decision::Take { word: next, wait }
        } else {
            Decision::Refuse(Refusal { retry_after: Some(wait) })
        }
    }

    pub(super) fn give_back(&self, word: u64, given: u64, cost: Cost) -> Option<u64> {
        if cost.0 == 0 {
            return Some(word);
        }
        if word == given { word.checked_sub(self.push(cost)?) } else { None }
    }

    fn owed_ticks(word: u64, now: Nanos) -> u64 {
        word.saturating_sub(ticks(now))
    }

    pub(super) fn available(&self, word: u64, now: Nanos) -> f64 {
        let owed = Self::owed_ticks(word, now);
        (self.capacity as f64 - owed as f64) / self.interval as f64
    }

    pub(super) fn at_rest(word: u64, now: Nanos) -> bool {
        Self::owed_ticks(word, now) == 0
    }

    /// What was taken and has not come back, in thousandths.
    pub(super) fn owed(&self, word: u64, now: Nanos) -> u64 {
        scaled(Self::owed_ticks(word, now), THOUSANDTHS, self.interval).unwrap_or(u64::MAX)
    }

    /// The word of a bucket of which so many thousandths were taken.
    pub(super) fn taken(&self, taken: u64, now: Nanos) -> u64 {
        let owed = scaled(self.interval, taken, THOUSANDTHS).unwrap_or(u64::MAX);
        if owed == 0 { 0 } else { ticks(now).saturating_add(owed.min(self.capacity)) }
    }

    /// The word of this rate that says what `word` said of `old`.
    pub(super) fn carry(&self, old: &Self, word: u64, now: Nanos) -> u64 {
        if self == old {
            return word;
        }
        let owed = Self::owed_ticks(word, now);
        let owed = scaled(owed, self.interval, old.interval).unwrap_or(u64::MAX);
        if owed == 0 { 0 } else { ticks(now).saturating_add(owed.min(self.capacity)) }
    }
}

/// `a · b / c`, cut. `None`: it does not fit. Aside: what most calls cost needs no division.
#[inline(never)]
pub(super) fn scaled(a: u64, b: u64, c: u64) -> Option<u64> {
    u64::try_from(u128::from(a) * u128::from(b) / u128::from(c.max(1))).ok()
}
