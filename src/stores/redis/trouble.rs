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
    /// The key's slot is another node's. Nothing was done.
    Moved(String),
    /// The key's slot is on its way to another node, and the key is there or nowhere. Nothing was
    /// done.
    Ask(String),
    /// Its cluster answers for no such key just now. Nothing was done.
    Down(String),
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
        if let Some((place, _)) = error.redirect_node() {
            let place = place.to_owned();
            let is_ahead = error.kind() == ErrorKind::Server(ServerErrorKind::Ask);
            return if is_ahead { Self::Ask(place) } else { Self::Moved(place) };
        }
        let code = error.code().unwrap_or_default();
        let wrapped = WRAPPED.into_iter().find(|word| code == "ERR" && said.contains(word));
        match wrapped.unwrap_or(code) {
            "READONLY" | "LOADING" | "MASTERDOWN" => Self::Elsewhere(said),
            "OOM" => Self::Store(StoreError::Full(said)),
            "NOAUTH" | "WRONGPASS" | "NOPERM" => Self::Store(StoreError::Refused(said)),
            "TRYAGAIN" | "CLUSTERDOWN" => Self::Down(said),
            _ => Self::Store(StoreError::Failed(said)),
        }
    }

    /// What is left of it for a caller, when nobody asks again.
    pub fn said(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::NoScript => {
                StoreError::Failed("the server forgets its scripts at once".to_owned())
            }
            Self::Lost(said) => StoreError::CutOff(said),
            Self::Elsewhere(said) | Self::Down(said) => StoreError::Unavailable(said),
            Self::Moved(to) | Self::Ask(to) => {
                StoreError::Unavailable(format!("its slot went to {to} meanwhile"))
            }
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
