//! What a protected call passes: an ordered, immutable list of steps.
//!
//! A plan is built when a function is decorated and replaced as a whole after a reconfiguration; a
//! call that is under way keeps the one it entered with. Entering goes outermost first, and the
//! steps that let a call in are told of its end in the opposite order, each exactly once.
//!
//! Plans are interpreter objects because their count of holders is changed on every call: the
//! interpreter's own reference counts cost no locked instruction.
#![allow(unsafe_code, reason = "a hand-made heap type: see native.rs")]

use super::bulkhead::Loan;
use super::call::Call;
use super::failures::{self, Carried};
use super::gate;
use super::keys::KeyOf;
use super::native::Blueprint;
use super::step::{Ended, Refusal, RefusalSlot, Step, Ticket};
use super::wait::Wait;
use crate::time::{Clock, Nanos};
use pyo3::PyTraverseError;
use pyo3::ffi;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

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
    /// None yet: the call may wait for what the step has put into its slot, and still be let in:
    /// those further out have it meanwhile. See [`Plan::resume`] and [`Plan::forsake`], one of which is
    /// owed.
    pub fn waiting(step: usize) -> Self {
        Self { step, refusal: Refusal::Waits }
    }

    /// See [`Refused::waiting`].
    #[inline(always)]
    pub fn waits(&self) -> bool {
        matches!(self.refusal, Refusal::Waits)
    }
}

/// How a call, or what of it lies further in, came to its end.
pub enum Came<'py> {
    Returned(Bound<'py, PyAny>),
    Raised(Carried),
    /// It was waiting to be made again, and this broke the wait off: no attempt raised it.
    Broken(Carried),
    /// By a step that let it in no more than those further in did.
    Refused(Refused),
}

impl Came<'_> {
    /// Sets the exception that it comes to, by `plan`. None: it returned.
    pub fn raise(self, py: Python<'_>, plan: &PlanRef) {
        match self {
            Came::Raised(error) | Came::Broken(error) => error.restore(py),
            Came::Refused(refused) => {
                let error = plan.error(py, &refused);
                drop(refused);
                failures::raise(py, error);
            }
            Came::Returned(_) => {}
        }
    }
}

/// What follows from it.
pub enum Then {
    /// Every step has been told: the call is over.
    Over,
    /// `step` wants what is further in once more, after so long. Those further out wait.
    Again { step: usize, wait: Nanos },
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
    steps: Box<[Step]>,
}

static TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

impl Plan {
    /// Builds the plan of `policies`, outermost first, as they are configured now, for the calls
    /// of `of`.
    pub fn build(policies: &Bound<'_, PyTuple>, of: KeyOf<'_, '_>) -> PyResult<PlanRef> {
        let py = policies.py();
        // Read first: a reconfiguration from here on makes this plan look again, never the reverse.
        let gate = gate::epoch(gate::word());
        let steps = policies.iter().map(|policy| Step::of(&policy, gate, of));
        Self::make(py, gate, steps.collect::<PyResult<_>>()?)
    }

    /// The plan of the same policies as they are configured now.
    #[cold]
    pub fn renewed(&self, py: Python<'_>) -> PyResult<PlanRef> {
        let gate = gate::epoch(gate::word());
        Self::make(py, gate, self.steps.iter().map(|step| step.renewed(py, gate)).collect())
    }

