//! Every state that a few callers, time, an operator and a sweep can reach.

use crate::laws::{Facts, Law};
use seawall::stores::Micros;
use seawall::stores::idempotency::{Claim, Hold, Reply, Step, Terms, Verb};
use seawall::stores::record::{OnLost, Owner, Payload, Record};
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZeroU128;

/// What decides: the real one, or one that was sabotaged.
pub type Machine = fn(Option<&Record>, &Verb, Micros) -> Step;

pub const TTL: Micros = 4;
pub const MAX_LEASE: Micros = 3;
const LEASE: Micros = 2;
const START: Micros = 10;

/// Where a call is. Whoever crashed or has ended does nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Caller {
    New,
    /// It asked and knows no answer.
    Asking,
    /// It may run the operation.
    Holding(Hold),
    /// It has decided not to, and says so until it is heard.
    Releasing(Hold),
    /// It has run it.
    Ran(Hold),
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    record: Option<Record>,
    now: Micros,
    callers: Vec<Caller>,
    facts: Facts,
}

fn owner(caller: usize) -> Owner {
    Owner(NonZeroU128::MIN.saturating_add(caller as u128))
}

fn payload(who: usize) -> Payload {
    Payload::within(8, 0, vec![u8::try_from(who).unwrap_or(u8::MAX)])
}

/// Looks at all of them. How many there are, or which law was broken and by what.
pub fn explore(
    machine: Machine,
    on_lost: OnLost,
    callers: usize,
    ticks: Micros,
) -> Result<usize, String> {
    let terms = Terms { lease: LEASE, max_lease: MAX_LEASE, ttl: TTL, attempts: 2, on_lost };
    let explorer = Explorer { machine, terms, end: START + ticks };
    let start = World {
        record: None,
        now: START,
        callers: vec![Caller::New; callers],
        facts: Facts::default(),
    };
    // A digest of each is enough: of a million, two share one by chance once in 10⁷ runs.
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut seen = HashSet::from([hasher.hash_one(&start)]);
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        explorer.probe(&world).map_err(|law| format!("{law}, in {world:?}"))?;
        let mut next = Vec::new();
        explorer.moves(&world, &mut next).map_err(|law| format!("{law}, after {world:?}"))?;
        for world in next {
            if seen.insert(hasher.hash_one(&world)) {
                open.push(world);
            }
        }
    }
    Ok(seen.len())
}

struct Explorer {
    machine: Machine,
    terms: Terms,
    end: Micros,
}

impl Explorer {
    fn claim(&self, caller: usize) -> Verb {
        Verb::Claim(Claim { owner: owner(caller), fingerprint: None, terms: self.terms })
    }

    /// Applies a verb; the laws look on.
    fn apply(&self, world: &World, verb: &Verb) -> Result<(World, Reply), Law> {
        let step = (self.machine)(world.record.as_ref(), verb, world.now);
        let mut after = world.clone();
        after.facts.see(world.record.as_ref(), verb, &step, world.now)?;
        if step.put.is_some() {
            after.record = step.put;
        }
        Ok((after, step.reply))
    }

    /// All that can happen next.
    fn moves(&self, world: &World, next: &mut Vec<World>) -> Result<(), Law> {
        if world.now < self.end {
            next.push(World { now: world.now + 1, ..world.clone() });
        }
        if world.record.as_ref().is_some_and(|record| record.has_expired(world.now)) {
            next.push(World { record: None, ..world.clone() });
        }
        for verb in [Verb::Reopen, Verb::Resolve(payload(9))] {
            next.push(self.apply(world, &verb)?.0);
        }
        for (at, caller) in world.callers.iter().enumerate() {
            let mut go =
                |verb: &Verb, then: &dyn Fn(&Reply) -> Caller, lost: Caller| -> Result<(), Law> {
                    let (mut after, reply) = self.apply(world, verb)?;
                    for caller in then_or_not(then(&reply), lost) {
                        after.callers[at] = caller;
                        next.push(after.clone());
                    }
                    Ok(())
                };
            match *caller {
                Caller::New if at > 0 && world.callers[at - 1] == Caller::New => {
                    // They are alike: it does not matter which of them is the first.
                }
                Caller::New | Caller::Asking => go(
                    &self.claim(at),
                    &|reply| match reply {
                        Reply::Owned { fence, .. } => {
                            Caller::Holding(Hold { owner: owner(at), fence: *fence })
                        }
                        Reply::InProgress { .. } => Caller::Asking,
                        _ => Caller::Gone,
                    },
                    Caller::Asking,
                )?,
                Caller::Releasing(hold) => go(&Verb::Release(hold), &|_| Caller::Gone, *caller)?,
                Caller::Holding(hold) => {
                    go(&Verb::Extend(hold, LEASE), &|_| Caller::Holding(hold), *caller)?;
                    go(&Verb::Release(hold), &|_| Caller::Gone, Caller::Releasing(hold))?;
                    let mut after = world.clone();
                    after.callers[at] = Caller::Ran(hold);
                    after.facts.ran(hold, self.terms.on_lost)?;
                    next.push(after);
                }
                Caller::Ran(hold) => {
                    go(&Verb::Extend(hold, LEASE), &|_| Caller::Ran(hold), *caller)?;
                    go(&Verb::Complete(hold, payload(at)), &|_| Caller::Gone, *caller)?;
                    go(&Verb::Fail(hold, payload(at + 4)), &|_| Caller::Gone, *caller)?;
                    // An exception, after which it may be repeated or may not.
                    let verb = match self.terms.on_lost {
                        OnLost::Takeover => Verb::Release(hold),
                        OnLost::Quarantine => Verb::Quarantine(hold),
                    };
                    go(&verb, &|_| Caller::Gone, *caller)?;
                }
                Caller::Gone => {}
            }
        }
        Ok(())
    }

    /// Whoever comes when all that are here are gone gets an answer that ends its waiting; and an
    /// operator can always open what waits for one.
    fn probe(&self, world: &World) -> Result<(), Law> {
        let stranger = self.claim(8);
        let mut record = world.record.clone();
        let later = world.now + MAX_LEASE;
        for patience in 0..2 {
            let step = (self.machine)(record.as_ref(), &stranger, later);
            record = step.put.or(record);
            match step.reply {
                Reply::Owned { .. } | Reply::Replay(_) => return Ok(()),
                Reply::OutcomeUnknown { .. } | Reply::Exhausted { .. } if patience == 0 => {
                    let opened = (self.machine)(record.as_ref(), &Verb::Reopen, later);
                    record = opened.put.or(record);
                }
                other => return Err(format!("a key is stuck: {other:?}")),
            }
        }
        Err("a key is stuck".to_owned())
    }
}

/// The answer arrives, or is lost, or the caller crashes before it does: each that differs.
fn then_or_not(heard: Caller, lost: Caller) -> impl Iterator<Item = Caller> {
    let crashed = (heard != Caller::Gone).then_some(Caller::Gone);
    let lost = (lost != heard).then_some(lost);
    std::iter::once(heard).chain(lost).chain(crashed)
}
