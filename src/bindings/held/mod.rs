//! An admission that outlives the frame that entered: a coroutine's, an adopted awaitable's.
//!
//! Whatever becomes of its holder, the tickets are settled exactly once: by the end of the work, or
//! as dropped when the holder goes away first.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

mod admission;
mod again;

pub use admission::Entry;

use super::again::Again;
use super::call::{Arguments, Call, Callee, raised};
use super::clock::ambient;
use super::failures::{discard, pending};
use super::gate;
use super::plan::{MAX_STEPS, Plan, PlanRef, Refused, Slot, empty_slots};
use super::step::Ended;
use crate::time::{Clock, Nanos, System};
use pyo3::ffi;
use pyo3::prelude::*;

/// Plans up to this long keep their tickets in place; longer ones put them on the heap.
const INLINE: usize = 4;

/// A plan and, once it has let the call in, its tickets.
pub struct Held {
    plan: PlanRef,
    inline: [Slot; INLINE],
    heap: Option<Box<[Slot; MAX_STEPS]>>,
    started: Nanos,
    admission: Admission,
    /// Of a plan with a step that may want the call again: what it takes to make it.
    again: Option<Again>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// Nothing is held.
    None,
    /// The states of a keyed plan are found; nobody has been asked yet.
    Found,
    /// Every step has let the call in.
    Open,
    /// The steps before number `at` have. If the call `waits`, that one lets it; those before `bound`
    /// know that the work of those further in, or the waiting for it, has begun.
    Part { at: u8, bound: u8, waits: bool },
}

/// Room on the heap for the tickets of a plan that is too long for the room in place.
#[inline(always)]
fn room(plan: &PlanRef) -> Option<Box<[Slot; MAX_STEPS]>> {
    if plan.len() > INLINE { Some(Box::new(empty_slots())) } else { None }
}

impl Held {
    /// Holds a plan that has not been entered yet.
    fn new(plan: PlanRef) -> Self {
        Self {
            inline: empty_slots(),
            heap: room(&plan),
            plan,
            started: 0,
            admission: Admission::None,
            again: None,
        }
    }

    /// Writes to `place` what holds a plan that has not been entered yet: only the fields that mean
    /// something, and no copy of the room for tickets.
    ///
    /// # Safety
    /// `place` may be written to, and what is there needs no drop.
    #[inline(always)]
    pub unsafe fn write_new(place: *mut Self, plan: PlanRef) {
        // SAFETY: as the caller promises. Slots that nobody has filled need no value.
        unsafe {
            (&raw mut (*place).heap).write(room(&plan));
            (&raw mut (*place).plan).write(plan);
            (&raw mut (*place).started).write(0);
            (&raw mut (*place).admission).write(Admission::None);
            (&raw mut (*place).again).write(None);
        }
    }

    /// As [`Held::write_new`], of a keyed plan whose states are in `found`.
    ///
    /// # Safety
    /// As there; and [`Plan::find`](super::plan::Plan::find) has filled `found`, which is not used
    /// any more.
    pub unsafe fn write_found(place: *mut Self, plan: PlanRef, found: &[Slot]) {
        // SAFETY: as the caller promises.
        let held = unsafe {
            Self::write_new(place, plan);
            &mut *place
        };
        held.keep(found);
        held.admission = Admission::Found;
    }

    fn keep(&mut self, slots: &[Slot]) {
        let own = self.slots_mut();
        let shared = own.len().min(slots.len());
        own[..shared].copy_from_slice(&slots[..shared]);
    }

    /// Finds the states of a keyed plan. `false`: an exception is set.
    pub fn find(&mut self, py: Python<'_>, call: &Call) -> bool {
        if !self.plan.keyed() {
            return true;
        }
        let plan = self.plan.clone();
        let found = plan.find(self.slots_mut(), call, &ambient(py));
        if found {
            self.admission = Admission::Found;
        }
        found
    }

    /// Takes over an admission that `slots` hold the tickets of.
    pub fn taken_over(plan: PlanRef, slots: &[Slot], started: Nanos) -> Self {
        let mut held = Self::new(plan);
        held.keep(slots);
        held.started = started;
        held.admission = Admission::Open;
        held
    }

    #[inline(always)]
    fn slots(&self) -> &[Slot] {
        match &self.heap {
            None => &self.inline,
            Some(heap) => &heap[..],
        }
    }

    #[inline(always)]
    fn slots_mut(&mut self) -> &mut [Slot] {
        match &mut self.heap {
            None => &mut self.inline,
            Some(heap) => &mut heap[..],
        }
    }

    /// The slots of the steps that have let the call in.
    #[inline(always)]
    fn filled(&self) -> &[Slot] {
        let entered = match self.admission {
            Admission::Part { at, .. } => at.into(),
            _ => self.again.as_ref().map_or(self.plan.len(), |again| again.entered),
        };
        &self.slots()[..entered]
    }

    /// As [`Held::write_new`], and keeps what it takes to make the call again.
    ///
    /// # Safety
    /// As there, and as for [`Again::keep`].
    #[inline(always)]
    pub unsafe fn write_repeatable(
        place: *mut Self,
        plan: PlanRef,
        callee: Callee,
        arguments: Arguments,
    ) {
        // SAFETY: as the caller promises; what is written over is `None`.
        unsafe {
            let steps = plan.len();
            Self::write_new(place, plan);
            (&raw mut (*place).again).write(Some(Again::keep(callee, arguments, steps)));
        }
    }

    /// Is every end to be followed up by [`Held::settle`]?
    #[inline(always)]
    pub fn follows(&self) -> bool {
        self.plan.follows()
    }

    /// The plan held.
    pub fn plan(&self) -> &PlanRef {
        &self.plan
    }

