//! The outcomes of the last stretch of time: sixteen buckets, rolled as they are written and read.
//!
//! Time is counted in epochs of one bucket's width from the window's own origin; the window is the
//! current epoch and the fifteen before. A bucket is three words (calls, failures, slow), each
//! `[generation:14][lap:18][count:32]`, where a lap is sixteen epochs. A word of an older lap or
//! generation is simply replaced.
//!
//! - `calls` is raised before `failures` and `slow`, and read after them: no rate exceeds 1.
//! - A word that seems to be of a *newer* lap is believed only if a fresh look at the clock says
//!   that this lap has begun; then the outcome has already left the window. Otherwise the word is
//!   one that was left so long ago that the lap's bits have wrapped, and it is replaced.
//! - A word left untouched for exactly 2¹⁸ laps (at least seven hours) or 2¹⁴ generations is taken
//!   for a current one.

use super::marks::Marks;
use super::{Outcome, Totals};
use crate::sync::{AtomicU64, Ordering, swap};
use crate::time::{Clock, Nanos};

const BUCKETS: u64 = 16;
const LAPS: u64 = (1 << 18) - 1;
const GENERATIONS: u64 = (1 << 14) - 1;
/// Below this width the clock's coarse reading (steps of 4 ms) would blur the buckets.
const COARSE_FROM: Nanos = 64_000_000;
/// The two marks, the origin, and three words a bucket.
pub const WORDS: usize = 3 + 3 * 16;

/// A bucket's width, and how to divide by it without dividing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width {
    nanos: Nanos,
    /// 2⁶⁴ / width, rounded down.
    inverse: u64,
}

impl Width {
    /// Of the buckets of a window of this length.
    #[must_use]
    pub fn of(window: Nanos) -> Self {
        let nanos = window.div_ceil(BUCKETS).max(1);
        Self { nanos, inverse: u64::MAX / nanos }
    }

    /// How many epochs have passed after so long a time.
    #[inline]
    fn epochs(self, time: Nanos) -> u64 {
        // At most one too few while a time is below 2⁶³ ns, and no machine has been up for longer.
        let fewest = ((u128::from(time) * u128::from(self.inverse)) >> 64) as u64;
        fewest + u64::from(time - fewest * self.nanos >= self.nanos)
    }

    /// The reading of the clock that is right for it.
    #[inline]
    fn read(self, clock: &impl Clock) -> Nanos {
        if self.nanos >= COARSE_FROM { clock.coarse() } else { clock.now() }
    }
}

/// A view of a window's words.
#[derive(Clone, Copy, Debug)]
pub struct Buckets<'a> {
    /// What is known about bad outcomes.
    pub marks: Marks<'a>,
    origin: &'a AtomicU64,
    /// A fixed number, so that a bucket's place needs no second look.
    cells: &'a [AtomicU64; WORDS - 3],
    width: Width,
    alone: bool,
}

/// Why an outcome was not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Its generation has passed.
    Late,
    /// So much time has passed since its clock was read that it has left the window.
    Old,
}

impl<'a> Buckets<'a> {
    /// Over [`WORDS`] words. `None` if there are too few.
    #[inline]
    #[must_use]
    pub fn new(words: &'a [AtomicU64], width: Width) -> Option<Self> {
        let [bads, clean, origin, cells @ ..] = words else { return None };
        let cells = cells.first_chunk()?;
        Some(Self { marks: Marks::new(bads, clean), origin, cells, width, alone: false })
    }

    /// Nobody outside this interpreter writes to it: see [`swap`].
    #[inline]
    #[must_use]
    pub fn alone(self, alone: bool) -> Self {
        Self { alone, ..self }
    }

    /// Sets the instant from which epochs are counted.
    pub fn start(&self, now: Nanos) {
        self.origin.store(now, Ordering::Release);
    }

    /// Counts an outcome. `current` says whether its generation still is.
    ///
    /// # Errors
    /// [`Dropped`] says why it was not counted.
    #[inline]
    pub fn append(
        &self,
        generation: u64,
        outcome: Outcome,
        clock: &impl Clock,
        current: impl Fn() -> bool,
    ) -> Result<(), Dropped> {
        if outcome.good() {
            return self.count(generation, outcome, clock, &current);
        }
        self.marks.begin();
        let counted = self.count(generation, outcome, clock, &current);
        self.marks.end();
        counted
    }

