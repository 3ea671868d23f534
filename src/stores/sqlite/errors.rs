//! What SQLite's errors mean here.

use crate::stores::error::StoreError;
use rusqlite::{Error, ErrorCode};

/// Why a transaction was not made.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Somebody else is at it; it may be tried again.
    Busy,
    /// What the caller hears.
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let said = error.to_string();
        let store = match error.sqlite_error_code() {
            // The protocol error is a race of those who open the file at the same moment.
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => return Self::Busy,
            Some(ErrorCode::DiskFull) => StoreError::Full(said),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(said),
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::AuthorizationForStatementDenied,
            ) => StoreError::Unavailable(said),
            _ => StoreError::Failed(said),
        };
        Self::Store(store)
    }
}

impl Trouble {
    /// Is the connection one not to go on with?
    pub fn spoils_connection(&self) -> bool {
        matches!(
            self,
            Self::Store(
                StoreError::Corrupt(_) | StoreError::Failed(_) | StoreError::Unavailable(_)
            )
        )
    }
}
