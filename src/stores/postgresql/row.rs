//! Records as rows. What is read is trusted in nothing.

use super::errors::Trouble;
use super::session::Given;
use crate::stores::error::StoreError;
use crate::stores::record::{OnLost, Owner, Payload, Record, State, StateName, Unreadable};
use crate::stores::{Address, Micros};
use std::num::NonZeroU128;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

/// A record, and the checksum that it was written with.
pub(super) struct Kept {
    pub record: Record,
    pub checksum: Vec<u8>,
}

/// A column, as that type.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, Trouble> {
    row.try_get(at)
        .map_err(|error| StoreError::Foreign(format!("its tables were changed: {error}")).into())
}

/// A time or number that is never negative.
pub(super) fn micros(row: &Row, at: usize) -> Result<Micros, Trouble> {
    Ok(u64::try_from(column::<i64>(row, at)?).unwrap_or_default())
}

pub(super) fn damaged(address: &Address, why: Unreadable) -> Trouble {
    StoreError::Damaged { address: format!("{address:?}"), why }.into()
}

/// The columns from the checksum on, if there is a record.
pub(super) fn kept(row: &Row, address: &Address) -> Result<Option<Kept>, Trouble> {
    let Some(checksum) = column::<Option<Vec<u8>>>(row, 2)? else { return Ok(None) };
    let layout: i16 = column(row, 4)?;
    // Before all else: a newer version may have another checksum.
    if layout > 1 {
        return Err(damaged(address, Unreadable::Newer(u8::try_from(layout).unwrap_or(u8::MAX))));
    }
    if layout < 1 {
        return Err(damaged(address, Unreadable::Malformed("no such version")));
    }
    if !column::<Option<bool>>(row, 3)?.unwrap_or(false) {
        return Err(damaged(address, Unreadable::Checksum));
    }
    let record = read(row).and_then(|found| {
        found.and_then(|record| checked(&record, address)).map_err(|why| damaged(address, why))
    })?;
    Ok(Some(Kept { record, checksum }))
}

/// What can't be written as bytes is no record either.
fn checked(record: &Record, address: &Address) -> Result<Record, Unreadable> {
    Record::decode(address, &record.encode(address))
}

const TOO_LATE: Unreadable = Unreadable::Malformed("a time or fence is negative");

fn time(at: i64) -> Result<Micros, Unreadable> {
    u64::try_from(at).map_err(|_| TOO_LATE)
}

fn read(row: &Row) -> Result<Result<Record, Unreadable>, Trouble> {
    let content = Content {
        state: column(row, 5)?,
        owner: column(row, 6)?,
        fence: column(row, 7)?,
        attempts: column(row, 8)?,
        quarantine: column(row, 9)?,
        fingerprint: column(row, 10)?,
        created: column(row, 11)?,
        changed: column(row, 12)?,
        ttl: column(row, 13)?,
        expires: column(row, 14)?,
        lease_until: column(row, 15)?,
        hard_deadline: column(row, 16)?,
        codec: column(row, 17)?,
        result: column(row, 18)?,
    };
    Ok(content.record())
}

/// A row's columns, from `state` on.
pub(super) struct Content<'a> {
    state: i16,
    owner: Option<Vec<u8>>,
    fence: i64,
    attempts: i64,
    quarantine: bool,
    fingerprint: Option<&'a [u8]>,
    created: i64,
    changed: i64,
    ttl: i64,
    expires: Option<i64>,
    lease_until: Option<i64>,
    hard_deadline: Option<i64>,
    codec: Option<i16>,
    result: Option<&'a [u8]>,
}

impl<'a> Content<'a> {
    pub fn of(record: &'a Record) -> Self {
        let (lease_until, hard_deadline) = match record.state {
            State::InProgress { lease_until, hard_deadline } => {
                (Some(lease_until.cast_signed()), Some(hard_deadline.cast_signed()))
            }
            _ => (None, None),
        };
        let (codec, result) = match &record.state {
            State::Completed(payload) | State::Failed(payload) => columns(payload),
            _ => (None, None),
        };
        Self {
            state: record.state.name().number().into(),
            owner: record.owner.map(bytes),
            fence: record.fence.cast_signed(),
            attempts: record.attempts.into(),
            quarantine: record.on_lost == OnLost::Quarantine,
            fingerprint: record.fingerprint.as_ref().map(<[u8; 32]>::as_slice),
            created: record.created.cast_signed(),
            changed: record.changed.cast_signed(),
            ttl: record.ttl.cast_signed(),
            expires: record.expires.map(u64::cast_signed),
            lease_until,
            hard_deadline,
            codec,
            result,
        }
    }