    fn make(py: Python<'_>, gate: u64, mut steps: Box<[Step]>) -> PyResult<PlanRef> {
        let timed = steps.iter().any(Step::timed);
        let keyed = steps.iter().any(Step::keyed);
        let repeats = steps.iter().any(Step::repeats);
        let judges = steps.iter().any(Step::judges);
        let bounds = steps.iter().any(Step::bounds);
        let queues = steps.iter().any(Step::queues);
        steps.iter_mut().for_each(|step| step.placed(timed));
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
            (&raw mut (*plan).steps).write(steps);
            ffi::PyObject_GC_Track(plan.cast());
            Ok(PlanRef(plan))
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

    /// Is there a step that may want the call again? Then the driver keeps what it takes to make
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

    /// Is every end to be followed up by [`Plan::settle`]?
    #[inline(always)]
    pub fn follows(&self) -> bool {
        self.repeats || self.bounds || self.queues
    }

    /// What the call waits for that step number `at` lets wait.
    #[cold]
    pub fn wait<'py, C: Clock>(
        &self,
        py: Python<'py>,
        at: usize,
        slots: &[Slot],
        clock: &C,
    ) -> Wait<'py> {
        // SAFETY: that step has filled its slot.
        unsafe { self.steps[at].wait(py, &slots[at], clock) }
    }

    /// The wait is over: enters on from step number `at`, which may refuse after all; and another may
    /// let wait.
    #[cold]
    pub fn resume<C: Clock>(
        &self,
        py: Python<'_>,
        at: usize,
        slots: &mut [Slot],
        clock: &C,
    ) -> Result<Nanos, Refused> {
        // SAFETY: that step has let the call wait.
        match unsafe { self.steps[at].resume(py, &mut slots[at], clock) } {
            Ok(()) => self.enter_from(at + 1, slots, clock),
            Err(refusal) => Err(self.refuse(at, refusal, slots, clock)),
        }
    }

    /// The wait at step number `at` was broken off. Those further out are still to be told.
    #[cold]
    pub fn forsake(&self, py: Python<'_>, at: usize, slots: &[Slot]) {
        // SAFETY: that step has let the call wait.
        unsafe { self.steps[at].forsake(py, &slots[at]) };
        for (step, slot) in self.steps.iter().zip(slots).skip(at + 1) {
            step.forget(slot);
        }
    }

    /// The work begins at `steps`: by steps of a task, or straight.
    pub fn works(
        &self,
        py: Python<'_>,
        steps: Range<usize>,
        slots: &mut [Slot],
        stepped: bool,
    ) -> PyResult<()> {
        for at in steps {
            // SAFETY: asked after `enter` has filled the slots of these steps.
            unsafe { self.steps[at].works(py, &mut slots[at], stepped) }?;
        }
        Ok(())
    }

    /// As [`Plan::works`], of a call that was refused, at the steps that had let it in: somebody
    /// among them may want it again, and is to know by when.
    #[cold]
    pub fn waits(
        &self,
        py: Python<'_>,
        from: usize,
        refused: Refused,
        slots: &mut [Slot],
        stepped: bool,
    ) -> Came<'static> {
        if self.repeats
            && self.bounds
            && let Err(error) = self.works(py, from..refused.step, slots, stepped)
        {
            return Came::Raised(Carried::new(error));
        }
        Came::Refused(refused)
    }

    /// A thread of a pool's gave back an awaitable, at the steps from number `from` on.
    pub fn adopts(&self, py: Python<'_>, from: usize, slots: &mut [Slot]) -> PyResult<()> {
        for (step, slot) in self.steps.iter().zip(slots).skip(from) {
            // SAFETY: as in `works`.
            let ticket = unsafe { slot.assume_init_mut() };
            if let (Step::Timeout(timeout), Ticket::Timeout(ticket)) = (step, ticket) {
                timeout.adopts(py, ticket)?;
            }
        }
        Ok(())
    }

    /// The pool has given the call up that it made for one of the steps.
    #[cold]
    pub fn given_up(&self, slots: &mut [Slot]) {
        for (step, slot) in self.steps.iter().zip(slots) {
            // SAFETY: as in `works`.
            let ticket = unsafe { slot.assume_init_mut() };
            if let (Step::Timeout(timeout), Ticket::Timeout(ticket)) = (step, ticket)
                && timeout.pooled()
            {
                ticket.given_up();
                return;
            }
        }
    }

    /// The pool whose threads run the calls, and for how long, if that is not done here.
    pub fn pool<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, Option<f64>)> {
        self.steps.iter().find_map(|step| step.pool(py))
    }

    /// Would its steps run a call elsewhere, without a limit of time of their own?
    #[cold]
    pub fn timeless(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Bulkhead(one) if one.pooled()))
    }

    /// Takes the permit of a call that was given up, and still runs in a thread of a pool's.
    #[cold]
    pub fn lend(&self, slots: &mut [Slot]) -> Option<Loan> {
        let at = self
            .steps
            .iter()
            .position(|step| matches!(step, Step::Bulkhead(one) if one.pooled()))?;
        // SAFETY: as in `works`.
        unsafe { self.steps[at].lend(&mut slots[at]) }
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

    /// Tells the steps of the end of a call that was made more than once. To those outside of a
    /// step that made it again it has taken from its first attempt on, less the time it `rested`.
    #[cold]
    pub fn told<C: Clock>(
        &self,
        slots: &[Slot],
        started: Nanos,
        rested: Nanos,
        clock: &C,
        tell: &dyn Fn(&Step, &Ticket, Nanos),
    ) {
        let now = if self.timed { clock.now() } else { 0 };
        let mut since = started;
        for (step, slot) in self.steps.iter().zip(slots).rev() {
            // SAFETY: these steps have let the call in and filled their slots.
            let ticket = unsafe { slot.assume_init_ref() };
            if let Some(began) = ticket.began() {
                since = began.saturating_add(rested);
            }
            tell(step, ticket, now.saturating_sub(since));
        }
    }

    /// Tells the first `entered` steps, the innermost first, what the call came to, until one of
    /// them wants it again.
    #[cold]
    pub fn settle<C: Clock>(
        &self,
        py: Python<'_>,
        slots: &mut [Slot],
        entered: usize,
        started: Nanos,
        came: &mut Came<'_>,
        clock: &C,
    ) -> Then {
        let mut since = started;
        let mut entered = entered;
        if let Came::Broken(error) = came {
            let error = std::mem::replace(error, Carried::none());
            // The innermost that still has the call is the one that waited.
            entered = entered.saturating_sub(1);
            if let Some(step) = self.steps.get(entered) {
                // SAFETY: as below.
                let ticket = unsafe { slots[entered].assume_init_ref() };
                since = ticket.began().unwrap_or(since);
                step.ended(py, ticket, &Ended::Dropped, 0, clock);
            }
            *came = Came::Raised(error);
        }
        for at in (0..entered).rev() {
            let (outer, rest) = slots.split_at_mut(at);
            let step = &self.steps[at];
            // SAFETY: the steps below `entered` have let the call in and filled their slots.
            let ticket = unsafe { rest[0].assume_init_mut() };
            if let (Step::Retry(retry), Ticket::Retry(ticket)) = (step, &mut *ticket) {
                let mut around = self.steps.iter().zip(outer.iter());
                // SAFETY: as above.
                let nested = around.any(|(step, slot)| unsafe { step.repeats_on(slot) });
                since = ticket.began();
                let error = |refused: &Refused| self.error(py, refused);
                if let Some(wait) = retry.again(py, ticket, came, nested, &error, clock) {
                    return Then::Again { step: at, wait };
                }
                continue;
            }
            if let (Step::Timeout(timeout), Ticket::Timeout(ticket)) = (step, &mut *ticket) {
                timeout.exit(py, ticket, came, clock);
                continue;
            }
            let elapsed = if self.timed { clock.now().saturating_sub(since) } else { 0 };
            match came {
                Came::Returned(value) => step.returned(ticket, value.as_ptr(), elapsed, clock),
                Came::Raised(error) | Came::Broken(error) => {
                    if let Some(error) = error.get() {
                        step.ended(py, ticket, &Ended::Raised(error), elapsed, clock);
                    }
                }
                Came::Refused(refused) => {
                    let error = || self.error(py, refused);
                    step.ended(py, ticket, &Ended::Refused(&error), elapsed, clock);
                }
            }
        }
        Then::Over
    }

    /// The wait that `step` asked for is over, and a further attempt begins: finds the states of
    /// those further in, as [`Plan::find`] does.
    pub fn go_on_from<C: Clock>(
        &self,
        step: usize,
        slots: &mut [Slot],
        call: &Call,
        clock: &C,
    ) -> bool {
        if let Some(Step::Retry(retry)) = self.steps.get(step) {
            retry.goes_on();
        }
        self.find_from(step + 1, slots, call, clock)
    }

    /// What the policy of `step` is called, if it may want a call again, or to wait.
    pub fn name_of<'py>(&self, py: Python<'py>, step: usize) -> Option<Bound<'py, PyAny>> {
        match self.steps.get(step)? {
            Step::Retry(retry) => Some(retry.name(py).into_any()),
            Step::Bulkhead(bulkhead) => Some(bulkhead.name(py).into_any()),
            Step::RateLimit(limit) => Some(limit.name(py).into_any()),
            Step::Breaker(_) | Step::KeyedBreaker(_) | Step::Timeout(_) => None,
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
        for (step, slot) in self.steps.iter().zip(slots) {
            // SAFETY: `enter` succeeded and filled one slot a step.
            step.suspended(py, unsafe { slot.assume_init_mut() }, suspended);
        }
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

/// A counted reference to a plan.
pub struct PlanRef(*mut Plan);

// SAFETY: the pointee is immutable but for its reference count, which the interpreter keeps.
unsafe impl Send for PlanRef {}
// SAFETY: as above.
unsafe impl Sync for PlanRef {}

impl PlanRef {
    /// A further reference to the plan at `plan`.
    ///
    /// # Safety
    /// `plan` is a live plan and the thread is attached to the interpreter.
    #[inline(always)]
    pub unsafe fn borrow(plan: *mut Plan) -> Self {
        // SAFETY: as the caller promises.
        unsafe { ffi::Py_INCREF(plan.cast()) };
        Self(plan)
    }

    /// The plan as an object, for the collector.
    pub fn as_ptr(&self) -> *mut ffi::PyObject {
        self.0.cast()
    }

    /// Shows the collector this reference, for owners that are `#[pyclass]`es.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: both are one non-null pointer to a live object that its holder counts; this one
        // is only looked at.
        visit.call(unsafe { &*(&raw const self.0).cast::<Py<PyAny>>() })
    }

    /// Gives the reference away as a pointer.
    pub fn into_ptr(self) -> *mut Plan {
        let plan = self.0;
        std::mem::forget(self);
        plan
    }

    /// Takes over a reference given away by [`PlanRef::into_ptr`].
    ///
    /// # Safety
    /// `plan` came from `into_ptr` and is taken over once.
    pub unsafe fn from_ptr(plan: *mut Plan) -> Self {
        Self(plan)
    }
}

