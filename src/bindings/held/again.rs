//! An admission of a plan with a step that may want the call again, or limits its time.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::{Admission, Entry, Held};
use crate::bindings::again::Again;
use crate::bindings::clock::ambient;
use crate::bindings::failures::Carried;
use crate::bindings::gate;
use crate::bindings::last::Last;
use crate::bindings::native::visit;
use crate::bindings::plan::{Back, Came, Slot, Then, Wanted};
use crate::bindings::step::{Ended, Step, Ticket};
use crate::time::{Nanos, System};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::ptr;

impl Held {
    /// Keeps what it takes to make the call again.
    pub fn keep_call(&mut self, again: Again) {
        self.again = Some(again);
    }

    /// Shows the collector what is kept of the call, and by its tickets.
    ///
    /// # Safety
    /// Called by the collector.
    pub unsafe fn traverse_call(&self, visitor: ffi::visitproc, arg: *mut c_void) -> c_int {
        // SAFETY: as the caller promises.
        let met = self.again.as_ref().map_or(0, |again| unsafe { again.traverse(visitor, arg) });
        if met != 0 || !(self.plan.bounds() || self.plan.replaces()) {
            return met;
        }
        let slots: &[Slot] = if self.open() { self.filled() } else { &[] };
        // SAFETY: the steps that have let the call in have filled their slots, and those that have
        // looked at it theirs.
        let objects = slots.iter().map(|slot| unsafe { slot.assume_init_ref() }.object());
        for object in objects.chain(self.found_objects()) {
            // SAFETY: as the caller promises.
            let met = unsafe { visit(object, visitor, arg) };
            if met != 0 {
                return met;
            }
        }
        0
    }

