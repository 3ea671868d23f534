//! The circuits of a breaker that has one for each key.
#![allow(unsafe_code, reason = "a circuit's core is reached by the attached thread alone")]

use super::whole::Whole;
use crate::bindings::alone::Alone;
use crate::bindings::keys::{Apart, Bounds, Mark, Place, State as KeyState, Table};
use crate::keys::Search;
use crate::policies::backoff::Memory;
use crate::policies::breaker::{Breaker as Core, Counts, State, Transition};
use crate::time::{Clock, Nanos};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use std::cell::Cell;
use std::sync::Arc;

/// One key's circuit.
#[pyclass(frozen, module = "seawall._core")]
pub struct Circuit {
    pub(super) key: Py<PyAny>,
    core: Alone<Core>,
    /// What its backoff remembers.
    pub(super) delays: Mutex<Memory>,
    mark: Mark,
    pub(super) whole: Arc<Whole>,
}

impl Circuit {
    /// Does `act` with the core: a step of the core's own and nothing else.
    #[inline(always)]
    pub(super) fn with_core<R>(&self, act: impl FnOnce(&mut Core) -> R) -> R {
        // SAFETY: circuits are reached by attached threads only, from here alone, and the core runs
        // no Python.
        unsafe { self.core.with(act) }
    }

    pub(super) fn core(&self) -> Core {
        self.with_core(|core| core.clone())
    }

    /// The circuit under the settings of `template`, from now on.
    pub(super) fn like(&self, template: &Core, now: Nanos) -> Core {
        self.with_core(|core| {
            if !core.is_like(template) {
                *core = core.like(template, now);
            }
            core.clone()
        })
    }

    /// Has it been let go of?
    #[inline(always)]
    pub(super) fn gone(&self) -> bool {
        self.mark.gone()
    }

    /// From closed to the state that newcomers begin in.
    fn begin(&self, now: Nanos) -> Option<Transition> {
        let rest = self.whole.rest();
        if rest == State::Closed {
            return None;
        }
        let began = self.with_core(|core| set(core, rest, now));
        began.inspect(|began| self.whole.moved(began))
    }
}

impl KeyState for Circuit {
    fn key(&self) -> &Py<PyAny> {
        &self.key
    }

    fn mark(&self) -> &Mark {
        &self.mark
    }

    fn at_rest(&self) -> bool {
        let rest = self.whole.rest();
        self.with_core(|core| core.in_flight() == 0 && core.state() == rest)
    }

    fn joined(&self) {
        self.whole.one_more(self.with_core(|core| core.state()));
    }

    fn left(&self) {
        self.whole.one_fewer(self.with_core(|core| core.state()));
    }
}

#[pymethods]
impl Circuit {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)
    }
}

/// What went with the circuits that were let go of.
#[derive(Clone, Copy, Default)]
pub struct Past {
    pub counts: Counts,
    pub opened: u64,
    pub time_open: Nanos,
}

/// What is done with a circuit's beginning in another state than closed, which is to be told.
pub type Begun<'a, 'py> = &'a dyn Fn(&Bound<'py, Circuit>, &Transition);

/// All circuits of a breaker.
pub struct Circuits {
    table: Table<Circuit>,
    apart: Apart<Circuit>,
    past: Mutex<Past>,
    pub(super) whole: Arc<Whole>,
}

impl Circuits {
    pub fn new(py: Python<'_>, bounds: Bounds) -> PyResult<Self> {
        Ok(Self {
            table: Table::new(py, bounds),
            apart: Apart::new(py)?,
            past: Mutex::default(),
            whole: Arc::default(),
        })
    }

    pub fn set_bounds(&self, py: Python<'_>, bounds: Bounds, now: Nanos) {
        self.table.set_bounds(py, bounds, now, |circuit| self.remember(circuit, now));
    }

    pub fn most(&self) -> usize {
        self.table.most()
    }

    /// The circuit of `key`, if there is one. None: that of calls without a key.
    pub fn get<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Circuit>>> {
        match self.apart.place(key) {
            Some(place) => Ok(place.get().map(|circuit| circuit.bind(key.py()).clone())),
            None => self.table.get(key),
        }
    }

