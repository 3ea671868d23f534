//! The states of a keyed policy: found by key, made when first asked for, let go of when there are
//! too many or when nobody asks.
//!
//! A dict of the interpreter's finds them, so that keys hash and compare as Python says; it holds no
//! lock of ours while their code runs. A [`Roster`] says who goes: under its lock nothing runs but
//! looks at our own words.
//!
//! Letting one go and entering it exclude each other: the one marks it as gone and then looks
//! whether it is busy, the other counts itself and then looks whether it is gone.

use crate::error::Problem;
use crate::keys::{Admitted, Look, Roster};
use crate::sync::ALONE;
use crate::time::{Nanos, SECOND, seconds};
use parking_lot::Mutex;
use pyo3::PyClass;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::PyDict;
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// What the table keeps of every state, in it.
#[derive(Default)]
pub struct Mark {
    used: AtomicBool,
    gone: AtomicBool,
}

impl Mark {
    /// Has it been let go of? Then it is nobody's state any more. Who asks in order to be sure of
    /// the state it is in has counted itself in before.
    #[inline(always)]
    pub fn gone(&self) -> bool {
        // With a global lock, counting oneself in and looking are one step.
        if !ALONE {
            fence(Ordering::SeqCst);
        }
        self.gone.load(Ordering::Acquire)
    }
}

/// A state that a table can keep.
pub trait State: PyClass<Frozen = True> + Sync {
    fn key(&self) -> &Py<PyAny>;
    fn mark(&self) -> &Mark;
    /// May it be forgotten: is nobody in it, and has it nothing to say that must be remembered?
    fn at_rest(&self) -> bool;
}

/// How many states are kept, and for how long after they were last asked for.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub most: usize,
    pub idle: Nanos,
}

const DEFAULT_MOST: usize = 10_000;
const DEFAULT_IDLE: Nanos = 600 * SECOND;

impl Bounds {
    /// Those of a policy's settings `max_keys` and `key_idle` (seconds), of which any may be wrong.
    /// `None`: it is not `keyed`.
    pub fn check(
        most: Option<i64>,
        idle: Option<f64>,
        keyed: bool,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut wrong = |field: &str, value: String, rule: &str| {
            problems.push(Problem::new(field, value, rule));
        };
        let fits = |most: &i64| (1..=10_000_000).contains(most);
        if let Some(most) = most.filter(|most| !fits(most)) {
            wrong("max_keys", most.to_string(), "must be a whole number from 1 to 10000000");
        }
        let length = idle.and_then(|idle| seconds(idle).filter(|_| idle > 0.0));
        if let Some(idle) = idle
            && length.is_none()
        {
            wrong(
                "key_idle",
                idle.to_string(),
                "must be more than 0 seconds, and a length of time",
            );
        }
        if !keyed {
            for (field, given) in [("max_keys", most.is_some()), ("key_idle", idle.is_some())] {
                if given {
                    wrong(field, "given".to_owned(), "is of use only with key");
                }
            }
            return None;
        }
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(DEFAULT_MOST);
        Some(Self { most, idle: length.unwrap_or(DEFAULT_IDLE) })
    }
}

/// The states.
pub struct Table<S: State> {
    known: Py<PyDict>,
    roster: Mutex<(Roster<Py<S>>, Bounds)>,
}

impl<S: State> Table<S> {
    pub fn new(py: Python<'_>, bounds: Bounds) -> Self {
        let known = PyDict::new(py).unbind();
        Self { known, roster: Mutex::new((Roster::default(), bounds)) }
    }

    pub fn set_bounds(&self, bounds: Bounds) {
        self.roster.lock().1 = bounds;
    }