    /// Is there an admission to settle?
    #[inline(always)]
    pub fn open(&self) -> bool {
        matches!(self.admission, Admission::Open | Admission::Part { .. })
    }

    /// Takes the admission, to settle it: it can't be settled twice.
    #[inline(always)]
    fn take(&mut self) -> bool {
        if self.admission == Admission::Open {
            self.admission = Admission::None;
            return true;
        }
        if self.part().is_some() {
            // SAFETY: holders settle attached.
            self.ended_in_part(unsafe { Python::assume_attached() }, &Ended::Dropped);
            self.admission = Admission::None;
        }
        // What was merely found is nobody's end, and given back when the holder goes.
        false
    }

    /// Enters the plan.
    #[inline(always)]
    pub fn enter(&mut self) -> Result<(), Refused> {
        if self.plan.gate != gate::word() {
            return self.enter_by_another_gate();
        }
        let slots = match &mut self.heap {
            None => &mut self.inline[..],
            Some(heap) => &mut heap[..],
        };
        // What was found is handed in, or given back by a refusal.
        self.admission = Admission::None;
        self.started = self.plan.enter(slots, &System)?;
        self.admission = Admission::Open;
        Ok(())
    }

    /// Something has changed since the plan was taken hold of: a coroutine may be awaited long after
    /// it was made, and enters by what is in force then.
    #[cold]
    fn enter_by_another_gate(&mut self) -> Result<(), Refused> {
        // SAFETY: holders enter attached.
        let py = unsafe { Python::assume_attached() };
        if self.plan.gate != gate::epoch(gate::word()) {
            match self.plan.renewed(py) {
                // As many steps, of the same policies: what was found for them holds.
                Ok(plan) => self.plan = plan,
                // No memory for a plan: the old one still does.
                Err(error) => discard(py, error),
            }
        }
        let plan = self.plan.clone();
        self.admission = Admission::None;
        self.started = plan.enter(self.slots_mut(), &ambient(py))?;
        self.admission = Admission::Open;
        Ok(())
    }

    /// Does it mean anything to the calls made inside of this one that it was let in?
    #[inline(always)]
    pub fn reaches_inside(&self) -> bool {
        self.open() && Plan::reaches_inside(self.filled())
    }

    /// The call stands still, or runs on.
    #[cold]
    pub fn suspended(&mut self, py: Python<'_>, suspended: bool) {
        if self.open() {
            let plan = self.plan.clone();
            let entered = self.filled().len();
            plan.suspended(py, &mut self.slots_mut()[..entered], suspended);
        }
    }

    /// Must a generator say when it rests between two items, and when it works again? Only where
    /// somebody wants to know its time, or where its ticket means something to calls made inside.
    #[inline(always)]
    pub fn minds_rests(&self) -> bool {
        self.open() && (self.plan.timed() || Plan::reaches_inside(self.filled()))
    }

    /// A generator has given an item: what its consumer does with it, and how long that takes, is
    /// not the generator's.
    #[cold]
    pub fn rest(&mut self, py: Python<'_>) {
        self.suspended(py, true);
        // Until it works again, this is how long it has worked so far.
        self.started = Self::now(py).saturating_sub(self.started);
    }

    /// It is asked for the next item.
    #[cold]
    pub fn work(&mut self, py: Python<'_>) {
        self.started = Self::now(py).saturating_sub(self.started);
        self.suspended(py, false);
    }

    /// Settles: the work returned `value`, or came to a good end without one (NULL).
    #[inline(always)]
    pub fn returned(&mut self, value: *mut ffi::PyObject) {
        if !self.take() {
            return;
        }
        if self.again.is_some() {
            // SAFETY: holders settle attached.
            self.returned_again(unsafe { Python::assume_attached() }, value);
        } else if gate::ambient(gate::word()) {
            // SAFETY: holders settle attached.
            let clock = ambient(unsafe { Python::assume_attached() });
            self.plan.returned(self.slots(), self.started, value, &clock);
        } else {
            self.plan.returned(self.slots(), self.started, value, &System);
        }
    }

    /// Settles: the work raised the exception that is set, which stays set.
    #[cold]
    pub fn raised(&mut self, py: Python<'_>) {
        if self.part().is_some() {
            let error = pending(py);
            self.ended_in_part(py, &Ended::Raised(&error));
            error.restore(py);
        }
        if !self.take() {
            return;
        }
        if self.again.is_some() {
            let error = pending(py);
            self.ended_again(py, &Ended::Raised(&error));
            error.restore(py);
        } else {
            raised(py, &self.plan, self.slots(), self.started, &ambient(py));
        }
    }

    /// Settles: the work ended as `ended` says.
    #[cold]
    pub fn ended(&mut self, py: Python<'_>, ended: &Ended<'_, '_>) {
        if self.part().is_some() {
            return self.ended_in_part(py, ended);
        }
        if !self.take() {
            return;
        }
        if self.again.is_some() {
            self.ended_again(py, ended);
        } else {
            self.plan.ended(py, self.slots(), self.started, ended, &ambient(py));
        }
    }

    /// The precise time here.
    pub fn now(py: Python<'_>) -> Nanos {
        ambient(py).now()
    }
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        if self.admission != Admission::None {
            self.drop_held();
        }
    }
}

impl Held {
    #[cold]
    fn drop_held(&mut self) {
        if self.admission == Admission::Found {
            self.plan.forget(self.slots());
        } else {
            // SAFETY: holders are interpreter objects, freed by an attached thread.
            let py = unsafe { Python::assume_attached() };
            // The holder may be freed while an exception is on its way elsewhere.
            let passing = PyErr::take(py);
            self.ended(py, &Ended::Dropped);
            if let Some(error) = passing {
                error.restore(py);
            }
        }
    }
}
