//! One form for each value, as bytes that are hashed: what keys and fingerprints are made of.
//!
//! Values of one type that are equal have one form; all others differ, by a tag before each. Forms
//! are the same in each process, on each machine and under each Python; [`VERSION`] stands before
//! all that is hashed, and changes with them. A container has no count before it but a mark at its
//! end, so that one which another thread changes meanwhile has some form still.

pub mod key;
pub mod numbers;
mod sink;
pub mod times;

pub use sink::{Out, Stream};

/// The version of all forms.
pub const VERSION: u8 = 1;
