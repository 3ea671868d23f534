//! A breaker with a circuit for each key, in a plan.
#![allow(unsafe_code, reason = "tickets hold references that the drivers give back")]

use super::circuits::{Circuit, Circuits};
use super::step::{Step, Which};
use crate::bindings::call::Call;
use crate::bindings::keys::Source;
use crate::outcome::Verdict;
use crate::policies::breaker::{Passed, Rejection, Ticket, Transition};
use crate::time::{Clock, Nanos};
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::Arc;

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
        let begun = |circuit: &Bound<'_, Circuit>, began: &Transition| self.begun(circuit, began);
        self.circuits.of(&key, &self.step.core, clock, &begun).map(CircuitRef::new)
    }

    /// Tells that a circuit has begun in the state that was set for all.
    #[cold]
    fn begun(&self, circuit: &Bound<'_, Circuit>, began: &Transition) {
        self.step.publish(circuit.py(), Some(circuit), began);
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
            Some(ticket) if !one.gone() => Ok((circuit, ticket)),
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
        let mut anywhere = false;
        loop {
            let bound = circuit.bind(py);
            let entered = if let Some(ticket) = ticket.take() {
                Ok(ticket)
            } else {
                let core = bound.get().like(&self.step.core, clock.now());
                self.step.enter_unhealthy(&Which { core: &core, key: Some(bound) }, clock)
            };
            if anywhere || !bound.get().gone() {
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
            let (like, begun) = (&self.step.core, |circuit: &_, began: &_| {
                self.begun(circuit, began);
            });
            let found = self.circuits.of(&key, like, clock, &begun).or_else(|error| {
                // The key can't be looked up any more; where the others are is a place too.
                crate::bindings::failures::report(py, error, &key);
                self.circuits.shared(py, like, clock.now(), &begun)
            });
            match found {
                Ok(found) => {
                    circuit.release();
                    circuit = CircuitRef::new(found);
                }
                // No memory for it: the one that was let go of is a place as well.
                Err(error) => {
                    crate::bindings::failures::report(py, error, &key);
                    anywhere = true;
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