    /// The circuit of `key`, made if there is none yet; if there is no room, the shared one.
    #[inline(always)]
    pub fn of<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        template: &Core,
        clock: &impl Clock,
        begun: Begun<'_, 'py>,
    ) -> PyResult<Bound<'py, Circuit>> {
        match self.table.get(key)? {
            Some(circuit) => Ok(circuit),
            None => self.newcomer(key, template, clock.now(), begun),
        }
    }

    #[cold]
    #[inline(never)]
    fn newcomer<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        template: &Core,
        now: Nanos,
        begun: Begun<'_, 'py>,
    ) -> PyResult<Bound<'py, Circuit>> {
        match self.own(key, Search::Bounded, template, now, begun)? {
            Some(circuit) => Ok(circuit),
            None => self.shared(key.py(), template, now, begun),
        }
    }

    /// The circuit of `key` and no other, made if there is none yet. `None`: there is no room.
    pub fn own<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        search: Search,
        template: &Core,
        now: Nanos,
        begun: Begun<'_, 'py>,
    ) -> PyResult<Option<Bound<'py, Circuit>>> {
        if let Some(place) = self.apart.place(key) {
            return self.only(place, key, template, now, begun).map(Some);
        }
        if let Some(circuit) = self.table.get(key)? {
            return Ok(Some(circuit));
        }
        let start = Cell::new(None);
        let found = self.table.admit(
            key,
            search,
            now,
            || self.make(key, template, now),
            |circuit| start.set(circuit.begin(now)),
            |circuit| self.remember(circuit, now),
        )?;
        if let (Some(circuit), Some(start)) = (&found, start.take()) {
            begun(circuit, &start);
        }
        Ok(found)
    }

    /// Where those have their keys from that had no room.
    pub fn shared<'py>(
        &self,
        py: Python<'py>,
        template: &Core,
        now: Nanos,
        begun: Begun<'_, 'py>,
    ) -> PyResult<Bound<'py, Circuit>> {
        let (place, key) = self.apart.shared(py);
        self.only(place, key, template, now, begun)
    }

    /// The circuit in `place`, made if there is none yet.
    fn only<'py>(
        &self,
        place: &Place<Circuit>,
        key: &Bound<'py, PyAny>,
        template: &Core,
        now: Nanos,
        begun: Begun<'_, 'py>,
    ) -> PyResult<Bound<'py, Circuit>> {
        let make = || self.make(key, template, now);
        Apart::only(place, key.py(), make, |made| {
            made.get().joined();
            if let Some(start) = made.get().begin(now) {
                begun(made, &start);
            }
        })
    }

    fn make<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        template: &Core,
        now: Nanos,
    ) -> PyResult<Bound<'py, Circuit>> {
        let circuit = Circuit {
            key: key.clone().unbind(),
            core: Alone::new(template.another(now)),
            delays: Mutex::default(),
            mark: Mark::default(),
            whole: Arc::clone(&self.whole),
        };
        Bound::new(key.py(), circuit)
    }

    /// Keeps in the sums what goes with a circuit.
    fn remember(&self, circuit: &Circuit, now: Nanos) {
        let seen = circuit.with_core(|core| core.snapshot(now));
        let mut past = self.past.lock();
        past.counts += seen.counts;
        past.opened += seen.opened_count;
        past.time_open += seen.time_open;
    }

    /// Every circuit there is: those of keys, of calls without one, and the shared one.
    pub fn all<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, Circuit>> {
        let mut all = self.table.all(py);
        all.extend(self.apart.all(py));
        all
    }

    pub fn past(&self) -> Past {
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

/// Takes a circuit to a state that somebody asks for.
pub fn set(core: &Core, state: State, now: Nanos) -> Option<Transition> {
    match state {
        State::ForcedOpen => core.force_open(now),
        State::Disabled => core.disable(now),
        State::MetricsOnly => core.metrics_only(now),
        State::Closed | State::Open | State::HalfOpen => core.reset(now),
    }
}
