//! The two states that are on no list.

use super::State;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use std::sync::OnceLock;

/// Where one of them is, once somebody needed it.
pub type Place<T> = OnceLock<Py<T>>;

/// The state of calls without a key, and that of keys which found no room.
pub struct Apart<T> {
    keyless: Place<T>,
    shared: Place<T>,
    /// What the shared one goes by: see `seawall.keys`.
    others: Py<PyAny>,
}

impl<T: State> Apart<T> {
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let others = py.import("seawall.keys")?.getattr(intern!(py, "OTHER_KEYS"))?;
        Ok(Self { keyless: OnceLock::new(), shared: OnceLock::new(), others: others.unbind() })
    }

    /// The place of a state that is on no list, if `key` means one.
    pub fn place(&self, key: &Bound<'_, PyAny>) -> Option<&Place<T>> {
        if key.is_none() {
            return Some(&self.keyless);
        }
        key.is(&self.others).then_some(&self.shared)
    }

    /// The place of the shared one, and its key.
    pub fn shared<'py>(&self, py: Python<'py>) -> (&Place<T>, &Bound<'py, PyAny>) {
        (&self.shared, self.others.bind(py))
    }

    /// The state in `place`, made if there is none yet; `begun` hears of one that was made.
    pub fn only<'py>(
        place: &Place<T>,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Bound<'py, T>>,
        begun: impl FnOnce(&Bound<'py, T>),
    ) -> PyResult<Bound<'py, T>> {
        if let Some(state) = place.get() {
            return Ok(state.bind(py).clone());
        }
        let first = make()?;
        if let Err(late) = place.set(first.clone().unbind()) {
            // Another thread was quicker.
            drop(late.into_bound(py));
            return Ok(place.get().map_or(first, |state| state.bind(py).clone()));
        }
        begun(&first);
        Ok(first)
    }

    /// Those that somebody needed.
    pub fn all<'py>(&self, py: Python<'py>) -> impl Iterator<Item = Bound<'py, T>> {
        let places = [&self.keyless, &self.shared].into_iter();
        places.filter_map(move |place| place.get().map(|state| state.bind(py).clone()))
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for place in [&self.keyless, &self.shared] {
            if let Some(state) = place.get() {
                visit.call(state)?;
            }
        }
        visit.call(&self.others)
    }
}
