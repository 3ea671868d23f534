//! The lanes of a bulkhead: one for all calls, or one for each key.
#![allow(unsafe_code, reason = "tickets hold references that the drivers give back")]

use super::bell::{Core, wake};
use crate::bindings::keys::{Apart, Bounds, Mark, Place, State as KeyState, Table};
use crate::keys::Search;
use crate::sync::Counter;
use crate::time::Nanos;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Permits, and what became of the calls that asked for them.
pub struct Room {
    pub core: Core,
    pub counts: Counts,
}

impl Room {
    pub fn new(limit: u32) -> Self {
        Self { core: Core::new(limit), counts: Counts::default() }
    }
}

/// What became of the calls.
#[derive(Default)]
pub struct Counts {
    /// Let in; `waited` of them after they had waited.
    pub entered: Counter,
    pub waited: Counter,
    /// Refused at once.
    pub rejected: Counter,
    /// Refused after they had waited in vain.
    pub timed_out: Counter,
    /// Left while they waited.
    pub cancelled: Counter,
}

/// The counts at one moment.
pub type Seen = [u64; 5];

impl Counts {
    pub fn seen(&self) -> Seen {
        [&self.entered, &self.waited, &self.rejected, &self.timed_out, &self.cancelled]
            .map(Counter::get)
    }
}

/// One key's.
#[pyclass(frozen, module = "seawall._core")]
pub struct Lane {
    pub(super) key: Py<PyAny>,
    pub(super) room: Room,
    mark: Mark,
}

impl Lane {
    /// Has it been let go of?
    pub fn gone(&self) -> bool {
        self.mark.gone()
    }
}

impl KeyState for Lane {
    fn key(&self) -> &Py<PyAny> {
        &self.key
    }

    fn mark(&self) -> &Mark {
        &self.mark
    }

    fn at_rest(&self) -> bool {
        self.room.core.in_use() == 0 && self.room.core.waiting() == 0
    }

    fn joined(&self) {}

    fn left(&self) {}
}

#[pymethods]
impl Lane {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)
    }
}

/// A reference to a lane that a ticket or a refusal owns. Drivers give it back: tickets have no drop
/// of their own.
#[derive(Clone, Copy)]
pub struct LaneRef(*mut ffi::PyObject);

// SAFETY: the pointee is a frozen object that guards what changes in it.
unsafe impl Send for LaneRef {}
// SAFETY: as above.
unsafe impl Sync for LaneRef {}

impl LaneRef {
    pub fn new(lane: Bound<'_, Lane>) -> Self {
        Self(lane.into_ptr())
    }

    /// A further one.
    pub fn again(self) -> Self {
        // SAFETY: this one keeps it alive; its holders run attached.
        Self(unsafe { ffi::Py_NewRef(self.0) })
    }

    /// Lends the lane out.
    pub fn bind<'a>(&'a self, _attached: Python<'_>) -> &'a Bound<'a, Lane> {
        // SAFETY: a `Bound` is a token of nothing and a non-null pointer to a live object; this one
        // is only borrowed, and this reference keeps it alive.
        unsafe { &*(&raw const self.0).cast::<Bound<'a, Lane>>() }
    }

    /// Gives the reference back.
    pub fn release(self) {
        // SAFETY: it is owned, and given back once; its holders run attached.
        unsafe { ffi::Py_DECREF(self.0) };
    }

    /// For the collector.
    pub fn as_ptr(self) -> *mut ffi::PyObject {
        self.0
    }
}

/// All lanes of a bulkhead that has one for each key.
pub struct Lanes {
    table: Table<Lane>,
    apart: Apart<Lane>,
    /// What went with those that were let go of.
    past: Mutex<Seen>,
    /// How many permits each has.
    limit: AtomicU32,
}

impl Lanes {
    pub fn new(py: Python<'_>, bounds: Bounds, limit: u32) -> PyResult<Self> {
        Ok(Self {
            table: Table::new(py, bounds),
            apart: Apart::new(py)?,
            past: Mutex::default(),
            limit: AtomicU32::new(limit),
        })
    }

    pub fn set_bounds(&self, py: Python<'_>, bounds: Bounds, now: Nanos) {
        self.table.set_bounds(py, bounds, now, |lane| self.remember(lane));
    }

    /// So many permits each, from now on.
    pub fn resize(&self, py: Python<'_>, limit: u32) {
        self.limit.store(limit, Ordering::SeqCst);
        for lane in self.all(py) {
            self.fit(&lane);
        }
    }

    /// Gives `lane` as many permits as there are to be.
    fn fit(&self, lane: &Bound<'_, Lane>) {
        let (core, limit) = (&lane.get().room.core, self.limit.load(Ordering::SeqCst));
        if core.limit() != limit {
            wake(lane.py(), core, core.resize(limit));
        }
    }

    /// The lane of `key`, if there is one. None: that of calls without a key.
    pub fn get<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Lane>>> {
        match self.apart.place(key) {
            Some(place) => Ok(place.get().map(|lane| lane.bind(key.py()).clone())),
            None => self.table.get(key),
        }
    }

    /// The lane of `key`, made if there is none yet; if there is no room, the shared one.
    pub fn of<'py>(&self, key: &Bound<'py, PyAny>, now: Nanos) -> PyResult<Bound<'py, Lane>> {
        if let Some(place) = self.apart.place(key) {
            return self.only(place, key);
        }
        if let Some(lane) = self.table.get(key)? {
            return Ok(lane);
        }
        let make = || self.make(key);
        let found = self.table.admit(
            key,
            Search::Bounded,
            now,
            make,
            |_| {},
            |lane| self.remember(lane),
        )?;
        match found {
            Some(lane) => {
                // Keys run code of their own, which may have changed the limit meanwhile.
                self.fit(&lane);
                Ok(lane)
            }
            None => self.shared(key.py()),
        }
    }

    /// Where those have theirs from that had no room.
    pub fn shared<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Lane>> {
        let (place, key) = self.apart.shared(py);
        self.only(place, key)
    }

    /// The lane in `place`, made if there is none yet.
    fn only<'py>(
        &self,
        place: &Place<Lane>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Lane>> {
        // Whoever changed the limit while it was made did not see it.
        Apart::only(place, key.py(), || self.make(key), |made| self.fit(made))
    }

    fn make<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Lane>> {
        let (py, room) = (key.py(), Room::new(self.limit.load(Ordering::SeqCst)));
        Bound::new(py, Lane { key: key.clone().unbind(), room, mark: Mark::default() })
    }

    fn remember(&self, lane: &Lane) {
        let seen = lane.room.counts.seen();
        for (sum, count) in self.past.lock().iter_mut().zip(seen) {
            *sum += count;
        }
    }

    /// Every lane there is: those of keys, of calls without one, and the shared one.
    pub fn all<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, Lane>> {
        let mut all = self.table.all(py);
        all.extend(self.apart.all(py));
        all
    }

    pub fn past(&self) -> Seen {
        *self.past.lock()
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.table.traverse(visit)?;
        self.apart.traverse(visit)
    }

    pub fn clear(&self, py: Python<'_>) {
        self.table.clear(py);
    }
}

/// Where a bulkhead's permits are.
#[derive(Clone)]
pub enum Rooms {
    One(Arc<Room>),
    Keyed(Arc<Lanes>),
}
