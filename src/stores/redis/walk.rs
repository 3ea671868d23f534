//! Looks at many records: by SCAN, a bounded number of keys at a time, so that others have their
//! turn in between.
//!
//! A scan has no order. A tally and a sweep need none: where they go on is the scan's own word, in
//! the form of an address. A list is in order, so each of its stretches scans all and keeps the
//! first of what comes behind the last.

use super::client::Asked;
use super::head::Head;
use super::script::{Act, By, Words, command};
use super::trouble::{Trouble, damaged};
use crate::stores::Address;
use crate::stores::Micros;
use crate::stores::backend::{Answer, Tally, Walk};
use crate::stores::error::StoreError;
use crate::stores::record::{Record, StateName};
use ::redis::{Cmd, FromRedisValue, Pipeline, Value};
use std::collections::BTreeSet;

/// How many keys a scan looks at before others have their turn.
const STRIDE: usize = 500;
/// How many records, which may be large, are fetched at once.
const AT_ONCE: usize = 50;

type Result<T> = std::result::Result<T, Trouble>;

/// All that was kept and has not expired, in order, as much as is wanted.
pub(super) async fn list(
    asked: &mut Asked<'_>,
    look: &Walk,
    state: Option<StateName>,
) -> Result<Answer> {
    let most = look.most.max(1);
    let mut first: BTreeSet<Address> = BTreeSet::new();
    let mut cursor = 0;
    loop {
        let (next, found) = scan(asked, look, cursor).await?;
        for address in found {
            if look.after.as_ref().is_none_or(|after| address > *after) {
                first.insert(address);
                // One more than wanted, to know whether there is one.
                if first.len() > most + 1 {
                    first.pop_last();
                }
            }
        }
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    let has_more = first.len() > most;
    let addresses: Vec<_> = first.into_iter().take(most).collect();
    let next = addresses.last().filter(|_| has_more).cloned();
    let mut records = Vec::new();
    for some in addresses.chunks(AT_ONCE) {
        for (address, record) in some.iter().zip(fetch(asked, some).await?) {
            if let Some(record) = record
                && state.is_none_or(|state| record.state.name() == state)
            {
                records.push((address.clone(), record));
            }
        }
    }
    Ok(Answer::List(records, next))
}

/// What is kept at these.
async fn fetch(asked: &mut Asked<'_>, addresses: &[Address]) -> Result<Vec<Option<Record>>> {
    let keys: Vec<_> = addresses.iter().map(|address| asked.settings.key(address)).collect();
    let told = run(asked, keys.iter().map(|key| command(By::Name, key, Act::Get))).await?;
    let mut records = Vec::new();
    for ((address, key), value) in addresses.iter().zip(&keys).zip(told) {
        let words = match Words::of(value) {
            // One that is asked for alone brings the script along.
            Err(Trouble::NoScript) => asked.run(address, key, Act::Get).await,
            other => other.map_err(|trouble| trouble.at(address)),
        };
        records.push(words?.kept(address, key)?);
    }
    Ok(records)
}

/// How many are in which state. A record that the server moves meanwhile may be seen twice.
pub(super) async fn tally(asked: &mut Asked<'_>, look: &Walk) -> Result<Answer> {
    let mut tally = Tally::default();
    let now = time(asked).await?;
    let mut stretch = Stretch::of(look)?;
    while let Some(found) = stretch.next(asked, look).await? {
        for (address, standing) in standings(asked, found).await? {
            let Some((name, expires)) = standing.map_err(|trouble| trouble.at(&address))? else {
                continue;
            };
            tally.count(name, expires.is_some_and(|at| at <= now));
        }
    }
    Ok(Answer::Tally(tally, stretch.end()?))
}

/// Removes what has expired. What can't be read stays.
pub(super) async fn sweep(asked: &mut Asked<'_>, look: &Walk) -> Result<Answer> {
    let mut swept = 0;
    let now = time(asked).await?;
    let mut stretch = Stretch::of(look)?;
    while let Some(found) = stretch.next(asked, look).await? {
        for (address, standing) in standings(asked, found).await? {
            let Ok(Some((_, Some(expires)))) = standing else { continue };
            if expires <= now {
                let key = asked.settings.key(&address);
                swept += u64::from(asked.run(&address, &key, Act::Sweep).await?.swept());
            }
        }
    }
    Ok(Answer::Swept(swept, stretch.end()?))
}

type Standing = Option<(StateName, Option<Micros>)>;

/// Where these stand, without their results.
async fn standings(
    asked: &mut Asked<'_>,
    addresses: Vec<Address>,
) -> Result<Vec<(Address, Result<Standing>)>> {
    let keys: Vec<_> = addresses.iter().map(|address| asked.settings.key(address)).collect();
    let heads = keys.iter().map(|key| {
        let mut cmd = Cmd::new();
        cmd.arg("HMGET").arg(key).arg("h").arg("d");
        cmd
    });
    let told = run(asked, heads).await?;
    let read = |address: &Address, key: &[u8], value: Value| {
        let value = value.extract_error().map_err(|error| Trouble::of(&error))?;
        let (head, sum): (Option<Vec<u8>>, Option<Vec<u8>>) =
            FromRedisValue::from_redis_value(value).map_err(|error| Trouble::of(&error.into()))?;
        // Gone since the scan, or not ours: a step at it would say which.
        let Some(head) = head else { return Ok(None) };
        Head::read(key, &head, &sum.unwrap_or_default())
            .map(|head| Some(head.standing()))
            .map_err(|why| damaged(address, why))
    };
    let standings = addresses.into_iter().zip(&keys).zip(told).map(|((address, key), value)| {
        let standing = read(&address, key, value);
        (address, standing)
    });
    Ok(standings.collect())
}

/// A number of scans, from where the last ones ended.
struct Stretch {
    cursor: u64,
    left: usize,
    is_over: bool,
}

impl Stretch {
    fn of(look: &Walk) -> Result<Self> {
        let cursor = look.after.as_ref().map_or(Ok(0), cursor_in)?;
        Ok(Self { cursor, left: look.most.div_ceil(STRIDE).max(1), is_over: false })
    }

    /// What the next scan finds.
    async fn next(&mut self, asked: &mut Asked<'_>, look: &Walk) -> Result<Option<Vec<Address>>> {
        if self.is_over || self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let (next, found) = scan(asked, look, self.cursor).await?;
        (self.cursor, self.is_over) = (next, next == 0);
        Ok(Some(found))
    }

    /// Where the next ones go on.
    fn end(self) -> Result<Option<Address>> {
        if self.is_over { Ok(None) } else { address_of(self.cursor).map(Some) }
    }
}

/// Where a scan goes on, as an address, which is the form of such words.
fn address_of(cursor: u64) -> Result<Address> {
    Address::new("", "scan", cursor.to_string().as_bytes())
        .map_err(|invalid| Trouble::Store(StoreError::Failed(invalid.to_string())))
}

fn cursor_in(address: &Address) -> Result<u64> {
    let digits = std::str::from_utf8(address.key()).ok().and_then(|text| text.parse().ok());
    digits.ok_or_else(|| {
        let said = format!("a look can't go on at {address:?}, which is no word of its own");
        Trouble::Store(StoreError::Failed(said))
    })
}

/// One step of a scan: where to go on, 0 at the end, and what was found.
async fn scan(asked: &mut Asked<'_>, look: &Walk, cursor: u64) -> Result<(u64, Vec<Address>)> {
    let mut cmd = Cmd::new();
    let pattern = asked.settings.pattern(look.within.as_bytes());
    cmd.arg("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(STRIDE);
    let (next, keys): (u64, Vec<Vec<u8>>) =
        cmd.query_async(&mut asked.connection).await.map_err(|error| Trouble::of(&error))?;
    let ours = keys.iter().filter_map(|key| asked.settings.address(key));
    Ok((next, ours.filter(|address| look.within.holds(address)).collect()))
}

/// The server's time.
async fn time(asked: &mut Asked<'_>) -> Result<Micros> {
    let mut cmd = Cmd::new();
    cmd.arg("TIME");
    let (seconds, micros): (Micros, Micros) =
        cmd.query_async(&mut asked.connection).await.map_err(|error| Trouble::of(&error))?;
    Ok(seconds * 1_000_000 + micros)
}

/// Sends all at once. Each answer may be an error of its own.
async fn run(asked: &mut Asked<'_>, cmds: impl Iterator<Item = Cmd>) -> Result<Vec<Value>> {
    let mut pipeline = Pipeline::new();
    let mut count = 0;
    for cmd in cmds {
        pipeline.add_command(cmd);
        count += 1;
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    asked
        .connection
        .send_packed_commands(&pipeline, 0, count)
        .await
        .map_err(|error| Trouble::of(&error))
}
