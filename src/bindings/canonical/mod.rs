//! What a value is called with, as bytes: one form for each value, hashed as it is written.
//!
//! | file | holds |
//! |---|---|
//! | `arguments` | the arguments of a call, bound as its signature says |
//! | `containers` | lists, tuples, dicts, sets; whatever Python describes as fields |
//! | `failure` | what can't be written, and the way to it |
//! | `key` | what a key is stored as |
//! | `numbers`, `times` | those |
//! | `sink` | where bytes go: into a hash, or before others |
//! | `value` | which is which |
//!
//! Values of one type that are equal have one form; all others differ, by a tag before each. The
//! user's `__eq__` and `__hash__` are never asked. Forms are the same in each process, on each
//! machine and under each Python; [`VERSION`] stands before all that is hashed, and changes with
//! them. A container has no count before it but a mark at its end, so that one which another thread
//! changes meanwhile has some form still.

mod arguments;
mod containers;
pub mod failure;
mod key;
mod numbers;
mod sink;
mod times;
mod value;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The version of all forms.
const VERSION: u8 = 1;

/// How deep values may lie in one another; what is deeper may be a cycle.
const DEEPEST: usize = 128;

/// The digest of `value`, 32 bytes. `name` is what an error calls it.
#[pyfunction]
#[pyo3(signature = (value, /, name = "value"))]
fn canonical_digest<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
    let digest = digest(value).map_err(|failure| failure.raised(value.py(), name))?;
    Ok(PyBytes::new(value.py(), &digest))
}

fn digest(value: &Bound<'_, PyAny>) -> Result<[u8; 32], failure::Failure> {
    let mut stream = sink::Stream::new();
    value::write(value, &mut stream, 0)?;
    Ok(stream.finish())
}

/// Puts what is in here into the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<arguments::Arguments>()?;
    module.add_function(wrap_pyfunction!(canonical_digest, module)?)?;
    module.add_function(wrap_pyfunction!(key::canonical_key, module)?)
}
