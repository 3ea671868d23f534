//! The store on a PostgreSQL, which the tests start themselves.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

#[path = "../redis/tls.rs"]
#[allow(dead_code, reason = "this server has a door of its own")]
mod authority;
#[path = "../beside/mod.rs"]
mod beside;
#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../servers/guard.rs"]
mod guard;
#[path = "../servers/proxy.rs"]
mod proxy;
#[path = "../servers/postgresql.rs"]
mod server;

mod histories;
mod hostile;
mod lost;
mod prepared;
mod rights;
mod secret;

use conformance::{PATIENCE, Place, address, new_owner, terms};
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::{Claim, Hold, Reply, Verb};
use seawall::stores::registry::open;
use seawall::stores::{Micros, Store, StoreError};
use server::{Admin, Server};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

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

    /// Through its socket, which asks for no password: to prove one takes long in a debug build.
    fn url(&self, more: &str) -> String {
        self.url_at(&format!("host={}&{more}", self.server.folder().display()))
    }

    fn url_at(&self, more: &str) -> String {
        let name = self.name.replace(' ', "%20").replace('"', "%22");
        self.server.url(&format!("schema={name}&{more}"))
    }

    fn store(&self, more: &str) -> Store {
        open(&self.url(more), &Machine::real()).unwrap()
    }

    /// As it is seen through something that listens on this port.
    fn store_at(&self, port: u16, more: &str) -> Store {
        let url =
            self.url_at(more).replace(&format!(":{}/", self.server.port), &format!(":{port}/"));
        open(&url, &Machine::real()).unwrap()
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
        self.admin.lock().unwrap().run(&server::change(&self.table(), new));
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
        self.admin.lock().unwrap().run(&server::age(&self.table(), time));
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
