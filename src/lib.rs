//! seawall: a resilience runtime.
//!
//! Rust decides. Given settings, state, an outcome and a clock that is handed in, the rooms below
//! say what may happen; they run no user code and know no Python. Only `bindings` names the
//! interpreter, and it is built by the feature `python` alone.

#[cfg(feature = "python")]
mod bindings;
pub mod canonical;
pub mod error;
pub mod keys;
pub mod outcome;
pub mod pipeline;
pub mod policies;
pub mod process;
pub mod random;
pub mod stores;
pub mod sync;
pub mod time;
pub mod window;
