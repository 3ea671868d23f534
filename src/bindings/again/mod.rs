//! Making a call once more: for plans with a step that may want it again.
#![allow(unsafe_code, reason = "keeps a call in the interpreter's own calling convention")]

mod kept;

pub use kept::Again;

use super::admission::{In, Out, wait_in};
use super::adopt;
use super::call::{Arguments, Call, Callee, Finish, took};
use super::errand::{Lost, elsewhere};
use super::failures::{Carried, raise};
use super::plan::{Back, Came, PlanRef, Refused, Slot, Then, Wanted};
use super::wait;
use crate::time::{Clock, Nanos};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ptr;

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
    // SAFETY: as the caller promises.
    unsafe {
        match plan.enter(slots, clock) {
            Ok(started) => {
                let entered = In { started, bound: 0 };
                drive_on(plan, slots, callee, arguments, began, entered, clock, finish)
            }
            Err(refused) => wait(plan, slots, callee, arguments, began, refused, clock, finish),
        }
    }
}

/// Goes on with a call that was `refused` by a plan in which calls may wait: perhaps it may.
///
/// # Safety
/// As for [`drive`].
#[cold]
#[inline(never)]
#[allow(clippy::too_many_arguments, reason = "all that a call is")]
pub unsafe fn wait<C: Clock, F: Finish>(
    plan: PlanRef,
    slots: &mut [Slot],
    callee: Callee,
    arguments: Arguments,
    began: Nanos,
    refused: Refused,
    clock: &C,
    finish: F,
) -> *mut ffi::PyObject {
    // SAFETY: attached, as the caller promises.
    let py = unsafe { Python::assume_attached() };
    match wait_in(py, &plan, 0, slots, refused, clock) {
        // SAFETY: as the caller promises.
        Ok(entered) => unsafe {
            drive_on(plan, slots, callee, arguments, began, entered, clock, finish)
        },
        Err(Out { entered, came }) => {
            let call = Call { callee: callee.object, arguments };
            let at = Progress { entered, started: 0, began };
            // SAFETY: as the caller promises.
            unsafe { follow(plan, slots, call, at, came, clock, finish) }
        }
    }
}

/// Goes on with a call that is in.
///
/// # Safety
/// As for [`drive`].
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "all that a call is")]
unsafe fn drive_on<C: Clock, F: Finish>(
    plan: PlanRef,
    slots: &mut [Slot],
    callee: Callee,
    arguments: Arguments,
    began: Nanos,
    entered: In,
    clock: &C,
    finish: F,
) -> *mut ffi::PyObject {
    let In { started, bound } = entered;
    // SAFETY: attached, as the caller promises.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: as the caller promises. Nothing of ours is locked or borrowed while it runs.
    let value = unsafe { work(py, &plan, bound, slots, callee, arguments) };
    let call = Call { callee: callee.object, arguments };
    let at = Progress { entered: plan.len(), started, began };
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
