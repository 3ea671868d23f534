//! The retries that the current context is inside of.
//!
//! Retries inside retries multiply: three attempts of three are nine. So a retry says, while it
//! runs, whether it has attempts left, and one that is inside of it leaves trying again to it. A
//! context variable carries that: it goes with a task into the tasks it starts.
//!
//! Setting one costs several times as much as all the rest of a call that goes well. It is set only
//! where there can be a retry inside another: where more than one step in a plan, or a loop over
//! attempts, has been seen. The step that lies inside may be made for one call and gone after it, so
//! what was seen stays seen until no step is left.

use crate::bindings::context::{current, new_variable, set};
use crate::bindings::failures::discard;
use crate::sync::Gauge;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed};

/// One call of a retry, as those inside of it see it.
#[pyclass(frozen, module = "seawall._core")]
pub struct Nest {
    outer: Option<Py<Nest>>,
    /// Has it attempts left after the one that runs?
    left: AtomicBool,
    over: AtomicBool,
}

/// How many retries there are in plans, and how many are published right now.
static STEPS: AtomicUsize = AtomicUsize::new(0);
static PUBLISHED: Gauge = Gauge::new();
/// What was seen: loops, steps beside a step. Whoever is the first of either in a program finds
/// nothing published around it.
static SEEN: AtomicU8 = AtomicU8::new(0);
const LOOPS: u8 = 1;
const SEVERAL: u8 = 2;

/// One more step, or one fewer.
pub fn step_made() {
    STEPS.fetch_add(1, Relaxed);
}

/// See [`step_made`].
pub fn step_gone() {
    if STEPS.fetch_sub(1, Relaxed) == 1 {
        SEEN.fetch_and(!SEVERAL, Relaxed);
    }
}

/// A loop over attempts is written out somewhere: it may be inside of any retry from now on.
pub fn loop_seen() {
    SEEN.fetch_or(LOOPS, Relaxed);
}

/// Can there be a retry inside of another?
#[inline(always)]
pub fn possible() -> bool {
    STEPS.load(Relaxed) > 1 || SEEN.load(Relaxed) != 0
}

fn variable(py: Python<'_>) -> &'static Py<PyAny> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    VARIABLE.get_or_init(py, || new_variable(py, c"seawall_retries"))
}

fn innermost(py: Python<'_>) -> Option<Bound<'_, Nest>> {
    if PUBLISHED.get() == 0 {
        return None;
    }
    current(py, variable(py))?.cast_into().ok()
}

/// The innermost that is not over. Those inside of it that are stand in front of it until the
/// context names another.
fn standing(py: Python<'_>) -> Option<Bound<'_, Nest>> {
    let mut at = innermost(py);
    while let Some(nest) = &at
        && !nest.get().stands()
    {
        at = nest.get().outer.as_ref().map(|outer| outer.bind(py).clone());
    }
    at
}

#[pymethods]
impl Nest {
    /// Has the call ended? A context that still names it is inside of it no longer.
    #[getter]
    fn over(&self) -> bool {
        !self.stands()
    }
}

impl Nest {
    /// A call begins here. None: no memory for it.
    pub fn publish(py: Python<'_>, left: bool) -> Option<Py<Self>> {
        if SEEN.load(Relaxed) == 0 {
            SEEN.fetch_or(SEVERAL, Relaxed);
        }
        let outer = standing(py).map(Bound::unbind);
        let nest = Self { outer, left: AtomicBool::new(left), over: AtomicBool::new(false) };
        let stored = Bound::new(py, nest).and_then(|nest| {
            set(py, variable(py), nest.as_any())?;
            Ok(nest.unbind())
        });
        match stored {
            Ok(nest) => {
                PUBLISHED.up();
                Some(nest)
            }
            Err(error) => {
                discard(py, error);
                None
            }
        }
    }

    fn stands(&self) -> bool {
        !self.over.load(Relaxed)
    }

    /// Has it attempts left from now on?
    pub fn set_left(&self, left: bool) {
        self.left.store(left, Relaxed);
    }

    /// The call is over. The context goes on to name it, as others may that were copied from it:
    /// nobody believes that any more, and to take it out would cost as much as to put it in.
    pub fn withdraw(&self) {
        let over = self.over.load(Relaxed);
        self.over.store(true, Relaxed);
        if !over {
            PUBLISHED.down();
        }
    }

    /// The context is outside of the call, which is not over, from now on.
    pub fn leave(slf: &Bound<'_, Self>) {
        let py = slf.py();
        if !standing(py).is_some_and(|nest| nest.is(slf)) {
            return;
        }
        let left = match &slf.get().outer {
            Some(outer) => set(py, variable(py), outer.bind(py).as_any()),
            None => set(py, variable(py), &py.None().into_bound(py)),
        };
        if let Err(error) = left {
            discard(py, error);
        }
    }

    /// It is inside of it again.
    pub fn enter(slf: &Bound<'_, Self>) {
        if let Err(error) = set(slf.py(), variable(slf.py()), slf.as_any()) {
            discard(slf.py(), error);
        }
    }
}

/// Is there a retry around here, other than `own`, that satisfies `asked`?
fn around(py: Python<'_>, own: Option<&Bound<'_, Nest>>, asked: impl Fn(&Nest) -> bool) -> bool {
    let mut at = innermost(py);
    while let Some(nest) = at {
        let is_own = own.is_some_and(|own| own.is(&nest));
        if !is_own && nest.get().stands() && asked(nest.get()) {
            return true;
        }
        at = nest.get().outer.as_ref().map(|outer| outer.bind(py).clone());
    }
    false
}

/// Has a retry around `own` attempts left?
pub fn left_around(py: Python<'_>, own: Option<&Bound<'_, Nest>>) -> bool {
    around(py, own, |nest| nest.left.load(Relaxed))
}

/// Is there any retry around here?
pub fn inside(py: Python<'_>) -> bool {
    around(py, None, |_| true)
}
