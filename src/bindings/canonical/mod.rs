//! Python's values in their canonical forms, hashed as they are written.
//!
//! | file | holds |
//! |---|---|
//! | `arguments` | the arguments of a call, bound as its signature says |
//! | `containers` | lists, tuples, dicts, sets; whatever Python describes as fields |
//! | `failure` | what can't be written, and the way to it |
//! | `key` | what a key is stored as |
//! | `numbers`, `times` | those |
//! | `value` | which is which |
//!
//! What bytes those are is in [`crate::canonical`]. The user's `__eq__` and `__hash__` are never
//! asked.

mod arguments;
mod containers;
pub mod failure;
mod key;
mod numbers;
mod times;
mod value;

pub use arguments::Arguments;
pub use key::write_key;

use crate::canonical::Stream;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// How deep values may lie in one another; what is deeper may be a cycle.
const DEEPEST: usize = 128;

/// The digest of `value`, 32 bytes. `name` is what an error calls it.
#[pyfunction]
#[pyo3(signature = (value, /, name = "value"))]
fn canonical_digest<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(value.py(), &digest_of(value, name)?))
}

/// The digest of `value`. `name` is what an error calls it.
pub fn digest_of(value: &Bound<'_, PyAny>, name: &str) -> PyResult<[u8; 32]> {
    digest(value).map_err(|failure| failure.raised(value.py(), name))
}

fn digest(value: &Bound<'_, PyAny>) -> Result<[u8; 32], failure::Failure> {
    let mut stream = Stream::new();
    value::write(value, &mut stream, 0)?;
    Ok(stream.finish())
}

/// Puts what is in here into the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<arguments::Arguments>()?;
    module.add_function(wrap_pyfunction!(canonical_digest, module)?)?;
    module.add_function(wrap_pyfunction!(key::canonical_key, module)?)
}
