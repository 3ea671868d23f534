//! The store in a file.
#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

#[path = "../conformance/mod.rs"]
mod conformance;
#[path = "../folder/mod.rs"]
mod folder;
#[path = "../place/mod.rs"]
mod place;

mod clocks;
mod files;
mod locks;

use conformance::{PATIENCE, Place, address, new_owner, terms};
use folder::Folder;
use place::Virtual;
use seawall::stores::idempotency::{Claim, Hold, Reply, Verb};
use seawall::stores::registry::open;
use seawall::stores::{Micros, Store, StoreError};
use std::sync::Arc;

/// A file; each handle on it is as another process's.
struct File {
    folder: Folder,
    options: &'static str,
    time: Virtual,
}

impl File {
    fn new(options: &'static str) -> Self {
        Self { folder: Folder::new(), options, time: Virtual::new() }
    }

    fn store(&self, more: &str) -> Store {
        open(&self.folder.url(&format!("{}&{more}", self.options)), &self.time.machine()).unwrap()
    }
}

impl Place for File {
    fn open(&self) -> Arc<Store> {
        Arc::new(self.store(""))
    }
    fn unit(&self) -> Micros {
        seawall::stores::SECOND
    }
    fn pass(&self, time: Micros) {
        self.time.pass(time);
    }
    fn set_date(&self, date: Micros) {
        self.time.set_date(date);
    }
}

mod full {
    crate::conforms!(crate::File::new("durability=full"));
}

mod relaxed {
    crate::conforms!(crate::File::new("durability=relaxed"));
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
