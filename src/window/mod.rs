//! Windows of outcomes, over plain words.
//!
//! A window is a view of a slice of atomic words, wherever they lie: private memory or a region
//! that several processes map. It takes no lock and reads no clock. Words of an older generation
//! count as empty, so starting afresh costs nothing and never races with a late writer: a writer
//! that finds another generation than its own asks, *after* having read the word it would
//! replace, whether its generation is still the current one. If it is, the word was left behind by
//! an older one; if it is not, the outcome is late.

pub mod buckets;
pub mod marks;
pub mod ring;

#[cfg(test)]
#[cfg(not(loom))]
mod tests;

/// What a window keeps of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// It failed.
    pub failed: bool,
    /// It took longer than a call should.
    pub slow: bool,
}

impl Outcome {
    /// Neither failed nor slow: it can't raise a rate in a window of counts.
    #[inline]
    #[must_use]
    pub fn good(self) -> bool {
        !self.failed && !self.slow
    }
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All outcomes.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow; some of them may have failed as well.
    pub slow: u64,
}

impl Totals {
    /// The share of failures; `None` of nothing.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        share(self.failures, self.calls)
    }

    /// The share of slow calls; `None` of nothing.
    #[must_use]
    pub fn slow_call_rate(&self) -> Option<f64> {
        share(self.slow, self.calls)
    }
}

/// One correctly rounded division, so that 3 of 10 reach a threshold written `0.3`.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
