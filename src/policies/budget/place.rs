//! Where a budget's words lie.

use super::ledger::SLOTS;
use crate::sync::{AtomicU64, Counter};
use std::array;
use std::sync::Arc;

/// Tokens are counted in thousandths, as gRPC does: three decimals of a ratio are exact.
pub(super) const THOUSANDTHS: u64 = 1_000;

/// The words of one budget. Zeros become a budget that has seen nothing by
/// [`super::Budget::start`].
pub trait Place {
    /// Whether other interpreters count in these words as well.
    const SHARED: bool;
    /// All of them.
    fn words(&self) -> &Words;
}

/// What all modes count, whichever is in force, so that a mode may be changed under way.
#[derive(Debug)]
#[repr(C)]
pub struct Words {
    /// Calls that have begun.
    pub(super) calls: AtomicU64,
    /// Calls that have ended.
    pub(super) finished: AtomicU64,
    // With the two above, what a good call touches: one line of a processor's cache.
    pub(super) tokens: AtomicU64,
    /// Further attempts that were permitted.
    pub(super) attempts: AtomicU64,
    /// Further attempts that have ended.
    pub(super) over: AtomicU64,
    /// Further attempts that were not permitted.
    pub(super) refused: Counter,
    /// When the last attempt was refused, while that is the last that was told.
    pub(super) refused_at: AtomicU64,
    /// How many changes were told.
    pub(super) turns: AtomicU64,
    pub(super) call_marks: [AtomicU64; SLOTS],
    pub(super) attempt_marks: [AtomicU64; SLOTS],
}

impl Default for Words {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            calls: zero(),
            finished: zero(),
            tokens: zero(),
            attempts: zero(),
            over: zero(),
            refused: Counter::default(),
            refused_at: zero(),
            turns: zero(),
            call_marks: array::from_fn(|_| zero()),
            attempt_marks: array::from_fn(|_| zero()),
        }
    }
}

/// Words of this process alone.
#[derive(Clone, Debug, Default)]
pub struct Private(Arc<Words>);

impl Place for Private {
    const SHARED: bool = false;

    #[inline]
    fn words(&self) -> &Words {
        &self.0
    }
}
