//! Policies with a state for each key: which key a call belongs to, and where its state is.
//!
//! | file | holds |
//! |---|---|
//! | `source` | where a call's key comes from |
//! | `index` | which state is whose |
//! | `parameters` | the named parameters of a callable |
//! | `table` | the states, found by key, and as many as are wanted |

mod index;
mod parameters;
mod source;
mod table;

pub use source::{KeyOf, Source};
pub use table::{Bounds, Mark, State, Table};
