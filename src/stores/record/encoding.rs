//! Records as bytes.
//!
//! A head of fixed length, the result, and a checksum over both and over the record's address: a
//! record that was damaged, or that lies at another's address, is noticed. What is read is
//! trusted in nothing: lengths and numbers are checked, and unused fields must be empty, so that
//! each record has one form.

use super::{MOST_RESULT, OnLost, Owner, Payload, Record, State, StateName};
use crate::stores::address::Address;
use crate::stores::{LATEST, Micros};
use std::num::NonZeroU128;

/// The version of what is written.
pub const VERSION: u8 = 1;

const HEAD: usize = 112;
const CHECKSUM: usize = 4;

const QUARANTINE: u8 = 1;
const FINGERPRINT: u8 = 2;
const EXPIRES: u8 = 4;
const KEPT: u8 = 8;

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// There are fewer of them, or more, than a record says it has.
    #[error("its length is wrong")]
    Length,
    /// They are not what was written, or not for this address.
    #[error("its checksum is wrong")]
    Checksum,
    /// Written by a version that is newer than this one.
    #[error("it has version {0}, and this seawall knows {VERSION}: it was written by a newer one")]
    Newer(u8),
    /// They were written so, but no record can be so.
    #[error("it is malformed: {0}")]
    Malformed(&'static str),
}

impl Record {
    /// As it is kept at `address`.
    #[must_use]
    pub fn encode(&self, address: &Address) -> Vec<u8> {
        let (lease_until, hard_deadline, payload) = match &self.state {
            State::InProgress { lease_until, hard_deadline } => {
                (*lease_until, *hard_deadline, None)
            }
            State::Completed(payload) | State::Failed(payload) => (0, 0, Some(payload)),
            State::Released | State::Quarantined | State::Dead => (0, 0, None),
        };
        let (codec, bytes) = match payload {
            Some(Payload::Kept { codec, bytes }) => (*codec, Some(&**bytes)),
            Some(Payload::Opaque) | None => (0, None),
        };
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.on_lost == OnLost::Quarantine, QUARANTINE)
            | flag(self.fingerprint.is_some(), FINGERPRINT)
            | flag(self.expires.is_some(), EXPIRES)
            | flag(bytes.is_some(), KEPT);
        let bytes = bytes.unwrap_or_default();
        let mut out = Vec::with_capacity(HEAD + bytes.len() + CHECKSUM);
        out.extend_from_slice(&[VERSION, self.state.name().number(), flags, codec]);
        out.extend_from_slice(&self.attempts.to_le_bytes());
        out.extend_from_slice(&self.owner.map_or(0, |owner| owner.0.get()).to_le_bytes());
        for word in [
            self.fence,
            self.created,
            self.changed,
            self.ttl,
            self.expires.unwrap_or_default(),
            lease_until,
            hard_deadline,
        ] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.fingerprint.unwrap_or_default());
        debug_assert_eq!(out.len(), HEAD);
        out.extend_from_slice(bytes);
        let checksum = checksum(address, &out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    /// What was kept at `address`.
    ///
    /// # Errors
    /// If it is not what was written there, or was written by a newer version.
    pub fn decode(address: &Address, bytes: &[u8]) -> Result<Self, Unreadable> {
        // Before all else: a newer version may have another length and another checksum.
        match bytes.first() {
            Some(&newer) if newer > VERSION => return Err(Unreadable::Newer(newer)),
            Some(&VERSION) => {}
            Some(_) => return Err(Unreadable::Malformed("no such version")),
            None => return Err(Unreadable::Length),
        }
        let (content, written) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Unreadable::Length)?;
        if content.len() < HEAD {
            return Err(Unreadable::Length);
        }
        if checksum(address, content) != u32::from_le_bytes(*written) {
            return Err(Unreadable::Checksum);
        }
        Fields { left: content }.record()
    }
}

fn checksum(address: &Address, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(address.as_bytes());
    hasher.update(content);
    hasher.finalize()
}

/// What is still to be read.
struct Fields<'a> {
    left: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (field, left) = self.left.split_first_chunk::<N>().ok_or(Unreadable::Length)?;
        self.left = left;
        Ok(*field)
    }

    fn micros(&mut self) -> Result<Micros, Unreadable> {
        let micros = u64::from_le_bytes(self.take()?);
        if micros > LATEST {
            Err(Unreadable::Malformed("a time or fence is too late"))
        } else {
            Ok(micros)
        }
    }

    fn record(mut self) -> Result<Record, Unreadable> {
        let [_, state, flags, codec] = self.take()?;
        let name = StateName::of_number(state).ok_or(Unreadable::Malformed("no such state"))?;
        if flags & !(QUARANTINE | FINGERPRINT | EXPIRES | KEPT) != 0 {
            return Err(Unreadable::Malformed("no such flag"));
        }
        let attempts = u32::from_le_bytes(self.take()?);
        let owner = NonZeroU128::new(u128::from_le_bytes(self.take()?)).map(Owner);
        let [fence, created, changed, ttl] =
            [self.micros()?, self.micros()?, self.micros()?, self.micros()?];
        if fence == LATEST {
            return Err(Unreadable::Malformed("there is no higher fence"));
        }
        let [expires, lease_until, hard_deadline] =
            [self.micros()?, self.micros()?, self.micros()?];
        let fingerprint: [u8; 32] = self.take()?;
        let record = Record {
            state: state_of(name, flags, codec, [lease_until, hard_deadline], self.left)?,
            owner,
            fence,
            attempts,
            on_lost: if flags & QUARANTINE == 0 { OnLost::Takeover } else { OnLost::Quarantine },
            fingerprint: optional(flags & FINGERPRINT != 0, fingerprint)?,
            created,
            changed,
            ttl,
            expires: optional(flags & EXPIRES != 0, expires)?,
        };
        if let State::InProgress { lease_until, hard_deadline } = record.state
            && (lease_until > hard_deadline
                || record.expires.is_some_and(|expires| expires < hard_deadline))
        {
            return Err(Unreadable::Malformed("its lease outlives it"));
        }
        Ok(record)
    }
}

/// A field that is there or empty.
fn optional<T: Default + PartialEq>(is_there: bool, field: T) -> Result<Option<T>, Unreadable> {
    match is_there {
        true => Ok(Some(field)),
        false if field == T::default() => Ok(None),
        false => Err(Unreadable::Malformed("an unused field is not empty")),
    }
}

fn state_of(
    name: StateName,
    flags: u8,
    codec: u8,
    lease: [Micros; 2],
    bytes: &[u8],
) -> Result<State, Unreadable> {
    let has_result = matches!(name, StateName::Completed | StateName::Failed);
    let kept = flags & KEPT != 0;
    if (kept && !has_result) || (!kept && (codec != 0 || !bytes.is_empty())) {
        return Err(Unreadable::Malformed("a result where there is none"));
    }
    if name != StateName::InProgress && lease != [0, 0] {
        return Err(Unreadable::Malformed("a lease where there is none"));
    }
    if bytes.len() > MOST_RESULT {
        return Err(Unreadable::Malformed("its result is too large"));
    }
    let payload =
        || if kept { Payload::Kept { codec, bytes: bytes.into() } } else { Payload::Opaque };
    Ok(match name {
        StateName::InProgress => {
            State::InProgress { lease_until: lease[0], hard_deadline: lease[1] }
        }
        StateName::Completed => State::Completed(payload()),
        StateName::Failed => State::Failed(payload()),
        StateName::Released => State::Released,
        StateName::Quarantined => State::Quarantined,
        StateName::Dead => State::Dead,
    })
}