    #[inline]
    fn count(
        &self,
        generation: u64,
        outcome: Outcome,
        clock: &impl Clock,
        current: &impl Fn() -> bool,
    ) -> Result<(), Dropped> {
        let epoch = self.epoch(clock);
        let tag = Tag::new(generation, epoch);
        let at = (epoch % BUCKETS) as usize * 3;
        let Some([calls, failures, slow]) = self.cells.get(at..at + 3) else {
            return Err(Dropped::Old);
        };
        self.raise(calls, tag, epoch, clock, current)?;
        if outcome.failed {
            self.raise(failures, tag, epoch, clock, current)?;
        }
        if outcome.slow {
            self.raise(slow, tag, epoch, clock, current)?;
        }
        Ok(())
    }

    /// Counts a good call, if its bucket is under way. `false`: nothing was counted.
    #[inline(always)]
    pub fn raise_calls(&self, generation: u64, clock: &impl Clock) -> bool {
        let since = self.width.read(clock).saturating_sub(self.origin.load(Ordering::Relaxed));
        let epoch = self.width.epochs(since);
        let at = (epoch % BUCKETS) as usize * 3;
        let Some(cell) = self.cells.get(at) else { return false };
        let seen = cell.load(Ordering::SeqCst);
        let tag = Tag::new(generation, epoch);
        if Tag::of(seen) != tag || seen & u64::from(u32::MAX) == u64::from(u32::MAX) {
            return false;
        }
        swap(cell, seen, seen + 1, self.alone).is_ok()
    }

    #[inline]
    fn raise(
        &self,
        cell: &AtomicU64,
        tag: Tag,
        epoch: u64,
        clock: &impl Clock,
        current: &impl Fn() -> bool,
    ) -> Result<(), Dropped> {
        let mut seen = cell.load(Ordering::SeqCst);
        loop {
            let next = if Tag::of(seen) == tag {
                tag.word(u64::from(u32::MAX).min((seen & u64::from(u32::MAX)) + 1))
            } else {
                self.replaces(Tag::of(seen), tag, epoch, clock, current)?;
                tag.word(1)
            };
            match swap(cell, seen, next, self.alone) {
                Ok(()) => return Ok(()),
                Err(other) => seen = other,
            }
        }
    }

    /// Whether a word of tag `held` is older than one of `tag`.
    #[cold]
    fn replaces(
        &self,
        held: Tag,
        tag: Tag,
        epoch: u64,
        clock: &impl Clock,
        current: &impl Fn() -> bool,
    ) -> Result<(), Dropped> {
        if held.generation() != tag.generation() {
            return if current() { Ok(()) } else { Err(Dropped::Late) };
        }
        let ahead = held.lap().wrapping_sub(tag.lap()) & LAPS;
        if epoch + ahead * BUCKETS <= self.epoch(clock) { Err(Dropped::Old) } else { Ok(()) }
    }

    /// What the window holds of this generation at the clock's time.
    #[must_use]
    pub fn totals(&self, generation: u64, clock: &impl Clock) -> Totals {
        let now = self.epoch(clock);
        let mut totals = Totals::default();
        for epoch in now.saturating_sub(BUCKETS - 1)..=now {
            let tag = Tag::new(generation, epoch);
            let at = (epoch % BUCKETS) as usize * 3;
            let count = |offset: usize| {
                let word =
                    self.cells.get(at + offset).map_or(0, |cell| cell.load(Ordering::SeqCst));
                if Tag::of(word) == tag { word & u64::from(u32::MAX) } else { 0 }
            };
            let (failures, slow) = (count(1), count(2));
            let calls = count(0);
            // A bucket whose calls have been taken over by a later lap has left the window.
            if calls > 0 {
                totals.calls += calls;
                totals.failures += failures;
                totals.slow += slow;
            }
        }
        totals
    }

    #[inline]
    fn epoch(&self, clock: &impl Clock) -> u64 {
        let origin = self.origin.load(Ordering::Relaxed);
        // A coarse reading may lie before an origin that was read precisely.
        self.width.epochs(self.width.read(clock).saturating_sub(origin))
    }
}

/// `[generation:14][lap:18]`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Tag(u64);

impl Tag {
    #[inline]
    fn new(generation: u64, epoch: u64) -> Self {
        Self((generation & GENERATIONS) << 18 | (epoch / BUCKETS) & LAPS)
    }

    #[inline]
    fn of(word: u64) -> Self {
        Self(word >> 32)
    }

    #[inline]
    fn word(self, count: u64) -> u64 {
        self.0 << 32 | count
    }

    fn generation(self) -> u64 {
        self.0 >> 18
    }

    fn lap(self) -> u64 {
        self.0 & LAPS
    }
}
