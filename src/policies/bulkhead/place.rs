//! The word of a bulkhead: how many permits are out, how many there are, whether somebody waits.

use super::settings::MOST_PERMITS;
use crate::sync::{AtomicU64, Ordering, swap};

/// A permit that is out. It is of no use but to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit(u32);

/// `generation:23 | limit:20 | waits:1 | in use:20`
///
/// The generation is that of the process: permits of the one it was forked from are not its own.
#[derive(Debug)]
pub struct Place(AtomicU64);

const BITS: u32 = 20;
const FIELD: u64 = (1 << BITS) - 1;
const WAITS: u64 = 1 << BITS;
const LIMIT: u32 = BITS + 1;
const GENERATION: u32 = LIMIT + BITS;

const _: () = assert!(MOST_PERMITS as u64 <= FIELD);

fn in_use(word: u64) -> u64 {
    word & FIELD
}

fn limit(word: u64) -> u64 {
    (word >> LIMIT) & FIELD
}

#[allow(clippy::cast_possible_truncation, reason = "23 bits are left")]
fn permit(word: u64) -> Permit {
    Permit((word >> GENERATION) as u32)
}

impl Place {
    pub fn new(limit: u32) -> Self {
        Self(AtomicU64::new(u64::from(limit.min(MOST_PERMITS)) << LIMIT))
    }

    /// A change of the word, unless `next` wants none.
    #[inline(always)]
    fn change(&self, next: impl Fn(u64) -> Option<u64>) -> Result<u64, u64> {
        let mut seen = self.0.load(Ordering::Acquire);
        loop {
            let Some(wanted) = next(seen) else { return Err(seen) };
            match swap(&self.0, seen, wanted, true) {
                Ok(()) => return Ok(seen),
                Err(now) => seen = now,
            }
        }
    }

    /// A permit that is free, unless somebody waits for it.
    #[inline(always)]
    pub fn take(&self) -> Option<Permit> {
        let free = |word| (word & WAITS == 0 && in_use(word) < limit(word)).then_some(word + 1);
        self.change(free).ok().map(permit)
    }

    /// Gives one back, unless somebody waits for it. One of another generation is nobody's.
    #[inline(always)]
    pub fn give_back(&self, of: Permit) -> bool {
        let back =
            |word| (word & WAITS == 0 && permit(word) == of && in_use(word) > 0).then(|| word - 1);
        match self.change(back) {
            Ok(_) => true,
            Err(word) => permit(word) != of,
        }
    }

    // What follows is done by whoever holds the queue's lock.

    /// A permit that is free; or, in the same step, the mark that somebody waits: one that comes
    /// back in between is seen.
    pub fn take_or_mark(&self) -> Option<Permit> {
        let next = |word| Some(if in_use(word) < limit(word) { word + 1 } else { word | WAITS });
        let seen = self.change(next).unwrap_or_else(|word| word);
        (in_use(seen) < limit(seen)).then(|| permit(seen))
    }

    /// While somebody waits: one more, for the one in front.
    pub fn take_marked(&self) -> bool {
        self.change(|word| (in_use(word) < limit(word)).then_some(word + 1)).is_ok()
    }

    /// While somebody waits: one less.
    pub fn give_back_marked(&self) {
        let _ = self.change(|word| (in_use(word) > 0).then(|| word - 1));
    }

    /// May one that comes back go to the one in front? Not after the limit was lowered.
    pub fn may_hand_on(&self) -> bool {
        let word = self.0.load(Ordering::Acquire);
        in_use(word) <= limit(word)
    }

    pub fn unmark(&self) {
        let _ = self.change(|word| (word & WAITS != 0).then_some(word & !WAITS));
    }

    pub fn set_limit(&self, to: u32) {
        let to = u64::from(to.min(MOST_PERMITS)) << LIMIT;
        let _ = self.change(|word| Some(word & !(FIELD << LIMIT) | to));
    }

    /// None is out, and those that are come back to nobody.
    pub fn begin_anew(&self) {
        let next = |word: u64| {
            let generation = (word >> GENERATION).wrapping_add(1) << GENERATION;
            Some(generation | word & (FIELD << LIMIT))
        };
        let _ = self.change(next);
    }

    /// Of those that are given out now.
    pub fn permit(&self) -> Permit {
        permit(self.0.load(Ordering::Acquire))
    }

    pub fn is_of_now(&self, of: Permit) -> bool {
        self.permit() == of
    }

    pub fn is_marked(&self) -> bool {
        self.0.load(Ordering::Acquire) & WAITS != 0
    }

    #[allow(clippy::cast_possible_truncation, reason = "20 bits")]
    pub fn in_use(&self) -> u32 {
        in_use(self.0.load(Ordering::Acquire)) as u32
    }

    #[allow(clippy::cast_possible_truncation, reason = "20 bits")]
    pub fn limit(&self) -> u32 {
        limit(self.0.load(Ordering::Acquire)) as u32
    }
}
