//! The suite, unchanged, over a cluster of three primaries; and looks at all of them.

use super::cluster::Cluster;
use super::conformance::{PATIENCE, Place, address, everything};
use super::{claim, store};
use seawall::stores::backend::{Answer, Op, Walk};
use seawall::stores::{Micros, Store, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A part of the cluster that tests share, by a prefix of its own.
struct Part {
    cluster: &'static Cluster,
    prefix: String,
}

impl Part {
    fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("p{}", LAST.fetch_add(1, SeqCst));
        Self { cluster: Cluster::shared(), prefix }
    }
}

impl Place for Part {
    fn open(&self) -> Arc<Store> {
        Arc::new(store(&self.cluster.nodes[0].url(&format!("prefix={}", self.prefix))))
    }
    fn unit(&self) -> Micros {
        // The servers' own time goes on as well: longer than any test takes for its work.
        30 * seawall::stores::SECOND
    }
    fn pass(&self, time: Micros) {
        for node in &self.cluster.nodes {
            node.age(&format!("{}:*", self.prefix), time);
        }
    }
    /// Nobody here has a date that matters.
    fn set_date(&self, _date: Micros) {}
}

crate::conforms!(Part::new());

const MANY: u64 = 100;

fn ask(store: &Store, op: Op) -> Result<Answer, StoreError> {
    store.submit(op).wait(PATIENCE)
}

/// Lists and counts go through all primaries, a stretch at a time: each record is there once, a list
/// is in order, and what is others' stays.
#[test]
fn a_walk_goes_through_all_primaries() {
    let part = Part::new();
    let store = part.open();
    for key in 0..MANY {
        claim(&part, &store, &key.to_be_bytes()).unwrap();
    }
    let others = format!("other-{}", part.prefix);
    let theirs = super::store(&part.cluster.nodes[1].url(&format!("prefix={others}")));
    claim(&part, &theirs, b"theirs").unwrap();
    let held: Vec<usize> = part
        .cluster
        .nodes
        .iter()
        .map(|node| {
            let mut admin = node.admin();
            let pattern = format!("{}:*", part.prefix);
            redis::cmd("KEYS").arg(pattern).query::<Vec<Vec<u8>>>(&mut admin).unwrap().len()
        })
        .collect();
    assert!(held.iter().all(|count| *count > 0), "one has nothing: {held:?}");

    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let look = Walk { within: everything(), after, most: 7 };
        let Ok(Answer::List(records, next)) = ask(&store, Op::List(look, None)) else {
            panic!("no list")
        };
        listed.extend(records.into_iter().map(|(address, _)| address));
        after = next;
        if after.is_none() {
            break;
        }
    }
    let wanted: BTreeSet<_> = (0..MANY).map(|key| address(&key.to_be_bytes())).collect();
    assert_eq!(listed, wanted.into_iter().collect::<Vec<_>>());

    part.pass(100 * part.unit());
    let (mut expired, mut swept, mut stretches) = (0, 0, 0);
    for is_sweep in [false, true] {
        let mut after = None;
        loop {
            let look = Walk { within: everything(), after, most: 1 };
            let op = if is_sweep { Op::Sweep(look) } else { Op::Tally(look) };
            after = match ask(&store, op).unwrap() {
                Answer::Tally(tally, next) => {
                    expired += tally.expired;
                    next
                }
                Answer::Swept(count, next) => {
                    swept += count;
                    next
                }
                other => panic!("{other:?}"),
            };
            stretches += 1;
            if after.is_none() {
                break;
            }
        }
    }
    assert_eq!((expired, swept), (MANY, MANY));
    assert!(stretches >= 6, "{stretches} stretches are too few for three primaries");
    assert_eq!(theirs.tally(&everything(), PATIENCE).unwrap().by_state.iter().sum::<u64>(), 1);
}

/// Whoever may do what a store needs, and ask who has which slots, needs no more in a cluster.
#[test]
fn few_rights_are_enough() {
    let part = Part::new();
    let rights = [
        "ACL",
        "SETUSER",
        "some",
        "on",
        ">pw",
        "~*",
        "+evalsha",
        "+eval",
        "+time",
        "+hmget",
        "+hget",
        "+hset",
        "+hdel",
        "+exists",
        "+pexpireat",
        "+persist",
        "+del",
        "+scan",
        "+cluster|slots",
        "+asking",
    ];
    for node in &part.cluster.nodes {
        node.run(&rights);
    }
    let url = part.cluster.nodes[2].url(&format!("prefix={}", part.prefix));
    let store = store(&url.replacen("redis://", "redis://some:pw@", 1));
    for key in 0..20_u64 {
        claim(&part, &store, &key.to_be_bytes()).unwrap();
    }
    let tally = store.tally(&everything(), PATIENCE).unwrap();
    assert_eq!(tally.by_state.iter().sum::<u64>(), 20);
}
