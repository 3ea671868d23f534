//! The server killed, stopped, emptied, gone; its answers lost.

use super::proxy::Proxy;
use super::valkey::{Server, since};
use super::{PATIENCE, store};
use crate::conformance::{address, kept, new_owner};
use seawall::stores::idempotency::{Claim, Given, Hold, Reply, Terms, Verb};
use seawall::stores::record::{OnLost, Owner};
use seawall::stores::{Op, Store, StoreError};
use seawall::time::{Clock, System};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

fn step(store: &Store, key: u64, verb: Verb) -> Result<Reply, StoreError> {
    store.step(&address(&key.to_be_bytes()), verb, PATIENCE)
}

fn claim_as(store: &Store, key: u64, owner: Owner) -> Result<Reply, StoreError> {
    let terms = Terms { on_lost: OnLost::Quarantine, ..Terms::default() };
    step(store, key, Verb::Claim(Claim { owner, fingerprint: None, terms }))
}

fn claim(store: &Store, key: u64) -> Result<Reply, StoreError> {
    claim_as(store, key, new_owner())
}

fn hold(store: &Store, key: u64) -> Hold {
    let owner = new_owner();
    match claim_as(store, key, owner) {
        Ok(Reply::Owned { fence, .. }) => Hold { owner, fence },
        other => panic!("not given: {other:?}"),
    }
}

/// A server that is killed and comes back under load: all that was acknowledged is there, nothing
/// was given twice, and those who were asking go on by themselves.
#[test]
fn a_server_is_killed_under_load() {
    let server = Server::safe();
    let store = store(&server.url(""));
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (given, ended) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    // Two threads at each key.
                    let key = next.fetch_add(1, SeqCst) / 2;
                    let owner = new_owner();
                    let Ok(Reply::Owned { fence, .. }) = claim_as(&store, key, owner) else {
                        continue;
                    };
                    given.lock().unwrap().push(key);
                    let end = Verb::Complete(Hold { owner, fence }, kept(&key.to_string()));
                    if step(&store, key, end).is_ok_and(|reply| reply == Reply::Done) {
                        ended.lock().unwrap().push(key);
                    }
                }
            });
        }
        for _ in 0..5 {
            let before = ended.lock().unwrap().len();
            // Real time: what is under load is waited for until it has done something.
            while ended.lock().unwrap().len() < before + 50 {
                std::thread::sleep(Duration::from_millis(1));
            }
            server.kill();
            server.start();
        }
        stop.store(true, SeqCst);
    });
    let (mut given, ended) = (given.into_inner().unwrap(), ended.into_inner().unwrap());
    let count = given.len();
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), count, "an operation was given twice");
    assert!(ended.len() >= 250);
    for key in ended {
        let Ok(Reply::Replay(end)) = claim(&store, key) else { panic!("{key} was forgotten") };
        assert_eq!(end.payload, kept(&key.to_string()));
    }
    assert_eq!(store.counted().mismatched, 0);
}

/// A server that stands still is waited for as long as was said; when it goes on, so do we.
#[test]
fn a_server_is_stopped() {
    let server = Server::safe();
    let store = store(&server.url("timeout=1&connect_timeout=1"));
    let held = hold(&store, 1);
    server.signal(libc::SIGSTOP);
    let begun = System.now();
    assert_eq!(claim(&store, 2), Err(StoreError::TimedOut));
    // Its system still takes connections for it.
    let said = claim(&store, 3);
    assert!(matches!(said, Err(StoreError::Unavailable(_))), "{said:?}");
    assert!(since(begun) < Duration::from_secs(5), "{:?}", since(begun));
    server.signal(libc::SIGCONT);
    assert_eq!(step(&store, 1, Verb::Complete(held, kept("good"))), Ok(Reply::Done));
}

/// What was done and not answered is asked again: by the owner itself or, where the connection was
/// lost, by the store. Either way it is the same claim.
#[test]
fn an_answer_is_lost_after_it_was_done() {
    let server = Server::safe();
    let proxy = Proxy::new(server.port);
    let store = store(&format!("redis://127.0.0.1:{}", proxy.port));
    hold(&store, 0);
    let owner = new_owner();
    proxy.lose(1);
    let Ok(Reply::Owned { fence, attempt: 1, given: Given::Again, .. }) =
        claim_as(&store, 1, owner)
    else {
        panic!("another's")
    };
    let Ok(Reply::Owned { fence: again, given: Given::Again, .. }) = claim_as(&store, 1, owner)
    else {
        panic!("another's")
    };
    assert_eq!(fence, again);
    let held = Hold { owner, fence };
    for (verb, key) in [(Verb::Complete(held, kept("good")), 1), (Verb::Release(held), 2)] {
        let held = if key == 2 { hold(&store, key) } else { held };
        let verb = if key == 2 { Verb::Release(held) } else { verb };
        proxy.lose(1);
        assert_eq!(step(&store, key, verb), Ok(Reply::Done));
        assert!(proxy.has_lost());
    }
}

