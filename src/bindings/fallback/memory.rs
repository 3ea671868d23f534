//! The memory of a process: the last good answer of each key.

use crate::bindings::keys::{Bounds, Mark, State as KeyState, Table};
use crate::keys::Search;
use crate::policies::fallback::{Kept, Settings, Shelf};
use crate::time::{LONGEST, Nanos};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;

/// One key's answer.
#[pyclass(frozen, module = "seawall._core")]
pub struct Memo {
    key: Py<PyAny>,
    /// What it hashed to. One that has changed since is another key, whatever it is equal to.
    hash: isize,
    kept: Mutex<Option<(Py<PyAny>, Nanos)>>,
    mark: Mark,
}

impl KeyState for Memo {
    fn key(&self) -> &Py<PyAny> {
        &self.key
    }

    fn mark(&self) -> &Mark {
        &self.mark
    }

    fn at_rest(&self) -> bool {
        true
    }

    fn joined(&self) {}

    fn left(&self) {}
}

impl Memo {
    fn put(&self, kept: Kept<Bound<'_, PyAny>>) {
        let py = kept.answer.py();
        let old = {
            let mut place = self.kept.lock();
            // Of two calls at once the one that ended first may come here last.
            if place.as_ref().is_some_and(|(_, at)| *at > kept.at) {
                return;
            }
            place.replace((kept.answer.unbind(), kept.at))
        };
        // Outside the lock: the end of an answer may run any code.
        if let Some((answer, _)) = old {
            answer.drop_ref(py);
        }
    }

    fn get<'py>(&self, py: Python<'py>) -> Option<Kept<Bound<'py, PyAny>>> {
        let kept = self.kept.lock();
        kept.as_ref().map(|(answer, at)| Kept { answer: answer.bind(py).clone(), at: *at })
    }
}

#[pymethods]
impl Memo {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)?;
        // Locked: somebody is at it, so it is alive.
        match self.kept.try_lock().as_deref() {
            Some(Some((answer, _))) => visit.call(answer),
            _ => Ok(()),
        }
    }
}

/// All of them. An object of its own, so that the collector can follow it from the policy and from
/// every plan that the policy is part of.
#[pyclass(frozen, module = "seawall._core")]
pub struct Memory(Table<Memo>);

fn bounds(settings: &Settings) -> Bounds {
    // What is older than `stale` is of no use, also where there is room.
    Bounds { most: settings.max_keys, idle: settings.stale.unwrap_or(LONGEST) }
}

impl Memory {
    pub fn new(py: Python<'_>, settings: &Settings) -> PyResult<Py<Self>> {
        Py::new(py, Self(Table::new(py, bounds(settings))))
    }

    /// Keeps what `settings` say from now on.
    pub fn set_bounds(&self, py: Python<'_>, settings: &Settings, now: Nanos) {
        self.0.set_bounds(py, bounds(settings), now, |_| {});
    }

    pub fn forget_all(&self, py: Python<'_>) {
        self.0.clear(py);
    }
}

impl Shelf for Memory {
    type Key<'a> = &'a Bound<'a, PyAny>;
    type Answer<'a> = Bound<'a, PyAny>;
    type Error = PyErr;

    fn keep<'a>(&self, key: Self::Key<'a>, kept: Kept<Self::Answer<'a>>) -> PyResult<()> {
        let hash = key.hash()?;
        let memo = match self.0.get(key)? {
            None => {
                let make = || {
                    let (own, mark) = (key.clone().unbind(), Mark::default());
                    Bound::new(key.py(), Memo { key: own, hash, kept: Mutex::new(None), mark })
                };
                self.0.admit(key, Search::Bounded, kept.at, make, |_| {}, |_| {})?
            }
            found => found,
        };
        if let Some(memo) = memo.filter(|memo| memo.get().hash == hash) {
            memo.get().put(kept);
        }
        Ok(())
    }

    fn last<'a>(&self, key: Self::Key<'a>) -> PyResult<Option<Kept<Self::Answer<'a>>>> {
        let hash = key.hash()?;
        let memo = self.0.get(key)?.filter(|memo| memo.get().hash == hash);
        Ok(memo.and_then(|memo| memo.get().get(key.py())))
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

#[pymethods]
impl Memory {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    #[allow(unsafe_code, reason = "the collector hands over no token")]
    fn __clear__(&self) {
        // SAFETY: the collector runs attached.
        self.0.clear(unsafe { Python::assume_attached() });
    }
}
