//! What a protected call passes: an ordered, immutable list of steps.
//!
//! A plan is built when a function is decorated and replaced as a whole after a reconfiguration; a
//! call that is under way keeps the one it entered with. Entering goes outermost first, and the
//! steps that let a call in are told of its end in the opposite order, each exactly once.
//!
//! Plans are interpreter objects because their count of holders is changed on every call: the
//! interpreter's own reference counts cost no locked instruction.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | how a plan is built, entered, and told of a call that is over |
//! | [`instead`] | what takes the place of a call that failed |
//! | [`settle`] | what follows from an end, where a step may want the call again or limits its time |
//! | [`wait`] | a call that waits before a step lets it in |
//! | [`object`] | the plan as an object of the interpreter's |
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

mod instead;
mod object;
mod settle;
mod wait;

pub use instead::Wanted;
pub use object::{PlanRef, register};
pub use settle::{Back, Came, Then};

use super::call::Call;
use super::failures;
use super::gate;
use super::hedge;
use super::keys::KeyOf;
use super::step::{Ended, Refusal, RefusalSlot, Step, Ticket};
use super::timeout::Deadline;
use crate::time::{Clock, Nanos};
use object::TYPE;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

/// The most policies one call can pass.
pub const MAX_STEPS: usize = 16;

/// Room for one ticket. The first `plan.len()` of a call's slots are filled once it is let in.
pub type Slot = MaybeUninit<Ticket>;

/// Slots that hold nothing yet.
#[inline(always)]
pub const fn empty_slots<const N: usize>() -> [Slot; N] {
    [const { MaybeUninit::uninit() }; N]
}

/// A call that was not let in: by which step, and why.
pub struct Refused {
    pub step: usize,
    refusal: Refusal,
}

impl Refused {
    /// Is there merely no time left?
    pub fn late(&self) -> bool {
        self.passed().is_some()
    }

    /// The deadline that has passed, if there is merely no time left.
    pub fn passed(&self) -> Option<&Py<Deadline>> {
        self.refusal.passed()
    }

    /// Did it wait to be let in until its time was over?
    pub fn out_of_time(&self) -> bool {
        self.refusal.out_of_time()
    }

    /// After how long a call may be let in, if that is known.
    pub fn retry_after(&self) -> Option<Nanos> {
        self.refusal.retry_after()
    }
}

/// The plan itself. Lives in interpreter memory; reached through [`PlanRef`].
#[repr(C)]
pub struct Plan {
    ob_base: ffi::PyObject,
    /// The gate word under which this plan may be followed without a second look.
    pub gate: u64,
    timed: bool,
    keyed: bool,
    repeats: bool,
    judges: bool,
    bounds: bool,
    queues: bool,
    replaces: bool,
    hedges: bool,
    steps: Box<[Step]>,
}

impl Plan {
    /// Builds the plan of `policies`, outermost first, as they are configured now, for the calls
    /// of `of`.
    pub fn build(policies: &Bound<'_, PyTuple>, of: KeyOf<'_, '_>) -> PyResult<PlanRef> {
        let py = policies.py();
        // Read first: a reconfiguration from here on makes this plan look again, never the reverse.
        let gate = gate::epoch(gate::word());
        // What lies inside of a hedge is passed by each of its attempts.
        let hedge = hedge::split(policies);
        let outside = policies.iter().take(hedge.unwrap_or(usize::MAX));
        let steps = outside.map(|policy| Step::of(&policy, gate, of));
        Self::make(py, gate, steps.collect::<PyResult<_>>()?, hedge.is_some())
    }

    /// The plan of the same policies as they are configured now.
    #[cold]
    pub fn renewed(&self, py: Python<'_>) -> PyResult<PlanRef> {
        let gate = gate::epoch(gate::word());
        let steps = self.steps.iter().map(|step| step.renewed(py, gate)).collect();
        Self::make(py, gate, steps, self.hedges)
    }

