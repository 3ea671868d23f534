//! The words that every circuit has, and the one way to a transition.

use super::State;
use super::words::{Streak, Word};
use crate::sync::{AtomicU64, Counter, Ordering};
use crate::time::Nanos;

const SLOTS: u64 = 8;

/// State and counts.
///
/// `until` is published *before* the generation it belongs to: whoever wants to open generation
/// n puts the end of its open time into slot n mod 8, as `[nanoseconds:60][n/8:4]`, unless
/// somebody was quicker; then everybody opens with that one. A generation that turns out not to be
/// open wipes its slot, so that no value grows old enough for its four bits to come round again.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Circuit {
    state: AtomicU64,
    streak: AtomicU64,
    // With the two above, what a good call touches: one line of a processor's cache.
    pub(super) admitted: Counter,
    pub(super) success: Counter,
    pub(super) tally: AtomicU64,
    until: [AtomicU64; 8],
    /// The instants of leaving a shut state less those of entering one, wrapping: their order
    /// does not matter.
    time_open: AtomicU64,
    pub(super) opened: Counter,
    pub(super) rejected: Counter,
    pub(super) failure: Counter,
    pub(super) slow: Counter,
    pub(super) ignored: Counter,
    pub(super) cancelled: Counter,
    pub(super) late: Counter,
}

impl Circuit {
    /// Makes words of zeros a closed circuit.
    pub(super) fn start(&self) {
        self.state.store(Word::FIRST.0, Ordering::Release);
    }

    #[inline]
    pub(super) fn word(&self) -> Word {
        Word(self.state.load(Ordering::Acquire))
    }

    #[inline]
    pub(super) fn current(&self, generation: u64) -> bool {
        self.word().generation() == generation
    }

    /// The transition `from → to`, unless another was quicker.
    pub(super) fn step(&self, from: Word, to: State, reopenings: u8, now: Nanos) -> Option<Word> {
        let next = from.next(to, reopenings);
        let slot = self.slot(next.generation());
        let left_over = slot.load(Ordering::Acquire);
        self.state.compare_exchange(from.0, next.0, Ordering::AcqRel, Ordering::Acquire).ok()?;
        if to == State::Open {
            self.opened.bump_shared();
        } else if left_over != 0 {
            // Only what was seen before: a later generation may have put its own there since.
            let _ = slot.compare_exchange(left_over, 0, Ordering::AcqRel, Ordering::Acquire);
        }
        match (from.state().shut(), to.shut()) {
            (false, true) => self.time_open.fetch_sub(now, Ordering::Relaxed),
            (true, false) => self.time_open.fetch_add(now, Ordering::Relaxed),
            _ => 0,
        };
        Some(next)
    }

    /// Proposes an end for the open time of the generation after `from`; answers the one that
    /// stands, the first proposed.
    pub(super) fn propose(&self, from: Word, until: Nanos) -> Nanos {
        let generation = from.next(State::Open, 0).generation();
        let slot = self.slot(generation);
        let mut seen = slot.load(Ordering::Acquire);
        loop {
            if let Some(standing) = end_of(seen, generation) {
                return standing;
            }
            let mine = pack(until, generation);
            match slot.compare_exchange(seen, mine, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return mine >> 4,
                Err(other) => seen = other,
            }
        }
    }

    /// When an open generation ends; `None` if the circuit has left it.
    pub(super) fn until(&self, open: Word) -> Option<Nanos> {
        let generation = open.generation();
        let until = end_of(self.slot(generation).load(Ordering::Acquire), generation)?;
        // The slot may have been taken over: what it says counts only while the state stands.
        (self.word() == open).then_some(until)
    }

    /// How long it has been shut altogether.
    pub(super) fn time_open(&self, word: Word, now: Nanos) -> Nanos {
        let entered = self.time_open.load(Ordering::Relaxed);
        let total = entered.wrapping_add(if word.state().shut() { now } else { 0 });
        // Between a transition and its entry here the sum is off by an instant.
        if total.cast_signed() < 0 { 0 } else { total }
    }

    /// Ends a streak of failures.
    #[inline]
    pub(super) fn succeed(&self, generation: u64) {
        let streak = Streak(self.streak.load(Ordering::Acquire));
        if streak.count() > 0 && streak.belongs(generation) {
            self.end_streak(streak, generation);
        }
    }

    /// Whether nothing has failed since the last success, of whatever generation.
    #[inline(always)]
    pub(super) fn unbroken(&self) -> bool {
        Streak(self.streak.load(Ordering::Acquire)).count() == 0
    }

    #[cold]
    fn end_streak(&self, mut seen: Streak, generation: u64) {
        while seen.belongs(generation) {
            let none = Streak::new(generation, 0);
            match self.streak.compare_exchange(seen.0, none.0, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return,
                Err(other) => seen = Streak(other),
            }
        }
    }

    /// One more failure in a row; answers how many there are. `None`: the generation has passed.
    pub(super) fn fail(&self, generation: u64) -> Option<u64> {
        let mut seen = self.streak();
        loop {
            let count = if seen.belongs(generation) {
                seen.count() + 1
            } else if self.current(generation) {
                1
            } else {
                return None;
            };
            let next = Streak::new(generation, count);
            match self.streak.compare_exchange(seen.0, next.0, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Some(count),
                Err(other) => seen = Streak(other),
            }
        }
    }

    fn streak(&self) -> Streak {
        Streak(self.streak.load(Ordering::Acquire))
    }

    fn slot(&self, generation: u64) -> &AtomicU64 {
        &self.until[(generation % SLOTS) as usize]
    }
}

fn tag(generation: u64) -> u64 {
    (generation / SLOTS) & 0xf
}

fn pack(until: Nanos, generation: u64) -> u64 {
    // 60 bits of nanoseconds are 36 years after the machine was started: see `time::LATEST`.
    // Never 0: that is a slot without an end.
    until.clamp(1, (1 << 60) - 1) << 4 | tag(generation)
}

fn end_of(slot: u64, generation: u64) -> Option<Nanos> {
    (slot != 0 && slot & 0xf == tag(generation)).then_some(slot >> 4)
}
