//! Slots of a cluster that move, and nodes that are killed.

use super::cluster::Cluster;
use super::conformance::{PATIENCE, address, everything, kept, new_owner};
use super::store;
use super::valkey::since;
use seawall::stores::idempotency::{Claim, Hold, Reply, Terms, Verb};
use seawall::stores::{Store, StoreError};
use seawall::time::{Clock, System};
use std::time::Duration;

fn claim(store: &Store, key: u64) -> Result<Reply, StoreError> {
    let claim = Claim { owner: new_owner(), fingerprint: None, terms: Terms::default() };
    store.step(&address(&key.to_be_bytes()), Verb::Claim(claim), PATIENCE)
}

fn hold(store: &Store, key: u64) -> Hold {
    let owner = new_owner();
    let claim = Claim { owner, fingerprint: None, terms: Terms::default() };
    match store.step(&address(&key.to_be_bytes()), Verb::Claim(claim), PATIENCE) {
        Ok(Reply::Owned { fence, .. }) => Hold { owner, fence },
        other => panic!("not given: {other:?}"),
    }
}

fn complete(store: &Store, key: u64, hold: Hold) -> Result<Reply, StoreError> {
    store.step(&address(&key.to_be_bytes()), Verb::Complete(hold, kept("good")), PATIENCE)
}

/// A key whose slot this node has.
fn key_at(cluster: &Cluster, node: usize, from: u64) -> (u64, u16) {
    let place = |key: u64| (key, cluster.place(&address(&key.to_be_bytes())));
    let found = (from..from + 1000).map(place).find(|(_, (_, at))| *at == node);
    found.map(|(key, (slot, _))| (key, slot)).unwrap()
}

/// A slot goes from node to node while it is used: what is there is found, what is new comes to
/// where it goes, nothing is given twice or counted twice, and when it has arrived all of it is
/// found there.
#[test]
fn a_slot_moves_while_it_is_used() {
    let cluster = Cluster::new(&["--save", ""]);
    let store = store(&cluster.nodes[0].url(""));
    let (old, slot) = key_at(&cluster, 1, 0);
    let (new, other_slot) = key_at(&cluster, 1, old + 1);
    let held = hold(&store, old);
    cluster.is_moving(slot, 1, 2);
    cluster.is_moving(other_slot, 1, 2);
    // There already.
    assert!(matches!(claim(&store, old), Ok(Reply::InProgress { .. })));
    // Not there: the node that will have it is asked.
    let given = hold(&store, new);
    assert!(matches!(claim(&store, new), Ok(Reply::InProgress { .. })));
    let count = |at: usize| match cluster.nodes[at].run(&["DBSIZE"]) {
        redis::Value::Int(count) => count,
        other => panic!("{other:?}"),
    };
    assert_eq!((count(1), count(2)), (1, 1), "it went the wrong way");
    let tally = store.tally(&everything(), PATIENCE).unwrap();
    assert_eq!(tally.by_state.iter().sum::<u64>(), 2);
    assert_eq!(complete(&store, old, held), Ok(Reply::Done));
    cluster.has_moved(slot, 1, 2);
    cluster.has_moved(other_slot, 1, 2);
    assert_eq!(count(1), 0);
    // Who knew the old place is sent on, and so is a store that begins at another node.
    assert_eq!(complete(&store, new, given), Ok(Reply::Done));
    for store in [&store, &super::store(&cluster.nodes[2].url(""))] {
        for key in [old, new] {
            assert!(matches!(claim(store, key), Ok(Reply::Replay(_))));
        }
    }
}

/// A node is killed: who asks for its keys hears so within the time that a connection may take, all
/// others go on, and when it is back so do its keys, as they were.
#[test]
fn a_node_is_killed() {
    let cluster = Cluster::new(&["--appendonly", "yes", "--appendfsync", "always"]);
    // The node that was named is the one that goes.
    let store = store(&cluster.nodes[0].url("connect_timeout=0.5&timeout=5"));
    let keys: Vec<_> = (0..3).map(|node| key_at(&cluster, node, 0).0).collect();
    let held: Vec<_> = keys.iter().map(|key| hold(&store, *key)).collect();
    cluster.nodes[0].kill();
    for _ in 0..3 {
        let begun = System.now();
        let said = complete(&store, keys[0], held[0]);
        assert!(
            matches!(said, Err(StoreError::Unavailable(_) | StoreError::CutOff(_))),
            "{said:?}"
        );
        assert!(since(begun) < Duration::from_secs(3), "{:?}", since(begun));
        for at in [1, 2] {
            assert!(matches!(claim(&store, keys[at]), Ok(Reply::InProgress { .. })));
        }
    }
    // Of some only is no count of all.
    let said = store.tally(&everything(), PATIENCE);
    assert!(matches!(said, Err(StoreError::Unavailable(_) | StoreError::CutOff(_))), "{said:?}");
    cluster.nodes[0].start();
    cluster.agrees();
    for (key, held) in keys.iter().zip(held) {
        assert_eq!(complete(&store, *key, held), Ok(Reply::Done));
    }
    assert_eq!(store.tally(&everything(), PATIENCE).unwrap().by_state.iter().sum::<u64>(), 3);
}

