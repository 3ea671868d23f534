//! The usual way of a call through an idempotent operation: claimed, run, completed.
//!
//! | file | holds |
//! |---|---|
//! | `calls` | what the calls of an operation share; how one begins |
//! | `identity` | which key and which fingerprint a call has |
//! | `ticket` | a call that may run its body; how it ends |
//! | `local` | what this process knows of the operations of a store |
//!
//! All that is unusual is Python's (`seawall.idempotency.conversation`): a ticket then becomes a
//! `Run`, once, and nothing here is asked about it any more. Nothing of Python's is called while
//! the lock of a ticket is held.

mod calls;
mod identity;
mod local;
mod ticket;

use pyo3::prelude::*;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<calls::Calls>()?;
    module.add_class::<local::Kept>()?;
    module.add_class::<local::Local>()?;
    module.add_class::<ticket::Ticket>()
}
