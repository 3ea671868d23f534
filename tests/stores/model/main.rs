//! The life of an operation under every interleaving of a few callers.
//!
//! Three calls of one operation claim, run, extend, end, lose answers, stop and crash in every
//! order, while time passes, an operator decides and what has expired is swept up. In every state
//! that can be reached, the laws of [`laws`] hold; and each law is broken by a machine that was
//! sabotaged to break it, so none of them holds for want of looking.

mod explorer;
mod laws;

use explorer::{Machine, explore};
use seawall::stores::Micros;
use seawall::stores::idempotency::{Hold, Reply, Step, Verb, step};
use seawall::stores::record::{OnLost, Record, State};

/// Three callers over two leases, and two over four.
fn holds(on_lost: OnLost) {
    for (callers, ticks, least) in [(3, 4, 80_000), (2, 7, 20_000)] {
        match explore(step, on_lost, callers, ticks) {
            Ok(states) => assert!(states > least, "only {states} states were found"),
            Err(broken) => panic!("{broken}"),
        }
    }
}

/// With takeover, one result is ever kept and nobody runs it after that.
#[test]
fn with_takeover_there_is_one_result() {
    holds(OnLost::Takeover);
}

/// With quarantine, nobody runs it twice, whatever is lost or stopped.
#[test]
fn with_quarantine_it_runs_once() {
    holds(OnLost::Quarantine);
}

fn finds(machine: Machine, on_lost: OnLost, law: &str) {
    match explore(machine, on_lost, 2, 6) {
        Ok(states) => panic!("the sabotage was not noticed in {states} states"),
        Err(broken) => assert!(broken.contains(law), "{broken}"),
    }
}

/// An end that is accepted whatever its fence is found out.
#[test]
fn an_unfenced_end_is_found() {
    fn unfenced(record: Option<&Record>, verb: &Verb, now: Micros) -> Step {
        match (record, verb) {
            (Some(Record { owner: Some(owner), fence, .. }), Verb::Complete(_, payload)) => {
                let hold = Hold { owner: *owner, fence: *fence };
                step(record, &Verb::Complete(hold, payload.clone()), now)
            }
            _ => step(record, verb, now),
        }
    }
    finds(unfenced, OnLost::Takeover, "stale");
}

/// A claim that is given after the end is found out.
#[test]
fn a_claim_after_the_end_is_found() {
    fn forgetful(record: Option<&Record>, verb: &Verb, now: Micros) -> Step {
        match (record, verb) {
            (Some(record @ Record { state: State::Completed(_), .. }), Verb::Claim(_)) => {
                step(Some(&Record { state: State::Released, ..record.clone() }), verb, now)
            }
            _ => step(record, verb, now),
        }
    }
    finds(forgetful, OnLost::Takeover, "after the end");
}

/// A fence that does not grow is found out.
#[test]
fn a_standing_fence_is_found() {
    fn standing(record: Option<&Record>, verb: &Verb, now: Micros) -> Step {
        let mut step = step(record, verb, now);
        if let (Some(put), Reply::Owned { fence, .. }) = (&mut step.put, &mut step.reply) {
            (put.fence, *fence) = (1, 1);
        }
        step
    }
    finds(standing, OnLost::Takeover, "fence");
}

/// A takeover of what may run once is found out.
#[test]
fn a_second_run_is_found() {
    fn eager(record: Option<&Record>, verb: &Verb, now: Micros) -> Step {
        let eager = |record: &Record| Record { on_lost: OnLost::Takeover, ..record.clone() };
        let verb = match verb {
            Verb::Claim(claim) => {
                let mut claim = *claim;
                claim.terms.on_lost = OnLost::Takeover;
                Verb::Claim(claim)
            }
            verb => verb.clone(),
        };
        step(record.map(eager).as_ref(), &verb, now)
    }
    finds(eager, OnLost::Quarantine, "ran twice");
}

/// A lease that never ends is found out.
#[test]
fn a_key_that_is_stuck_is_found() {
    fn stuck(record: Option<&Record>, verb: &Verb, now: Micros) -> Step {
        match (record, verb) {
            (Some(Record { state: State::InProgress { .. }, owner, .. }), Verb::Claim(claim))
                if *owner != Some(claim.owner) =>
            {
                Step { put: None, reply: Reply::InProgress { retry_after: 1 } }
            }
            _ => step(record, verb, now),
        }
    }
    finds(stuck, OnLost::Takeover, "stuck");
}

/// A second result in the place of the first is found out.
#[test]
fn a_changed_result_is_found() {
    fn fickle(record: Option<&Record>, verb: &Verb, now: Micros) -> Step {
        match (record, verb) {
            (Some(Record { state: State::Completed(_), .. }), Verb::Resolve(payload)) => {
                let put = record
                    .cloned()
                    .map(|record| Record { state: State::Completed(payload.clone()), ..record });
                Step { put, reply: Reply::Done }
            }
            _ => step(record, verb, now),
        }
    }
    finds(fickle, OnLost::Takeover, "another result");
}
