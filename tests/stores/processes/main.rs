//! Real processes on one store: killed, stopped, forked and ended at any moment.
//!
//! The test runs itself again as a worker (`worker::worker_process`). `SEAWALL_KILLS` says how many
//! kills there are in each run; without it there are a few dozen.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

#[path = "../folder/mod.rs"]
mod folder;
#[cfg(any(feature = "redis", feature = "postgresql"))]
#[path = "../servers/guard.rs"]
mod guard;
#[cfg(feature = "postgresql")]
#[path = "../servers/postgresql.rs"]
mod postgresql;
#[cfg(feature = "redis")]
#[path = "../servers/valkey.rs"]
mod valkey;

mod ends;
mod kills;
mod site;
mod stops;
mod worker;

use seawall::stores::clock::Machine;
use seawall::stores::registry::open;
use seawall::stores::{Address, Store};
use site::Site;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

fn address(key: u64) -> Address {
    Address::new("app", "run", &key.to_be_bytes()).unwrap()
}

/// A worker of this role, on the store of this site.
fn worker(role: &str, site: &Site) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--quiet", "worker::worker_process"])
        .env("SEAWALL_ROLE", role)
        .env("SEAWALL_URL", &site.url)
        .env("SEAWALL_LEDGER", site.ledger())
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

/// Each case on each store: a module for each, with what makes its site.
#[macro_export]
macro_rules! on_each_store {
    ($($(#[$says:meta])* $name:ident: $case:expr;)+) => {
        $crate::on_each_store! { @on full $crate::site::Site::file("durability=full");
            $($(#[$says])* $name: $case;)+ }
        $crate::on_each_store! { @on relaxed $crate::site::Site::file("durability=relaxed");
            $($(#[$says])* $name: $case;)+ }
        #[cfg(feature = "redis")]
        $crate::on_each_store! { @on redis $crate::site::Site::redis();
            $($(#[$says])* $name: $case;)+ }
        #[cfg(feature = "postgresql")]
        $crate::on_each_store! { @on postgresql $crate::site::Site::postgresql();
            $($(#[$says])* $name: $case;)+ }
    };
    (@on $store:ident $site:expr; $($(#[$says:meta])* $name:ident: $case:expr;)+) => {
        mod $store {
            use super::*;
            $($(#[$says])* #[test] fn $name() { ($case)(&$site); })+
        }
    };
}
