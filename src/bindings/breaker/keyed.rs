//! A breaker with a circuit for each key.
#![allow(unsafe_code, reason = "tickets hold references that the drivers give back")]

use super::step::{Step, Which};
use crate::bindings::alone::Alone;
use crate::bindings::call::Call;
use crate::bindings::keys::{Bounds, Mark, Source, State as KeyState, Table};
use crate::outcome::Verdict;
use crate::policies::backoff::Memory;
use crate::policies::breaker::{
    Breaker as Core, Counts, Passed, Rejection, State, Ticket, Transition,
};
use crate::time::{Clock, Nanos};
use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

/// What calls of a key that has no circuit of its own are counted under.
pub const OTHERS: &str = "<other keys>";

/// One key's circuit.
#[pyclass(frozen, module = "seawall._core")]
pub struct Circuit {
    pub(super) key: Py<PyAny>,
    core: Alone<Core>,
    /// What its backoff remembers.
    pub(super) delays: Mutex<Memory>,
    mark: Mark,
    /// The state in which nothing need be remembered of it.
    rest: Mutex<State>,
}

impl Circuit {
    fn new(key: Py<PyAny>, core: Core, rest: State) -> Self {
        let (core, delays) = (Alone::new(core), Mutex::default());
        Self { key, core, delays, mark: Mark::default(), rest: Mutex::new(rest) }
    }

    /// Does `act` with the core: a step of the core's own and nothing else.
    #[inline(always)]
    fn with_core<R>(&self, act: impl FnOnce(&mut Core) -> R) -> R {
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
}

impl KeyState for Circuit {
    fn key(&self) -> &Py<PyAny> {
        &self.key
    }

    fn mark(&self) -> &Mark {
        &self.mark
    }

    fn at_rest(&self) -> bool {
        let rest = *self.rest.lock();
        self.with_core(|core| core.in_flight() == 0 && core.state() == rest)
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

/// All circuits of a breaker.
pub struct Circuits {
    table: Table<Circuit>,
    /// Shared by the keys that there was no room for.
    others: Py<Circuit>,
    past: Mutex<Past>,
    /// The state that newcomers begin in: closed, unless somebody said otherwise for all.
    rest: Mutex<State>,
}

impl Circuits {
    pub fn new(py: Python<'_>, template: &Core, bounds: Bounds, now: Nanos) -> PyResult<Self> {
        let name = PyString::new(py, OTHERS).into_any().unbind();
        Ok(Self {
            table: Table::new(py, bounds),
            others: Py::new(py, Circuit::new(name, template.another(now), State::Closed))?,
            past: Mutex::default(),
            rest: Mutex::new(State::Closed),
        })
    }

    pub fn set_bounds(&self, bounds: Bounds) {
        self.table.set_bounds(bounds);
    }

    /// The circuit of `key`, if there is one.
    pub fn get<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Circuit>>> {
        if key.cast::<PyString>().is_ok_and(|key| key == OTHERS) {
            return Ok(Some(self.others.bind(key.py()).clone()));
        }
        self.table.get(key)
    }

    /// The circuit of `key`, made if there is none yet. None is no key.
    #[inline(always)]
    pub fn of<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        template: &Core,
        clock: &impl Clock,
    ) -> PyResult<Bound<'py, Circuit>> {
        match self.table.get(key)? {
            Some(circuit) => Ok(circuit),
            None => self.newcomer(key, template, clock.now()),
        }
    }

