//! An admission that outlives the frame that entered: a coroutine's, an adopted awaitable's.
//!
//! Whatever becomes of its holder, the tickets are settled exactly once: by the end of the work, or
//! as dropped when the holder goes away first.
#![allow(unsafe_code, reason = "slots are filled by the plan, one a step")]

use super::admission::{In, Out, wait_in};
use super::again::Again;
use super::call::{Call, raised};
use super::clock::ambient;
use super::failures::{Carried, discard, pending};
use super::gate;
use super::native::visit;
use super::plan::{Came, MAX_STEPS, Plan, PlanRef, Refused, Slot, Then, empty_slots};
use super::step::{Ended, Step, Ticket};
use super::wait;
use crate::time::{Clock, Nanos, System};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};

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

/// A number of a step, of which a plan has few.
#[allow(clippy::cast_possible_truncation, reason = "a plan has at most `MAX_STEPS` of them")]
fn short(number: usize) -> u8 {
    number as u8
}

/// What came of entering, or of waiting to.
pub enum Entry {
    /// It was let in, and its work may begin.
    In,
    /// It is to wait for what [`Held::resting`] gives.
    Waits,
    /// It was not.
    Not(Came<'static>),
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
        if met != 0 || !self.open() || !self.plan.bounds() {
            return met;
        }
        for slot in self.filled() {
            // SAFETY: the steps that have let the call in have filled their slots.
            let object = unsafe { slot.assume_init_ref() }.object();
            // SAFETY: as the caller promises.
            let met = unsafe { visit(object, visitor, arg) };
            if met != 0 {
                return met;
            }
        }
        0
    }

    /// What it takes to make the call again.
    #[inline(always)]
    pub fn again(&mut self) -> Option<&mut Again> {
        self.again.as_mut()
    }

    /// Is every end to be followed up by [`Held::settle`]?
    #[inline(always)]
    pub fn follows(&self) -> bool {
        self.plan.follows()
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

    /// The steps from number `bound` on don't know yet that the work begins.
    fn let_in(&mut self, py: Python<'_>, started: Nanos, bound: usize, stepped: bool) -> Entry {
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
    pub fn refused(&mut self, py: Python<'_>, refused: Refused) -> Entry {
        self.not_let_in(py, refused, 0)
    }

    fn not_let_in(&mut self, py: Python<'_>, refused: Refused, bound: usize) -> Entry {
        let (plan, at) = (self.plan.clone(), refused.step);
        let waits = refused.waits();
        self.admission = Admission::Part { at: short(at), bound: short(bound), waits };
        if waits {
            return Entry::Waits;
        }
        Entry::Not(plan.waits(py, bound.min(at), refused, self.slots_mut(), true))
    }

    /// Of a call that waits: who lets it, and the steps up to which the waiting has begun.
    fn part(&self) -> Option<(usize, usize)> {
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
    pub fn rested_enough(&mut self, py: Python<'_>) -> Entry {
        let plan = self.plan.clone();
        let (at, bound) = self.part().unwrap_or_default();
        match plan.resume(py, at, self.slots_mut(), &ambient(py)) {
            Ok(started) => self.let_in(py, started, bound, true),
            Err(refused) => self.not_let_in(py, refused, bound),
        }
    }

    /// Blocks this thread while the call waits to be let in. Never answers that it waits.
    #[cold]
    pub fn wait_in(&mut self, py: Python<'_>) -> Entry {
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
    fn forsake(&mut self, py: Python<'_>) {
        if let Admission::Part { at, bound, waits: true } = self.admission {
            self.admission = Admission::Part { at, bound, waits: false };
            self.plan.forsake(py, at.into(), self.slots());
        }
    }

    /// A call that was not let in everywhere is over.
    #[cold]
    fn ended_in_part(&mut self, py: Python<'_>, ended: &Ended<'_, '_>) {
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

    /// How often the call was made.
    pub fn runs(&self) -> u32 {
        self.again.as_ref().map_or(1, |again| again.runs)
    }

    /// Tells the steps what the call came to, until one of them wants it again: that and those
    /// further out still have it then.
    #[cold]
    pub fn settle(&mut self, py: Python<'_>, came: &mut Came<'_>) -> Then {
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
        if let Then::Again { step, .. } = then {
            self.admission = Admission::Open;
            self.started = 0;
            if let Some(again) = &mut self.again {
                again.entered = step + 1;
                again.started = 0;
            }
        } else {
            self.let_go_of_call();
        }
        then
    }

    /// Enters the steps that the call has come back out of. An exception is set if a key raised it.
    #[cold]
    pub fn enter_again(&mut self, py: Python<'_>) -> Entry {
        let (plan, clock) = (self.plan.clone(), ambient(py));
        let Some((from, call)) = self.again.as_ref().map(|again| (again.entered, again.call()))
        else {
            return Entry::In;
        };
        let waited = from.saturating_sub(1);
        if !plan.go_on_from(waited, self.slots_mut(), &call, &clock) {
            return Entry::Not(Came::Raised(Carried::pending(py)));
        }
        match plan.enter_from(from, self.slots_mut(), &clock) {
            Ok(started) => self.let_in(py, started, from, true),
            Err(refused) => self.not_let_in(py, refused, from),
        }
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
        let open = self.admission == Admission::Open;
        if !open && self.part().is_some() {
            // SAFETY: holders settle attached.
            self.ended_in_part(unsafe { Python::assume_attached() }, &Ended::Dropped);
        }
        self.admission = Admission::None;
        open
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
        match self.plan.enter(slots, &System) {
            Ok(started) => {
                self.started = started;
                self.admission = Admission::Open;
                Ok(())
            }
            Err(refused) => Err(refused),
        }
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

    /// How long the last attempt has rested, as a generator does between two items.
    fn rested(&self) -> Nanos {
        let again = self.again.as_ref().filter(|again| again.started > 0);
        again.map_or(0, |again| self.started.saturating_sub(again.started))
    }

    #[inline(never)]
    fn returned_again(&mut self, py: Python<'_>, value: *mut ffi::PyObject) {
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
    fn ended_again(&mut self, py: Python<'_>, ended: &Ended<'_, '_>) {
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
