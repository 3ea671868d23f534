//! Outcomes of a watched circuit: recorded, and judged where they may have reached a rule.

use super::Geometry;
use super::report::{Cause, Evidence, Settled, transition, trip};
use super::words::Word;
use super::{Breaker, Place, State, Window};
use crate::sync::Ordering;
use crate::time::Clock;
use crate::window::buckets::{Buckets, Dropped};
use crate::window::marks::Marks;
use crate::window::{Outcome, Totals};

/// What recording an outcome came to.
pub(super) enum Recorded {
    /// It can't have brought a rate up.
    Quietly,
    /// The window must be judged.
    Judge,
    /// The generation has passed.
    Late,
}

impl<P: Place> Breaker<P> {
    /// Whether a good outcome changes nothing in the window.
    #[inline]
    pub(super) fn spared(&self, generation: u64) -> bool {
        match (self.geometry, self.place.window()) {
            (Geometry::None, _) => true,
            (Geometry::Count(_), [bads, clean, ..]) => Marks::new(bads, clean).clean(generation),
            _ => false,
        }
    }

    #[inline]
    pub(super) fn record(
        &self,
        window: &Window<'_>,
        generation: u64,
        outcome: Outcome,
        clock: &impl Clock,
    ) -> Recorded {
        let current = || self.place.circuit().current(generation);
        match window {
            Window::None => Recorded::Quietly,
            Window::Count(ring) => match ring.append(generation, outcome, current) {
                None => Recorded::Late,
                Some(held) if outcome.good() && !self.first(held) => Recorded::Quietly,
                Some(_) => Recorded::Judge,
            },
            Window::Time(buckets) => match buckets.append(generation, outcome, clock, current) {
                Err(Dropped::Late) => Recorded::Late,
                Err(Dropped::Old) => Recorded::Quietly,
                Ok(()) if outcome.good() && buckets.marks.clean(generation) => Recorded::Quietly,
                Ok(()) => Recorded::Judge,
            },
        }
    }

    /// Whether rates count for the first time with this outcome, or for the first time by these
    /// settings: a success may reach them then.
    #[inline]
    fn first(&self, held: u64) -> bool {
        held == u64::from(self.settings.min_calls) || self.unjudged()
    }

    #[cold]
    pub(super) fn judge(
        &self,
        window: &Window<'_>,
        word: Word,
        streak: u64,
        clock: &impl Clock,
    ) -> Settled {
        self.unjudged.store(0, Ordering::Relaxed);
        let totals = match window {
            Window::None => None,
            Window::Count(ring) => Some(ring.totals(word.generation())),
            Window::Time(buckets) => Some(look(buckets, word.generation(), clock)),
        };
        let rate = totals.and_then(|totals| self.settings.rate_reached(&totals));
        let cause = if self.settings.streak_reached(streak) {
            Cause::ConsecutiveFailures
        } else if let Some(cause) = rate {
            cause
        } else {
            return Settled::Stays;
        };
        let evidence = match totals {
            Some(totals) => self.evidence(&totals),
            None => Evidence { calls: streak, ..Evidence::default() },
        };
        if word.state() != State::MetricsOnly {
            return Settled::Trips(trip(word, cause, evidence));
        }
        let now = clock.now();
        match self.place.circuit().step(word, State::MetricsOnly, 0, now) {
            Some(next) => Settled::Moved(transition(word, next, now, cause, evidence)),
            None => Settled::Stays,
        }
    }
}

/// The window's totals; remembers it if they hold nothing bad.
fn look(buckets: &Buckets<'_>, generation: u64, clock: &impl Clock) -> Totals {
    // The clock is read after `quiet`: what was bad by then lies in no later bucket.
    let quiet = buckets.marks.quiet();
    let totals = buckets.totals(generation, clock);
    if let Some(quiet) = quiet
        && totals.failures + totals.slow == 0
    {
        buckets.marks.claim(generation, quiet);
    }
    totals
}
