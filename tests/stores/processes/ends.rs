//! Crowds, forks, and ends in the middle of operations.

use super::{PATIENCE, Site, said, store, worker};
use crate::on_each_store;
use seawall::stores::{Prefix, Store};
use std::io::{BufReader, Write};

fn in_progress(store: &Store) -> u64 {
    store.tally(&Prefix::default(), PATIENCE).unwrap().by_state[0]
}

/// A store that is open in several threads goes through forks: each child has locks of its own,
/// nothing is lost, nobody waits for ever.
fn forks_with_an_open_store(site: &Site) {
    let output = worker("fork", site).wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let claimed: u64 =
        said.split("claimed ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    site.is_whole();
    assert_eq!(in_progress(&store(&site.url)), claimed + 30);
}

/// A hundred calls of one operation at once, in four processes: one runs it, all have its result.
fn a_hundred_duplicates(site: &Site) {
    let mut workers: Vec<_> = (0..4).map(|_| worker("crowd", site)).collect();
    let mut lines: Vec<_> =
        workers.iter_mut().map(|worker| BufReader::new(worker.stdout.take().unwrap())).collect();
    for lines in &mut lines {
        said(lines, "ready");
    }
    for worker in &mut workers {
        writeln!(worker.stdin.take().unwrap()).unwrap();
    }
    for (worker, lines) in workers.iter_mut().zip(&mut lines) {
        assert_eq!(said(lines, "replayed "), "25");
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(std::fs::read_to_string(site.ledger()).unwrap(), "run\n");
}

/// Records in memory are one process's.
#[test]
fn a_child_begins_with_an_empty_memory() {
    let site = Site::memory();
    let status = worker("fork memory", &site).wait().unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
}

/// A process ends while its operations are under way: without a crash, and what it leaves is whole.
fn a_process_ends(site: &Site) {
    for _ in 0..50 {
        let status = worker("exit", site).wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
    }
    site.is_whole();
    assert!(in_progress(&store(&site.url)) <= 50);
}

on_each_store! {
    /// Also across processes, one runs and all have its result.
    of_duplicates_in_four_processes_one_runs: a_hundred_duplicates;
    /// Parent and child both go on.
    an_open_store_is_forked: forks_with_an_open_store;
    /// At any moment.
    a_process_ends_with_operations_under_way: a_process_ends;
}
