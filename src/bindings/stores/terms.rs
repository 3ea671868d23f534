//! On which terms is claimed.

use crate::bindings::convert::Reader;
use crate::bindings::failures::config_error;
use crate::error::Problem;
use crate::stores::idempotency::{Draft, Terms as Checked};
use crate::stores::record::OnLost;
use crate::stores::{Micros, SECOND};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Checked terms.
#[pyclass(frozen, module = "seawall._core")]
pub struct Terms(pub Checked);

#[pymethods]
impl Terms {
    #[new]
    #[pyo3(signature = (settings = None, subject = "idempotency"))]
    fn new(py: Python<'_>, settings: Option<&Bound<'_, PyDict>>, subject: &str) -> PyResult<Self> {
        let empty = PyDict::new(py);
        read(settings.unwrap_or(&empty))
            .map(Self)
            .map_err(|problems| config_error(py, subject, problems))
    }

    #[getter]
    fn lease(&self) -> f64 {
        seconds(self.0.lease)
    }

    #[getter]
    fn max_lease(&self) -> f64 {
        seconds(self.0.max_lease)
    }

    #[getter]
    fn ttl(&self) -> f64 {
        seconds(self.0.ttl)
    }

    #[getter]
    fn attempts(&self) -> u32 {
        self.0.attempts
    }

    #[getter]
    fn on_lost(&self) -> &'static str {
        match self.0.on_lost {
            OnLost::Takeover => "takeover",
            OnLost::Quarantine => "quarantine",
        }
    }
}

fn read(settings: &Bound<'_, PyDict>) -> Result<Checked, Vec<Problem>> {
    let mut reader = Reader::new(settings);
    let draft = Draft {
        lease: reader.seconds("lease"),
        max_lease: reader.seconds("max_lease"),
        ttl: reader.seconds("ttl"),
        attempts: reader.count("attempts"),
        on_lost: reader.word("on_lost"),
    };
    let mut found = Vec::new();
    let terms = draft.check(&mut found);
    reader.problems.append(&mut found);
    let problems = reader.finish();
    terms.filter(|_| problems.is_empty()).ok_or(problems)
}

/// A length of the store's time.
pub fn seconds(length: Micros) -> f64 {
    length as f64 / SECOND as f64
}
