//! What is seen of a bulkhead.

use super::Bulkhead;
use super::lanes::{Room, Seen};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What is seen of a room.
#[derive(Default)]
pub(super) struct Facts {
    pub in_flight: u32,
    pub waiting: usize,
    pub counts: Seen,
}

impl Facts {
    pub fn of(room: &Room) -> Self {
        let (in_flight, waiting) = (room.core.in_use(), room.core.waiting());
        Self { in_flight, waiting, counts: room.counts.seen() }
    }
}

impl Bulkhead {
    /// All that was `seen`, as one.
    pub(super) fn facts<'py>(
        &self,
        py: Python<'py>,
        seen: &[Facts],
    ) -> PyResult<Bound<'py, PyDict>> {
        let (mut in_flight, mut waiting, mut counts) = (0, 0, Seen::default());
        for one in seen {
            in_flight += one.in_flight;
            waiting += one.waiting;
            for (sum, count) in counts.iter_mut().zip(one.counts) {
                *sum += count;
            }
        }
        let by_end = PyDict::new(py);
        let names = ["entered", "waited", "rejected", "timed_out", "cancelled"];
        for (name, count) in names.into_iter().zip(counts) {
            by_end.set_item(name, count)?;
        }
        let facts = PyDict::new(py);
        facts.set_item("name", self.name(py))?;
        facts.set_item("counts", by_end)?;
        facts.set_item("in_flight", in_flight)?;
        facts.set_item("waiting", waiting)?;
        facts.set_item("limit", self.current.lock().settings.max_concurrent)?;
        Ok(facts)
    }
}
