//! Why a store gave no answer.

use super::record::Unreadable;

/// A store's failure. Nothing was decided, except where it says that this is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It can't be opened or reached.
    #[error("the store can't be opened: {0}")]
    Unavailable(String),
    /// Its server is there and lets us do nothing: another password, right or server is needed.
    #[error("the store's server refuses: {0}")]
    Refused(String),
    /// Others were writing to it for as long as was waited.
    #[error("the store was busy for {0} ms: other processes hold its write lock")]
    Busy(u64),
    /// There is no room for more.
    #[error("the store is full: {0}")]
    Full(String),
    /// Its file is damaged, or no store's.
    #[error("the store's file is damaged: {0}")]
    Corrupt(String),
    /// One record is damaged; the others can be used.
    #[error("the record {address} can't be read: {why}")]
    Damaged {
        /// Whose record.
        address: String,
        /// Why not.
        why: Unreadable,
    },
    /// It was laid out by a newer version.
    #[error("the store has layout {found}, and this seawall knows {known}: update seawall")]
    Newer {
        /// The layout found.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// It is something else's.
    #[error("this is not a store of seawall: {0}")]
    Foreign(String),
    /// More wait for it than may.
    #[error("{0} operations wait for the store already")]
    Overloaded(usize),
    /// It did not answer in time. Whether it did what was asked is not known.
    #[error("the store did not answer in time")]
    TimedOut,
    /// The connection was lost in the middle. Whether it did what was asked is not known.
    #[error(
        "the connection to the store was lost before the answer came, so whether it did what was \
         asked is not known: {0}"
    )]
    CutOff(String),
    /// This process was forked off while it was asked: the answer is its parent's.
    #[error("the answer belongs to the process that this one was forked from")]
    Forked,
    /// It was closed.
    #[error("the store is closed")]
    Closed,
    /// The disk or the operating system failed.
    #[error("the store failed: {0}")]
    Failed(String),
}