/// A node that stands still holds up nobody but those who ask for its keys, and them no longer than
/// was said; when it goes on, so do they.
#[test]
fn a_node_stands_still() {
    let cluster = Cluster::new(&["--save", ""]);
    let store = store(&cluster.nodes[1].url("connect_timeout=0.5&timeout=1"));
    let keys: Vec<_> = (0..3).map(|node| key_at(&cluster, node, 0).0).collect();
    let held: Vec<_> = keys.iter().map(|key| hold(&store, *key)).collect();
    cluster.nodes[1].signal(libc::SIGSTOP);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let begun = System.now();
                let said = claim(&store, keys[1]);
                assert!(
                    matches!(said, Err(StoreError::TimedOut | StoreError::Unavailable(_))),
                    "{said:?}"
                );
                assert!(since(begun) < Duration::from_secs(3), "{:?}", since(begun));
            });
        }
        for at in [0, 2, 0, 2] {
            assert!(matches!(claim(&store, keys[at]), Ok(Reply::InProgress { .. })));
        }
    });
    assert!(claim(&store, keys[1]).is_err());
    assert!(matches!(claim(&store, keys[0]), Ok(Reply::InProgress { .. })));
    cluster.nodes[1].signal(libc::SIGCONT);
    cluster.agrees();
    for (key, held) in keys.iter().zip(held) {
        assert_eq!(complete(&store, *key, held), Ok(Reply::Done));
    }
}

/// A slot that is nobody's is waited for as long as a connection may take, and used when it is
/// somebody's again.
#[test]
fn a_slot_is_nobodys_for_a_while() {
    let cluster = Cluster::new(&["--save", ""]);
    let store = store(&cluster.nodes[0].url("connect_timeout=0.5"));
    let (key, slot) = key_at(&cluster, 1, 0);
    hold(&store, key_at(&cluster, 1, key + 1).0);
    let slot = slot.to_string();
    cluster.nodes[1].run(&["CLUSTER", "DELSLOTS", &slot]);
    let begun = System.now();
    let said = claim(&store, key);
    assert!(matches!(said, Err(StoreError::Unavailable(_))), "{said:?}");
    assert!(since(begun) < Duration::from_secs(3), "{:?}", since(begun));
    cluster.nodes[1].run(&["CLUSTER", "ADDSLOTS", &slot]);
    hold(&store, key);
}

/// A replica takes its primary's place, and the primary is gone: its keys are found where they are
/// now. A replica may be named, too: it says who has what, and is asked for nothing else.
#[test]
fn a_replica_takes_its_primarys_place() {
    let mut cluster = Cluster::new(&["--save", ""]);
    let replica = cluster.add_replica(1);
    let stores = [0, replica].map(|at| store(&cluster.nodes[at].url("connect_timeout=2")));
    let (key, _) = key_at(&cluster, 1, 0);
    let held = hold(&stores[1], key);
    assert!(matches!(claim(&stores[0], key), Ok(Reply::InProgress { .. })));
    let total = |store: &Store| {
        store.tally(&everything(), PATIENCE).map(|tally| tally.by_state.iter().sum::<u64>())
    };
    assert_eq!(total(&stores[1]), Ok(1));
    cluster.take_over(replica);
    assert!(matches!(claim(&stores[0], key), Ok(Reply::InProgress { .. })));
    cluster.nodes[1].kill();
    for store in &stores {
        assert!(matches!(claim(store, key), Ok(Reply::InProgress { .. })));
        assert_eq!(total(store), Ok(1));
    }
    assert_eq!(complete(&stores[1], key, held), Ok(Reply::Done));
}
