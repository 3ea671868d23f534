//! What is asked, in SQL.

use super::errors::Trouble;
use crate::stores::backend::{Answer, Op, Tally, Walk};
use crate::stores::error::StoreError;
use crate::stores::idempotency::{live, step};
use crate::stores::record::{Record, StateName, Unreadable};
use crate::stores::{Address, Micros};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Inside of a transaction that is begun already.
pub(super) fn apply(handle: &Connection, op: &Op, now: Micros) -> Result<Answer, Trouble> {
    Ok(match op {
        Op::Step(address, verb) => {
            let kept = get(handle, address)?;
            let step = step(kept.as_ref(), verb, now);
            if let Some(record) = &step.put {
                put(handle, address, record, kept.is_some())?;
            }
            Answer::Reply(step.reply)
        }
        Op::Get(address) => {
            let kept = get(handle, address)?;
            Answer::Record(live(kept.as_ref(), now).cloned())
        }
        Op::List(look, state) => {
            let mut found = Vec::new();
            let next = walk(handle, look, "record", |address, expires, name, row| {
                if expires.is_none_or(|at| at > now) && state.is_none_or(|state| state == name) {
                    let bytes: Vec<u8> = row.get(3)?;
                    found.push((address.clone(), decode(address, &bytes)?));
                }
                Ok(())
            })?;
            Answer::List(found, next)
        }
        Op::Tally(look) => {
            let mut tally = Tally::default();
            let next = walk(handle, look, "NULL", |_, expires, name, _| {
                tally.count(name, expires.is_some_and(|at| at <= now));
                Ok(())
            })?;
            Answer::Tally(tally, next)
        }
        Op::Sweep(look) => {
            let mut expired = Vec::new();
            let next = walk(handle, look, "NULL", |address, expires, _, _| {
                if expires.is_some_and(|at| at <= now) {
                    expired.push(address.clone());
                }
                Ok(())
            })?;
            let mut delete = handle.prepare_cached("DELETE FROM record WHERE id = ?1")?;
            for address in &expired {
                delete.execute([address.as_bytes()])?;
            }
            Answer::Swept(expired.len() as u64, next)
        }
    })
}

fn get(handle: &Connection, address: &Address) -> Result<Option<Record>, Trouble> {
    let bytes = handle
        .prepare_cached("SELECT record FROM record WHERE id = ?1")?
        .query_row([address.as_bytes()], |row| {
            Ok(row.get_ref(0)?.as_blob().map(|bytes| Record::decode(address, bytes)))
        })
        .optional()?;
    match bytes {
        None => Ok(None),
        Some(Ok(Ok(record))) => Ok(Some(record)),
        Some(Ok(Err(why))) => Err(damaged(address, why)),
        Some(Err(_)) => Err(damaged(address, Unreadable::Malformed("it is no bytes"))),
    }
}

fn put(
    handle: &Connection,
    address: &Address,
    record: &Record,
    is_there: bool,
) -> Result<(), Trouble> {
    let sql = if is_there {
        "UPDATE record SET expires = ?2, state = ?3, record = ?4 WHERE id = ?1"
    } else {
        "INSERT INTO record VALUES (?1, ?2, ?3, ?4)"
    };
    handle.prepare_cached(sql)?.execute(params![
        address.as_bytes(),
        record.expires.map(u64::cast_signed),
        record.state.name().number(),
        record.encode(address),
    ])?;
    Ok(())
}

/// Shows a stretch of records: address, expiry and state, and the row with `column` as its fourth.
fn walk(
    handle: &Connection,
    look: &Walk,
    column: &str,
    mut see: impl FnMut(&Address, Option<Micros>, StateName, &Row<'_>) -> Result<(), Trouble>,
) -> Result<Option<Address>, Trouble> {
    let (start, compare) = match &look.after {
        Some(after) => (after.as_bytes(), ">"),
        None => (look.within.as_bytes(), ">="),
    };
    let most = look.most.max(1);
    let sql = format!(
        "SELECT id, expires, state, {column} FROM record WHERE id {compare} ?1 ORDER BY id LIMIT ?2"
    );
    let mut select = handle.prepare_cached(&sql)?;
    // One more than wanted, to know whether there is one.
    let limit = i64::try_from(most).unwrap_or(i64::MAX - 1) + 1;
    let mut rows = select.query(params![start, limit])?;
    let mut last = None;
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        let id: Vec<u8> = row.get(0)?;
        let Some(address) = Address::from_bytes(&id) else {
            let said = format!("a record has no address: {}", id.escape_ascii());
            return Err(StoreError::Corrupt(said).into());
        };
        if !look.within.holds(&address) {
            return Ok(None);
        }
        if looked_at == most {
            return Ok(last);
        }
        looked_at += 1;
        let expires: Option<i64> = row.get(1)?;
        let expires = expires.map(|at| u64::try_from(at).unwrap_or_default());
        let state: i64 = row.get(2)?;
        let name = u8::try_from(state).ok().and_then(StateName::of_number);
        let name = name.ok_or_else(|| damaged(&address, Unreadable::Malformed("no such state")))?;
        see(&address, expires, name, row)?;
        last = Some(address);
    }
    Ok(None)
}

fn decode(address: &Address, bytes: &[u8]) -> Result<Record, Trouble> {
    Record::decode(address, bytes).map_err(|why| damaged(address, why))
}

fn damaged(address: &Address, why: Unreadable) -> Trouble {
    StoreError::Damaged { address: format!("{address:?}"), why }.into()
}