/// What an operator decided is not decided again by itself: he is told that it is not known.
#[test]
fn an_operators_answer_is_lost() {
    let server = Server::safe();
    let proxy = Proxy::new(server.port);
    let store = store(&format!("redis://127.0.0.1:{}", proxy.port));
    let held = hold(&store, 1);
    assert_eq!(step(&store, 1, Verb::Quarantine(held)), Ok(Reply::Done));
    proxy.lose(1);
    let said = step(&store, 1, Verb::Reopen);
    assert!(matches!(said, Err(StoreError::CutOff(_))), "{said:?}");
    assert!(matches!(claim(&store, 1), Ok(Reply::Owned { given: Given::Released, .. })));
}

/// One that cuts each answer is given up, and it is said that nothing is known.
#[test]
fn a_connection_that_is_lost_each_time_is_given_up() {
    let server = Server::safe();
    let proxy = Proxy::new(server.port);
    let store = store(&format!("redis://127.0.0.1:{}?connect_timeout=1", proxy.port));
    hold(&store, 0);
    proxy.lose(u32::MAX);
    let said = claim(&store, 1);
    assert!(matches!(said, Err(StoreError::CutOff(_))), "{said:?}");
}

/// Nobody is there, or somebody who never says a word: that is known within the time that a
/// connection may take, by all who ask at once.
#[test]
fn a_server_that_is_gone_is_known_to_be() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for port in [gone, silent.local_addr().unwrap().port()] {
        let store = store(&format!("redis://127.0.0.1:{port}?connect_timeout=0.2"));
        let begun = System.now();
        let asked: Vec<_> =
            (0..50_u64).map(|key| store.submit(Op::Get(address(&key.to_be_bytes())))).collect();
        for pending in asked {
            let said = pending.wait(PATIENCE);
            assert!(matches!(said, Err(StoreError::Unavailable(_))), "{said:?}");
        }
        assert!(since(begun) < Duration::from_secs(2), "{:?}", since(begun));
    }
}

/// A server that comes back within the time that a connection may take was never missed.
#[test]
fn a_short_absence_is_waited_out() {
    let server = Server::safe();
    let store = store(&server.url("connect_timeout=30&timeout=60"));
    let held = hold(&store, 1);
    server.kill();
    let asked =
        store.submit(Op::Step(address(&1_u64.to_be_bytes()), Verb::Complete(held, kept("good"))));
    server.start();
    assert_eq!(asked.wait(PATIENCE), Ok(seawall::stores::Answer::Reply(Reply::Done)));
}

/// More than may wait are refused at once, and told so.
#[test]
fn more_than_may_wait_are_refused() {
    let server = Server::safe();
    let store = store(&server.url("max_waiting=3&timeout=60"));
    hold(&store, 0);
    server.signal(libc::SIGSTOP);
    let ask = |key: u64| store.submit(Op::Get(address(&key.to_be_bytes())));
    let waiting = [ask(1), ask(2), ask(3)];
    assert_eq!(ask(4).wait(PATIENCE), Err(StoreError::Overloaded(3)));
    server.signal(libc::SIGCONT);
    for pending in waiting {
        assert!(pending.wait(PATIENCE).is_ok());
    }
    assert!(ask(5).wait(PATIENCE).is_ok());
}

/// A server that was emptied has forgotten its records; fences grow all the same. One that forgot
/// the script is told it again.
#[test]
fn a_server_is_emptied() {
    let server = Server::safe();
    let store = store(&server.url(""));
    let mut last = 0;
    for _ in 0..20 {
        let held = hold(&store, 1);
        assert!(held.fence > last);
        last = held.fence;
        server.run(&["FLUSHALL"]);
        assert_eq!(step(&store, 1, Verb::Complete(held, kept("late"))), Ok(Reply::LeaseLost));
        server.run(&["SCRIPT", "FLUSH"]);
    }
}

/// After a failover the old server is a replica, which takes no writes: the new one is found where
/// the name leads.
#[test]
fn the_primary_changes() {
    let (old, new) = (Server::safe(), Server::safe());
    let proxy = Proxy::new(old.port);
    let store = store(&format!("redis://127.0.0.1:{}", proxy.port));
    hold(&store, 1);
    old.run(&["REPLICAOF", "127.0.0.1", &new.port.to_string()]);
    proxy.lead_to(new.port);
    hold(&store, 2);
    assert!(matches!(claim(&store, 2), Ok(Reply::InProgress { .. })));
}