    fn make(py: Python<'_>, gate: u64, mut steps: Box<[Step]>, hedges: bool) -> PyResult<PlanRef> {
        let timed = steps.iter().any(Step::timed);
        let keyed = steps.iter().any(Step::keyed);
        let repeats = steps.iter().any(Step::repeats);
        let judges = steps.iter().any(Step::judges);
        let bounds = steps.iter().any(Step::bounds);
        let queues = steps.iter().any(Step::queues);
        let replaces = steps.iter().any(Step::replaces);
        steps.iter_mut().for_each(|step| step.placed(timed));
        // Those that are entered at the same moment ask once: anew behind one that lets calls wait.
        let mut asked = false;
        for step in &mut steps {
            if step.minds_time() && std::mem::replace(&mut asked, true) {
                step.placed_behind();
            }
            asked &= !step.queues();
        }
        // SAFETY: the type was made in `register` for exactly this struct; the fields are written
        // before the collector is told of the object, so it never sees them half done.
        unsafe {
            let plan = ffi::PyObject_GC_New::<Self>(TYPE.load(Ordering::Relaxed));
            if plan.is_null() {
                return Err(PyErr::fetch(py));
            }
            (&raw mut (*plan).gate).write(gate);
            (&raw mut (*plan).timed).write(timed);
            (&raw mut (*plan).keyed).write(keyed);
            (&raw mut (*plan).repeats).write(repeats);
            (&raw mut (*plan).judges).write(judges);
            (&raw mut (*plan).bounds).write(bounds);
            (&raw mut (*plan).queues).write(queues);
            (&raw mut (*plan).replaces).write(replaces);
            (&raw mut (*plan).hedges).write(hedges);
            (&raw mut (*plan).steps).write(steps);
            ffi::PyObject_GC_Track(plan.cast());
            Ok(PlanRef::from_ptr(plan))
        }
    }

