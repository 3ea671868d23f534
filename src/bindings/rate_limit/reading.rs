//! A rate limit as an operator sees it.

use super::{RateLimit, moment};
use crate::bindings::clock::{ambient, in_seconds};
use crate::policies::rate_limit::Snapshot;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::convert::Infallible;

/// Which of a limit's states somebody asks for. A key that is None is one that was given.
pub(super) enum Which<'py> {
    /// No key was given.
    All,
    Key(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Which<'py> {
    type Error = Infallible;

    fn extract(key: Borrowed<'_, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Self::Key(key.to_owned()))
    }
}

impl RateLimit {
    pub(super) fn seen(&self, py: Python<'_>, asked: &Which<'_>) -> PyResult<Snapshot> {
        let now = moment(&ambient(py));
        match (asked, &self.meters) {
            (Which::All, None) => Ok(self.flow().core.snapshot(now)),
            (Which::All, Some(meters)) => {
                // One that nobody has asked, and what went with those that were let go of.
                let mut whole = self.flow().core.snapshot(now);
                whole.add(&meters.past());
                for meter in meters.all(py) {
                    let one = meter.get().flow().core.snapshot(now);
                    whole.add(&one);
                    whole.available = whole.available.min(one.available);
                    // None: never. Else the longest.
                    whole.retry_after =
                        whole.retry_after.zip(one.retry_after).map(|(a, b)| a.max(b));
                }
                Ok(whole)
            }
            (Which::Key(key), _) => match self.keyed(py)?.get(key)? {
                Some(meter) => Ok(meter.get().flow().core.snapshot(now)),
                None => Err(PyKeyError::new_err(format!(
                    "rate limit '{}' has no state for {key:?}",
                    self.name(py)
                ))),
            },
        }
    }

    pub(super) fn facts<'py>(
        &self,
        py: Python<'py>,
        asked: Which<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let seen = self.seen(py, &asked)?;
        let key = match asked {
            Which::All => None,
            Which::Key(key) => Some(key),
        };
        let counts = PyDict::new(py);
        counts.set_item("admitted", seen.admitted)?;
        counts.set_item("delayed", seen.delayed)?;
        counts.set_item("abandoned", seen.abandoned)?;
        counts.set_item("rejected", seen.refused)?;
        let facts = PyDict::new(py);
        facts.set_item("name", self.name(py))?;
        facts.set_item("key", key)?;
        facts.set_item("counts", counts)?;
        facts.set_item("in_flight", seen.waiting)?;
        facts.set_item("available", seen.available)?;
        facts.set_item("retry_after", seen.retry_after.map(in_seconds))?;
        Ok(facts)
    }
}
