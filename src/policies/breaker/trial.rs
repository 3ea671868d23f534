//! Half-open: what the probes said.
//!
//! A trial is one word. Once it is decided it stays as it is, so that everybody who looks finds the
//! same decision and can carry it out: a thread that decided and stopped there holds up nobody.

use super::judge::Verdict;
use super::words::Tally;
use super::{Breaker, Place};
use crate::sync::Ordering;
use crate::window::{Outcome, Totals};

impl<P: Place> Breaker<P> {
    /// Adds a probe's outcome, unless the trial is decided; answers how it stands. `broken`:
    /// it makes too long a row of failures. `None`: the generation has passed.
    pub(super) fn tally(
        &self,
        generation: u64,
        outcome: Outcome,
        broken: bool,
    ) -> Option<(Tally, Verdict)> {
        let circuit = self.place.circuit();
        let mut seen = Tally(circuit.tally.load(Ordering::Acquire));
        loop {
            let tally = if seen.belongs(generation) {
                seen
            } else if circuit.current(generation) {
                Tally::new(generation)
            } else {
                return None;
            };
            let decided = self.settings.trial(tally);
            if decided != Verdict::Undecided {
                return Some((tally, decided));
            }
            let next = tally.with(outcome, broken);
            match circuit.tally.compare_exchange(
                seen.0,
                next.0,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some((next, self.settings.trial(next))),
                Err(other) => seen = Tally(other),
            }
        }
    }
}

impl Tally {
    pub(super) fn totals(self) -> Totals {
        Totals { calls: self.outcomes(), failures: self.failures(), slow: self.slow() }
    }
}
