//! The last N outcomes: a ring of words with sixteen outcomes each.
//!
//! `head` is `[generation:20][lap:28][cell:16]` and says which cell is being filled; a cell is
//! `[generation:20][lap:7][fill:5][failed:16][slow:16]`. An outcome takes its place and is written
//! by *one* compare-and-swap of the cell, so none is half there, none is lost, and a full cell can
//! only be left by moving `head`, which anyone does who finds it full.
//!
//! - The slots above `fill` in the cell being filled hold outcomes of the lap before: still among
//!   the last N from lap 1 on, nothing on lap 0.
//! - `head` is read, then the cell, then `head` again: a cell that a later generation or lap has
//!   written means that `head` had moved before, so nobody overwrites what is newer than himself.
//! - Laps wrap to 128, never to 0, and stay equal modulo 128 doing so.
//! - A writer that sleeps for an exact multiple of 128 laps may start a cell early if it finds the
//!   very bits it left. It overwrites one outcome less than a lap before its time; nothing else.

use super::marks::Marks;
use super::{Outcome, Totals};
use crate::sync::{AtomicU64, Ordering, swap};

/// Words before the first cell: the two marks and the head.
const HEADER: usize = 3;
const WIDTH: u32 = 16;
const GENERATIONS: u64 = (1 << 20) - 1;
/// How often totals are taken again because somebody wrote meanwhile. After that they are off by
/// at most what was written during the last look.
const LOOKS: u32 = 8;

/// How many words a ring of `size` outcomes takes.
#[must_use]
pub fn words(size: u32) -> usize {
    HEADER + size.div_ceil(WIDTH) as usize
}

/// A view of a ring's words.
#[derive(Clone, Copy, Debug)]
pub struct Ring<'a> {
    /// What is known about bad outcomes.
    pub marks: Marks<'a>,
    head: &'a AtomicU64,
    cells: &'a [AtomicU64],
    size: u32,
    alone: bool,
}

impl<'a> Ring<'a> {
    /// Over [`words`] words. `None` if there are too few.
    #[inline]
    #[must_use]
    pub fn new(words: &'a [AtomicU64], size: u32) -> Option<Self> {
        let [bads, clean, head, cells @ ..] = words else { return None };
        let marks = Marks::new(bads, clean);
        (cells.len() * WIDTH as usize >= size as usize).then_some(Self {
            marks,
            head,
            cells,
            size,
            alone: false,
        })
    }

    /// What is known about bad outcomes, without a look at the rest.
    #[inline(always)]
    #[must_use]
    pub fn marks(words: &'a [AtomicU64]) -> Option<Marks<'a>> {
        let [bads, clean, ..] = words else { return None };
        Some(Marks::new(bads, clean))
    }

    /// Nobody outside this interpreter writes to it: see [`swap`].
    #[inline]
    #[must_use]
    pub fn alone(self, alone: bool) -> Self {
        Self { alone, ..self }
    }

    /// Appends an outcome and answers how many the ring holds with it. `None`: its generation, no
    /// longer `current`, has passed.
    #[inline]
    pub fn append(
        &self,
        generation: u64,
        outcome: Outcome,
        current: impl Fn() -> bool,
    ) -> Option<u64> {
        if outcome.good() {
            return self.put(generation, outcome, &current);
        }
        self.marks.begin();
        let held = self.put(generation, outcome, &current);
        self.marks.end();
        held
    }

    #[inline]
    fn put(&self, generation: u64, outcome: Outcome, current: &impl Fn() -> bool) -> Option<u64> {
        loop {
            let head = Head(self.head.load(Ordering::Acquire));
            if head.generation() != generation & GENERATIONS {
                if !current() {
                    return None;
                }
                self.swap_head(head, Head::fresh(generation));
                continue;
            }
            let place = self.cells.get(head.cell())?;
            let seen = Cell(place.load(Ordering::Acquire));
            if self.head.load(Ordering::Acquire) != head.0 {
                continue;
            }
            let Some(cell) = seen.with(head, outcome, self.room(head.cell())) else {
                self.swap_head(head, self.after(head));
                continue;
            };
            if swap(place, seen.0, cell.0, self.alone).is_ok() {
                if cell.fill() == self.room(head.cell()) && self.is_last(head) {
                    self.look(generation);
                }
                return Some(self.held(head, cell.fill()));
            }
        }
    }

    /// What the ring holds of this generation.
    #[must_use]
    pub fn totals(&self, generation: u64) -> Totals {
        let mut totals = Totals::default();
        for _ in 0..LOOKS {
            let head = Head(self.head.load(Ordering::Acquire));
            if head.generation() != generation & GENERATIONS {
                return Totals::default();
            }
            let active = self.cell(head.cell());
            totals = self.sum(head, active);
            // Every append changes the cell being filled or the head: equal ones mean that the
            // sum is the ring at one instant.
            if self.head.load(Ordering::Acquire) == head.0 && self.cell(head.cell()) == active {
                break;
            }
        }
        totals
    }

    /// After the last outcome of a lap: remembers it if the full ring holds nothing bad.
    #[cold]
    fn look(&self, generation: u64) {
        let Some(quiet) = self.marks.quiet() else { return };
        let clean = |place: &AtomicU64| {
            let cell = Cell(place.load(Ordering::Acquire));
            cell.generation() == generation & GENERATIONS && cell.bits() == 0
        };
        if self.cells.iter().all(clean) {
            self.marks.claim(generation, quiet);
        }
    }

    /// The outcomes of this generation, oldest first. Exact while nobody writes.
    pub fn outcomes(&self, generation: u64) -> impl Iterator<Item = Outcome> {
        let head = Head(self.head.load(Ordering::Acquire));
        let ours = head.generation() == generation & GENERATIONS;
        let fill = self.cell(head.cell()).filled(head);
        let place = head.index() * WIDTH + fill;
        // From lap 1 on the oldest outcome stands right behind the newest.
        let (start, length) = if head.lap() > 0 { (place, self.size) } else { (0, place) };
        (0..if ours { length } else { 0 }).map(move |nth| {
            let slot = (start + nth) % self.size;
            let cell = self.cell((slot / WIDTH) as usize);
            cell.outcome(slot % WIDTH)
        })
    }

    fn sum(&self, head: Head, active: Cell) -> Totals {
        let fill = active.filled(head);
        let first_lap = head.lap() == 0;
        let whole = if first_lap { head.cell() } else { self.cells.len() };
        let mut totals = Totals { calls: self.held(head, fill), ..Totals::default() };
        for index in 0..whole {
            totals.add(self.cell(index), WIDTH);
        }
        if first_lap {
            totals.add(active, fill);
        }
        totals
    }

    fn held(&self, head: Head, fill: u32) -> u64 {
        if head.lap() > 0 { self.size.into() } else { u64::from(head.index() * WIDTH + fill) }
    }

    fn cell(&self, index: usize) -> Cell {
        Cell(self.cells.get(index).map_or(0, |cell| cell.load(Ordering::Acquire)))
    }

    fn is_last(&self, head: Head) -> bool {
        head.cell() + 1 == self.cells.len()
    }

    /// How many outcomes a cell takes: the last one what is left.
    #[inline]
    fn room(&self, index: usize) -> u32 {
        let left = self.size % WIDTH;
        if left != 0 && index + 1 == self.cells.len() { left } else { WIDTH }
    }

    fn after(&self, head: Head) -> Head {
        if self.is_last(head) { head.next_lap() } else { Head(head.0 + 1) }
    }

    fn swap_head(&self, from: Head, to: Head) {
        // Lost to somebody who did the same: the caller looks again either way.
        let _ = self.head.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire);
    }
}

