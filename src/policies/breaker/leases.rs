//! Half-open: who may probe.
//!
//! A lease is a word `[expiry:52][generation:12]`, the expiry in steps of 256 ns; 0 is free. So is
//! a lease that has expired, and one of an older generation. A thread that comes late must not take
//! the lease of a *newer* generation for a free one: it looks at the state after it has read the
//! word, and while its own generation stands, no newer one has written.
//!
//! The word is the nonce: a lease that was taken over after it had expired is a different word
//! (its expiry is later by at least a step), and the probe that held it can't give it back.

use super::{Breaker, Place, Ticket};
use crate::sync::Ordering;
use crate::time::Nanos;

const STEP: Nanos = 256;
const GENERATIONS: u64 = (1 << 12) - 1;

/// How many words are laid out for so many probes at once.
pub(super) fn capacity(half_open_calls: u32) -> usize {
    half_open_calls.max(4) as usize
}

/// The answer to a call that wants to probe.
pub(super) enum Probe {
    Taken(Ticket),
    /// All leases stand.
    Full,
    /// The generation has passed.
    Moved,
}

impl<P: Place> Breaker<P> {
    /// Takes a lease of the half-open `generation`.
    pub(super) fn lease(&self, generation: u64, now: Nanos) -> Probe {
        let step = now / STEP;
        // Rounded down, but never to the step that it is now: see the nonce above.
        let expiry = (now.saturating_add(self.settings.lease) / STEP).max(step + 1);
        let lease = expiry.min((1 << 52) - 1) << 12 | generation & GENERATIONS;
        let permits = self.settings.half_open_calls as usize;
        for (slot, word) in (0..).zip(self.place.leases().iter().take(permits)) {
            let mut seen = word.load(Ordering::Acquire);
            while free(seen, generation, step) {
                if !self.place.circuit().current(generation) {
                    return Probe::Moved;
                }
                match word.compare_exchange(seen, lease, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return self.keep(Ticket { generation, lease, slot }),
                    Err(other) => seen = other,
                }
            }
        }
        Probe::Full
    }

    fn keep(&self, ticket: Ticket) -> Probe {
        if self.place.circuit().current(ticket.generation) {
            return Probe::Taken(ticket);
        }
        self.release(ticket);
        Probe::Moved
    }

    /// Gives a lease back; `false` if it was lost.
    pub(super) fn release(&self, ticket: Ticket) -> bool {
        self.place.leases().get(ticket.slot as usize).is_some_and(|word| {
            word.compare_exchange(ticket.lease, 0, Ordering::AcqRel, Ordering::Acquire).is_ok()
        })
    }
}

fn free(word: u64, generation: u64, step: u64) -> bool {
    word == 0 || word & GENERATIONS != generation & GENERATIONS || word >> 12 <= step
}
