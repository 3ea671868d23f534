//! What became of a hedge's calls and of their attempts.

use crate::process;
use crate::sync::Counter;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a further attempt was not made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Budget,
    Deadline,
    /// Too many losers still run.
    Losers,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Deadline => "deadline",
            Self::Losers => "losers",
        }
    }
}

/// Counts of calls, and of the attempts after the first.
#[derive(Default)]
pub struct Counts {
    pub begun: Counter,
    pub ended: Counter,
    /// Calls, by how they ended.
    pub first: Counter,
    pub hedged: Counter,
    pub failed: Counter,
    pub passed: Counter,
    pub rejected: Counter,
    pub cancelled: Counter,
    /// Attempts after the first.
    pub hedges: Counter,
    refused: [Counter; 3],
    /// Losers, by how they ended.
    pub lost_cancelled: Counter,
    pub lost_failed: Counter,
    pub lost_succeeded: Counter,
    /// Those that have not ended.
    pub losers: Losers,
    /// Numbers the events.
    seq: Counter,
}

impl Counts {
    pub fn refused(&self, why: Why) {
        self.refused[why as usize].bump();
    }

    pub fn in_flight(&self) -> u64 {
        self.begun.get().saturating_sub(self.ended.get())
    }

    /// The number of the next event.
    pub fn next(&self) -> u64 {
        self.seq.bump();
        self.seq.get()
    }

    pub fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        for (name, counter) in [
            ("first", &self.first),
            ("hedged", &self.hedged),
            ("failed", &self.failed),
            ("passed", &self.passed),
            ("rejected", &self.rejected),
            ("cancelled", &self.cancelled),
            ("hedges", &self.hedges),
            ("refused_budget", &self.refused[Why::Budget as usize]),
            ("refused_deadline", &self.refused[Why::Deadline as usize]),
            ("refused_losers", &self.refused[Why::Losers as usize]),
            ("lost_cancelled", &self.lost_cancelled),
            ("lost_failed", &self.lost_failed),
            ("lost_succeeded", &self.lost_succeeded),
        ] {
            facts.set_item(name, counter.get())?;
        }
        Ok(facts)
    }
}

/// How many losers still run in this process: of those that its parent had when it was forked none
/// is here. The upper half of the word is the process, which 32 bits can tell.
#[derive(Default)]
pub struct Losers(AtomicU64);

impl Losers {
    fn of(word: u64) -> u64 {
        if word >> 32 == u64::from(process::id()) { word & u64::from(u32::MAX) } else { 0 }
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        let here = u64::from(process::id()) << 32;
        let next = |word| Some(here | change(Self::of(word)).min(u32::MAX.into()));
        // It never answers none.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }

    pub fn get(&self) -> u64 {
        Self::of(self.0.load(Ordering::Acquire))
    }

    pub fn add(&self, more: u32) {
        self.change(|losers| losers + u64::from(more));
    }

    pub fn take(&self, fewer: u32) {
        self.change(|losers| losers.saturating_sub(fewer.into()));
    }
}
