//! What stops work whose time is over: alarms, and the deadline that holds here.
//!
//! | room | what it holds |
//! |---|---|
//! | [`alarm`] | one alarm of one task, whoever runs it |
//! | [`hosts`] | who runs the code here: asyncio, trio or neither |
//! | `running` | which loop runs here, on Python 3.11 |
//! | [`loops`] | the wheel of an event loop, and the one timer that turns it |
//! | [`bell`] | an alarm that goes by a test's clock |
//! | [`deadline`] | when work is to be done, and who set that |
//! | [`here`] | the deadline of a context |
//! | [`policy`], [`step`], [`ticket`] | the timeout's face, the timeout in a plan, what a call has of it |
//! | [`counts`], [`events`] | what became of its calls, and what it tells |

mod alarm;
mod bell;
mod counts;
mod deadline;
mod events;
mod here;
mod hosts;
mod loops;
mod policy;
#[cfg(not(Py_3_12))]
mod running;
mod step;
mod ticket;

pub use deadline::Deadline;
pub use here::{current, exceeded, innermost, over, passed, time_left};
pub use hosts::asyncio_here;
pub use policy::Timeout;
pub use step::Step;
pub use ticket::Ticket;

use pyo3::prelude::*;

/// Adds what Python sees of it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Deadline>()?;
    module.add_class::<Timeout>()?;
    module.add_function(wrap_pyfunction!(here::current_deadline, module)?)?;
    module.add_function(wrap_pyfunction!(here::remaining, module)?)?;
    module.add_function(wrap_pyfunction!(here::detach_deadline, module)?)?;
    module.add_function(wrap_pyfunction!(here::leave_deadline, module)?)?;
    Ok(())
}
