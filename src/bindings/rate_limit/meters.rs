//! The states of a rate limit that has one for each key.

use super::flow::Flow;
use super::moment;
use crate::bindings::keys::{Apart, Bounds, Mark, State as KeyState, Table};
use crate::keys::Search;
use crate::policies::rate_limit::{Moment, Snapshot};
use crate::sync::AtomicU64;
use crate::time::Clock;
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// When somebody last looked for room: what is at rest then may go.
#[derive(Default)]
struct Looked {
    now: AtomicU64,
    date: AtomicU64,
}

/// One key's state.
#[pyclass(frozen, module = "seawall._core")]
pub struct Meter {
    pub(super) key: Py<PyAny>,
    flow: Flow,
    mark: Mark,
    looked: Arc<Looked>,
}

impl Meter {
    /// What counts.
    #[inline(always)]
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Has it been let go of?
    #[inline(always)]
    pub fn gone(&self) -> bool {
        self.mark.gone()
    }
}

impl KeyState for Meter {
    fn key(&self) -> &Py<PyAny> {
        &self.key
    }

    fn mark(&self) -> &Mark {
        &self.mark
    }

    /// What was taken must be remembered until it has come back.
    fn at_rest(&self) -> bool {
        let looked = &self.looked;
        let moment = Moment { now: looked.now.load(Relaxed), date: looked.date.load(Relaxed) };
        self.flow.core.at_rest(moment)
    }

    fn joined(&self) {}

    fn left(&self) {}
}

#[pymethods]
impl Meter {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)
    }
}

/// All states of a limit.
pub struct Meters {
    table: Table<Meter>,
    apart: Apart<Meter>,
    /// What went with the states that were let go of.
    past: Mutex<Snapshot>,
    looked: Arc<Looked>,
}

impl Meters {
    pub fn new(py: Python<'_>, bounds: Bounds) -> PyResult<Self> {
        Ok(Self {
            table: Table::new(py, bounds),
            apart: Apart::new(py)?,
            past: Mutex::default(),
            looked: Arc::default(),
        })
    }

    pub fn set_bounds(&self, py: Python<'_>, bounds: Bounds, clock: &impl Clock) {
        let moment = self.look(clock);
        self.table.set_bounds(py, bounds, moment.now, |meter| self.remember(meter, moment));
    }

    fn look(&self, clock: &impl Clock) -> Moment {
        let moment = moment(clock);
        self.looked.now.store(moment.now, Relaxed);
        self.looked.date.store(moment.date, Relaxed);
        moment
    }

    /// The state of `key`, if there is one. None: that of calls without a key.
    pub fn get<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Meter>>> {
        match self.apart.place(key) {
            Some(place) => Ok(place.get().map(|meter| meter.bind(key.py()).clone())),
            None => self.table.get(key),
        }
    }

    /// The state of `key`, made if there is none yet; if there is no room, the shared one.
    #[inline(always)]
    pub fn of<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        pattern: &Flow,
        clock: &impl Clock,
    ) -> PyResult<Bound<'py, Meter>> {
        match self.table.get(key)? {
            Some(meter) => Ok(meter),
            None => self.newcomer(key, pattern, clock),
        }
    }

    #[cold]
    #[inline(never)]
    fn newcomer<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        pattern: &Flow,
        clock: &impl Clock,
    ) -> PyResult<Bound<'py, Meter>> {
        if let Some(place) = self.apart.place(key) {
            return Apart::only(place, key.py(), || self.make(key, pattern), |_| {});
        }
        let moment = self.look(clock);
        let found = self.table.admit(
            key,
            Search::Bounded,
            moment.now,
            || self.make(key, pattern),
            |_| {},
            |meter| self.remember(meter, moment),
        )?;
        match found {
            Some(meter) => Ok(meter),
            None => self.shared(key.py(), pattern),
        }
    }

    /// Where those keys are that had no room.
    pub fn shared<'py>(&self, py: Python<'py>, pattern: &Flow) -> PyResult<Bound<'py, Meter>> {
        let (place, key) = self.apart.shared(py);
        Apart::only(place, py, || self.make(key, pattern), |_| {})
    }

    fn make<'py>(&self, key: &Bound<'py, PyAny>, pattern: &Flow) -> PyResult<Bound<'py, Meter>> {
        let meter = Meter {
            key: key.clone().unbind(),
            flow: pattern.another(),
            mark: Mark::default(),
            looked: Arc::clone(&self.looked),
        };
        Bound::new(key.py(), meter)
    }

    /// Keeps in the sums what goes with a state.
    fn remember(&self, meter: &Meter, moment: Moment) {
        let seen = meter.flow.core.snapshot(moment);
        self.past.lock().add(&seen);
    }

    /// Every state there is: those of keys, of calls without one, and the shared one.
    pub fn all<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, Meter>> {
        let mut all = self.table.all(py);
        all.extend(self.apart.all(py));
        all
    }

    pub fn past(&self) -> Snapshot {
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
