//! Random histories, beside the transitions themselves.

use super::{PATIENCE, everything};
use super::{Place, address, kept, terms};
use seawall::random::{Random, Seeded};
use seawall::stores::Micros;
use seawall::stores::idempotency::{Claim, Ended, Hold, Reply, Verb, step};
use seawall::stores::record::{OnLost, Owner, Record};
use std::collections::HashMap;
use std::num::NonZeroU128;

const CALLERS: usize = 4;
const KEYS: usize = 3;

/// A reply without what depends on the store's own clock: the fences of a key are numbered as they
/// come. Two keys may have the same one, where time stands still between their claims, or not.
fn shape(reply: Reply, fences: &mut Vec<u64>) -> Reply {
    let mut rank = |fence: u64| {
        let at = fences.iter().position(|known| *known == fence);
        at.unwrap_or_else(|| {
            fences.push(fence);
            fences.len() - 1
        }) as u64
    };
    match reply {
        Reply::Owned { fence, attempt, given, .. } => {
            Reply::Owned { fence: rank(fence), attempt, lease_until: 0, given }
        }
        Reply::InProgress { .. } => Reply::InProgress { retry_after: 0 },
        Reply::OutcomeUnknown { noticed, .. } => Reply::OutcomeUnknown { since: 0, noticed },
        Reply::Extended { .. } => Reply::Extended { lease_until: 0 },
        Reply::Replay(ended) => Reply::Replay(Ended { fence: rank(ended.fence), at: 0, ..ended }),
        Reply::EndedMeanwhile(ended) => {
            Reply::EndedMeanwhile(Ended { fence: rank(ended.fence), at: 0, ..ended })
        }
        other => other,
    }
}

/// What one side of the comparison knows.
#[derive(Default)]
struct Side {
    holds: HashMap<(usize, usize), Hold>,
    fences: [Vec<u64>; KEYS],
}

fn owner(number: usize) -> Owner {
    Owner(NonZeroU128::MIN.saturating_add(number as u128))
}

/// A backend's answers are those of the transitions, whatever is asked in whatever order.
pub fn any_history_is_as_the_transitions_say(place: &dyn Place) {
    for seed in 0..8 {
        history(place, seed);
    }
}

fn history(place: &dyn Place, seed: u64) {
    let mut random = Seeded::new(seed);
    let mut pick = |below: usize| -> usize {
        let drawn = random.share() * below as f64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small share")]
        let index = drawn as usize;
        index
    };
    let store = place.open();
    let unit = place.unit();
    let mut terms = terms(place);
    (terms.max_lease, terms.ttl) = (25 * unit, 40 * unit);
    let mut kept_here: Vec<Option<Record>> = vec![None; KEYS];
    let mut now: Micros = 1_000_000 * unit;
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    for at in 0..300 {
        if pick(3) == 0 {
            // Between the times at which anything ends, so that a slow answer changes nothing.
            let units = [2, 6, 12, 28][pick(4)];
            place.pass(units * unit);
            now += units * unit;
        }
        if pick(40) == 0 {
            let prefix = everything();
            store.sweep(&prefix, PATIENCE).unwrap();
        }
        let (caller, key) = (pick(CALLERS), pick(KEYS));
        let name = address(format!("history {seed} {key}").as_bytes());
        let unknown = Hold { owner: owner(caller), fence: 3 };
        let kind = pick(12);
        terms.on_lost = if pick(4) == 0 { OnLost::Quarantine } else { OnLost::Takeover };
        let payload = kept(&format!("{seed} {at}"));
        let lease = [10 * unit, 3 * unit][pick(2)];
        let fingerprint = (pick(10) == 0).then_some([1; 32]);
        let verb = |side: &Side| {
            let hold = *side.holds.get(&(caller, key)).unwrap_or(&unknown);
            match kind {
                0..=3 => Verb::Claim(Claim { owner: owner(caller), fingerprint, terms }),
                4 => Verb::Extend(hold, lease),
                5 | 6 => Verb::Complete(hold, payload.clone()),
                7 => Verb::Fail(hold, payload.clone()),
                8 => Verb::Release(hold),
                9 => Verb::Quarantine(hold),
                10 => Verb::Resolve(payload.clone()),
                _ => Verb::Reopen,
            }
        };
        let (asked, expected) = (verb(&theirs), verb(&ours));
        let reply = store.step(&name, asked, PATIENCE).unwrap();
        let should = step(kept_here[key].as_ref(), &expected, now);
        if should.put.is_some() {
            kept_here[key] = should.put;
        }
        for (side, reply) in [(&mut ours, &should.reply), (&mut theirs, &reply)] {
            if let Reply::Owned { fence, .. } = reply {
                side.holds.insert((caller, key), Hold { owner: owner(caller), fence: *fence });
            }
        }
        assert_eq!(
            shape(reply, &mut theirs.fences[key]),
            shape(should.reply, &mut ours.fences[key]),
            "seed {seed}, step {at}: {expected:?}"
        );
    }
}
