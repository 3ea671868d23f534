//! What a server's errors mean here.

use crate::stores::Address;
use crate::stores::error::StoreError;
use crate::stores::record::Unreadable;
use ::redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What the caller hears.
    Store(StoreError),
    /// The server does not know the script. Nothing was done.
    NoScript,
    /// This connection is of no use: its server starts, or is no primary any more. Nothing was done.
    Elsewhere(String),
    /// The connection was lost. What was asked may have been done.
    Lost(String),
}

/// One record can't be used.
pub(super) fn damaged(address: &Address, why: Unreadable) -> Trouble {
    Trouble::Store(StoreError::Damaged { address: format!("{address:?}"), why })
}

/// Errors that servers before 7 wrap into another when they come out of a script.
const WRAPPED: [&str; 6] = ["READONLY", "OOM", "MISCONF", "WRONGTYPE", "NOPERM", "NOREPLICAS"];

impl Trouble {
    pub fn of(error: &RedisError) -> Self {
        let said = error.to_string();
        match error.kind() {
            ErrorKind::Io | ErrorKind::Parse => return Self::Lost(said),
            ErrorKind::AuthenticationFailed => {
                return Self::Store(StoreError::Refused("wrong user or password".to_owned()));
            }
            ErrorKind::Server(ServerErrorKind::NoScript) => return Self::NoScript,
            _ => {}
        }
        let code = error.code().unwrap_or_default();
        let wrapped = WRAPPED.into_iter().find(|word| code == "ERR" && said.contains(word));
        match wrapped.unwrap_or(code) {
            "READONLY" | "LOADING" | "MASTERDOWN" | "TRYAGAIN" => Self::Elsewhere(said),
            "OOM" => Self::Store(StoreError::Full(said)),
            "NOAUTH" | "WRONGPASS" | "NOPERM" => Self::Store(StoreError::Refused(said)),
            "MOVED" | "ASK" | "CROSSSLOT" | "CLUSTERDOWN" => {
                Self::Store(StoreError::Refused(format!("it is one of a cluster: {said}")))
            }
            _ => Self::Store(StoreError::Failed(said)),
        }
    }

    /// For a record that was looked at: its key may be something else's.
    pub fn at(self, address: &Address) -> Self {
        match self {
            Self::Store(StoreError::Failed(said)) if said.contains("WRONGTYPE") => {
                damaged(address, Unreadable::Malformed("it is no hash"))
            }
            other => other,
        }
    }
}
