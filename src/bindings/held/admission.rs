//! An admission that is asked for in steps: the call may have to wait before it is let in.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::{Admission, Held};
use crate::bindings::admission::{In, Out, wait_in};
use crate::bindings::clock::ambient;
use crate::bindings::failures::Carried;
use crate::bindings::plan::{Came, Refused};
use crate::bindings::step::{Ended, Step, Ticket};
use crate::bindings::wait;
use crate::time::{Clock, Nanos};
use pyo3::prelude::*;

/// A number of a step, of which a plan has few.
#[allow(clippy::cast_possible_truncation, reason = "a plan has at most `MAX_STEPS` of them")]
fn short(number: usize) -> u8 {
    number as u8
}

/// What came of entering, or of waiting to.
pub enum Entry<'py> {
    /// It was let in, and its work may begin.
    In,
    /// It is to wait for what [`Held::resting`] gives.
    Waits,
    /// It was not.
    Not(Came<'py>),
}

impl Held {
    /// The steps from number `bound` on don't know yet that the work begins.
    pub(super) fn let_in(
        &mut self,
        py: Python<'_>,
        started: Nanos,
        bound: usize,
        stepped: bool,
    ) -> Entry<'static> {
        let plan = self.plan.clone();
        self.started = started;
        self.admission = Admission::Open;
        if let Some(again) = &mut self.again {
            again.entered = plan.len();
            again.started = started;
        }
        if !plan.bounds() {
            return Entry::In;
        }
        match plan.works(py, bound..plan.len(), self.slots_mut(), stepped) {
            Ok(()) => Entry::In,
            Err(error) => Entry::Not(Came::Raised(Carried::new(error))),
        }
    }

    /// The call is refused, and somebody may want it to be made again; or it is to wait.
    #[cold]
    pub fn refused(&mut self, py: Python<'_>, refused: Refused) -> Entry<'static> {
        self.not_let_in(py, refused, 0)
    }

    pub(super) fn not_let_in(
        &mut self,
        py: Python<'_>,
        refused: Refused,
        bound: usize,
    ) -> Entry<'static> {
        let (plan, at) = (self.plan.clone(), refused.step);
        let waits = refused.waits();
        self.admission = Admission::Part { at: short(at), bound: short(bound), waits };
        if waits {
            return Entry::Waits;
        }
        Entry::Not(plan.waits(py, bound.min(at), refused, self.slots_mut(), true))
    }

    /// Of a call that waits: who lets it, and the steps up to which the waiting has begun.
    pub(super) fn part(&self) -> Option<(usize, usize)> {
        match self.admission {
            Admission::Part { at, bound, .. } => Some((at.into(), bound.into())),
            _ => None,
        }
    }

    /// Does the call wait to be let in?
    #[inline(always)]
    pub fn is_queued(&self) -> bool {
        matches!(self.admission, Admission::Part { waits: true, .. })
    }

    /// What a task that waits to be let in is to await.
    #[cold]
    pub fn resting<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let plan = self.plan.clone();
        let (at, bound) = self.part().unwrap_or_default();
        plan.works(py, bound..at, self.slots_mut(), true)?;
        self.admission = Admission::Part { at: short(at), bound: short(at), waits: true };
        wait::at_rest(py, &plan.wait(py, at, self.slots(), &ambient(py)))
    }

    /// What it has awaited is over.
    #[cold]
    pub fn rested_enough(&mut self, py: Python<'_>) -> Entry<'static> {
        let plan = self.plan.clone();
        let (at, bound) = self.part().unwrap_or_default();
        match plan.resume(py, at, self.slots_mut(), &ambient(py)) {
            Ok(started) => self.let_in(py, started, bound, true),
            Err(refused) => self.not_let_in(py, refused, bound),
        }
    }

    /// Blocks this thread while the call waits to be let in. Never answers that it waits.
    #[cold]
    pub fn wait_in(&mut self, py: Python<'_>) -> Entry<'static> {
        let plan = self.plan.clone();
        let (at, bound) = self.part().unwrap_or_default();
        match wait_in(py, &plan, bound, self.slots_mut(), Refused::waiting(at), &ambient(py)) {
            Ok(In { started, bound }) => self.let_in(py, started, bound, false),
            Err(Out { entered, came }) => {
                let at = short(entered);
                self.admission = Admission::Part { at, bound: at, waits: false };
                Entry::Not(came)
            }
        }
    }

    /// The call waits no longer, and does not want to be let in.
    pub(super) fn forsake(&mut self, py: Python<'_>) {
        if let Admission::Part { at, bound, waits: true } = self.admission {
            self.admission = Admission::Part { at, bound, waits: false };
            self.plan.forsake(py, at.into(), self.slots());
        }
    }

    /// A call that was not let in everywhere is over.
    #[cold]
    pub(super) fn ended_in_part(&mut self, py: Python<'_>, ended: &Ended<'_, '_>) {
        self.forsake(py);
        let clock = ambient(py);
        let tell = |step: &Step, ticket: &Ticket, elapsed| {
            step.ended(py, ticket, ended, elapsed, &clock);
        };
        let filled = self.filled().len();
        // Nobody settles what is being settled.
        self.admission = Admission::None;
        self.plan.told(&self.slots()[..filled], clock.now(), 0, &clock, &tell);
        self.let_go_of_call();
    }
}
