//! Crowds, forks, and ends in the middle of operations.

use super::{Folder, PATIENCE, is_whole, said, store, worker};
use seawall::stores::{Prefix, Store};
use std::io::{BufReader, Write};

fn in_progress(store: &Store) -> u64 {
    store.tally(&Prefix::default(), PATIENCE).unwrap().by_state[0]
}

/// A store that is open in several threads goes through forks: each child has locks of its own,
/// nothing is lost, nobody waits for ever.
fn forks_with_an_open_store(options: &str) {
    let folder = Folder::new();
    let url = folder.url(options);
    let output = worker("fork", &folder, &url).wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let claimed: u64 =
        said.split("claimed ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    is_whole(&folder);
    assert_eq!(in_progress(&store(&url)), claimed + 30);
}

/// A hundred calls of one operation at once, in four processes: one runs it, all have its result.
fn a_hundred_duplicates(options: &str) {
    let folder = Folder::new();
    let url = folder.url(options);
    let mut workers: Vec<_> = (0..4).map(|_| worker("crowd", &folder, &url)).collect();
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
    assert_eq!(std::fs::read_to_string(folder.file("ledger")).unwrap(), "run\n");
}

/// With the disk waited for.
#[test]
fn of_duplicates_in_four_processes_one_runs_full() {
    a_hundred_duplicates("durability=full");
}

/// Without.
#[test]
fn of_duplicates_in_four_processes_one_runs_relaxed() {
    a_hundred_duplicates("durability=relaxed");
}

/// With the writer's thread.
#[test]
fn an_open_store_is_forked_full() {
    forks_with_an_open_store("durability=full");
}

/// On the callers' own.
#[test]
fn an_open_store_is_forked_relaxed() {
    forks_with_an_open_store("durability=relaxed");
}

/// Records in memory are one process's.
#[test]
fn a_child_begins_with_an_empty_memory() {
    let folder = Folder::new();
    let status = worker("fork memory", &folder, "memory://").wait().unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
}

/// A process ends while its operations are under way: without a crash, and what it leaves is whole.
#[test]
fn a_process_ends_with_operations_under_way() {
    let folder = Folder::new();
    let url = folder.url("durability=full");
    for _ in 0..50 {
        let status = worker("exit", &folder, &url).wait().unwrap();
        assert_eq!(status.code(), Some(0), "{status}");
    }
    is_whole(&folder);
    assert!(in_progress(&store(&url)) <= 50);
}
