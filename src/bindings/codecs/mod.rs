//! Results as `MessagePack`, and back as what they were.
//!
//! | file | holds |
//! |---|---|
//! | `writer` | plain values to bytes |
//! | `reader` | bytes, which may be anybody's, to values |
//! | `immutable` | what may be handed out more than once |
//!
//! Plain values are native. What else there is, Python lowers to a text or to fields when it is
//! written (`seawall.codecs`), and is asked to raise again when it is read. A list that begins
//! with one of the marks of [`mark`] is no list: no other value has their form.

mod immutable;
mod reader;
mod writer;

pub use writer::pack;

use pyo3::prelude::*;

/// Stands before all that is written: the version of the form.
const VERSION: u8 = 1;

/// How deep values may lie in one another.
const DEEPEST: usize = 128;

/// Types of extensions. From 16 on they are Python's.
mod mark {
    /// An integer of more than 64 bits: two's complement, the highest byte first.
    pub const INTEGER: i8 = 1;
    /// Empty, and first in a list: a tuple.
    pub const TUPLE: i8 = 2;
    /// Likewise, a set.
    pub const SET: i8 = 3;
    /// Likewise, a frozenset.
    pub const FROZENSET: i8 = 4;
    /// Likewise, an object: the name of its class, and its fields.
    pub const OBJECT: i8 = 5;
    /// A text with halves of surrogate pairs.
    pub const SURROGATES: i8 = 6;
    /// The first of those that Python gives a meaning.
    pub const FIRST_LEAF: i8 = 16;
}

/// Puts what is in here into the extension.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(writer::pack, module)?)?;
    module.add_function(wrap_pyfunction!(reader::unpack, module)?)?;
    module.add_function(wrap_pyfunction!(immutable::is_immutable, module)?)
}