    /// Does any step need to know how long a call took?
    #[inline(always)]
    pub fn timed(&self) -> bool {
        self.timed
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Is there a step with a state for each key? Then [`Plan::find`] comes before entering.
    #[inline(always)]
    pub fn keyed(&self) -> bool {
        self.keyed
    }

    /// Is there a step that may want the call again, or another in its place? Then the driver keeps what it takes to make
    /// it, and asks [`Plan::settle`] what follows from each end.
    #[inline(always)]
    pub fn repeats(&self) -> bool {
        self.repeats
    }

    /// Must a step be asked what follows from a return?
    #[inline(always)]
    pub fn judges(&self) -> bool {
        self.judges
    }

    /// Is there a step that is to be told when the work begins?
    #[inline(always)]
    pub fn bounds(&self) -> bool {
        self.bounds
    }

    /// Is there a step that may want another call in the place of one that failed?
    #[inline(always)]
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// Is there a hedge? Then these are the steps outside of it, and the callee has to be what makes
    /// attempts of a call.
    #[inline(always)]
    pub fn hedges(&self) -> bool {
        self.hedges
    }

    /// Is every end to be followed up by [`Plan::settle`]?
    #[inline(always)]
    pub fn follows(&self) -> bool {
        self.repeats || self.bounds || self.queues
    }

    /// Finds the states that `call` belongs to. `false`: an exception is set, which the user's key
    /// raised, and nothing is held.
    pub fn find<C: Clock>(&self, slots: &mut [Slot], call: &Call, clock: &C) -> bool {
        self.find_from(0, slots, call, clock)
    }

    /// As [`Plan::find`], for the steps from number `from` on.
    pub fn find_from<C: Clock>(
        &self,
        from: usize,
        slots: &mut [Slot],
        call: &Call,
        clock: &C,
    ) -> bool {
        // SAFETY: only drivers look for keys, and they run attached.
        let py = unsafe { Python::assume_attached() };
        for at in from..self.steps.len().min(slots.len()) {
            if let Err(error) = self.steps[at].find(py, &mut slots[at], call, clock) {
                for (step, slot) in self.steps.iter().zip(slots.iter()).take(at).skip(from) {
                    step.forget(slot);
                }
                failures::raise(py, error);
                return false;
            }
        }
        true
    }

    /// The objects of the tickets that [`Plan::find`] has filled `slots` with.
    pub fn found<'a>(&'a self, slots: &'a [Slot]) -> impl Iterator<Item = *mut ffi::PyObject> + 'a {
        let keyed = self.steps.iter().zip(slots).filter(|(step, _)| step.keyed());
        // SAFETY: as the caller says.
        keyed.map(|(_, slot)| unsafe { slot.assume_init_ref() }.object())
    }

    /// Gives back what [`Plan::find`] has found, of a call that never entered.
    #[cold]
    pub fn forget(&self, slots: &[Slot]) {
        for (step, slot) in self.steps.iter().zip(slots) {
            step.forget(slot);
        }
    }

    /// Lets a call in at every step, or at none. Returns when its work began (0 if no step asks).
    ///
    /// The clock for slow calls starts only here, after the last admission: time spent waiting to
    /// be let in is not the callee's.
    #[inline(always)]
    pub fn enter<C: Clock>(&self, slots: &mut [Slot], clock: &C) -> Result<Nanos, Refused> {
        self.enter_from(0, slots, clock)
    }

    /// As [`Plan::enter`], at the steps from number `from` on.
    #[inline(always)]
    pub fn enter_from<C: Clock>(
        &self,
        from: usize,
        slots: &mut [Slot],
        clock: &C,
    ) -> Result<Nanos, Refused> {
        let mut refusal = RefusalSlot::uninit();
        for at in from..self.steps.len().min(slots.len()) {
            if !self.steps[at].enter(&mut slots[at], &mut refusal, clock) {
                // SAFETY: a step that does not let a call in says why.
                let refusal = unsafe { refusal.assume_init() };
                return Err(self.refuse(at, refusal, slots, clock));
            }
        }
        Ok(if self.timed { clock.now() } else { 0 })
    }

    /// The call returned `value`, or came to a good end without one (NULL).
    #[inline(always)]
    pub fn returned<C: Clock>(
        &self,
        slots: &[Slot],
        started: Nanos,
        value: *mut ffi::PyObject,
        clock: &C,
    ) {
        let elapsed = self.elapsed(started, clock);
        for (step, slot) in self.steps.iter().zip(slots).rev() {
            // SAFETY: `enter` succeeded and filled one slot a step.
            step.returned(unsafe { slot.assume_init_ref() }, value, elapsed, clock);
        }
    }

    /// The call ended in another way.
    #[cold]
    pub fn ended<C: Clock>(
        &self,
        py: Python<'_>,
        slots: &[Slot],
        started: Nanos,
        ended: &Ended<'_, '_>,
        clock: &C,
    ) {
        let elapsed = self.elapsed(started, clock);
        for (step, slot) in self.steps.iter().zip(slots).rev() {
            // SAFETY: `enter` succeeded and filled one slot a step.
            step.ended(py, unsafe { slot.assume_init_ref() }, ended, elapsed, clock);
        }
    }

    /// Is there a ticket that means something to the calls made inside of this one?
    #[inline(always)]
    pub fn reaches_inside(slots: &[Slot]) -> bool {
        // SAFETY: `enter` succeeded and filled one slot a step.
        slots.iter().any(|slot| unsafe { slot.assume_init_ref() }.reaches_inside())
    }

    /// The call stands still, or runs on: see [`Step::suspended`].
    #[cold]
    pub fn suspended(&self, py: Python<'_>, slots: &mut [Slot], suspended: bool) {
        let tell = |(step, slot): (&Step, &mut Slot)| {
            // SAFETY: `enter` succeeded and filled one slot a step.
            step.suspended(py, unsafe { slot.assume_init_mut() }, suspended);
        };
        let all = self.steps.iter().zip(slots);
        // The innermost is left first, and entered last.
        if suspended { all.rev().for_each(tell) } else { all.for_each(tell) }
    }

    #[cold]
    fn refuse<C: Clock>(&self, at: usize, refusal: Refusal, slots: &[Slot], clock: &C) -> Refused {
        // SAFETY: only drivers enter plans, and they run attached.
        let py = unsafe { Python::assume_attached() };
        let refused = Refused { step: at, refusal };
        if refused.waits() {
            return refused;
        }
        // Who may want the call again asks `settle` what follows from the refusal.
        let told = if self.follows() { 0 } else { at };
        for (step, slot) in self.steps.iter().zip(slots).take(told).rev() {
            // SAFETY: the steps before `at` let the call in and filled their slots.
            let ticket = unsafe { slot.assume_init_ref() };
            step.ended(py, ticket, &Ended::Refused(&|| self.error(py, &refused)), 0, clock);
        }
        for (step, slot) in self.steps.iter().zip(slots).skip(at + 1) {
            step.forget(slot);
        }
        refused
    }

    /// The exception that tells a caller it was refused. A new one each time: an exception raised
    /// twice drags the first one's traceback along.
    #[cold]
    pub fn error(&self, py: Python<'_>, refused: &Refused) -> PyErr {
        self.steps[refused.step].error(py, &refused.refusal)
    }

    #[inline(always)]
    fn elapsed<C: Clock>(&self, started: Nanos, clock: &C) -> Nanos {
        if self.timed { clock.now().saturating_sub(started) } else { 0 }
    }
}
