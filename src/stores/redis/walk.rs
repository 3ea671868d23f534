//! Looks at many records: by SCAN, a bounded number of keys at a time, so that others have their
//! turn in between.
//!
//! A scan has no order. A tally and a sweep need none: where they go on is the scan's own word, with
//! the name of the primary that said it, in the form of an address. A list is in order, so each of
//! its stretches scans all, at all primaries, and keeps the first of what comes behind the last.
//!
//! What is found at one node and has gone to another since is asked for there.

use super::client::{Redis, TRIES};
use super::round::{Round, STRIDE, strange};
use super::script::{Act, Standing};
use super::trouble::Trouble;
use crate::stores::Address;
use crate::stores::Micros;
use crate::stores::backend::{Answer, Op, Tally, Walk};
use crate::stores::error::StoreError;
use crate::stores::record::{Record, StateName};
use std::collections::BTreeMap;

/// How many records, which may be large, are fetched at once.
const AT_ONCE: usize = 50;

type Result<T> = std::result::Result<T, Trouble>;

/// To one of these questions, on new connections if need be: they may be asked again.
pub(super) async fn answer(redis: &Redis, op: &Op) -> std::result::Result<Answer, StoreError> {
    let mut cut_off = None;
    for _ in 0..TRIES {
        let mut round = match Round::of(redis).await {
            Ok(round) => round,
            Err(error) => return Err(cut_off.unwrap_or(error)),
        };
        let answer = match op {
            Op::List(look, state) => list(&mut round, look, *state).await,
            Op::Tally(look) => tally(&mut round, look).await,
            Op::Sweep(look) => sweep(&mut round, look).await,
            Op::Step(..) | Op::Get(_) => Err(strange()),
        };
        match answer {
            Err(trouble @ (Trouble::Lost(_) | Trouble::Elsewhere(_))) => {
                round.lose().await;
                cut_off = Some(trouble.said());
            }
            other => return other.map_err(Trouble::said),
        }
    }
    Err(cut_off.unwrap_or(StoreError::TimedOut))
}

