//! Two words that let a success leave a clean window alone.
//!
//! `bads` is `[begun:48][in flight:16]`: every bad outcome announces itself *before* it is written
//! and signs off afterwards. `clean` names the generation and the number of bad outcomes begun at
//! which a window was found without any. The claim holds exactly as long as no further bad outcome
//! has begun, so it needs no withdrawing:
//!
//! - It is only made when none was in flight *before* the look, so every bad outcome counted in it
//!   had been written by then, and the look saw it.
//! - A success reads `clean` first and `bads` second. If they agree, no bad outcome had begun up to
//!   the second read, and the window was clean at that instant.
//!
//! A writer that dies in between leaves `in flight` above zero: the claim is never made again and
//! every success pays for its write. Nothing else is lost.

use crate::sync::{AtomicU64, Ordering};

const BEGUN: u64 = 1 << 16;
const IN_FLIGHT: u64 = BEGUN - 1;

/// A view of the two words.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    bads: &'a AtomicU64,
    clean: &'a AtomicU64,
}

/// How many bad outcomes had begun when none was in flight.
#[derive(Clone, Copy, Debug)]
pub struct Quiet(u64);

impl<'a> Marks<'a> {
    /// Over these words; zeros claim nothing.
    #[inline]
    pub fn new(bads: &'a AtomicU64, clean: &'a AtomicU64) -> Self {
        Self { bads, clean }
    }

    /// A bad outcome is about to be written.
    pub fn begin(self) {
        self.bads.fetch_add(BEGUN | 1, Ordering::SeqCst);
    }

    /// It has been written, or dropped.
    pub fn end(self) {
        self.bads.fetch_sub(1, Ordering::SeqCst);
    }

    /// Where to start before looking for bad outcomes; `None` while one is being written.
    #[must_use]
    pub fn quiet(self) -> Option<Quiet> {
        let bads = self.bads.load(Ordering::SeqCst);
        (bads & IN_FLIGHT == 0).then_some(Quiet(bads / BEGUN))
    }

    /// A look begun at `quiet` found no bad outcome of this generation.
    pub fn claim(self, generation: u64, quiet: Quiet) {
        self.clean.store(stamp(generation, quiet.0), Ordering::Release);
    }

    /// Whether the claim stands.
    #[inline]
    #[must_use]
    pub fn clean(self, generation: u64) -> bool {
        let clean = self.clean.load(Ordering::Acquire);
        // In flight or not: a bad outcome that has begun differs from what was claimed.
        clean == stamp(generation, self.bads.load(Ordering::SeqCst) / BEGUN)
    }
}

/// `[generation:24][begun:40]`, inverted so that a word of zeros matches none.
#[inline]
fn stamp(generation: u64, begun: u64) -> u64 {
    !(generation << 40 | begun & ((1 << 40) - 1))
}
