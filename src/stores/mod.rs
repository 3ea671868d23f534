//! What outlives a process: records of operations, kept in memory, in a file or on a server.
//!
//! A record's life is decided by pure transitions (`idempotency`): given a record, what is asked
//! and the store's time, they say what is kept and what the caller hears. A backend does nothing
//! but apply them atomically, so all of them behave alike, and one suite of tests judges them all.

pub mod address;
pub mod backend;
pub mod clock;
mod error;
pub mod idempotency;
mod memory;
pub mod migration;
#[cfg(feature = "net")]
#[cfg_attr(
    not(all(feature = "redis", feature = "postgresql")),
    allow(dead_code, unused_imports, reason = "some of it is used by one kind of server only")
)]
mod net;
mod pending;
#[cfg(feature = "postgresql")]
mod postgresql;
pub mod record;
#[cfg(feature = "redis")]
mod redis;
pub mod registry;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod url;

pub use address::{Address, Prefix};
pub use backend::{Answer, Op};
pub use error::StoreError;
pub use pending::Pending;
pub use store::{Counted, Store};

/// Microseconds: of a length of time, or since 1970 on the store's own clock. Redis and PostgreSQL
/// count in them, and 53 bits of them, which is all that Lua and JSON keep, are 285 years.
pub type Micros = u64;

/// A second of [`Micros`].
pub const SECOND: Micros = 1_000_000;

/// No time and no fence is later than this.
pub const LATEST: Micros = (1 << 53) - 1;
