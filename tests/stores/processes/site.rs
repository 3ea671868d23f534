//! Where processes meet: a store of a test's own, and a folder for what they did.

use super::folder::Folder;
use super::store;
use seawall::stores::Store;
use seawall::stores::clock::Machine;
use seawall::stores::registry::open;
use seawall::time::{Clock, Nanos, SECOND, System};
use std::path::PathBuf;
use std::sync::Arc;

enum Kind {
    Memory,
    File(PathBuf),
    #[cfg(feature = "redis")]
    Redis(super::valkey::Server),
    #[cfg(feature = "postgresql")]
    Postgresql(super::postgresql::Server),
}

/// Gone with it: its files, its server.
pub struct Site {
    /// As it is named to those who read of it.
    pub name: String,
    pub url: String,
    kind: Kind,
    folder: Folder,
}

/// The machine's own clock, a minute later: to this process the other's lease is over.
struct Later;

impl Clock for Later {
    fn now(&self) -> Nanos {
        System.now() + 60 * SECOND
    }
    fn coarse(&self) -> Nanos {
        self.now()
    }
    fn date(&self) -> Nanos {
        System.date() + 60 * SECOND
    }
}

impl Site {
    /// A file with these options.
    pub fn file(options: &str) -> Self {
        let folder = Folder::new();
        let file = folder.file("store.db");
        let (name, url) = (format!("sqlite {options}"), folder.url(options));
        Self { name, url, kind: Kind::File(file), folder }
    }

    /// Nothing outside of the processes.
    pub fn memory() -> Self {
        let (name, url) = ("memory".to_owned(), "memory://".to_owned());
        Self { name, url, kind: Kind::Memory, folder: Folder::new() }
    }

    /// A server that keeps what it acknowledged.
    #[cfg(feature = "redis")]
    pub fn redis() -> Self {
        let server = super::valkey::Server::safe();
        let url = server.url("");
        Self { name: "redis".to_owned(), url, kind: Kind::Redis(server), folder: Folder::new() }
    }

    /// A server that keeps what it acknowledged.
    #[cfg(feature = "postgresql")]
    pub fn postgresql() -> Self {
        let server = super::postgresql::Server::new(&[]);
        // Those who find it gone wait until it is back.
        let url = server.url("timeout=60&connect_timeout=30&pool=4");
        let (name, kind) = ("postgresql".to_owned(), Kind::Postgresql(server));
        Self { name, url, kind, folder: Folder::new() }
    }

    /// Where what ran is written down.
    pub fn ledger(&self) -> PathBuf {
        self.folder.file("ledger")
    }

    /// The store, a minute from now.
    pub fn a_minute_later(&self) -> Store {
        match &self.kind {
            Kind::Memory => panic!("each process has its own"),
            Kind::File(_) => {
                open(&self.url, &Machine { clock: Arc::new(Later), ..Machine::real() }).unwrap()
            }
            #[cfg(feature = "redis")]
            Kind::Redis(server) => {
                server.age("*", 60_000_000);
                store(&self.url)
            }
            #[cfg(feature = "postgresql")]
            Kind::Postgresql(server) => {
                server.admin().run(&super::postgresql::age("seawall.idempotency", 60_000_000));
                store(&self.url)
            }
        }
    }

    /// What happens to a store beside all that happens to its users: a server is killed as well.
    pub fn disturb(&self) {
        #[cfg(feature = "redis")]
        if let Kind::Redis(server) = &self.kind {
            server.kill();
            server.start();
        }
        #[cfg(feature = "postgresql")]
        if let Kind::Postgresql(server) = &self.kind {
            server.kill();
            server.start();
        }
    }

    /// What is kept is whole, as the store's own program sees it.
    pub fn is_whole(&self) {
        if let Kind::File(file) = &self.kind {
            let file = rusqlite::Connection::open(file).unwrap();
            let said: String =
                file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(said, "ok");
        }
    }
}
