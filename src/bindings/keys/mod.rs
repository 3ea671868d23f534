//! Policies with a state for each key: which key a call belongs to, and where its state is.
//!
//! | file | holds |
//! |---|---|
//! | `source` | where a call's key comes from |
//! | `apart` | the two that are on no list: of calls without a key, and of keys without room |
//! | `index` | which state is whose |
//! | `parameters` | the named parameters of a callable |
//! | `table` | the states, found by key, and as many as are wanted |

mod apart;
mod index;
mod parameters;
mod source;
mod table;

pub use apart::{Apart, Place};
pub use source::{KeyOf, Source};
pub use table::{Bounds, Mark, State, Table};
