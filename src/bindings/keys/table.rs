//! The states of a keyed policy: found by key, made when first asked for, let go of when there are
//! too many or when nobody asks.
//!
//! An [`Index`] finds them. A [`Roster`] says who goes: under its lock nothing runs but looks at our
//! own words.
//!
//! Letting one go and entering it exclude each other: the one marks it as gone and then looks
//! whether it is busy, the other counts itself and then looks whether it is gone.

use super::index::Index;
use crate::error::Problem;
use crate::keys::{Look, Roster, Search, Terms};
use crate::sync::ALONE;
use crate::time::{Nanos, SECOND, seconds};
use parking_lot::Mutex;
use pyo3::PyClass;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
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
    /// It is on the list from now on. As below, a step of our own words and nothing else.
    fn joined(&self);
    /// It is not any more.
    fn left(&self);
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
    index: Index<S>,
    roster: Mutex<(Roster<Py<S>>, Bounds)>,
}

impl<S: State> Table<S> {
    pub fn new(py: Python<'_>, bounds: Bounds) -> Self {
        Self { index: Index::new(py), roster: Mutex::new((Roster::default(), bounds)) }
    }

    /// Keeps no more than `bounds` say from now on. Those that had to go are passed to `forget`.
    pub fn set_bounds(&self, py: Python<'_>, bounds: Bounds, now: Nanos, forget: impl Fn(&S)) {
        let mut gone = Vec::new();
        {
            let (roster, standing) = &mut *self.roster.lock();
            *standing = bounds;
            roster.shrink(&terms(bounds, now), &mut gone);
        }
        self.forget(py, gone, forget);
    }

    /// How many may be kept.
    pub fn most(&self) -> usize {
        self.roster.lock().1.most
    }

    /// The state of `key`, if there is one.
    #[inline(always)]
    pub fn get<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, S>>> {
        match self.index.get(key)? {
            Some(state) => {
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

    /// The state of `key`, made by `make` if there is none; `begin` is told of one that is on the
    /// list, before anybody finds it. `None`: as many as may be kept must all stay. Those that had
    /// to go are passed to `forget`.
    #[cold]
    #[inline(never)]
    pub fn admit<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        search: Search,
        now: Nanos,
        make: impl FnOnce() -> PyResult<Bound<'py, S>>,
        begin: impl FnOnce(&S),
        forget: impl Fn(&S),
    ) -> PyResult<Option<Bound<'py, S>>> {
        let py = key.py();
        // What can't be hashed is found out before anybody goes.
        key.hash()?;
        let mut gone = Vec::new();
        let promised = {
            let (roster, bounds) = &mut *self.roster.lock();
            roster.promise(search, &terms(*bounds, now), &mut gone)
        };
        self.forget(py, gone, forget);
        if !promised {
            return Ok(None);
        }
        let state = match make() {
            Ok(state) => state,
            Err(error) => {
                self.roster.lock().0.give_back();
                return Err(error);
            }
        };
        let newcomer = state.clone().unbind();
        {
            let roster = &mut self.roster.lock().0;
            state.get().joined();
            roster.take(newcomer);
        }
        begin(state.get());
        let standing = self.index.put(&state);
        match &standing {
            Ok(standing) if standing.as_any().is(&state) => {}
            _ => self.strike(&state),
        }
        standing.map(Some)
    }

    /// Takes `state`, which nobody finds, off the list.
    fn strike(&self, state: &Bound<'_, S>) {
        let unlisted = {
            let mut roster = self.roster.lock();
            let unlisted = roster.0.remove(|listed| listed.as_ptr() == state.as_ptr());
            if unlisted.is_some() {
                state.get().left();
            }
            unlisted
        };
        drop(unlisted.map(|unlisted| unlisted.into_bound(state.py())));
    }

    /// Takes those who had to go out of the index. Any code may run: keys have an end of their own.
    fn forget(&self, py: Python<'_>, gone: Vec<Py<S>>, forget: impl Fn(&S)) {
        if gone.is_empty() {
            return;
        }
        // As bound references throughout: what else is dropped in a driver is freed much later.
        let gone: Vec<_> = gone.into_iter().map(|state| state.into_bound(py)).collect();
        for state in &gone {
            forget(state.get());
            self.index.remove(state);
        }
        let alive = self.roster.lock().0.len();
        self.index.tidy(py, alive);
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.roster.lock().0.len()
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
        self.index.traverse(visit)
    }

    /// Forgets everything.
    pub fn clear(&self, py: Python<'_>) {
        let listed = std::mem::take(&mut self.roster.lock().0);
        self.index.clear(py);
        drop(listed);
    }
}

fn terms<S: State>(
    bounds: Bounds,
    now: Nanos,
) -> Terms<impl Fn(&Py<S>) -> Look, impl Fn(&Py<S>) -> bool> {
    Terms {
        most: bounds.most,
        idle: bounds.idle,
        now,
        look: |state: &Py<S>| look(state.get()),
        let_go: |state: &Py<S>| let_go(state.get()),
    }
}

fn look<S: State>(state: &S) -> Look {
    let used = state.mark().used.swap(false, Ordering::Relaxed);
    match (state.at_rest(), used) {
        (false, _) => Look::Busy,
        (true, true) => Look::Used,
        (true, false) => Look::AtRest,
    }
}

fn let_go<S: State>(state: &S) -> bool {
    let gone = &state.mark().gone;
    gone.store(true, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    let goes = state.at_rest();
    gone.store(goes, Ordering::SeqCst);
    if goes {
        state.left();
    }
    goes
}
