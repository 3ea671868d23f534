//! Processes that are stopped past their lease, and go on.

use super::worker::{owner, terms};
use super::{Folder, PATIENCE, address, said, worker};
use seawall::stores::Store;
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::{Claim, Given, Hold, Reply, Terms, Verb};
use seawall::stores::record::{OnLost, Payload};
use seawall::stores::registry::open;
use seawall::time::{Clock, Nanos, SECOND, System};
use std::io::{BufReader, Write};
use std::process::{Child, ChildStdout};
use std::sync::Arc;

/// The machine's own clock, a minute later: to this process the other's lease is over.
struct Later;

impl Clock for Later {
    fn now(&self) -> Nanos {
        System.now() + 60 * SECOND
    }
    fn coarse(&self) -> Nanos {
        self.now()
    }
    fn date(&self) -> Nanos {
        System.date() + 60 * SECOND
    }
}

fn later(url: &str) -> Store {
    open(url, &Machine { clock: Arc::new(Later), ..Machine::real() }).unwrap()
}

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
    _folder: Folder,
}

impl Stopped {
    fn new(role: &str) -> Self {
        let folder = Folder::new();
        let url = folder.url("durability=full");
        let mut child = worker(role, &folder, &url);
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        said(&mut lines, "holding ");
        signal(&child, libc::SIGSTOP);
        Self { child, lines, store: later(&url), _folder: folder }
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
#[test]
fn a_stopped_owner_is_told_how_others_ended_it() {
    let mut stopped = Stopped::new("hold takeover");
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
#[test]
fn a_stopped_owner_does_not_end_what_is_anothers() {
    let mut stopped = Stopped::new("hold takeover");
    let (reply, _) = claim(&stopped.store, OnLost::Takeover);
    assert!(matches!(reply, Reply::Owned { .. }), "{reply:?}");
    assert_eq!(stopped.go_on(), "LeaseLost");
    let (reply, _) = claim(&stopped.store, OnLost::Takeover);
    assert!(matches!(reply, Reply::InProgress { .. }), "{reply:?}");
}

/// Where nobody may run it again it was quarantined; then its result is known after all, and kept.
#[test]
fn a_stopped_owner_ends_its_own_quarantine() {
    let mut stopped = Stopped::new("hold quarantine");
    let (reply, _) = claim(&stopped.store, OnLost::Quarantine);
    assert!(matches!(reply, Reply::OutcomeUnknown { noticed: true, .. }), "{reply:?}");
    assert_eq!(stopped.go_on(), "Done");
    let (Reply::Replay(ended), _) = claim(&stopped.store, OnLost::Quarantine) else {
        panic!("not replayed")
    };
    assert_eq!(ended.payload, Payload::within(9, 0, &b"late"[..]));
}
