//! What became of a timeout's calls.

use crate::sync::Counter;

/// What became of its calls.
#[derive(Default)]
pub struct Counts {
    pub begun: Counter,
    pub in_time: Counter,
    pub late: Counter,
    pub timed_out: Counter,
    pub other: Counter,
    seq: Counter,
}

impl Counts {
    /// Calls let in and not ended.
    pub fn in_flight(&self) -> u64 {
        let ended = [&self.in_time, &self.late, &self.timed_out, &self.other];
        self.begun.get().saturating_sub(ended.iter().map(|count| count.get()).sum())
    }

    /// The number of the next event.
    pub fn next(&self) -> u64 {
        self.seq.bump();
        self.seq.get()
    }
}
