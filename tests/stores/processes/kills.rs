//! kill -9 at any moment.

use super::worker::LINE;
use super::{PATIENCE, Site, address, store, worker};
use crate::on_each_store;
use seawall::random::{Random, Thread};
use seawall::stores::backend::{Answer, Op, Walk};
use seawall::stores::record::{Payload, Record, State};
use seawall::stores::{Address, Prefix, Store};
use seawall::time::{Clock, SECOND, System};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

const WORKERS: usize = 3;
/// How many of them are killed for each time that their server is.
const KILLS_A_DISTURBANCE: usize = 10;

/// How many kills there are to be.
fn kills() -> usize {
    std::env::var("SEAWALL_KILLS").map_or(40, |kills| kills.parse().unwrap())
}

fn all(store: &Store) -> BTreeMap<Address, Record> {
    let mut found = BTreeMap::new();
    let mut after = None;
    loop {
        let walk = Walk { within: Prefix::default(), after, most: 500 };
        let answer = store.call(Op::List(walk, None), PATIENCE).unwrap();
        let Answer::List(some, next) = answer else { panic!("no list") };
        found.extend(some);
        after = next;
        if after.is_none() {
            return found;
        }
    }
}

/// Who ran each operation, by the ledger: fences in the order in which they ran.
fn runs(site: &Site) -> BTreeMap<u64, Vec<u64>> {
    let ledger = std::fs::read_to_string(site.ledger()).unwrap();
    let mut runs: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for line in ledger.lines() {
        assert_eq!(line.len() + 1, LINE, "{line:?}");
        let (key, fence) = line.split_once(' ').unwrap();
        runs.entry(key.parse().unwrap()).or_default().push(fence.parse().unwrap());
    }
    runs
}

/// Workers run operations while they are killed, one after the other, until enough were, and one
/// of them in the middle of something.
fn under_fire(role: &str, site: &Site, was_hit: impl Fn(&Record) -> bool) -> (Store, usize) {
    let mut workers: Vec<_> = (0..WORKERS).map(|_| worker(role, site)).collect();
    let done = || std::fs::metadata(site.ledger()).map_or(0, |ledger| ledger.len());
    let (store, enough) = (store(&site.url), kills());
    let mut kill = 0;
    while kill < enough || (kill < 50 * enough && !all(&store).values().any(&was_hit)) {
        kill += 1;
        let before = done();
        // Real time: a kill is to come at any moment of what the workers do. Where nothing is done
        // they are starting, which most kills wait for, and some do not.
        std::thread::sleep(Duration::from_secs_f64(0.005 + Thread.share() * 0.04));
        let begun = System.now();
        while !kill.is_multiple_of(4) && done() < before + 3 * LINE as u64 {
            assert!(System.now() - begun < 60 * SECOND, "the workers do nothing");
            std::thread::sleep(Duration::from_millis(1));
        }
        if kill.is_multiple_of(KILLS_A_DISTURBANCE) {
            site.disturb();
        }
        let place = kill % WORKERS;
        // The first of them also before it has opened anything.
        let mut old = std::mem::replace(&mut workers[place], worker(role, site));
        old.kill().unwrap();
        let status = old.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "a worker ended by itself: {status}");
    }
    for mut last in workers {
        last.kill().unwrap();
        last.wait().unwrap();
    }
    site.is_whole();
    (store, kill)
}

/// Where one run is allowed, there is no second, whoever was killed when; where it is not known
/// whether there was one, nobody says that there was.
fn at_most_once(site: &Site) {
    let is_lost = |record: &Record| record.state == State::Quarantined;
    let (store, kills) = under_fire("run quarantine", site, is_lost);
    let (records, runs) = (all(&store), runs(site));
    let doubles: Vec<_> =
        runs.iter().filter(|(_, fences)| fences.len() > 1).map(|(key, _)| key).collect();
    let (mut completed, mut lost) = (0, 0);
    for (address, record) in &records {
        match &record.state {
            State::Completed(payload) => {
                completed += 1;
                let fence = record.fence.to_be_bytes();
                assert_eq!(*payload, Payload::within(100, 0, fence), "{address:?}");
            }
            State::InProgress { .. } | State::Quarantined => lost += 1,
            other => panic!("{address:?} is {other:?}"),
        }
    }
    let (effects, twice) = (runs.len(), doubles.len());
    println!(
        "{}, at most once: {kills} kills, {effects} effects, {twice} doubles, {completed} \
         completed, {lost} lost",
        site.name
    );
    assert!(doubles.is_empty(), "these ran twice: {doubles:?}");
    assert!(completed > kills && lost > 0, "the kills hit nothing");
}

/// An operation that completed has one result, of the last that ran it; nobody ran it after that.
fn one_result(site: &Site) {
    let (store, kills) = under_fire("run takeover", site, |record| record.attempts > 1);
    let (records, runs) = (all(&store), runs(site));
    let mut again = 0;
    for (key, fences) in &runs {
        let record = &records[&address(*key)];
        let distinct: BTreeSet<_> = fences.iter().collect();
        assert_eq!(distinct.len(), fences.len(), "two runs of {key} had one fence: {fences:?}");
        assert!(fences.iter().all(|fence| *fence <= record.fence), "{key} ran after its end");
        again += fences.len() - 1;
        if let State::Completed(payload) = &record.state {
            assert!(fences.contains(&record.fence), "{key} completed and did not run");
            assert_eq!(*payload, Payload::within(100, 0, record.fence.to_be_bytes()));
        }
    }
    let taken_over = records.values().filter(|record| record.attempts > 1).count();
    let effects = runs.len();
    println!(
        "{}, one result: {kills} kills, {effects} effects, {again} of them run again, {taken_over} \
         taken over",
        site.name
    );
    assert!(taken_over > 0, "the kills hit nothing");
}

on_each_store! {
    /// Whoever was killed when.
    killed_workers_run_nothing_twice: at_most_once;
    /// However often it was begun.
    killed_workers_leave_one_result: one_result;
}
