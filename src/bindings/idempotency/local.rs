//! What a process knows of the operations of one store.

use crate::process::locks::Lock;
use crate::time::{Clock, LONGEST, Nanos, System, seconds};
use pyo3::PyTraverseError;
use pyo3::exceptions::PyKeyError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The result of an operation that completed here, until it expires.
#[pyclass(frozen, module = "seawall._core")]
pub struct Kept {
    #[pyo3(get)]
    pub fingerprint: Option<Py<PyBytes>>,
    #[pyo3(get)]
    pub codec: u8,
    #[pyo3(get)]
    pub data: Py<PyBytes>,
    until: Nanos,
    shared: std::sync::OnceLock<Py<PyAny>>,
}

impl Kept {
    pub fn new(
        fingerprint: Option<Py<PyBytes>>,
        codec: u8,
        data: Py<PyBytes>,
        until: Nanos,
    ) -> Self {
        Self { fingerprint, codec, data, until, shared: std::sync::OnceLock::new() }
    }

    /// The value, where it was read and can't be changed: all may have the same one.
    pub fn shared(&self) -> Option<&Py<PyAny>> {
        self.shared.get()
    }

    /// Is it that of a call with this fingerprint?
    pub fn is_of(&self, py: Python<'_>, fingerprint: Option<&[u8; 32]>) -> bool {
        self.fingerprint.as_ref().map(|kept| kept.as_bytes(py)) == fingerprint.map(|all| &all[..])
    }
}

#[pymethods]
impl Kept {
    #[new]
    fn made(fingerprint: Option<Py<PyBytes>>, codec: u8, data: Py<PyBytes>, lasts: f64) -> Self {
        let lasts = seconds(lasts.clamp(0.0, 1e8)).unwrap_or(LONGEST);
        Self::new(fingerprint, codec, data, System.now().saturating_add(lasts))
    }

    /// From now on all get this one value, which can't be changed.
    fn share(&self, value: Py<PyAny>) {
        let _ = self.shared.set(value);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.shared.get().map_or(Ok(()), |value| visit.call(value))
    }
}

/// What this process knows of the operations of one store.
#[pyclass(frozen, subclass, module = "seawall._core")]
pub struct Local {
    /// By place: namespace, scope and key.
    running: Py<PyDict>,
    kept: Py<PyDict>,
    /// In which order they came: the first key of a dict is far from its beginning, once many
    /// were taken out there.
    order: Lock<VecDeque<Py<PyBytes>>>,
    most: usize,
    longest: usize,
    rhythm: AtomicU64,
}

impl Local {
    /// Nobody looks as often as that after the leases of what runs.
    pub fn is_slower_than(&self, rhythm: f64) -> bool {
        rhythm < f64::from_bits(self.rhythm.load(Relaxed))
    }

    /// What runs.
    pub fn runs<'py>(&self, py: Python<'py>) -> &Bound<'py, PyDict> {
        self.running.bind(py)
    }

    /// How the operation has ended, if that was here and has not expired.
    pub fn look<'py>(&self, place: &Bound<'py, PyBytes>) -> PyResult<Option<Bound<'py, Kept>>> {
        let all = self.kept.bind(place.py());
        let Some(kept) = all.get_item(place)? else { return Ok(None) };
        let kept = kept.cast_into::<Kept>()?;
        if System.now() < kept.get().until {
            return Ok(Some(kept));
        }
        forget(all, place)?;
        Ok(None)
    }

    /// Remembers how it has ended; forgets the oldest where there is no room.
    pub fn remember(&self, place: &Bound<'_, PyBytes>, kept: Bound<'_, Kept>) -> PyResult<()> {
        let py = place.py();
        if kept.get().data.as_bytes(py).len() > self.longest {
            return Ok(());
        }
        let all = self.kept.bind(py);
        if !all.contains(place)? {
            self.order.lock().push_back(place.clone().unbind());
        }
        all.set_item(place, kept)?;
        loop {
            let oldest = {
                let mut order = self.order.lock();
                // What has expired is still in the order, and may be in it twice.
                let is_full = all.len() > self.most || order.len() > 2 * self.most;
                is_full.then(|| order.pop_front()).flatten()
            };
            let Some(oldest) = oldest else { return Ok(()) };
            forget(all, oldest.bind(py))?;
        }
    }
}

/// Another thread may have done so meanwhile.
fn forget(all: &Bound<'_, PyDict>, place: &Bound<'_, PyBytes>) -> PyResult<()> {
    match all.del_item(place) {
        Err(error) if error.is_instance_of::<PyKeyError>(all.py()) => Ok(()),
        done => done,
    }
}

#[pymethods]
impl Local {
    #[new]
    fn new(py: Python<'_>, most: usize, longest: usize) -> Self {
        let rhythm = AtomicU64::new(f64::INFINITY.to_bits());
        let (running, kept) = (PyDict::new(py).unbind(), PyDict::new(py).unbind());
        let order = Lock::new(VecDeque::new());
        Self { running, kept, order, most, longest, rhythm }
    }

    #[getter]
    fn running<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.running.bind(py).clone()
    }

    #[getter]
    fn _kept<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.kept.bind(py).clone()
    }

    #[getter]
    fn rhythm(&self) -> f64 {
        f64::from_bits(self.rhythm.load(Relaxed))
    }

    #[setter]
    fn set_rhythm(&self, rhythm: f64) {
        self.rhythm.store(rhythm.to_bits(), Relaxed);
    }

    /// How the operation has ended, if that was here and has not expired.
    fn kept<'py>(&self, place: &Bound<'py, PyBytes>) -> PyResult<Option<Bound<'py, Kept>>> {
        self.look(place)
    }

    /// Remembers how it has ended; forgets the oldest where there is no room.
    fn keep(&self, place: &Bound<'_, PyBytes>, kept: Bound<'_, Kept>) -> PyResult<()> {
        self.remember(place, kept)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.running)?;
        visit.call(&self.kept)
    }
}
