//! Where the words of a hedge's latencies lie.

use super::latency::BUCKETS;
use crate::sync::AtomicU64;
use std::sync::Arc;

/// The words of one hedge. Zeros are one that has seen nothing.
pub trait Place {
    /// All of them.
    fn words(&self) -> &Words;
}

/// What decides.
#[derive(Debug)]
pub struct Words {
    /// How many samples there were.
    pub(super) taken: AtomicU64,
    /// The quantile as it was last worked out, in nanoseconds; 0: never.
    pub(super) quantile: AtomicU64,
    /// The last samples, each the number of its bucket and one; 0: none yet.
    pub(super) samples: Box<[AtomicU64]>,
    /// How many of them lie in each bucket.
    pub(super) buckets: Box<[AtomicU64]>,
}

impl Words {
    /// Room for so many samples.
    #[must_use]
    pub fn of(samples: usize) -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            taken: AtomicU64::new(0),
            quantile: AtomicU64::new(0),
            samples: zeros(samples),
            buckets: zeros(BUCKETS),
        }
    }
}

/// Words of this process alone.
#[derive(Clone, Debug)]
pub struct Private(Arc<Words>);

impl Private {
    /// Room for so many samples.
    #[must_use]
    pub fn of(samples: usize) -> Self {
        Self(Arc::new(Words::of(samples)))
    }
}

impl Place for Private {
    fn words(&self) -> &Words {
        &self.0
    }
}