    /// As a statement takes them.
    pub fn given(&self) -> [Given<'_>; 14] {
        [
            (&self.state, Type::INT2),
            (&self.owner, Type::BYTEA),
            (&self.fence, Type::INT8),
            (&self.attempts, Type::INT8),
            (&self.quarantine, Type::BOOL),
            (&self.fingerprint, Type::BYTEA),
            (&self.created, Type::INT8),
            (&self.changed, Type::INT8),
            (&self.ttl, Type::INT8),
            (&self.expires, Type::INT8),
            (&self.lease_until, Type::INT8),
            (&self.hard_deadline, Type::INT8),
            (&self.codec, Type::INT2),
            (&self.result, Type::BYTEA),
        ]
    }

    fn record(self) -> Result<Record, Unreadable> {
        let attempts = u32::try_from(self.attempts);
        let fingerprint = self.fingerprint.map(<[u8; 32]>::try_from).transpose();
        Ok(Record {
            state: self.state()?,
            owner: self.owner.as_deref().map(owner).transpose()?,
            fence: time(self.fence)?,
            attempts: attempts.map_err(|_| Unreadable::Malformed("no such number of attempts"))?,
            on_lost: if self.quarantine { OnLost::Quarantine } else { OnLost::Takeover },
            fingerprint: fingerprint.map_err(|_| Unreadable::Malformed("no fingerprint"))?,
            created: time(self.created)?,
            changed: time(self.changed)?,
            ttl: time(self.ttl)?,
            expires: self.expires.map(time).transpose()?,
        })
    }

    fn state(&self) -> Result<State, Unreadable> {
        let name = u8::try_from(self.state).ok().and_then(StateName::of_number);
        let name = name.ok_or(Unreadable::Malformed("no such state"))?;
        let has_result = matches!(name, StateName::Completed | StateName::Failed);
        if !has_result && (self.codec.is_some() || self.result.is_some()) {
            return Err(Unreadable::Malformed("a result where there is none"));
        }
        let lease = self.lease_until.zip(self.hard_deadline);
        if (name == StateName::InProgress) != lease.is_some()
            || self.lease_until.is_some() != self.hard_deadline.is_some()
        {
            return Err(Unreadable::Malformed("a lease where there is none"));
        }
        Ok(match (name, lease) {
            (StateName::InProgress, Some((lease_until, hard_deadline))) => State::InProgress {
                lease_until: time(lease_until)?,
                hard_deadline: time(hard_deadline)?,
            },
            (StateName::Completed, _) => State::Completed(self.payload()?),
            (StateName::Failed, _) => State::Failed(self.payload()?),
            (StateName::Quarantined, _) => State::Quarantined,
            (StateName::Dead, _) => State::Dead,
            (StateName::InProgress | StateName::Released, _) => State::Released,
        })
    }

    fn payload(&self) -> Result<Payload, Unreadable> {
        match (self.codec, self.result) {
            (None, None) => Ok(Payload::Opaque),
            (Some(codec), Some(bytes)) => {
                let codec = u8::try_from(codec);
                let codec = codec.map_err(|_| Unreadable::Malformed("no such codec"))?;
                Ok(Payload::Kept { codec, bytes: bytes.into() })
            }
            _ => Err(Unreadable::Malformed("a result without its codec")),
        }
    }
}

/// An owner's 16 bytes.
pub(super) fn bytes(owner: Owner) -> Vec<u8> {
    owner.0.get().to_be_bytes().to_vec()
}

/// A result as it is kept.
pub(super) fn columns(payload: &Payload) -> (Option<i16>, Option<&[u8]>) {
    match payload {
        Payload::Kept { codec, bytes } => (Some((*codec).into()), Some(bytes)),
        Payload::Opaque => (None, None),
    }
}

fn owner(bytes: &[u8]) -> Result<Owner, Unreadable> {
    let number = <[u8; 16]>::try_from(bytes).ok().map(u128::from_be_bytes);
    let owner = number.and_then(NonZeroU128::new).map(Owner);
    owner.ok_or(Unreadable::Malformed("no owner"))
}