    /// Those of the tickets of a call that nobody was asked about yet.
    fn found_objects(&self) -> impl Iterator<Item = *mut ffi::PyObject> + '_ {
        let found = (self.admission == Admission::Found).then(|| self.plan.found(self.slots()));
        found.into_iter().flatten()
    }

    /// What it takes to make the call again.
    #[inline(always)]
    pub fn again(&mut self) -> Option<&mut Again> {
        self.again.as_mut()
    }

    /// The work begins, by steps of a task, at the steps from number `from` on.
    #[cold]
    pub fn works(&mut self, py: Python<'_>, from: usize) -> PyResult<()> {
        let plan = self.plan.clone();
        if !plan.bounds() {
            return Ok(());
        }
        plan.works(py, from..plan.len(), self.slots_mut(), true)
    }

    /// How often the call was made.
    pub fn runs(&self) -> u32 {
        self.again.as_ref().map_or(1, |again| again.runs)
    }

    /// Tells the steps what the call came to, until one of them wants it again: that and those
    /// further out still have it then.
    #[cold]
    pub fn settle<'py>(&mut self, py: Python<'py>, came: &mut Came<'py>) -> Then {
        if self.part().is_some() {
            self.forsake(py);
            if let Came::Broken(error) = came {
                *came = Came::Raised(std::mem::replace(error, Carried::none()));
            }
        }
        let entered = match (&came, &self.again) {
            _ if self.part().is_some() => self.filled().len(),
            (Came::Refused(refused), _) if !self.open() => refused.step,
            _ if !self.open() => 0,
            (_, Some(again)) => again.entered,
            (_, None) => self.plan.len(),
        };
        // Nobody settles what is being settled.
        self.admission = Admission::None;
        let (plan, started) = (self.plan.clone(), self.started);
        let then = plan.settle(py, self.slots_mut(), entered, started, came, &ambient(py));
        let (step, began) = match then {
            Then::Over => {
                self.let_go_of_call();
                return then;
            }
            Then::Again { step, .. } => (step, 0),
            Then::Instead { step, began } => (step, began),
        };
        self.admission = Admission::Open;
        self.started = began;
        if let Some(again) = &mut self.again {
            again.entered = step + 1;
            again.started = began;
        }
        then
    }

    /// Makes the call that `step` wants in the place of what came to `came`. A new reference, or
    /// NULL with an exception set.
    #[cold]
    pub fn ask<'py>(
        &mut self,
        py: Python<'py>,
        step: usize,
        came: Came<'py>,
        wanted: Wanted,
    ) -> *mut ffi::PyObject {
        let plan = self.plan.clone();
        let Some(again) = &mut self.again else {
            drop(came);
            PyRuntimeError::new_err("this call was garbage").restore(py);
            return ptr::null_mut();
        };
        let call = again.call();
        // SAFETY: attached; what is kept of the call is alive while its holder runs.
        unsafe { plan.ask(py, step, self.slots_mut(), &call, came, wanted) }
    }

    /// The function gave back an awaitable, and did not say that it would.
    pub fn adopted(&mut self, entered: usize) {
        let plan = self.plan.clone();
        if plan.replaces() {
            plan.adopted(self.slots_mut(), entered);
        }
    }

    /// Was what the call has returned a remembered answer?
    #[cold]
    pub fn stale(&self) -> bool {
        self.plan.replaces() && self.plan.stale(self.slots())
    }

    /// What the last attempt came to is kept while the next is waited for.
    #[cold]
    pub fn keep_last(&mut self, py: Python<'_>, came: Came<'_>) {
        if let Some(again) = &mut self.again {
            let before = again.last.replace(Box::new(Last::keep(py, came)));
            drop(before);
        }
    }

    /// Enters the steps that the call has come back out of. Or there was no time left for that.
    #[cold]
    pub fn enter_again<'py>(&mut self, py: Python<'py>) -> Entry<'py> {
        let (plan, clock) = (self.plan.clone(), ambient(py));
        let Some(again) = &mut self.again else { return Entry::In };
        let (from, call, last) = (again.entered, again.call(), again.last.take());
        let came = last.map_or_else(|| Came::Returned(py.None().into_bound(py)), |it| it.came(py));
        let waited = from.saturating_sub(1);
        match plan.go_on_from(py, waited, self.slots_mut(), &call, came, &clock) {
            Ok(()) => match plan.enter_from(from, self.slots_mut(), &clock) {
                Ok(started) => self.let_in(py, started, from, true),
                Err(refused) => self.not_let_in(py, refused, from),
            },
            Err(Back { came, entered, started }) => {
                self.started = started;
                if let Some(again) = &mut self.again {
                    again.entered = entered;
                    again.started = started;
                }
                Entry::Not(came)
            }
        }
    }

    /// How long the last attempt has rested, as a generator does between two items.
    fn rested(&self) -> Nanos {
        let again = self.again.as_ref().filter(|again| again.started > 0);
        again.map_or(0, |again| self.started.saturating_sub(again.started))
    }

    #[inline(never)]
    pub(super) fn returned_again(&mut self, py: Python<'_>, value: *mut ffi::PyObject) {
        if self.runs() == 1 && !gate::ambient(gate::word()) {
            self.plan.returned(self.filled(), self.started, value, &System);
            self.let_go_of_call();
            return;
        }
        let clock = ambient(py);
        if self.runs() > 1 {
            let tell = |step: &Step, ticket: &Ticket, elapsed| {
                step.returned(ticket, value, elapsed, &clock);
            };
            self.plan.told(self.filled(), self.started, self.rested(), &clock, &tell);
        } else {
            self.plan.returned(self.filled(), self.started, value, &clock);
        }
        self.let_go_of_call();
    }

    #[cold]
    pub(super) fn ended_again(&mut self, py: Python<'_>, ended: &Ended<'_, '_>) {
        let clock = ambient(py);
        if self.runs() > 1 || self.filled().len() < self.plan.len() {
            let tell = |step: &Step, ticket: &Ticket, elapsed| {
                step.ended(py, ticket, ended, elapsed, &clock);
            };
            self.plan.told(self.filled(), self.started, self.rested(), &clock, &tell);
        } else {
            self.plan.ended(py, self.filled(), self.started, ended, &clock);
        }
        self.let_go_of_call();
    }

    /// The call will not be made again: what it was made with may go.
    #[inline(never)]
    pub fn let_go_of_call(&mut self) {
        if let Some(again) = &mut self.again {
            again.let_go();
        }
    }
}
