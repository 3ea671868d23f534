//! The bulkhead's face to the drivers and to Python.
//!
//! | file | holds |
//! |---|---|
//! | `step` | the bulkhead in a plan |
//! | `waiting` | a call that waits for a permit |
//! | `ticket` | what a call has of it |
//! | `lanes` | its permits: for all calls, or for each key |
//! | `bell` | what wakes one that waits |
//! | `settings`, `facts`, `events` | what it is set up with, what is seen of it, what it tells |

mod bell;
mod events;
mod facts;
mod lanes;
mod settings;
mod step;
mod ticket;
mod waiting;

pub use bell::Bell;
pub use step::Step;
pub use ticket::{Asked, Loan, Rejection, Ticket, Why};

use super::clock::{ambient, in_seconds};
use super::convert::declared;
use super::gate;
use super::guard::Guard;
use super::keys::Source;
use crate::error::Problem;
use crate::pipeline::Part;
use crate::policies::bulkhead::Settings;
use crate::sync::Counter;
use crate::time::Clock;
use bell::wake;
use facts::Facts;
use lanes::{Lane, Lanes, Room, Rooms};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use settings::{Read, read, refused};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A bulkhead as it is configured now.
pub struct Current {
    settings: Settings,
    on_event: Option<Py<PyAny>>,
    key: Option<Py<PyAny>>,
    pool: Option<Py<PyAny>>,
    name: Py<PyString>,
}

impl Current {
    /// Gives up what it owns.
    fn release(self, py: Python<'_>) {
        for object in [self.on_event, self.key, self.pool].into_iter().flatten() {
            object.drop_ref(py);
        }
        self.name.drop_ref(py);
    }
}

/// The native part of `seawall.Bulkhead`.
#[pyclass(frozen, subclass, extends = Guard, module = "seawall._core")]
pub struct Bulkhead {
    current: Arc<Mutex<Current>>,
    rooms: Rooms,
    /// How many events there were.
    seq: Arc<Counter>,
    /// Did somebody give it its name, or has it none of its own yet?
    named: AtomicBool,
}

/// The threads that calls run in. Permits say how many may: a thread that is not idle yet when its
/// permit is in other hands is no reason to refuse a call.
fn pool(name: &Bound<'_, PyString>) -> PyResult<Py<PyAny>> {
    let py = name.py();
    let make = py.import("seawall.policies.timeout.pool")?.getattr("Pool")?;
    let pool = make.call1((name,))?;
    pool.setattr("max_threads", u32::MAX)?;
    Ok(pool.unbind())
}

impl Bulkhead {
    /// As far as its place among other policies matters.
    #[allow(clippy::unused_self, reason = "as those of other policies")]
    pub fn part(&self) -> Part {
        Part::Bulkhead
    }

    /// Has it a state for each key?
    pub fn keyed(&self) -> bool {
        matches!(self.rooms, Rooms::Keyed(_))
    }

    /// Does it run calls in threads of its own?
    pub fn pooled(&self) -> bool {
        self.current.lock().settings.pooled
    }

    /// Why calls of `function` don't tell their key, if they don't.
    pub fn key_problem(&self, function: &Bound<'_, PyAny>) -> Option<Problem> {
        let py = function.py();
        let key = self.current.lock().key.as_ref().map(|key| key.clone_ref(py))?;
        Source::problem(key.bind(py), function)
    }

    /// The lanes of a keyed bulkhead.
    pub fn lanes(&self, py: Python<'_>) -> PyResult<&Lanes> {
        match &self.rooms {
            Rooms::Keyed(lanes) => Ok(lanes),
            Rooms::One(_) => Err(PyTypeError::new_err(format!(
                "bulkhead '{}' has one limit for all calls: a key= is for one made with key=",
                self.name(py)
            ))),
        }
    }
}

#[pymethods]
impl Bulkhead {
    #[new]
    fn new(
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        named: bool,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (name, read) = declared("bulkhead", name, read(settings))?;
        let rooms = match read.bounds {
            Some(bounds) => {
                let limit = read.settings.max_concurrent;
                Rooms::Keyed(Arc::new(Lanes::new(py, bounds, limit)?))
            }
            None => Rooms::One(Arc::new(Room::new(read.settings.max_concurrent))),
        };
        let Read { settings, on_event, key, .. } = read;
        let pool = if settings.pooled { Some(pool(&name)?) } else { None };
        let current = Current { settings, on_event, key, pool, name: name.unbind() };
        let bulkhead = Self {
            current: Arc::new(Mutex::new(current)),
            rooms,
            seq: Arc::default(),
            named: AtomicBool::new(named),
        };
        Ok(PyClassInitializer::from(Guard::policy()).add_subclass(bulkhead))
    }

    /// The name it is known by in the registry, in events and in errors.
    #[getter]
    fn name(&self, py: Python<'_>) -> Py<PyString> {
        self.current.lock().name.clone_ref(py)
    }

    /// Does its name say more than that it is one of many?
    #[getter]
    fn _named(&self) -> bool {
        self.named.load(Ordering::Relaxed)
    }

    fn _rename(&self, py: Python<'_>, name: Py<PyString>) -> PyResult<()> {
        self.named.store(true, Ordering::Relaxed);
        let (old, pool) = {
            let mut current = self.current.lock();
            let pool = current.pool.as_ref().map(|pool| pool.clone_ref(py));
            (std::mem::replace(&mut current.name, name.clone_ref(py)), pool)
        };
        old.drop_ref(py);
        pool.map_or(Ok(()), |pool| pool.bind(py).setattr("name", name))
    }

