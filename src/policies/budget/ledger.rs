//! How often something happened since a given epoch, at most as many epochs ago as there are slots.
//!
//! One word is the total of all that ever happened; it only grows, and whoever raises it has
//! counted. Each epoch in which something happens has a mark: what the total was when it began,
//! as `[pace:6][lap:18][total:40]`, where a lap is [`SLOTS`] epochs. A mark is put down, by the
//! first who comes, before anything of its epoch is counted; the count since an epoch is the total
//! less the lowest mark since.
//!
//! - A mark is never lower than the total was when its epoch began: what happened before is never
//!   counted as recent.
//! - Who has counted in an epoch had put its mark down, or seen it. Whoever has put down the mark of
//!   the epoch under way, looks for marks, and then sees that count, has found that mark or a lower
//!   one: nothing recent is missed. If by then the clock says that a later epoch has begun, the
//!   count may be of that, and one has to look again.
//! - A mark of another lap or width is none. One that is left untouched for exactly 2¹⁸ laps (half a
//!   day at least) is taken for a current one.

use super::terms::Pace;
use crate::sync::{ALONE, AtomicU64, Ordering, swap};
use crate::time::Clock;

/// More than anybody looks back, which is 16 epochs before the one under way. Those beyond give who
/// is held up a while until marks that it looks for are replaced.
pub(super) const SLOTS: usize = 32;
const LAP: u64 = SLOTS as u64;
const TOTALS: u64 = (1 << 40) - 1;
const LAPS: u64 = (1 << 18) - 1;

/// A view of a ledger's words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger<'a> {
    total: &'a AtomicU64,
    marks: &'a [AtomicU64; SLOTS],
    alone: bool,
}

/// What a look at a ledger found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// All that ever happened.
    pub total: u64,
    /// What has happened since the epoch asked for.
    pub recent: u64,
}

fn slot(epoch: u64) -> usize {
    (epoch % LAP) as usize
}

/// What stands before the total in an epoch's mark.
#[inline]
fn tag(pace: Pace, epoch: u64) -> u64 {
    u64::from(pace.0) << 18 | (epoch / LAP) & LAPS
}

/// Is mark `held` of a later lap than `tag`, of the same width?
fn newer(held: u64, tag: u64) -> bool {
    let ahead = held.wrapping_sub(tag) & LAPS;
    held >> 18 == tag >> 18 && ahead > 0 && ahead <= LAPS / 2
}

impl<'a> Ledger<'a> {
    #[inline]
    pub(super) fn new(total: &'a AtomicU64, marks: &'a [AtomicU64; SLOTS], alone: bool) -> Self {
        Self { total, marks, alone }
    }

    /// Counts one.
    #[inline(always)]
    pub(super) fn raise(&self) {
        raise(self.total, self.alone);
    }

    /// Counts one, unless the total is not what it was seen to be any more.
    pub(super) fn raise_from(&self, seen: u64) -> bool {
        swap(self.total, seen, seen + 1, self.alone).is_ok()
    }

    /// All that ever happened.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Acquire)
    }

    /// The epoch of the clock's time, with its mark put down.
    #[inline(always)]
    pub(super) fn arrive(&self, pace: Pace, clock: &impl Clock) -> u64 {
        let epoch = pace.epochs(pace.read(clock));
        let held = self.marks[slot(epoch)].load(Ordering::Acquire);
        if held >> 40 == tag(pace, epoch) { epoch } else { self.mark(pace, epoch, held, clock) }
    }

    #[cold]
    fn mark(&self, pace: Pace, mut epoch: u64, mut held: u64, clock: &impl Clock) -> u64 {
        loop {
            let tag = tag(pace, epoch);
            if held >> 40 == tag {
                return epoch;
            }
            if newer(held >> 40, tag) {
                // Somebody was here a lap later. So are we by now, or that was another clock.
                let now = pace.epochs(pace.read(clock));
                if now > epoch {
                    epoch = now;
                    held = self.marks[slot(epoch)].load(Ordering::Acquire);
                    continue;
                }
            }
            let mark = tag << 40 | (self.total() & TOTALS);
            match swap(&self.marks[slot(epoch)], held, mark, self.alone) {
                Ok(()) => return epoch,
                Err(other) => held = other,
            }
        }
    }

    /// Puts down that so much has happened in the epoch under way.
    pub(super) fn carry(&self, pace: Pace, epoch: u64, recent: u64) {
        let mark = self.total().wrapping_sub(recent) & TOTALS;
        self.marks[slot(epoch)].store(tag(pace, epoch) << 40 | mark, Ordering::Release);
    }

    /// What happened from epoch `first` on, seen from epoch `now`.
    pub(super) fn since(&self, pace: Pace, first: u64, now: u64) -> Seen {
        let mut lowest = None;
        for epoch in first..=now {
            let held = self.marks[slot(epoch)].load(Ordering::Acquire);
            if held >> 40 == tag(pace, epoch) {
                let mark = held & TOTALS;
                lowest = Some(lowest.map_or(mark, |lowest| lower(lowest, mark)));
            }
        }
        // Read after the marks, which it is never below then.
        let total = self.total();
        let recent = lowest.map_or(0, |mark| total.wrapping_sub(mark) & TOTALS);
        Seen { total, recent }
    }
}

/// The lower of two totals, of which only the last 40 bits are known.
fn lower(one: u64, other: u64) -> u64 {
    if other.wrapping_sub(one) & TOTALS > TOTALS / 2 { other } else { one }
}

/// Adds one to a word. See [`swap`] for `alone`.
#[inline(always)]
pub(super) fn raise(word: &AtomicU64, alone: bool) {
    if ALONE && alone {
        word.store(word.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    } else {
        word.fetch_add(1, Ordering::AcqRel);
    }
}
