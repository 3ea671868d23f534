//! Processes that are stopped past their lease, and go on.

use super::worker::{owner, terms};
use super::{PATIENCE, Site, address, said, worker};
use crate::on_each_store;
use seawall::stores::Store;
use seawall::stores::idempotency::{Claim, Given, Hold, Reply, Terms, Verb};
use seawall::stores::record::{OnLost, Payload};
use std::io::{BufReader, Write};
use std::process::{Child, ChildStdout};

fn claim(store: &Store, on_lost: OnLost) -> (Reply, seawall::stores::record::Owner) {
    let owner = owner();
    let terms = Terms { lease: 30_000_000, ..terms(on_lost) };
    let claim = Verb::Claim(Claim { owner, fingerprint: None, terms });
    (store.step(&address(0), claim, PATIENCE).unwrap(), owner)
}

#[allow(unsafe_code, reason = "it sends signals")]
fn signal(child: &Child, signal: i32) {
    let process = i32::try_from(child.id()).unwrap();
    // SAFETY: the process is a child of this one that was not waited for: its number is its own.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}

/// A process that holds the key, stopped; its store, as it is a minute later.
struct Stopped {
    child: Child,
    lines: BufReader<ChildStdout>,
    store: Store,
}

impl Stopped {
    fn new(role: &str, site: &Site) -> Self {
        let mut child = worker(role, site);
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        said(&mut lines, "holding ");
        signal(&child, libc::SIGSTOP);
        Self { child, lines, store: site.a_minute_later() }
    }

    /// It goes on and completes; what it is told.
    fn go_on(&mut self) -> String {
        signal(&self.child, libc::SIGCONT);
        writeln!(self.child.stdin.take().unwrap()).unwrap();
        let told = said(&mut self.lines, "told ");
        assert!(self.child.wait().unwrap().success());
        told
    }
}

/// Its lease was taken over and the operation completed: it changes nothing, and is told the result.
fn ended_by_others(site: &Site) {
    let mut stopped = Stopped::new("hold takeover", site);
    let (reply, owner) = claim(&stopped.store, OnLost::Takeover);
    let Reply::Owned { fence, given: Given::TakenOver, .. } = reply else { panic!("{reply:?}") };
    let payload = Payload::within(9, 0, &b"good"[..]);
    let end = Verb::Complete(Hold { owner, fence }, payload.clone());
    assert_eq!(stopped.store.step(&address(0), end, PATIENCE), Ok(Reply::Done));
    let told = stopped.go_on();
    assert!(told.starts_with("EndedMeanwhile") && told.contains(&fence.to_string()), "{told}");
    let (Reply::Replay(ended), _) = claim(&stopped.store, OnLost::Takeover) else {
        panic!("not replayed")
    };
    assert_eq!((ended.payload, ended.fence), (payload, fence));
}

/// Its lease was taken over by one who still runs: it changes nothing.
fn run_by_others(site: &Site) {
    let mut stopped = Stopped::new("hold takeover", site);
    let (reply, _) = claim(&stopped.store, OnLost::Takeover);
    assert!(matches!(reply, Reply::Owned { .. }), "{reply:?}");
    assert_eq!(stopped.go_on(), "LeaseLost");
    let (reply, _) = claim(&stopped.store, OnLost::Takeover);
    assert!(matches!(reply, Reply::InProgress { .. }), "{reply:?}");
}

/// Where nobody may run it again it was quarantined; then its result is known after all, and kept.
fn given_up(site: &Site) {
    let mut stopped = Stopped::new("hold quarantine", site);
    let (reply, _) = claim(&stopped.store, OnLost::Quarantine);
    assert!(matches!(reply, Reply::OutcomeUnknown { noticed: true, .. }), "{reply:?}");
    assert_eq!(stopped.go_on(), "Done");
    let (Reply::Replay(ended), _) = claim(&stopped.store, OnLost::Quarantine) else {
        panic!("not replayed")
    };
    assert_eq!(ended.payload, Payload::within(9, 0, &b"late"[..]));
}

on_each_store! {
    /// What others said stays.
    a_stopped_owner_is_told_how_others_ended_it: ended_by_others;
    /// What others run stays theirs.
    a_stopped_owner_does_not_end_what_is_anothers: run_by_others;
    /// A known result is never stranded.
    a_stopped_owner_ends_its_own_quarantine: given_up;
}
