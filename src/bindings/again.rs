//! Making a call once more: for plans with a step that may want it again.
#![allow(unsafe_code, reason = "keeps a call in the interpreter's own calling convention")]

use super::admission::{In, Out, wait_in};
use super::adopt;
use super::call::{Arguments, Call, Callee, Finish, took};
use super::errand::{Lost, elsewhere};
use super::failures::{Carried, raise};
use super::last::Last;
use super::native::visit;
use super::plan::{Back, Came, PlanRef, Slot, Then, Wanted};
use super::wait;
use crate::time::{Clock, Nanos};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::ptr;

/// What it takes to make a call again later, when its caller's arguments are gone.
pub struct Again {
    /// Both owned, as are the values and their names. NULL: the collector has been.
    callee: Callee,
    values: Values,
    count: usize,
    names: *mut ffi::PyObject,
    /// How many steps have let the call in: fewer while it waits to be made once more.
    pub entered: usize,
    /// How often it was made.
    pub runs: u32,
    /// When the work of the last attempt began; 0 while none is made, or if no step asks.
    pub started: Nanos,
    /// What the last attempt came to, while the next is waited for.
    pub last: Option<Box<Last>>,
}

// SAFETY: its objects are touched by attached threads only.
unsafe impl Send for Again {}

/// So many arguments are kept in place: most calls have no more, and are spared an allocation.
const FEW: usize = 4;

/// Objects that are owned.
struct Values {
    /// The first so many of these, unless there are more than have a place here.
    few: [*mut ffi::PyObject; FEW],
    count: usize,
    many: Vec<*mut ffi::PyObject>,
}

impl Values {
    /// A further reference to each of `count` objects from `first` on.
    ///
    /// # Safety
    /// Attached; they are alive.
    #[inline(always)]
    unsafe fn keep(first: *const *mut ffi::PyObject, count: usize) -> Self {
        let mut values = Self { few: [ptr::null_mut(); FEW], count, many: Vec::new() };
        // SAFETY: as the caller promises.
        let kept = |at| unsafe { ffi::Py_NewRef(*first.add(at)) };
        if count > FEW {
            values.many = (0..count).map(kept).collect();
        } else {
            for (at, place) in values.few.iter_mut().enumerate().take(count) {
                *place = kept(at);
            }
        }
        values
    }

    fn get(&self) -> &[*mut ffi::PyObject] {
        if self.count > FEW { &self.many } else { &self.few[..self.count] }
    }

    /// Lets go of them.
    ///
    /// # Safety
    /// Attached.
    unsafe fn let_go(&mut self) {
        // Whose end it is may lead back here, and is to find nothing.
        let (few, count) = (self.few, std::mem::take(&mut self.count));
        let many = std::mem::take(&mut self.many);
        let all = if count > FEW { &many[..] } else { &few[..count] };
        for &value in all {
            // SAFETY: ours.
            unsafe { ffi::Py_DECREF(value) };
        }
    }
}