    #[cold]
    #[inline(never)]
    fn newcomer<'py>(
        &self,
        key: &Bound<'py, PyAny>,
        template: &Core,
        now: Nanos,
    ) -> PyResult<Bound<'py, Circuit>> {
        if key.is_none() {
            return Ok(self.others.bind(key.py()).clone());
        }
        let make = || {
            let rest = *self.rest.lock();
            let core = template.another(now);
            if rest != State::Closed {
                let _ = set(&core, rest, now);
            }
            Bound::new(key.py(), Circuit::new(key.clone().unbind(), core, rest))
        };
        let forget = |circuit: &Circuit| {
            let seen = circuit.with_core(|core| core.snapshot(now));
            let mut past = self.past.lock();
            past.counts += seen.counts;
            past.opened += seen.opened_count;
            past.time_open += seen.time_open;
        };
        let found = self.table.admit(key, now, make, forget)?;
        Ok(found.unwrap_or_else(|| self.others.bind(key.py()).clone()))
    }

    /// Every circuit there is, the one that is shared last.
    pub fn all<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, Circuit>> {
        let mut all = self.table.all(py);
        all.push(self.others.bind(py).clone());
        all
    }

    pub fn past(&self) -> Past {
        *self.past.lock()
    }

    /// The state that all are to be in from now on, newcomers too.
    pub fn begin_in(&self, py: Python<'_>, state: State) {
        *self.rest.lock() = state;
        for circuit in self.all(py) {
            *circuit.get().rest.lock() = state;
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.table.traverse(visit)?;
        visit.call(&self.others)
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

/// A reference to a circuit that a ticket or a refusal owns. Drivers give it back: tickets have no
/// drop of their own.
#[derive(Clone, Copy)]
pub struct CircuitRef(*mut ffi::PyObject);

// SAFETY: the pointee is a frozen object that guards what changes in it.
unsafe impl Send for CircuitRef {}
// SAFETY: as above.
unsafe impl Sync for CircuitRef {}

impl CircuitRef {
    fn new(circuit: Bound<'_, Circuit>) -> Self {
        Self(circuit.into_ptr())
    }

    /// Lends the circuit out.
    pub fn bind<'a>(&'a self, _attached: Python<'_>) -> &'a Bound<'a, Circuit> {
        // SAFETY: a `Bound` is a token of nothing and a non-null pointer to a live object; this one
        // is only borrowed, and this reference keeps it alive.
        unsafe { &*(&raw const self.0).cast::<Bound<'a, Circuit>>() }
    }

    /// Does `act` with the circuit.
    pub fn with<T>(self, py: Python<'_>, act: impl FnOnce(&Which<'_>) -> T) -> T {
        let bound = self.bind(py);
        let core = bound.get().core();
        act(&Which { core: &core, key: Some(bound) })
    }

    /// Gives the reference back.
    #[inline(always)]
    pub fn release(self) {
        // SAFETY: it is owned, and given back once; its holders run attached.
        unsafe { ffi::Py_DECREF(self.0) };
    }

    /// For the collector.
    pub fn as_ptr(self) -> *mut ffi::PyObject {
        self.0
    }
}

/// A keyed breaker in a plan.
pub struct Keyed {
    step: Step,
    circuits: Arc<Circuits>,
    source: Source,
}

impl Keyed {
    pub fn of(step: Step, circuits: &Arc<Circuits>, source: Source) -> Self {
        Self { step, circuits: Arc::clone(circuits), source }
    }

    pub fn renewed(&self, py: Python<'_>, gate: u64) -> Self {
        Self::of(self.step.renewed(py, gate), &self.circuits, self.source.clone_ref(py))
    }

    pub fn step(&self) -> &Step {
        &self.step
    }

    /// The circuit that `call` belongs to.
    #[inline(always)]
    pub fn find<C: Clock>(&self, py: Python<'_>, call: &Call, clock: &C) -> PyResult<CircuitRef> {
        let key = self.source.key(py, call)?;
        self.circuits.of(&key, &self.step.core, clock).map(CircuitRef::new)
    }

    /// Lets a call into `circuit`; which it is then in, for that one may be gone by now.
    #[inline(always)]
    pub fn enter<C: Clock>(
        &self,
        circuit: CircuitRef,
        clock: &C,
    ) -> Result<(CircuitRef, Ticket), (CircuitRef, Rejection)> {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        let one = circuit.bind(py).get();
        let like = &self.step.core;
        let ticket = one.with_core(|core| if core.is_like(like) { core.admit() } else { None });
        match ticket {
            Some(ticket) if !one.mark.gone() => Ok((circuit, ticket)),
            ticket => self.enter_unhealthy(py, circuit, ticket, clock),
        }
    }

    #[cold]
    #[inline(never)]
    fn enter_unhealthy<C: Clock>(
        &self,
        py: Python<'_>,
        mut circuit: CircuitRef,
        mut ticket: Option<Ticket>,
        clock: &C,
    ) -> Result<(CircuitRef, Ticket), (CircuitRef, Rejection)> {
        loop {
            let bound = circuit.bind(py);
            let entered = if let Some(ticket) = ticket.take() {
                Ok(ticket)
            } else {
                let core = bound.get().like(&self.step.core, clock.now());
                self.step.enter_unhealthy(&Which { core: &core, key: Some(bound) }, clock)
            };
            if !bound.get().mark.gone() {
                return match entered {
                    Ok(ticket) => Ok((circuit, ticket)),
                    Err(rejection) => Err((circuit, rejection)),
                };
            }
            // Let go of since it was found. What was just entered is nobody's.
            if let Ok(ticket) = entered {
                let core = bound.get().core();
                let _ = core.settle(ticket, Verdict::Ignored, 0, clock);
            }
            let key = bound.get().key.bind(py).clone();
            match self.circuits.of(&key, &self.step.core, clock) {
                Ok(found) => {
                    circuit.release();
                    circuit = CircuitRef::new(found);
                }
                Err(error) => {
                    // The key can't be looked up any more; where the others are is a place too.
                    crate::bindings::failures::report(py, error, &key);
                    circuit.release();
                    circuit = CircuitRef::new(self.circuits.others.bind(py).clone());
                }
            }
        }
    }

    #[inline(never)]
    pub fn returned<C: Clock>(
        &self,
        circuit: CircuitRef,
        ticket: &Ticket,
        value: *mut ffi::PyObject,
        elapsed: Nanos,
        clock: &C,
    ) {
        // SAFETY: drivers run attached.
        let py = unsafe { Python::assume_attached() };
        let bound = circuit.bind(py);
        let passed =
            bound.get().with_core(|core| self.step.pass(core, ticket, value, elapsed, clock));
        if passed != Passed::Quietly {
            let core = bound.get().core();
            let which = Which { core: &core, key: Some(bound) };
            self.step.returned_unhealthy(passed, &which, ticket, value, elapsed, clock);
        }
        circuit.release();
    }

    pub fn objects(&self) -> [*mut ffi::PyObject; 2] {
        self.source.objects()
    }

    pub fn release(self, py: Python<'_>) {
        self.step.release(py);
        self.source.release(py);
    }
}