    fn _reconfigure(&self, py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let name = self.name(py);
        let read = read(settings).map_err(|problems| refused(name.bind(py), problems))?;
        let key = self.current.lock().key.as_ref().map(|key| key.clone_ref(py));
        let same = match (&key, &read.key) {
            (None, None) => true,
            (Some(old), Some(new)) => old.bind(py).eq(new)?,
            _ => false,
        };
        if !same {
            let problem = Problem::new(
                "key",
                read.key.map_or_else(|| "None".to_owned(), |key| key.to_string()),
                "can't be changed: its states belong to the keys they have",
            );
            return Err(refused(name.bind(py), vec![problem]));
        }
        if read.settings.pooled != self.pooled() {
            let given = if read.settings.pooled { "'threads'" } else { "None" };
            let rule = "can't be changed in place: the functions it is on were checked for what \
                        it was";
            return Err(refused(name.bind(py), vec![Problem::new("pool", given, rule)]));
        }
        let limit = read.settings.max_concurrent;
        let old = {
            let mut current = self.current.lock();
            current.settings = read.settings;
            std::mem::replace(&mut current.on_event, read.on_event)
        };
        gate::next_epoch();
        match &self.rooms {
            Rooms::One(room) => wake(py, &room.core, room.core.resize(limit)),
            Rooms::Keyed(lanes) => {
                if let Some(bounds) = read.bounds {
                    lanes.set_bounds(py, bounds, ambient(py).now());
                }
                lanes.resize(py, limit);
            }
        }
        // Outside the lock: the end of a callable may run Python code.
        if let Some(old) = old {
            old.drop_ref(py);
        }
        Ok(())
    }

    /// The numeric settings in force, defaults filled in; durations in seconds.
    fn _settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let settings = self.current.lock().settings;
        let facts = PyDict::new(py);
        facts.set_item("max_concurrent", settings.max_concurrent)?;
        facts.set_item("max_wait", in_seconds(settings.max_wait))?;
        facts.set_item("max_queue", settings.max_queue)?;
        facts.set_item("pool", settings.pooled.then_some("threads"))?;
        Ok(facts)
    }

    /// The threads that calls run in; None: they run where they are called.
    #[getter]
    fn _pool(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.current.lock().pool.as_ref().map(|pool| pool.clone_ref(py))
    }

    /// The keys that have a state of their own, in no order.
    #[getter]
    fn _keys<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyAny>> {
        match &self.rooms {
            Rooms::One(_) => Vec::new(),
            Rooms::Keyed(lanes) => {
                lanes.all(py).iter().map(|lane| lane.get().key.bind(py).clone()).collect()
            }
        }
    }

    /// What is seen of all its states.
    fn _snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match &self.rooms {
            Rooms::One(room) => self.facts(py, &[Facts::of(room)]),
            Rooms::Keyed(lanes) => {
                let past = Facts { counts: lanes.past(), ..Facts::default() };
                let all = lanes.all(py);
                let here = all.iter().map(|lane| Facts::of(&lane.get().room));
                self.facts(py, &here.chain([past]).collect::<Vec<_>>())
            }
        }
    }

    /// What is seen of the state of one key.
    fn _snapshot_of<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let py = key.py();
        let lane: Bound<'py, Lane> = self.lanes(py)?.get(key)?.ok_or_else(|| {
            PyKeyError::new_err(format!("bulkhead '{}' has no state for {key:?}", self.name(py)))
        })?;
        let facts = self.facts(py, &[Facts::of(&lane.get().room)])?;
        facts.set_item("key", key)?;
        Ok(facts)
    }

    /// The process was forked: the calls that were in or waited are not here.
    fn _forked(&self, py: Python<'_>) {
        let forget = |room: &Room| {
            for bell in room.core.forked() {
                drop(bell.into_bound(py));
            }
        };
        match &self.rooms {
            Rooms::One(room) => forget(room),
            Rooms::Keyed(lanes) => {
                for lane in lanes.all(py) {
                    forget(&lane.get().room);
                }
            }
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Rooms::Keyed(lanes) = &self.rooms {
            lanes.traverse(&visit)?;
        }
        match self.current.try_lock() {
            Some(current) => {
                visit.call(&current.on_event)?;
                visit.call(&current.pool)?;
                visit.call(&current.key)
            }
            None => Ok(()),
        }
    }

    /// Lets go of the callables, which may lead back here; what is left still works.
    fn __clear__(&self) {
        self.let_go();
    }
}

impl Bulkhead {
    #[allow(unsafe_code, reason = "neither the collector nor a drop hands over a token")]
    fn let_go(&self) {
        // SAFETY: the collector, and the end of an object, run attached.
        let py = unsafe { Python::assume_attached() };
        if let Rooms::Keyed(lanes) = &self.rooms {
            lanes.clear(py);
        }
        let old = {
            let mut current = self.current.lock();
            [current.on_event.take(), current.key.take()]
        };
        for object in old.into_iter().flatten() {
            object.drop_ref(py);
        }
    }
}

/// Plans may outlive the bulkhead and know what is configured.
impl Drop for Bulkhead {
    fn drop(&mut self) {
        self.let_go();
    }
}