impl Again {
    /// Keeps the call, which `entered` steps have let in.
    ///
    /// # Safety
    /// Attached; `callee` is alive and the arguments follow the vectorcall convention.
    #[inline(always)]
    pub unsafe fn keep(callee: Callee, arguments: Arguments, entered: usize) -> Self {
        let Arguments { values, count, names } = arguments;
        let positional = count & !ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        // SAFETY: as the caller promises; each object is counted once more for us.
        unsafe {
            let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) };
            let all = positional + named.cast_unsigned();
            let values = Values::keep(values, all);
            ffi::Py_XINCREF(names);
            ffi::Py_INCREF(callee.object);
            Self {
                callee,
                values,
                count: positional,
                names,
                entered,
                runs: 1,
                started: 0,
                last: None,
            }
        }
    }

    /// The call, as far as it decides what state of a policy it belongs to.
    pub fn call(&self) -> Call {
        Call { callee: self.callee.object, arguments: self.arguments() }
    }

    fn arguments(&self) -> Arguments {
        Arguments { values: self.values.get().as_ptr(), count: self.count, names: self.names }
    }

    /// Makes it once more. A new reference, or NULL with an exception set.
    ///
    /// # Safety
    /// Attached, and the collector has not been.
    pub unsafe fn make(&mut self) -> *mut ffi::PyObject {
        self.runs = self.runs.saturating_add(1);
        // SAFETY: as the caller promises; what is called owns its own references, and so do we.
        unsafe { self.callee.call(self.arguments()) }
    }

    /// Shows the collector what is kept.
    ///
    /// # Safety
    /// Called by the collector.
    pub unsafe fn traverse(&self, visitor: ffi::visitproc, arg: *mut c_void) -> c_int {
        let last = self.last.as_ref().map_or(ptr::null_mut(), |last| last.object());
        let others = [self.callee.object, self.names, last];
        for object in self.values.get().iter().copied().chain(others) {
            // SAFETY: as the caller promises; these are the references it owns.
            let met = unsafe { visit(object, visitor, arg) };
            if met != 0 {
                return met;
            }
        }
        0
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Again {
    /// Lets go of the call, which will not be made any more.
    pub fn let_go(&mut self) {
        if self.last.is_some() {
            drop(self.last.take());
        }
        // SAFETY: whoever keeps a call lets go of it attached; each reference is ours.
        unsafe {
            self.values.let_go();
            ffi::Py_XDECREF(std::mem::replace(&mut self.names, ptr::null_mut()));
            ffi::Py_XDECREF(std::mem::replace(&mut self.callee.object, ptr::null_mut()));
        }
    }
}

/// How far a plain call has got.
pub struct Progress {
    /// How many steps have let it in.
    pub entered: usize,
    /// When its work began.
    pub started: Nanos,
    /// When the call itself did; kept for an outcome.
    pub began: Nanos,
}

/// Runs one call of `callee` through a plan of which every end is followed up.
///
/// # Safety
/// As [`super::call::drive`]; keyed steps have found their states.
#[inline(never)]
pub unsafe fn drive<C: Clock, F: Finish>(
    plan: PlanRef,
    slots: &mut [Slot],
    callee: Callee,
    arguments: Arguments,
    clock: &C,
    finish: F,
) -> *mut ffi::PyObject {
    let began = if F::CAPTURES { clock.now() } else { 0 };
    let mut at = Progress { entered: 0, started: 0, began };
    // SAFETY: attached, as the caller promises.
    let py = unsafe { Python::assume_attached() };
    let call = Call { callee: callee.object, arguments };
    let entered = match plan.enter(slots, clock) {
        Ok(started) => Ok(In { started, bound: 0 }),
        Err(refused) => wait_in(py, &plan, 0, slots, refused, clock),
    };
    let value = match entered {
        Err(Out { entered, came }) => {
            at.entered = entered;
            // SAFETY: as the caller promises.
            return unsafe { follow(plan, slots, call, at, came, clock, finish) };
        }
        Ok(In { started, bound }) => {
            at = Progress { entered: plan.len(), started, ..at };
            // SAFETY: as the caller promises. Nothing of ours is locked or borrowed while it runs.
            unsafe { work(py, &plan, bound, slots, callee, arguments) }
        }
    };
    // SAFETY: `value` is a new reference or NULL; the rest as the caller promises.
    unsafe {
        if !value.is_null() && adopt::awaitable(value) {
            if !plan.repeats() && !plan.bounds() {
                return adopt::adopt(plan, slots, at.started, began, value, F::CAPTURES);
            }
            return adopt::adopt_again(plan, slots, call, 1, &at, value, F::CAPTURES);
        }
        if !value.is_null() && !plan.judges() {
            plan.returned(slots, at.started, value, clock);
            return finish.returned(value, took(clock, began, F::CAPTURES), 1);
        }
        let came = ended(py, value);
        follow(plan, slots, call, at, came, clock, finish)
    }
}

fn enter_from<C: Clock>(
    py: Python<'_>,
    plan: &PlanRef,
    from: usize,
    slots: &mut [Slot],
    clock: &C,
) -> Result<In, Out> {
    match plan.enter_from(from, slots, clock) {
        Ok(started) => Ok(In { started, bound: from }),
        Err(refused) => wait_in(py, plan, from, slots, refused, clock),
    }
}

/// What a call came to that gave `value`, or raised what is set.
///
/// # Safety
/// Attached; `value` is a new reference or NULL.
unsafe fn ended(py: Python<'_>, value: *mut ffi::PyObject) -> Came<'_> {
    // SAFETY: as the caller promises.
    match unsafe { Bound::from_owned_ptr_or_opt(py, value) } {
        Some(value) => Came::Returned(value),
        None => Came::Raised(Carried::pending(py)),
    }
}

/// Lets the work begin inside of the steps from number `from` on, here or in another thread. A new
/// reference, or NULL with an exception set.
#[inline(always)]
unsafe fn work(
    py: Python<'_>,
    plan: &PlanRef,
    from: usize,
    slots: &mut [Slot],
    callee: Callee,
    arguments: Arguments,
) -> *mut ffi::PyObject {
    if plan.bounds() {
        if let Err(error) = plan.works(py, from..plan.len(), slots, false) {
            raise(py, error);
            return ptr::null_mut();
        }
        if let Some((pool, limit)) = plan.pool(py) {
            // SAFETY: as the caller promises.
            let made = unsafe { elsewhere(&pool, limit, callee, arguments, || plan.lend(slots)) };
            return match made.and_then(|value| {
                // SAFETY: attached, and alive.
                if unsafe { adopt::awaitable(value.as_ptr()) } {
                    plan.adopts(py, from, slots).map_err(Lost::Raised)?;
                }
                Ok(value)
            }) {
                Ok(value) => value.into_ptr(),
                Err(lost) => {
                    if let Lost::GivenUp(_) = lost {
                        plan.given_up(slots);
                    }
                    let (Lost::GivenUp(error) | Lost::Raised(error)) = lost;
                    raise(py, error);
                    ptr::null_mut()
                }
            };
        }
    }
    // SAFETY: as the caller promises.
    unsafe { callee.call(arguments) }
}

/// Follows a plain call to its end, through every attempt that is still to be made.
///
/// # Safety
/// As [`super::call::drive`]; the slots of the first `entered` steps are filled.
#[cold]
#[inline(never)]
pub unsafe fn follow<C: Clock, F: Finish>(
    plan: PlanRef,
    slots: &mut [Slot],
    call: Call,
    mut at: Progress,
    mut came: Came<'_>,
    clock: &C,
    finish: F,
) -> *mut ffi::PyObject {
    // SAFETY: attached, as the caller promises.
    let py = unsafe { Python::assume_attached() };
    let mut runs = u32::from(!matches!(came, Came::Refused(_)));
    loop {
        let (step, delay) = match plan.settle(py, slots, at.entered, at.started, &mut came, clock) {
            Then::Over => break,
            Then::Again { step, wait } => (step, wait),
            Then::Instead { step, began } => {
                at = Progress { entered: step + 1, started: began, ..at };
                // SAFETY: as the caller promises.
                unsafe {
                    let value = plan.ask(py, step, slots, &call, came, Wanted::Result);
                    if !value.is_null() && adopt::awaitable(value) {
                        let captures = F::CAPTURES;
                        return adopt::adopt_again(plan, slots, call, runs, &at, value, captures);
                    }
                    came = ended(py, value);
                }
                continue;
            }
        };
        // Whatever happens from here on, the steps further out still have the call.
        at = Progress { entered: step + 1, started: 0, ..at };
        if let Err(error) = wait::sleep(py, delay, plan.waiter(py, step)) {
            came = Came::Broken(Carried::new(error));
            continue;
        }
        came = match plan.go_on_from(py, step, slots, &call, came, clock) {
            Err(Back { came, entered, started }) => {
                at = Progress { entered, started, ..at };
                came
            }
            Ok(()) => match enter_from(py, &plan, step + 1, slots, clock) {
                Err(Out { entered, came }) => {
                    at.entered = entered;
                    came
                }
                Ok(In { started, bound }) => {
                    at = Progress { entered: plan.len(), started, ..at };
                    runs += 1;
                    // SAFETY: as the caller promises. Nothing of ours is locked or borrowed.
                    unsafe {
                        let callee = Callee::of(call.callee);
                        let value = work(py, &plan, bound, slots, callee, call.arguments);
                        if !value.is_null() && adopt::awaitable(value) {
                            return adopt::adopt_again(
                                plan,
                                slots,
                                call,
                                runs,
                                &at,
                                value,
                                F::CAPTURES,
                            );
                        }
                        ended(py, value)
                    }
                }
            },
        };
    }
    let elapsed = took(clock, at.began, F::CAPTURES);
    match came {
        Came::Returned(value) if F::CAPTURES && plan.replaces() && plan.stale(slots) => {
            finish.remembered(value.into_ptr(), elapsed, runs)
        }
        Came::Returned(value) => finish.returned(value.into_ptr(), elapsed, runs),
        Came::Raised(error) | Came::Broken(error) => {
            error.restore(py);
            finish.raised(elapsed, runs)
        }
        Came::Refused(refused) => finish.refused(&plan, refused, runs),
    }
}
