//! When it is told that a budget is exhausted, and that it has recovered.
//!
//! At its limit a budget says yes and no in turns: each further call pays for a part of an attempt.
//! So it is exhausted from the first refusal until it has refused nothing for a while (`ttl`, or ten
//! seconds), and what is told are the two ends of that. Nobody waits for the second: it is told by
//! whoever asks next.

use super::{Budget, Place};
use crate::sync::Ordering;
use crate::time::{Clock, Nanos};

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// An attempt was refused, the first for a while.
    Exhausted,
    /// An attempt was permitted, and none refused for a while.
    Recovered,
}

/// A change, to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// What has changed.
    pub turn: Turn,
    /// Numbers a budget's changes, from 1.
    pub seq: u64,
    /// When.
    pub at: Nanos,
}

impl<P: Place> Budget<P> {
    #[inline]
    pub(super) fn turn<C: Clock>(
        &self,
        permitted: bool,
        quiet: Nanos,
        clock: &C,
    ) -> Option<Turned> {
        let seen = self.place.words().refused_at.load(Ordering::Acquire);
        if permitted && seen == 0 {
            return None;
        }
        self.turn_at(permitted, quiet, seen, clock.coarse())
    }

    #[cold]
    fn turn_at(&self, permitted: bool, quiet: Nanos, seen: u64, now: Nanos) -> Option<Turned> {
        let words = self.place.words();
        // A refusal that is still to come was another clock's.
        let over = seen == 0 || now.abs_diff(seen) >= quiet;
        let (turn, next) = match (permitted, over) {
            (true, false) => return None,
            (true, true) => (Some(Turn::Recovered), 0),
            (false, true) => (Some(Turn::Exhausted), now.max(1)),
            // Precise enough, and thousands of refusals a second don't all write.
            (false, false) if now.saturating_sub(seen) < quiet / 16 => return None,
            (false, false) => (None, now),
        };
        // Whoever is quicker has said the same.
        words.refused_at.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire).ok()?;
        let seq = || words.turns.fetch_add(1, Ordering::AcqRel) + 1;
        turn.map(|turn| Turned { turn, seq: seq(), at: now })
    }
}
