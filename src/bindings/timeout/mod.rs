//! What stops work whose time is over: alarms, and the deadline that holds here.
//!
//! | room | what it holds |
//! |---|---|
//! | [`alarm`] | one alarm of one task, whoever runs it |
//! | [`hosts`] | who runs the code here: asyncio, trio or neither |
//! | [`loops`] | the wheel of an event loop, and the one timer that turns it |
//! | [`bell`] | an alarm that goes by a test's clock |
//! | [`deadline`] | the deadline of a context |

mod alarm;
mod bell;
mod deadline;
mod hosts;
mod loops;

#[allow(unused_imports, reason = "the edge for drivers and policies that are to be bounded")]
pub use alarm::{Alarm, Verdict};
#[allow(unused_imports, reason = "the edge for drivers and policies that are to be bounded")]
pub use deadline::{Deadline, current, time_left};

use pyo3::prelude::*;

/// Adds what Python sees of it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Deadline>()?;
    module.add_function(wrap_pyfunction!(deadline::current_deadline, module)?)?;
    module.add_function(wrap_pyfunction!(deadline::remaining, module)?)?;
    module.add_function(wrap_pyfunction!(deadline::detach_deadline, module)?)?;
    module.add_function(wrap_pyfunction!(deadline::leave_deadline, module)?)?;
    Ok(())
}
