//! What PostgreSQL's errors mean here.

use super::sniff::NotPostgres;
use crate::stores::error::StoreError;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection is gone. Whether the statement was done is not known.
    Cut(String),
    /// It was not done, because others were at the same; at once again it may be.
    Again(String),
    /// It was not done: others held the record's lock for as long as is waited.
    Locked,
    /// It was not done, and there is nobody to do it here: another connection may be better.
    Elsewhere(StoreError),
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
        match error.as_db_error() {
            Some(said) => said_by_server(said),
            None if error.is_closed() || io(&error) => Self::Cut(described(&error)),
            None => Self::Store(StoreError::Foreign(described(&error))),
        }
    }
}

impl Trouble {
    /// Is the connection one not to go on with?
    pub fn spoils_connection(&self) -> bool {
        !matches!(self, Self::Again(_) | Self::Locked | Self::Store(StoreError::Damaged { .. }))
    }
}

fn io(error: &Error) -> bool {
    error.source().is_some_and(|source| source.downcast_ref::<std::io::Error>().is_some())
}

fn said_by_server(said: &DbError) -> Trouble {
    let code = said.code();
    let text = message(said);
    let store = if *code == SqlState::T_R_SERIALIZATION_FAILURE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
    {
        return Trouble::Again(text);
    } else if *code == SqlState::LOCK_NOT_AVAILABLE {
        return Trouble::Locked;
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        // A standby, as a rule one that was the primary: by the next connection it may be again.
        return Trouble::Elsewhere(StoreError::Unavailable(format!(
            "it takes no writes: it is a standby, or read-only for this role ({text})"
        )));
    } else if is_shutting_down(code) || said.parsed_severity() == Some(Severity::Fatal) {
        return Trouble::Cut(text);
    } else if *code == SqlState::DISK_FULL || *code == SqlState::PROGRAM_LIMIT_EXCEEDED {
        StoreError::Full(text)
    } else if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        StoreError::Corrupt(text)
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        StoreError::Refused(format!("{text}; docs/stores/postgresql.md names the rights it needs"))
    } else if *code == SqlState::UNDEFINED_TABLE
        || *code == SqlState::UNDEFINED_COLUMN
        || *code == SqlState::DATATYPE_MISMATCH
        || *code == SqlState::INVALID_SCHEMA_NAME
    {
        StoreError::Foreign(format!("its tables were changed: {text}"))
    } else if code.code().starts_with("53") {
        StoreError::Unavailable(text)
    } else {
        StoreError::Failed(text)
    };
    Trouble::Store(store)
}

fn is_shutting_down(code: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::DATABASE_DROPPED,
    ]
    .contains(code)
        || code.code().starts_with("08")
}

/// Its message, and never its detail, which repeats what is in a row.
fn message(said: &DbError) -> String {
    format!("{} ({})", said.message(), said.code().code())
}

fn described(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Why there is no connection, and whether another try may help.
pub(super) fn of_connecting(error: &Error, place: &str) -> (StoreError, bool) {
    let Some(said) = error.as_db_error() else {
        let text = format!("no connection to {place}: {}", described(error));
        let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
        let inner = source.and_then(std::io::Error::get_ref);
        let is_alien = inner.and_then(|why| why.downcast_ref::<NotPostgres>()).is_some();
        // The library names kinds of errors in its texts only.
        let kind = error.to_string();
        return if is_alien
            || kind.contains("parsing response")
            || kind.contains("unexpected message")
        {
            (StoreError::Foreign(format!("{place} does not speak PostgreSQL")), false)
        } else if kind.contains("invalid configuration") || kind.contains("authentication") {
            (StoreError::Refused(text), false)
        } else {
            let is_about_tls = kind.contains("TLS");
            (StoreError::Unavailable(text), !is_about_tls)
        };
    };
    let code = said.code();
    let text = format!("{place}: {}", message(said));
    if is_shutting_down(code) || code.code().starts_with("53") {
        (StoreError::Unavailable(text), true)
    } else {
        (StoreError::Refused(text), false)
    }
}