/// All that was kept and has not expired, in order, as much as is wanted.
async fn list(round: &mut Round<'_>, look: &Walk, state: Option<StateName>) -> Result<Answer> {
    let most = look.most.max(1);
    // And at which server each was found.
    let mut first: BTreeMap<Address, usize> = BTreeMap::new();
    for at in 0..round.servers.len() {
        round.go_to(at);
        let mut cursor = 0;
        loop {
            let (next, found) = round.scan(look, cursor).await?;
            for address in found {
                if look.after.as_ref().is_none_or(|after| address > *after) {
                    first.insert(address, at);
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
    }
    let has_more = first.len() > most;
    if has_more {
        first.pop_last();
    }
    let next = first.keys().next_back().filter(|_| has_more).cloned();
    let mut records = BTreeMap::new();
    for at in 0..round.servers.len() {
        round.go_to(at);
        let here = first.iter().filter(|(_, found)| **found == at);
        let here: Vec<_> = here.map(|(address, _)| address.clone()).collect();
        for some in here.chunks(AT_ONCE) {
            for (address, (key, words)) in some.iter().zip(round.each(some, Act::Get).await?) {
                let record: Option<Record> = words?.kept(address, &key)?;
                if let Some(record) = record
                    && state.is_none_or(|state| record.state.name() == state)
                {
                    records.insert(address.clone(), record);
                }
            }
        }
    }
    Ok(Answer::List(records.into_iter().collect(), next))
}

/// How many are in which state. A record that the server moves meanwhile may be seen twice.
async fn tally(round: &mut Round<'_>, look: &Walk) -> Result<Answer> {
    let mut tally = Tally::default();
    let mut stretch = Stretch::of(round, look)?;
    while let Some((now, found)) = stretch.next(round, look).await? {
        for (_, standing) in standings(round, found).await? {
            let Some((name, expires)) = standing? else { continue };
            tally.count(name, expires.is_some_and(|at| at <= now));
        }
    }
    Ok(Answer::Tally(tally, stretch.end(round)?))
}

/// Removes what has expired. What can't be read stays.
async fn sweep(round: &mut Round<'_>, look: &Walk) -> Result<Answer> {
    let mut swept = 0;
    let mut stretch = Stretch::of(round, look)?;
    while let Some((now, found)) = stretch.next(round, look).await? {
        for (address, standing) in standings(round, found).await? {
            let Ok(Some((_, Some(expires)))) = standing else { continue };
            if expires <= now {
                let key = round.redis.settings.key(&address);
                let words = round.redis.ask(&address, &key, Act::Sweep).await;
                swept += u64::from(words.map_err(Trouble::Store)?.swept());
            }
        }
    }
    Ok(Answer::Swept(swept, stretch.end(round)?))
}

/// Where these stand, without their results.
async fn standings(
    round: &mut Round<'_>,
    addresses: Vec<Address>,
) -> Result<Vec<(Address, Result<Standing>)>> {
    let told = round.each(&addresses, Act::Look).await?;
    let standings = addresses.into_iter().zip(told).map(|(address, (key, words))| {
        let standing = words.and_then(|words| words.standing(&address, &key));
        (address, standing)
    });
    Ok(standings.collect())
}

/// A number of scans, from where the last ones ended.
struct Stretch {
    cursor: u64,
    left: usize,
    /// Of this server all was seen, or of all servers.
    is_done_here: bool,
    is_over: bool,
    /// The time of the server that is asked.
    now: Option<Micros>,
}

impl Stretch {
    fn of(round: &mut Round<'_>, look: &Walk) -> Result<Self> {
        let mut cursor = 0;
        if let Some(after) = &look.after {
            let (name, word) = word_in(after)?;
            let at = round.servers.iter().position(|(id, _)| *id == name).ok_or_else(|| {
                let said =
                    "the server at which a look was to go on is no primary any more: look anew";
                Trouble::Store(StoreError::Failed(said.to_owned()))
            })?;
            round.go_to(at);
            cursor = word;
        }
        let left = look.most.div_ceil(STRIDE).max(1);
        Ok(Self { cursor, left, is_done_here: false, is_over: false, now: None })
    }

    /// What the next scan finds, and the time there.
    async fn next(
        &mut self,
        round: &mut Round<'_>,
        look: &Walk,
    ) -> Result<Option<(Micros, Vec<Address>)>> {
        if self.is_over || self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        if self.is_done_here {
            round.go_to(round.at + 1);
            (self.cursor, self.now, self.is_done_here) = (0, None, false);
        }
        let now = match self.now {
            Some(now) => now,
            None => *self.now.insert(round.time().await?),
        };
        let (next, found) = round.scan(look, self.cursor).await?;
        (self.cursor, self.is_done_here) = (next, next == 0);
        self.is_over = self.is_done_here && round.at + 1 == round.servers.len();
        Ok(Some((now, found)))
    }

    /// Where the next ones go on.
    fn end(self, round: &Round<'_>) -> Result<Option<Address>> {
        if self.is_over {
            return Ok(None);
        }
        let at = round.at + usize::from(self.is_done_here);
        word(&round.servers[at].0, self.cursor).map(Some)
    }
}

/// Where a scan goes on, as an address, which is the form of such words.
fn word(name: &str, cursor: u64) -> Result<Address> {
    Address::new("", "scan", format!("{cursor} {name}").as_bytes())
        .map_err(|invalid| Trouble::Store(StoreError::Failed(invalid.to_string())))
}

fn word_in(address: &Address) -> Result<(String, u64)> {
    let read = || {
        let (cursor, name) = std::str::from_utf8(address.key()).ok()?.split_once(' ')?;
        Some((name.to_owned(), cursor.parse().ok()?))
    };
    read().ok_or_else(|| {
        let said = format!("a look can't go on at {address:?}, which is no word of its own");
        Trouble::Store(StoreError::Failed(said))
    })
}
