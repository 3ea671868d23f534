//! Connections that are lost, and servers that go.

use crate::conformance::{PATIENCE, Place, address, kept, new_owner, terms};
use crate::proxy::Proxy;
use crate::server::{Server, kill, since};
use crate::{Schema, claim, try_claim};
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::{Claim, Given, Hold, Reply, Verb};
use seawall::stores::record::{OnLost, Owner};
use seawall::stores::registry::open;
use seawall::stores::{Op, Store, StoreError};
use seawall::time::{Clock, System};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

/// Far longer than any of the times that the stores below are given.
const SOON: Duration = Duration::from_secs(20);

fn claim_as(store: &Store, key: &[u8], owner: Owner) -> Result<Reply, StoreError> {
    let terms =
        seawall::stores::idempotency::Terms { on_lost: OnLost::Quarantine, ..Default::default() };
    let claim = Claim { owner, fingerprint: None, terms };
    store.step(&address(key), Verb::Claim(claim), PATIENCE)
}

/// The answer of a store that has little patience on a machine that is busy.
fn patiently<T>(ask: impl Fn() -> Result<T, StoreError>) -> T {
    let begun = System.now();
    loop {
        assert!(since(begun) < 5 * PATIENCE, "it never answers");
        match ask() {
            Ok(answer) => return answer,
            Err(
                StoreError::Unavailable(_)
                | StoreError::CutOff(_)
                | StoreError::TimedOut
                | StoreError::Busy(_),
            ) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A claim was kept and its reply lost with the connection: it is asked again, and is the same claim.
#[test]
fn a_lost_reply_is_asked_for_again() {
    let place = Schema::new();
    let proxy = Proxy::new(place.server.port);
    let store = place.store_at(proxy.port, "pool=1");
    store.get(&address(b"key"), PATIENCE).unwrap();
    proxy.lose(1);
    let owner = new_owner();
    let Ok(Reply::Owned { fence, attempt: 1, given: Given::Again, .. }) =
        claim_as(&store, b"key", owner)
    else {
        panic!("its first reply was not lost")
    };
    let kept_there = place.open().get(&address(b"key"), PATIENCE).unwrap().unwrap();
    assert_eq!((kept_there.fence, kept_there.owner), (fence, Some(owner)));
    for (verb, reply) in [
        (Verb::Complete(Hold { owner, fence }, kept("done")), Reply::Done),
        (Verb::Complete(Hold { owner, fence }, kept("done")), Reply::Done),
    ] {
        proxy.lose(1);
        assert_eq!(store.step(&address(b"key"), verb, PATIENCE), Ok(reply));
    }
}

/// Where every reply is lost, the caller hears within its time that nothing is known; whoever asks
/// again with the same owner has its claim, with the fence that it was given first.
#[test]
fn what_is_not_known_is_said_to_be() {
    let place = Schema::new();
    let proxy = Proxy::new(place.server.port);
    let store = place.store_at(proxy.port, "pool=1&timeout=1&connect_timeout=0.5");
    patiently(|| store.get(&address(b"key"), PATIENCE));
    proxy.lose(u32::MAX);
    let owner = new_owner();
    let begun = System.now();
    let told = claim_as(&store, b"key", owner);
    assert!(matches!(told, Err(StoreError::CutOff(_) | StoreError::TimedOut)), "{told:?}");
    // An operator's word said twice would be refused: it is not said again by itself.
    let told = store.step(&address(b"key"), Verb::Reopen, PATIENCE);
    assert!(told.is_err(), "{told:?}");
    assert!(since(begun) < SOON);
    let fence = place.open().get(&address(b"key"), PATIENCE).unwrap().unwrap().fence;
    proxy.lose(0);
    let again = claim_as(&place.store_at(proxy.port, ""), b"key", owner);
    assert!(
        matches!(again, Ok(Reply::Owned { fence: given, attempt: 1, .. }) if given == fence),
        "{again:?}"
    );
}

/// Runs operations, asking again where nothing was answered; each must run once.
fn run(store: &Store, name: &str, stop: &AtomicBool, ran: &AtomicU32) {
    for number in 0.. {
        if stop.load(SeqCst) {
            return;
        }
        let key = format!("{name} {number}");
        let owner = new_owner();
        let reply = patiently(|| claim_as(store, key.as_bytes(), owner));
        let Reply::Owned { fence, attempt: 1, .. } = reply else { panic!("{key}: {reply:?}") };
        let end = Verb::Complete(Hold { owner, fence }, kept(&key));
        let done = patiently(|| store.step(&address(key.as_bytes()), end.clone(), PATIENCE));
        assert_eq!(done, Reply::Done, "{key}");
        ran.fetch_add(1, SeqCst);
    }
}

/// Tells threads to stop when it goes.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Does this while operations run, and lets some of them run after each time.
fn under_load(store: &Store, times: usize, mut strike: impl FnMut()) -> u32 {
    let (stop, ran) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let workers: Vec<_> = ["a", "b", "c", "d"]
            .map(|name| {
                let (stop, ran) = (&stop, &ran);
                scope.spawn(move || run(store, name, stop, ran))
            })
            .into();
        // Also if this panics: the scope waits for its threads.
        let _stops = Stops(&stop);
        for _ in 0..times {
            let before = ran.load(SeqCst);
            while ran.load(SeqCst) < before + 20
                && !workers.iter().any(ScopedJoinHandle::is_finished)
            {
                std::thread::yield_now();
            }
            strike();
        }
    });
    ran.into_inner()
}

fn completed(store: &Store) -> u64 {
    let all = seawall::stores::Prefix::default();
    store.tally(&all, PATIENCE).unwrap().of(seawall::stores::record::StateName::Completed)
}

/// Connections are ended by an administrator, again and again: nobody's operation is lost or run
/// twice.
#[test]
fn connections_that_are_ended_are_made_again() {
    let place = Schema::new();
    let store = place.store("application_name=ended&pool=4");
    let admin = place.server.admin();
    let ran = under_load(&store, 30, || {
        admin.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ended'",
        );
    });
    assert_eq!(completed(&store), u64::from(ran));
}

