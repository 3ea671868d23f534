//! A store.

use super::errors::store_error;
use super::op::Op;
use super::pending::Pending;
use super::reply::Reply;
use crate::bindings::failures::config_error;
use crate::stores::backend::Answer;
use crate::stores::clock::Machine;
use crate::stores::{self, Asked, StoreError, migration, public, registry};
use crate::time::{Clock, System};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks for Ctrl-C.
const SLICE: Duration = Duration::from_millis(50);

/// A store, of one of the backends.
#[pyclass(frozen, weakref, module = "seawall._core")]
pub struct Store {
    pub(in crate::bindings) store: stores::Store,
    /// Its URL, as everybody may read it.
    name: Arc<str>,
}

impl Store {
    fn reply(&self, py: Python<'_>, answer: Result<Answer, StoreError>) -> PyResult<Reply> {
        answer.map(Reply).map_err(|error| store_error(py, &self.name, &error))
    }
}

#[pymethods]
impl Store {
    #[new]
    fn new(py: Python<'_>, url: &str) -> PyResult<Self> {
        let name = public(url);
        let store = py.detach(|| registry::open(url, &Machine::real()));
        let store =
            store.map_err(|invalid| config_error(py, &format!("store {name}"), invalid.0))?;
        Ok(Self { store, name: name.into() })
    }

    /// Its URL without passwords.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Is a step answered at once, without waiting for a disk or for another process?
    #[getter]
    fn is_instant(&self) -> bool {
        self.store.has_instant_steps()
    }

    /// Asks, and blocks this thread until there is an answer, for so many seconds at most. Others
    /// run meanwhile, and Ctrl-C ends it.
    fn call(&self, py: Python<'_>, op: &Op, patience: f64) -> PyResult<Reply> {
        let op = op.0.clone();
        if self.store.is_instant(&op) {
            let answer = self.store.call(op, SLICE);
            return self.reply(py, answer);
        }
        let patience = Duration::try_from_secs_f64(patience).unwrap_or_default();
        let begun = System.now();
        let pending = match py.detach(|| self.store.ask(op, SLICE.min(patience))) {
            Asked::Answered(answer) => return self.reply(py, answer),
            Asked::Later(pending) => pending,
        };
        loop {
            let left = patience.saturating_sub(Duration::from_nanos(System.now() - begun));
            let is_there = py.detach(|| pending.is_there_within(SLICE.min(left)));
            if is_there || left.is_zero() {
                let answer = py.detach(|| pending.wait(Duration::ZERO));
                return self.reply(py, answer);
            }
            py.check_signals()?;
        }
    }

    /// Asks, for a task: the answer, where it is there at once, or what to wait for.
    fn submit<'py>(&self, py: Python<'py>, op: &Op) -> PyResult<Bound<'py, PyAny>> {
        let op = op.0.clone();
        if self.store.is_instant(&op) {
            let answer = self.store.call(op, SLICE);
            return Ok(Bound::new(py, self.reply(py, answer)?)?.into_any());
        }
        let pending = py.detach(|| self.store.submit(op));
        Ok(Bound::new(py, Pending::new(pending, &self.name))?.into_any())
    }

    /// What this process was answered so far, by kind.
    fn counted<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counted = self.store.counted();
        let shown = PyDict::new(py);
        for (kind, number) in [
            ("owned", counted.owned),
            ("taken_over", counted.taken_over),
            ("in_progress", counted.in_progress),
            ("replayed", counted.replayed),
            ("mismatched", counted.mismatched),
            ("unknown", counted.unknown),
            ("exhausted", counted.exhausted),
            ("settled", counted.settled),
            ("stale", counted.stale),
            ("errors", counted.errors),
        ] {
            shown.set_item(kind, number)?;
        }
        Ok(shown)
    }

    /// What was found at its server that its user should know, each thing once.
    fn notices(&self) -> Vec<String> {
        self.store.notices()
    }

    /// Ends what runs for it.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.store.close());
    }
}

/// The script that makes a store's tables; None: it needs none.
#[pyfunction]
pub fn migration_script(py: Python<'_>, url: &str) -> PyResult<Option<String>> {
    let subject = format!("store {}", public(url));
    migration::script(url).map_err(|invalid| config_error(py, &subject, invalid.0))
}

/// Makes them, whatever the URL says of it.
#[pyfunction]
pub fn migrate(py: Python<'_>, url: &str, patience: f64) -> PyResult<()> {
    let name = public(url);
    let patience = Duration::try_from_secs_f64(patience).unwrap_or_default();
    match py.detach(|| migration::run(url, &Machine::real(), patience)) {
        Err(invalid) => Err(config_error(py, &format!("store {name}"), invalid.0)),
        Ok(done) => done.map_err(|error| store_error(py, &name, &error)),
    }
}

/// A store's URL without passwords.
#[pyfunction]
pub fn public_url(url: &str) -> String {
    public(url)
}
