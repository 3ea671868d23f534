//! Half-open: who may probe.
//!
//! A lease is a word `[expiry:51][nonce:3][generation:10]`, the expiry in steps of 256 ns. It is free
//! if its generation is 0, which stands for none, or an older one, and when it has expired. A thread
//! that comes late must not take the lease of a *newer* generation for a free one: it looks at the
//! state after it has read the word, and while its own generation stands, no newer one has written.
//!
//! Expiry and nonce together are a number that only grows: who gives a lease back clears the
//! generation and leaves the number, and who takes it writes a greater one. So no two leases of a
//! slot are ever the same word, also while the clock stands still: a probe that has lost its lease,
//! or given it back, can neither give back another's nor be taken for it.
//!
//! A probe may call what is behind the same circuit. That call is part of the probe: refused, it
//! would fail the call around it without anything being decided, for ever. It rides on the probe's
//! lease: it is let in while that stands, takes no permit of its own, and its end decides nothing.

use super::settings::MOST_PROBES;
use super::{Breaker, Place, State, Ticket};
use crate::sync::{AtomicU64, Ordering};
use crate::time::Nanos;
use std::sync::OnceLock;

const STEP: Nanos = 256;
const NONCE: u32 = 3;
const GENERATION: u32 = 10;
const GENERATIONS: u64 = (1 << GENERATION) - 1;
/// Expiries end here, after 18 years of uptime.
const LAST: u64 = (1 << (64 - GENERATION - NONCE)) - 1;

/// Leases in private memory: the few that nearly everybody makes do with, and all the others once
/// somebody asks for more.
#[derive(Debug, Default)]
pub(super) struct Leases {
    first: [AtomicU64; 4],
    rest: OnceLock<Box<[AtomicU64]>>,
}

impl Leases {
    /// Room for so many probes at once.
    pub(super) fn room_for(half_open_calls: u32) -> Self {
        let leases = Self::default();
        leases.make_room(half_open_calls);
        leases
    }

    /// From now on there is room for so many.
    pub(super) fn make_room(&self, half_open_calls: u32) {
        let few = self.first.len();
        if half_open_calls as usize > few {
            self.rest
                .get_or_init(|| (few..MOST_PROBES as usize).map(|_| AtomicU64::new(0)).collect());
        }
    }

    pub(super) fn get(&self, slot: u32) -> Option<&AtomicU64> {
        let slot = slot as usize;
        match slot.checked_sub(self.first.len()) {
            None => self.first.get(slot),
            Some(further) => self.rest.get()?.get(further),
        }
    }
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
        let expiry = self.expiry(now);
        let leases = (0..self.settings.half_open_calls)
            .map_while(|slot| Some((slot, self.place.lease(slot)?)));
        for (slot, word) in leases {
            let mut seen = word.load(Ordering::Acquire);
            while free(seen, generation, step) {
                if !self.place.circuit().current(generation) {
                    return Probe::Moved;
                }
                let number = (expiry << NONCE).max((seen >> GENERATION) + 1);
                let lease = number << GENERATION | tag(generation);
                match word.compare_exchange(seen, lease, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return self.keep(Ticket { generation, lease, slot }),
                    Err(other) => seen = other,
                }
            }
        }
        Probe::Full
    }

    /// Rounded down, but never to the step that it is now: the lease would be free at once. What
    /// would last for longer than half of all time leaves room for numbers that grow.
    fn expiry(&self, now: Nanos) -> u64 {
        let lasting = now.saturating_add(self.settings.lease) / STEP;
        lasting.min(LAST / 2).max(now / STEP + 1).min(LAST)
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
        self.place.lease(ticket.slot).is_some_and(|word| {
            let back = ticket.lease & !GENERATIONS;
            word.compare_exchange(ticket.lease, back, Ordering::AcqRel, Ordering::Acquire).is_ok()
        })
    }

    /// Lets in a call that is made inside of `probe`'s, as part of it. `None`: that probe is none,
    /// or none any more.
    pub fn ride(&self, probe: &Ticket) -> Option<Ticket> {
        let circuit = self.place.circuit();
        let word = circuit.word();
        let stands = probe.probe()
            && word.state() == State::HalfOpen
            && word.generation() == probe.generation
            && self.place.lease(probe.slot)?.load(Ordering::Acquire) == probe.lease;
        stands.then(|| {
            Self::count(&circuit.admitted);
            Ticket::riding(probe.generation)
        })
    }
}

/// What stands for a generation in a word; never 0.
fn tag(generation: u64) -> u64 {
    generation % GENERATIONS + 1
}

fn free(word: u64, generation: u64, step: u64) -> bool {
    word & GENERATIONS != tag(generation) || word >> (GENERATION + NONCE) <= step
}
