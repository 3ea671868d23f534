//! Where a limit's words lie.

use crate::sync::{AtomicU64, Counter};
use std::sync::Arc;

/// The words of one limit. Zeros are one that nobody has asked yet.
pub trait Place {
    /// Whether other interpreters count in these words as well.
    const SHARED: bool;
    /// All of them.
    fn words(&self) -> &Words;
}

/// What decides, and what is only counted.
#[derive(Debug)]
#[repr(C)]
pub struct Words {
    pub(super) word: AtomicU64,
    pub(super) admitted: Counter,
    /// Had their time reserved.
    pub(super) delayed: Counter,
    /// Of those, whose time came; who gave up before; who was found not to be in time after all.
    pub(super) arrived: Counter,
    pub(super) abandoned: Counter,
    pub(super) withdrawn: Counter,
    pub(super) refused: Counter,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            word: AtomicU64::new(0),
            admitted: Counter::default(),
            delayed: Counter::default(),
            arrived: Counter::default(),
            abandoned: Counter::default(),
            withdrawn: Counter::default(),
            refused: Counter::default(),
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
