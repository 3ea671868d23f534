//! Real processes on one file: killed, stopped, forked and ended at any moment.
//!
//! The test runs itself again as a worker (`worker::worker_process`). `SEAWALL_KILLS` says how many
//! kills there are in each run; without it there are a few dozen.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

#[path = "../folder/mod.rs"]
mod folder;

mod ends;
mod kills;
mod stops;
mod worker;

use folder::Folder;
use seawall::stores::clock::Machine;
use seawall::stores::registry::open;
use seawall::stores::{Address, Store};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

fn address(key: u64) -> Address {
    Address::new("app", "run", &key.to_be_bytes()).unwrap()
}

/// A worker of this role, on a file in this folder.
fn worker(role: &str, folder: &Folder, url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--quiet", "worker::worker_process"])
        .env("SEAWALL_ROLE", role)
        .env("SEAWALL_URL", url)
        .env("SEAWALL_LEDGER", folder.file("ledger"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn store(url: &str) -> Store {
    open(url, &Machine::real()).unwrap()
}

/// What a worker says after these words; a test's harness also writes there.
fn said(lines: &mut BufReader<ChildStdout>, begins: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it said {begins:?}");
        if let Some(at) = line.find(begins) {
            return line[at + begins.len()..].trim().to_owned();
        }
    }
}

/// The file is whole, as SQLite sees it.
fn is_whole(folder: &Folder) {
    let file = rusqlite::Connection::open(folder.file("store.db")).unwrap();
    let said: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
}
