//! `memory://`: the records of one process, gone with it.
//!
//! A map under a lock that is held for one step. A child of a fork begins with an empty one: those
//! who hold what the parent's knows are not in it. Its size is bounded; what has expired makes room,
//! and nothing else does, for whatever is forgotten too early runs twice.

use super::backend::{Answer, Backend, Done, Op, Tally, Walk};
use super::clock::{Machine, Shift};
use super::error::StoreError;
use super::idempotency::{Reply, Verb, live, step};
use super::record::{Payload, Record, State};
use super::url::{BYTES, Url, bytes};
use super::{Address, Micros};
use crate::error::Problem;
use crate::process::forks::{self, Own};
use crate::process::locks::Lock;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// How many bytes it may hold unless told otherwise.
const USUAL_SIZE: u64 = 256 << 20;
/// What a record costs beside its address and its result.
const OVERHEAD: u64 = 300;

type Result<T> = std::result::Result<T, StoreError>;

#[derive(Debug)]
struct Memory {
    machine: Machine,
    shift: Shift,
    max_size: u64,
    map: Own<Lock<Map>>,
    closed: AtomicBool,
}

/// Opens one.
pub(super) fn open(
    url: &Url,
    machine: &Machine,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn Backend>> {
    let before = problems.len();
    url.no_host(problems);
    if !matches!(url.path.as_str(), "" | "/") {
        problems.push(Problem::new("url", &url.path, "is a path, and this store has none"));
    }
    url.only(&["max_size"], problems);
    let max_size = url.option("max_size", USUAL_SIZE, BYTES, problems, bytes);
    (problems.len() == before).then(|| {
        Arc::new(Memory {
            shift: Shift::so_that_now_is(machine.date(), machine),
            machine: machine.clone(),
            max_size,
            map: Own::default(),
            closed: AtomicBool::new(false),
        }) as Arc<dyn Backend>
    })
}

impl Memory {
    fn answer(&self, op: Op) -> Result<Answer> {
        if self.closed.load(SeqCst) {
            return Err(StoreError::Closed);
        }
        let held = forks::hold();
        let map = self.map.get(&held, Lock::default);
        let mut map = map.lock();
        // Under the lock: so the steps of a key see times that grow.
        let now = self.shift.now(&self.machine);
        Ok(match op {
            Op::Step(address, verb) => {
                Answer::Reply(map.step(address, &verb, self.max_size, now)?)
            }
            Op::Get(address) => Answer::Record(live(map.records.get(&address), now).cloned()),
            Op::List(walk, state) => {
                let mut found = Vec::new();
                let next = map.walk(&walk, |address, record| {
                    let fits = state.is_none_or(|state| record.state.name() == state);
                    if fits && !record.has_expired(now) {
                        found.push((address.clone(), record.clone()));
                    }
                });
                Answer::List(found, next)
            }
            Op::Tally(walk) => {
                let mut tally = Tally::default();
                let next = map.walk(&walk, |_, record| {
                    tally.count(record.state.name(), record.has_expired(now));
                });
                Answer::Tally(tally, next)
            }
            Op::Sweep(walk) => {
                let mut expired = Vec::new();
                let next = map.walk(&walk, |address, record| {
                    if record.has_expired(now) {
                        expired.push(address.clone());
                    }
                });
                for address in &expired {
                    map.remove(address);
                }
                Answer::Swept(expired.len() as u64, next)
            }
        })
    }
}

impl Backend for Memory {
    fn here(&self, op: Op, _patience: Duration) -> std::result::Result<Result<Answer>, Op> {
        Ok(self.answer(op))
    }

    fn is_instant(&self) -> bool {
        true
    }

    fn submit(&self, op: Op, done: Done) {
        done(self.answer(op));
    }

    fn close(&self) {
        self.closed.store(true, SeqCst);
    }
}

#[derive(Debug, Default)]
struct Map {
    records: BTreeMap<Address, Record>,
    size: u64,
    /// Nothing expires before this.
    soonest: Micros,
    /// The size at which to look for what has expired.
    sweep_at: u64,
}

fn size(address: &Address, record: &Record) -> u64 {
    let kept = match &record.state {
        State::Completed(payload) | State::Failed(payload) => payload.size(),
        _ => 0,
    };
    OVERHEAD + (address.as_bytes().len() + kept) as u64
}

impl Map {
    /// One look where there is room, as there is as a rule.
    fn step(&mut self, address: Address, verb: &Verb, most: u64, now: Micros) -> Result<Reply> {
        let place = self.records.entry(address);
        let kept = if let Entry::Occupied(place) = &place { Some(place.get()) } else { None };
        let step = step(kept, verb, now);
        let Some(record) = step.put else { return Ok(step.reply) };
        let before = kept.map_or(0, |record| size(place.key(), record));
        let after = self.size - before + size(place.key(), &record);
        if after > self.sweep_at.min(most) {
            let address = match place {
                Entry::Occupied(place) => place.key().clone(),
                Entry::Vacant(place) => place.into_key(),
            };
            self.squeeze_in(address, record, most, now)?;
            return Ok(step.reply);
        }
        self.size = after;
        self.soonest = self.soonest.min(record.expires.unwrap_or(Micros::MAX));
        match place {
            Entry::Occupied(mut place) => {
                place.insert(record);
            }
            Entry::Vacant(place) => {
                place.insert(record);
            }
        }
        Ok(step.reply)
    }

    /// Puts a record where there is little room, or none.
    fn squeeze_in(
        &mut self,
        address: Address,
        mut record: Record,
        most: u64,
        now: Micros,
    ) -> Result<()> {
        let replaced = self.records.get(&address).map(|record| size(&address, record));
        let after = |map: &Self, record: &Record| {
            map.size - replaced.unwrap_or_default() + size(&address, record)
        };
        if self.soonest <= now {
            self.sweep(&address, now);
        }
        // Nothing to sweep is no reason to look again with the next one.
        self.sweep_at = self.sweep_at.max(2 * self.size);
        if after(self, &record) > most {
            // The effect has happened: that is known from now on, if not with which result.
            match &mut record.state {
                State::Completed(payload) | State::Failed(payload) => *payload = Payload::Opaque,
                _ => {}
            }
            if replaced.is_none() && after(self, &record) > most {
                let said = format!("{} records take all of its {most} bytes", self.records.len());
                return Err(StoreError::Full(said));
            }
        }
        self.soonest = self.soonest.min(record.expires.unwrap_or(Micros::MAX));
        self.size = after(self, &record);
        self.records.insert(address, record);
        Ok(())
    }

    fn remove(&mut self, address: &Address) {
        if let Some(record) = self.records.remove(address) {
            self.size -= size(address, &record);
        }
    }

    /// Removes what has expired, all but `spared`, whose fence is still to be counted on from.
    /// Again when there is twice as much: so a record costs its own share of the work, no more.
    fn sweep(&mut self, spared: &Address, now: Micros) {
        let (mut size_left, mut soonest) = (0, Micros::MAX);
        self.records.retain(|address, record| {
            let stays = address == spared || !record.has_expired(now);
            if stays {
                size_left += size(address, record);
                soonest = soonest.min(record.expires.unwrap_or(Micros::MAX));
            }
            stays
        });
        (self.size, self.soonest) = (size_left, soonest);
        self.sweep_at = (2 * size_left).max(1 << 20);
    }

    fn walk(&self, walk: &Walk, mut see: impl FnMut(&Address, &Record)) -> Option<Address> {
        let start = match &walk.after {
            Some(after) => Excluded(after.as_bytes()),
            None => Included(walk.within.as_bytes()),
        };
        let mut last = None;
        let inside = self
            .records
            .range::<[u8], _>((start, Unbounded))
            .take_while(|(address, _)| walk.within.holds(address));
        for (looked_at, (address, record)) in inside.enumerate() {
            if looked_at == walk.most.max(1) {
                return last;
            }
            see(address, record);
            last = Some(address.clone());
        }
        None
    }
}