impl Clone for PlanRef {
    fn clone(&self) -> Self {
        // SAFETY: this reference keeps the plan alive; holders of plans are attached.
        unsafe { Self::borrow(self.0) }
    }
}

impl std::ops::Deref for PlanRef {
    type Target = Plan;

    #[inline(always)]
    fn deref(&self) -> &Plan {
        // SAFETY: this reference keeps the plan alive.
        unsafe { &*self.0 }
    }
}

impl Drop for PlanRef {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: this reference is ours to give up. Drivers and holders run attached.
        unsafe { ffi::Py_DECREF(self.0.cast()) };
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: called by the collector on a plan; each step's rules are owned by this plan.
    unsafe {
        let met = visit(ffi::Py_TYPE(slf).cast(), arg);
        if met != 0 {
            return met;
        }
        for step in &(*slf.cast::<Plan>()).steps {
            for object in step.objects() {
                let met = if object.is_null() { 0 } else { visit(object, arg) };
                if met != 0 {
                    return met;
                }
            }
        }
    }
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: the last reference is gone; the fields were written when the plan was built.
    unsafe {
        let class = ffi::Py_TYPE(slf);
        ffi::PyObject_GC_UnTrack(slf.cast());
        let py = Python::assume_attached();
        for step in (&raw const (*slf.cast::<Plan>()).steps).read() {
            step.release(py);
        }
        ffi::PyObject_GC_Del(slf.cast());
        ffi::Py_DECREF(class.cast());
    }
}

/// Makes the type.
pub fn register(py: Python<'_>) -> PyResult<()> {
    let blueprint = Blueprint {
        name: c"seawall._core.Plan",
        size: size_of::<Plan>(),
        flags: 0,
        slots: vec![
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
        members: vec![],
        getset: vec![],
        methods: vec![],
    };
    // SAFETY: the slots take a `Plan`, whose size is given.
    TYPE.store(unsafe { blueprint.build(py)? }, Ordering::Relaxed);
    Ok(())
}