    /// The state of `key`, if there is one.
    #[inline(always)]
    pub fn get<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, S>>> {
        match self.known.bind(key.py()).get_item(key)? {
            Some(state) => {
                #[allow(unsafe_code, reason = "the table holds nothing else")]
                // SAFETY: only `S`s are put in, and nobody else has the dict.
                let state = unsafe { state.cast_into_unchecked::<S>() };
                let mark = state.get().mark();
                if mark.gone() {
                    return Ok(None);
                }
                // Looked at first: a line that nobody writes stays in every processor's cache.
                if !mark.used.load(Ordering::Relaxed) {
                    mark.used.store(true, Ordering::Relaxed);
                }
                Ok(Some(state))
            }
            None => Ok(None),
        }
    }

    /// The state of `key`, made by `make` if there is none. `None`: as many as may be kept must all
    /// stay. Those that had to go are passed to `forget`.
    #[cold]
    #[inline(never)]
    pub fn admit<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        now: Nanos,
        make: impl FnOnce() -> PyResult<Bound<'py, S>>,
        forget: impl Fn(&S),
    ) -> PyResult<Option<Bound<'py, S>>> {
        let py = key.py();
        // What can't be hashed is found out before anybody goes.
        key.hash()?;
        let state = make()?;
        let mut gone = Vec::new();
        let admitted = {
            let (roster, bounds) = &mut *self.roster.lock();
            let Bounds { most, idle } = *bounds;
            let newcomer = state.clone().unbind();
            let look = |state: &Py<S>| look(state.get());
            roster.admit(newcomer, most, idle, now, look, |state| let_go(state.get()), &mut gone)
        };
        // As bound references throughout: what else is dropped in a driver is freed much later.
        for state in gone {
            let state = state.into_bound(py);
            forget(state.get());
            let key = state.get().key().bind(py);
            // Another of the same key may stand there by now.
            if let Ok(Some(known)) = self.known.bind(py).get_item(key)
                && known.is(&state)
                && let Err(error) = self.known.bind(py).del_item(key)
            {
                crate::bindings::failures::report(py, error, key);
            }
        }
        if let Admitted::Full(newcomer) = admitted {
            drop(newcomer.into_bound(py));
            return Ok(None);
        }
        let standing = self.put(&state);
        match &standing {
            Ok(standing) if standing.as_any().is(state.as_any()) => {}
            _ => {
                let unlisted =
                    self.roster.lock().0.remove(|listed| listed.as_ptr() == state.as_ptr());
                drop(unlisted.map(|state| state.into_bound(py)));
            }
        }
        standing.map(Some)
    }

    /// Puts `state` in, unless another thread was quicker; answers whose place it is.
    fn put<'py>(&self, state: &Bound<'py, S>) -> PyResult<Bound<'py, S>> {
        let py = state.py();
        let known = self.known.bind(py);
        let key = state.get().key().bind(py);
        let standing = known.call_method1("setdefault", (key, state))?.cast_into::<S>()?;
        if standing.get().mark().gone() {
            known.set_item(key, state)?;
            return Ok(state.clone());
        }
        Ok(standing)
    }

    /// All states there are.
    pub fn all<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, S>> {
        self.roster.lock().0.iter().map(|state| state.bind(py).clone()).collect()
    }

    /// Shows the collector what is kept. Locked: somebody is at it, so it is alive.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(listed) = self.roster.try_lock() {
            for state in listed.0.iter() {
                visit.call(state)?;
            }
        }
        visit.call(&self.known)
    }

    /// Forgets everything.
    pub fn clear(&self, py: Python<'_>) {
        let listed = std::mem::take(&mut self.roster.lock().0);
        self.known.bind(py).clear();
        drop(listed);
    }
}

fn look<S: State>(state: &S) -> Look {
    let mark = state.mark();
    if mark.used.swap(false, Ordering::Relaxed) {
        return Look::Used;
    }
    if state.at_rest() { Look::AtRest } else { Look::Busy }
}

fn let_go<S: State>(state: &S) -> bool {
    let gone = &state.mark().gone;
    gone.store(true, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    let goes = state.at_rest();
    gone.store(goes, Ordering::SeqCst);
    goes
}
