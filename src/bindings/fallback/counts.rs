//! What became of a fallback's calls.

use crate::sync::Counter;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::atomic::{AtomicBool, Ordering};

/// Counts of calls.
#[derive(Default)]
pub struct Counts {
    pub begun: Counter,
    /// Went well by themselves.
    pub success: Counter,
    /// Ended by what is not answered for: other errors, cancellations.
    pub passed: Counter,
    /// Failed, and were answered by a provider.
    pub used: Counter,
    /// Failed, and were answered from memory.
    pub stale: Counter,
    /// Failed, and nothing answered.
    pub failed: Counter,
    /// Had arguments that can't be told apart from others: nothing was remembered of them.
    pub unkeyed: Counter,
    /// Returned what can't be given twice: it was not remembered.
    pub unkept: Counter,
    /// Was it said that there are such arguments?
    said: AtomicBool,
    /// Numbers the events.
    seq: Counter,
}

impl Counts {
    fn ends(&self) -> [(&'static str, &Counter); 5] {
        [
            ("success", &self.success),
            ("passed", &self.passed),
            ("used", &self.used),
            ("stale", &self.stale),
            ("failed", &self.failed),
        ]
    }

    pub fn in_flight(&self) -> u64 {
        // Ends first: a call that begins meanwhile may be counted, none may be missing.
        let ended: u64 = self.ends().map(|(_, counter)| counter.get()).iter().sum();
        self.begun.get().saturating_sub(ended)
    }

    /// Is this the first time that it is asked?
    pub fn first_to_say(&self) -> bool {
        !self.said.swap(true, Ordering::Relaxed)
    }

    /// The number of the next event.
    pub fn next(&self) -> u64 {
        self.seq.bump();
        self.seq.get()
    }

    pub fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let facts = PyDict::new(py);
        for (name, counter) in self.ends() {
            facts.set_item(name, counter.get())?;
        }
        facts.set_item("unkeyed", self.unkeyed.get())?;
        facts.set_item("unkept", self.unkept.get())?;
        Ok(facts)
    }
}