/// The server and all its processes are killed under load, and started again: what was answered was
/// kept, nothing runs twice.
#[test]
fn a_server_that_is_killed_loses_nothing() {
    let server = Server::new(&["max_connections=30"]);
    let store = open(&server.url("timeout=30&connect_timeout=20"), &Machine::real()).unwrap();
    let ran = under_load(&store, 3, || {
        server.kill();
        server.start();
    });
    assert_eq!(completed(&store), u64::from(ran));
}

/// A server that is stopped answers nobody: each hears so in its time, and when it goes on so do they.
#[test]
fn a_server_that_is_stopped_is_not_waited_for_longer_than_told() {
    let server = Server::new(&["fsync=off"]);
    let url = server.url("timeout=1&connect_timeout=0.5&pool=2");
    let store = open(&url, &Machine::real()).unwrap();
    let owner = new_owner();
    let Reply::Owned { fence, .. } = patiently(|| claim_as(&store, b"key", owner)) else {
        panic!("not given")
    };
    let stopped = server.processes();
    for process in &stopped {
        kill(*process, libc::SIGSTOP);
    }
    let begun = System.now();
    let end = Verb::Complete(Hold { owner, fence }, kept("done"));
    let asked: Vec<_> =
        (0..20).map(|_| store.submit(Op::Step(address(b"key"), end.clone()))).collect();
    for pending in asked {
        let told = pending.wait(PATIENCE);
        assert!(matches!(told, Err(StoreError::TimedOut | StoreError::Unavailable(_))), "{told:?}");
    }
    assert!(since(begun) < SOON, "{:?}", since(begun));
    for process in stopped {
        kill(process, libc::SIGCONT);
    }
    let done = patiently(|| store.step(&address(b"key"), end.clone(), PATIENCE));
    assert_eq!(done, Reply::Done);
}

/// No server: all who ask hear so when a connection has had its time, also those behind others.
#[test]
fn a_server_that_is_gone_is_said_to_be() {
    let server = Server::new(&["fsync=off"]);
    let url = server.url("connect_timeout=0.5&timeout=60&pool=2");
    let (used, new) =
        (open(&url, &Machine::real()).unwrap(), open(&url, &Machine::real()).unwrap());
    patiently(|| used.get(&address(b"key"), PATIENCE));
    server.kill();
    for store in [used, new] {
        let begun = System.now();
        let asked: Vec<_> = (0..50).map(|_| store.submit(Op::Get(address(b"key")))).collect();
        for pending in asked {
            let told = pending.wait(PATIENCE);
            let Err(StoreError::Unavailable(said) | StoreError::CutOff(said)) = told else {
                panic!("{told:?}")
            };
            assert!(!said.contains(crate::server::PASSWORD), "{said}");
        }
        assert!(since(begun) < SOON, "{:?}", since(begun));
    }
}

/// Another's lock is waited for as long as is said, and nothing is done then.
#[test]
fn a_lock_is_waited_for_as_long_as_is_said() {
    let place = Schema::new();
    let store = place.store("lock_timeout=0.05");
    let hold = claim(&place, &store, b"key").unwrap();
    let admin = place.server.admin();
    for lock in ["UPDATE {} SET attempts = attempts", "DELETE FROM {}"] {
        admin.run(&format!("BEGIN; {}", lock.replace("{}", &place.table())));
        let end = Verb::Complete(hold, kept("done"));
        assert_eq!(store.step(&address(b"key"), end, PATIENCE), Err(StoreError::Busy(50)));
        if lock.starts_with("DELETE") {
            // Whoever comes waits for what becomes of the key.
            assert_eq!(try_claim(&place, &store, b"key"), Err(StoreError::Busy(50)));
        }
        claim(&place, &store, lock.as_bytes()).unwrap();
        admin.run("ROLLBACK");
    }
    let end = Verb::Complete(hold, kept("done"));
    assert_eq!(store.step(&address(b"key"), end, PATIENCE), Ok(Reply::Done));
}

/// A process has no more connections than it may, however many ask, and closing ends them.
#[test]
fn connections_are_no_more_than_may_be() {
    let place = Schema::new();
    let store = place.store("application_name=counted&pool=3");
    let counted = || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'";
        place.server.admin().count(sql)
    };
    assert_eq!(counted(), 0, "it connected before it was asked anything");
    let asked: Vec<_> = (0..60_u8)
        .map(|key| {
            let owner = new_owner();
            let claim = Claim { owner, fingerprint: None, terms: terms(&place) };
            store.submit(Op::Step(address(&[key]), Verb::Claim(claim)))
        })
        .collect();
    for pending in asked {
        pending.wait(PATIENCE).unwrap();
    }
    assert_eq!(counted(), 3);
    store.close();
    let begun = System.now();
    while counted() > 0 {
        assert!(since(begun) < SOON, "closing leaves connections open");
        // Real time: the server notices when it does.
        std::thread::sleep(Duration::from_millis(5));
    }
}
