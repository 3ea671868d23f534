//! What became of a retry's calls.

use crate::policies::retry::Stop;
use crate::sync::Counter;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Counts of calls, and of the attempts after the first.
#[derive(Default)]
pub struct Counts {
    pub begun: Counter,
    pub ended: Counter,
    /// Returned at the first attempt.
    pub first: Counter,
    /// Returned at a later one.
    pub recovered: Counter,
    /// Ended by what is not retried.
    pub passed: Counter,
    /// Attempts after the first.
    pub retries: Counter,
    pub refused: Counter,
    stops: [Counter; STOPS.len()],
    /// Numbers the events.
    seq: Counter,
}

const STOPS: [Stop; 7] = [
    Stop::Attempts,
    Stop::Nested,
    Stop::Budget,
    Stop::Duration,
    Stop::Deadline,
    Stop::Told,
    Stop::Begun,
];

impl Counts {
    pub fn stopped(&self, why: Stop) {
        self.stops[why as usize].bump();
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
            ("success", &self.first),
            ("recovered", &self.recovered),
            ("passed", &self.passed),
            ("retries", &self.retries),
            ("rejected", &self.refused),
        ] {
            facts.set_item(name, counter.get())?;
        }
        for why in STOPS {
            facts.set_item(format!("gave_up_{}", why.as_str()), self.stops[why as usize].get())?;
        }
        Ok(facts)
    }
}
