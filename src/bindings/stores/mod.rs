//! Stores as Python has them.
//!
//! | file | holds |
//! |---|---|
//! | `store` | a store: asked by a thread that blocks without the interpreter, or by a task |
//! | `address` | where a record is found |
//! | `op` | what is asked: a claim, what its owner says next, what an operator wants |
//! | `terms` | on which terms is claimed |
//! | `reply` | what is answered |
//! | `pending` | an answer that is not there yet |
//! | `inbox` | where the answers for one event loop arrive |
//! | `errors` | why there is no answer |
//!
//! No thread of a store's ever enters the interpreter. It puts the number of a wait into an inbox
//! and writes a byte, which wakes the loop that reads it.

mod address;
mod errors;
mod inbox;
mod op;
mod pending;
mod reply;
mod store;
mod terms;

pub use op::{Op, new_owner};
pub use reply::Reply;
pub use store::Store;
pub use terms::Terms;

use pyo3::prelude::*;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<inbox::Inbox>()?;
    module.add_class::<address::Address>()?;
    module.add_class::<address::Scope>()?;
    module.add_class::<op::Op>()?;
    module.add_class::<pending::Pending>()?;
    module.add_class::<reply::Reply>()?;
    module.add_class::<store::Store>()?;
    module.add_class::<terms::Terms>()?;
    module.add_function(wrap_pyfunction!(store::migrate, module)?)?;
    module.add_function(wrap_pyfunction!(store::migration_script, module)?)?;
    module.add_function(wrap_pyfunction!(store::public_url, module)?)
}
