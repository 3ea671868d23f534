//! The way of a good call through a healthy circuit: a few loads and two counts.
//!
//! Both halves do what [`Breaker::acquire`] and [`Breaker::settle`] would do, or nothing at all.
//! They return next to nothing, so that a caller's success path stays in registers.

use super::place::Geometry;
use super::report::{Settled, Ticket};
use super::{Breaker, Place, Window};
use crate::sync::ALONE;
use crate::time::{Clock, Nanos};
use crate::window::buckets::Buckets;
use crate::window::ring::Ring;

/// What [`Breaker::pass`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The call is settled and changed nothing but counts.
    Quietly,
    /// The call is recorded; its ticket goes to [`Breaker::judge_passed`].
    Unjudged,
    /// Nothing: the ticket goes to [`Breaker::settle`].
    Not,
}

impl<P: Place> Breaker<P> {
    /// Admits a call if the circuit is closed. Otherwise nothing has happened: ask
    /// [`Breaker::acquire`].
    #[inline(always)]
    pub fn admit(&self) -> Option<Ticket> {
        let circuit = self.place.circuit();
        let word = circuit.word();
        if !word.closed() {
            return None;
        }
        Self::count(&circuit.admitted);
        Some(Ticket::closed(word.generation()))
    }

    /// Settles a success, if there is nothing in the window or in a row that it could change.
    #[inline(always)]
    pub fn pass(&self, ticket: &Ticket, elapsed: Nanos, clock: &impl Clock) -> Passed {
        let circuit = self.place.circuit();
        // A closed circuit's word is its generation. A probe's ticket is never of a closed one.
        let healthy =
            circuit.word().0 == ticket.generation && circuit.unbroken() && elapsed < self.slow_from;
        if !healthy {
            return Passed::Not;
        }
        match self.geometry {
            Geometry::None => {}
            Geometry::Count(_) => {
                if !Ring::marks(self.place.window()).is_some_and(|m| m.clean(ticket.generation)) {
                    return Passed::Not;
                }
            }
            Geometry::Time(width) => {
                let Some(buckets) = Buckets::new(self.place.window(), width) else {
                    return Passed::Not;
                };
                let buckets = buckets.alone(!P::SHARED);
                if !buckets.marks.clean(ticket.generation)
                    || !buckets.raise_calls(ticket.generation, clock)
                {
                    return Passed::Not;
                }
                Self::count(&circuit.success);
                // A bad outcome that began meanwhile may have been judged without this one.
                return if (ALONE && !P::SHARED) || buckets.marks.clean(ticket.generation) {
                    Passed::Quietly
                } else {
                    Passed::Unjudged
                };
            }
        }
        Self::count(&circuit.success);
        Passed::Quietly
    }

    /// Judges the window after [`Passed::Unjudged`].
    #[cold]
    pub fn judge_passed(&self, ticket: Ticket, clock: &impl Clock) -> Settled {
        let word = self.place.circuit().word();
        if word.generation() != ticket.generation {
            return Settled::Stays;
        }
        let window: Window<'_> = self.window();
        self.judge(&window, word, 0, clock)
    }
}