impl Totals {
    fn add(&mut self, cell: Cell, slots: u32) {
        let mask = (1 << slots) - 1;
        self.failures += u64::from((cell.failed() & mask).count_ones());
        self.slow += u64::from((cell.slow() & mask).count_ones());
    }
}

#[derive(Clone, Copy)]
struct Head(u64);

impl Head {
    const LAPS: u64 = 1 << 28;

    fn fresh(generation: u64) -> Self {
        Self(generation << 44)
    }

    #[inline]
    fn generation(self) -> u64 {
        self.0 >> 44
    }

    #[inline]
    fn lap(self) -> u64 {
        self.0 >> 16 & (Self::LAPS - 1)
    }

    #[inline]
    fn index(self) -> u32 {
        (self.0 & 0xffff) as u32
    }

    #[inline]
    fn cell(self) -> usize {
        self.index() as usize
    }

    fn next_lap(self) -> Self {
        let next = self.lap() + 1;
        let lap = if next == Self::LAPS { 128 } else { next };
        Self(self.generation() << 44 | lap << 16)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Cell(u64);

impl Cell {
    #[inline]
    fn generation(self) -> u64 {
        self.0 >> 44
    }

    #[inline]
    fn fill(self) -> u32 {
        (self.0 >> 32 & 0x1f) as u32
    }

    #[inline]
    fn bits(self) -> u64 {
        self.0 & 0xffff_ffff
    }

    fn failed(self) -> u32 {
        (self.0 >> 16 & 0xffff) as u32
    }

    fn slow(self) -> u32 {
        (self.0 & 0xffff) as u32
    }

    fn outcome(self, slot: u32) -> Outcome {
        Outcome { failed: self.failed() >> slot & 1 == 1, slow: self.slow() >> slot & 1 == 1 }
    }

    /// Whether it was begun on the head's lap.
    #[inline]
    fn begun(self, head: Head) -> bool {
        self.0 >> 37 == (head.generation() << 7 | head.lap() & 0x7f)
    }

    /// How many slots hold outcomes of the head's lap.
    #[inline]
    fn filled(self, head: Head) -> u32 {
        if self.begun(head) { self.fill() } else { 0 }
    }

    /// With one more outcome; `None` if it is full.
    #[inline]
    fn with(self, head: Head, outcome: Outcome, room: u32) -> Option<Self> {
        let slot = self.filled(head);
        if slot >= room {
            return None;
        }
        let keeps = head.lap() > 0 || slot > 0;
        let bit = 0x1_0001 << slot;
        let mark = u64::from(outcome.failed) << 16 | u64::from(outcome.slow);
        let bits = if keeps { self.bits() & !bit } else { 0 } | mark << slot;
        let lap = head.lap() & 0x7f;
        Some(Self(head.generation() << 44 | lap << 37 | u64::from(slot + 1) << 32 | bits))
    }
}
