//! Which state is whose: a dict of the interpreter's, so that keys hash and compare as Python says.
//! No lock of ours is held while their code runs.
//!
//! What is in a dict is taken out by looking it up. A key that hashes or compares otherwise by then
//! is not found and would stay for good; so where more than half is such, what is alive is carried
//! over into a second dict, which takes the first one's place. Whoever puts something in looks
//! afterwards whether the dict it went into is still the one, and puts it in again if not.

use super::State;
use crate::bindings::failures::report;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many dead entries are not worth the effort.
const SLACK: usize = 16;

/// The dicts, of which one is in use.
pub struct Index<S> {
    dicts: [Py<PyDict>; 2],
    second: AtomicBool,
    renewing: AtomicBool,
    holds: PhantomData<fn(S) -> S>,
}

impl<S: State> Index<S> {
    pub fn new(py: Python<'_>) -> Self {
        Self {
            dicts: [PyDict::new(py).unbind(), PyDict::new(py).unbind()],
            second: AtomicBool::new(false),
            renewing: AtomicBool::new(false),
            holds: PhantomData,
        }
    }

    #[inline(always)]
    fn current<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, PyDict> {
        self.dicts[usize::from(self.second.load(Ordering::Acquire))].bind(py)
    }

    /// The state that stands for `key`; it may have been let go of.
    #[inline(always)]
    pub fn get<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, S>>> {
        #[allow(unsafe_code, reason = "the dicts hold nothing else")]
        // SAFETY: only `S`s are put in, and nobody else has the dicts.
        let ours = |state: Bound<'py, PyAny>| unsafe { state.cast_into_unchecked::<S>() };
        Ok(self.current(key.py()).get_item(key)?.map(ours))
    }

    /// Puts `state` in, unless another thread was quicker; answers whose place it is.
    pub fn put<'py>(&self, state: &Bound<'py, S>) -> PyResult<Bound<'py, S>> {
        let py = state.py();
        let key = state.get().key().bind(py);
        loop {
            let known = self.current(py);
            let standing =
                known.call_method1(intern!(py, "setdefault"), (key, state))?.cast_into::<S>()?;
            let standing = if standing.get().mark().gone() {
                known.set_item(key, state)?;
                state.clone()
            } else {
                standing
            };
            if ptr::eq(known, self.current(py)) {
                return Ok(standing);
            }
        }
    }

    /// Takes `state` out, if it is still found. Another of the same key may stand there by now.
    pub fn remove(&self, state: &Bound<'_, S>) {
        let py = state.py();
        let key = state.get().key().bind(py);
        let take = || match self.get(key)? {
            Some(known) if known.as_any().is(state) => self.current(py).del_item(key),
            _ => Ok(()),
        };
        if let Err(error) = take() {
            report(py, error, key);
        }
    }

    /// Gets rid of what can't be found any more, if it is much: `alive` states there are.
    pub fn tidy(&self, py: Python<'_>, alive: usize) {
        let old = self.current(py);
        if old.len() <= 2 * alive + SLACK || self.renewing.swap(true, Ordering::AcqRel) {
            return;
        }
        let second = self.second.load(Ordering::Acquire);
        let new = self.dicts[usize::from(!second)].bind(py);
        carry_over::<S>(old, new);
        self.second.store(!second, Ordering::Release);
        // Once more: what was put in meanwhile. From here on nobody will.
        carry_over::<S>(old, new);
        old.clear();
        self.renewing.store(false, Ordering::Release);
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.dicts.iter().try_for_each(|dict| visit.call(dict))
    }

    pub fn clear(&self, py: Python<'_>) {
        for dict in &self.dicts {
            dict.bind(py).clear();
        }
    }
}

/// Puts what is alive in `old` into `new`, where nothing stands there yet. A key that can't be hashed
/// any more is left: nobody can ask for it.
fn carry_over<S: State>(old: &Bound<'_, PyDict>, new: &Bound<'_, PyDict>) {
    let py = old.py();
    for (key, state) in old.items().iter().filter_map(|item| item.extract().ok()) {
        let (key, state): (Bound<'_, PyAny>, Bound<'_, S>) = (key, state);
        if state.get().mark().gone() {
            continue;
        }
        if let Err(error) = new.call_method1(intern!(py, "setdefault"), (&key, &state)) {
            report(py, error, &key);
        }
    }
}
