//! The store on a Redis or Valkey server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

#[path = "../beside/mod.rs"]
mod beside;
#[path = "../servers/cluster.rs"]
mod cluster;
#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../servers/guard.rs"]
mod guard;
#[path = "../servers/proxy.rs"]
mod proxy;
#[path = "../servers/valkey.rs"]
mod valkey;

mod histories;
mod hostile;
mod moves;
mod outages;
mod primaries;
mod strangers;
mod tls;

use conformance::{PATIENCE, Place, address, new_owner, terms};
use redis::Connection;
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::{Claim, Hold, Reply, Verb};
use seawall::stores::registry::open;
use seawall::stores::{Micros, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use valkey::Server;

/// A part of the server that tests share, by a prefix of its own.
///
/// Its time is the server's own: time passes by making older what is kept.
struct Part {
    server: &'static Server,
    prefix: String,
}

impl Part {
    fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("p{}", LAST.fetch_add(1, SeqCst));
        Self { server: Server::shared(), prefix }
    }

    fn store(&self, more: &str) -> Store {
        store(&self.server.url(&format!("prefix={}&{more}", self.prefix)))
    }

    fn keys(&self, admin: &mut Connection) -> Vec<Vec<u8>> {
        let pattern = format!("{}:*", self.prefix);
        redis::cmd("KEYS").arg(pattern).query(admin).unwrap()
    }
}

impl Place for Part {
    fn open(&self) -> Arc<Store> {
        Arc::new(self.store(""))
    }
    fn unit(&self) -> Micros {
        // The server's own time goes on as well: longer than any test takes for its work.
        30 * seawall::stores::SECOND
    }
    fn pass(&self, time: Micros) {
        self.server.age(&format!("{}:*", self.prefix), time);
    }
    /// Nobody here has a date that matters.
    fn set_date(&self, _date: Micros) {}
}

conforms!(Part::new());

fn store(url: &str) -> Store {
    open(url, &Machine::real()).unwrap()
}

/// A claim of this key, if it is given.
fn claim(place: &dyn Place, store: &Store, key: &[u8]) -> Result<Hold, StoreError> {
    let owner = new_owner();
    let claim = Claim { owner, fingerprint: None, terms: terms(place) };
    match store.step(&address(key), Verb::Claim(claim), PATIENCE)? {
        Reply::Owned { fence, .. } => Ok(Hold { owner, fence }),
        other => panic!("{other:?}"),
    }
}
