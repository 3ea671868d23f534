//! Calls that wait before they are let in: plain ones, which block their thread. How a task waits is
//! its driver's affair.
//!
//! A step that lets a call wait has put what it waits for into its slot. The steps further out have
//! let it in and have it meanwhile: their limits of time hold, and they are told if the wait is
//! broken off.

use super::failures::Carried;
use super::plan::{Came, Plan, Refused, Slot};
use super::wait;
use crate::time::{Clock, Nanos};
use pyo3::prelude::*;

/// A call was let in.
#[derive(Clone, Copy)]
pub struct In {
    /// When its work begins, if a step asks.
    pub started: Nanos,
    /// The steps before this one know already that it does.
    pub bound: usize,
}

/// A call was not let in.
pub struct Out {
    /// So many steps have it.
    pub entered: usize,
    pub came: Came<'static>,
}

/// Blocks while a step lets the call wait, which the steps before number `from` know of.
#[cold]
#[inline(never)]
pub fn wait_in<C: Clock>(
    py: Python<'_>,
    plan: &Plan,
    from: usize,
    slots: &mut [Slot],
    mut refused: Refused,
    clock: &C,
) -> Result<In, Out> {
    let mut bound = from;
    loop {
        let at = refused.step;
        if !refused.waits() {
            let came = plan.waits(py, bound.min(at), refused, slots, false);
            return Err(Out { entered: at, came });
        }
        let waited = plan.works(py, bound..at, slots, false).and_then(|()| {
            bound = at;
            let wait = plan.wait(py, at, slots, clock);
            wait::rest(py, &wait, plan.waiter(py, at))
        });
        if let Err(error) = waited {
            plan.forsake(py, at, slots);
            return Err(Out { entered: at, came: Came::Raised(Carried::new(error)) });
        }
        match plan.resume(py, at, slots, clock) {
            Ok(started) => return Ok(In { started, bound }),
            Err(next) => refused = next,
        }
    }
}
