//! The store on a PostgreSQL, which the tests start themselves.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../servers/postgresql.rs"]
mod server;

mod hostile;
mod pools;
mod rights;

use conformance::{PATIENCE, Place, address, new_owner, terms};
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::{Claim, Hold, Reply, Verb};
use seawall::stores::registry::open;
use seawall::stores::{Micros, Store, StoreError};
use server::{Admin, Server};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// What the checksum covers, in its order, as the layout says it.
const CONTENT: [&str; 16] = [
    "id",
    "layout",
    "state",
    "owner",
    "fence",
    "attempts",
    "quarantine",
    "fingerprint",
    "created",
    "changed",
    "ttl",
    "expires",
    "lease_until",
    "hard_deadline",
    "codec",
    "result",
];

/// A schema; each handle on it is as another process's.
struct Schema {
    server: &'static Server,
    name: String,
    admin: Mutex<Admin>,
}

impl Schema {
    /// With its tables: time passes for what is kept in them.
    fn new() -> Self {
        let schema = Self::empty();
        assert_eq!(schema.store("").get(&address(b"key"), PATIENCE), Ok(None));
        schema
    }

    fn empty() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, SeqCst);
        let server = Server::shared();
        let admin = Mutex::new(server.admin());
        Self { server, name: format!("Test \"{number}\""), admin }
    }

    fn url(&self, more: &str) -> String {
        let name = self.name.replace(' ', "%20").replace('"', "%22");
        self.server.url(&format!("schema={name}&{more}"))
    }

    fn store(&self, more: &str) -> Store {
        open(&self.url(more), &Machine::real()).unwrap()
    }

    fn table(&self) -> String {
        format!("{}.idempotency", self.quoted())
    }

    fn layout(&self) -> String {
        format!("{}.layout", self.quoted())
    }

    fn quoted(&self) -> String {
        format!("\"{}\"", self.name.replace('"', "\"\""))
    }

    /// Writes into every record, as somebody does who knows how checksums are made.
    fn change(&self, new: &[(&str, &str)]) {
        let value = |name: &&str| {
            let new = new.iter().find(|(changed, _)| changed == name);
            new.map_or(format!("r.{name}"), |(_, value)| format!("{value} AS {name}"))
        };
        let row: Vec<_> = CONTENT.iter().map(value).collect();
        let names: Vec<_> = new.iter().map(|(name, _)| *name).collect();
        let values: Vec<_> = names.iter().map(|name| format!("n.{name}")).collect();
        self.admin.lock().unwrap().run(&format!(
            "UPDATE {} AS r SET ({}, checksum) = (SELECT {}, sha256(record_send(n)) \
             FROM (SELECT {}) AS n)",
            self.table(),
            names.join(", "),
            values.join(", "),
            row.join(", ")
        ));
    }
}

impl Place for Schema {
    fn open(&self) -> Arc<Store> {
        Arc::new(self.store("pool=4"))
    }
    fn unit(&self) -> Micros {
        10 * seawall::stores::SECOND
    }
    /// All that is kept happened so much earlier.
    fn pass(&self, time: Micros) {
        let earlier = |name: &str| format!("r.{name} - {time}");
        let times = ["created", "changed", "expires", "lease_until", "hard_deadline"];
        let new: Vec<_> = times.iter().map(|name| (*name, earlier(name))).collect();
        self.change(&new.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>());
    }
    /// The store never asks this machine.
    fn set_date(&self, _: Micros) {}
}

crate::conforms!(crate::Schema::new());

fn try_claim(place: &dyn Place, store: &Store, key: &[u8]) -> Result<Reply, StoreError> {
    let claim = Claim { owner: new_owner(), fingerprint: None, terms: terms(place) };
    store.step(&address(key), Verb::Claim(claim), PATIENCE)
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
