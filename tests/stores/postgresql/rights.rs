//! Who may do what, on what kind of server.

use crate::conformance::{PATIENCE, Place, address, crowds};
use crate::server::{PASSWORD, Server, since};
use crate::{Schema, claim, try_claim};
use seawall::stores::clock::Machine;
use seawall::stores::idempotency::Reply;
use seawall::stores::registry::open;
use seawall::stores::{Micros, Store, StoreError, migration};
use seawall::time::{Clock, System};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

fn url(user: &str, port: u16, more: &str) -> String {
    format!("postgresql://{user}:hunter2@127.0.0.1:{port}/postgres?{more}")
}

/// A role that only may do this, and the store as it sees it.
fn role(place: &Schema, name: &str, more: &str) -> String {
    let admin = place.admin.lock().unwrap();
    admin.run(&format!("DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD 'hunter2'"));
    let schema = place.name.replace(' ', "%20").replace('"', "%22");
    url(name, place.server.port, &format!("schema={schema}&{more}"))
}

/// With the rights that the documentation names, and no others, a store works.
#[test]
fn a_role_needs_no_more_rights_than_are_documented() {
    let place = Schema::new();
    let store = open(&role(&place, "modest", ""), &Machine::real()).unwrap();
    match try_claim(&place, &store, b"key") {
        Err(StoreError::Refused(said)) => assert!(said.contains("permission denied"), "{said}"),
        other => panic!("{other:?}"),
    }
    place.admin.lock().unwrap().run(&format!(
        "GRANT USAGE ON SCHEMA {schema} TO modest; GRANT SELECT ON {layout} TO modest; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON {table}, {schema}.transactions TO modest",
        schema = place.quoted(),
        layout = place.layout(),
        table = place.table()
    ));
    claim(&place, &store, b"key").unwrap();
    assert_eq!(store.sweep(&crate::conformance::everything(), PATIENCE), Ok(0));
}

/// With `migrate=no` nothing is made; the script makes it, by whatever means it is run, and again.
#[test]
fn tables_are_made_by_hand_where_that_is_wanted() {
    for by_hand in [true, false] {
        let place = Schema::empty();
        let store = place.store("migrate=no");
        match store.get(&address(b"key"), PATIENCE) {
            Err(StoreError::Unavailable(said)) => {
                assert!(said.contains("seawall store migrate"), "{said}");
            }
            other => panic!("{other:?}"),
        }
        for _ in 0..2 {
            if by_hand {
                let script = migration::script(&place.url("migrate=no")).unwrap().unwrap();
                place.admin.lock().unwrap().run(&script);
            } else {
                let url = place.url("migrate=no");
                migration::run(&url, &Machine::real(), PATIENCE).unwrap().unwrap();
            }
        }
        claim(&place, &store, b"key").unwrap();
    }
}

/// Of many who find no tables at the same moment, all find the same ones afterwards.
#[test]
fn tables_are_made_by_many_at_once() {
    for _ in 0..3 {
        let place = Schema::empty();
        let start = std::sync::Barrier::new(8);
        let given: usize = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let store = place.store("pool=1");
                        start.wait();
                        let reply = try_claim(&place, &store, b"key").unwrap();
                        usize::from(matches!(reply, Reply::Owned { .. }))
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        assert_eq!(given, 1);
    }
}

/// A schema as a role sees it whose transactions are all serializable.
struct Serializable(Schema, String);

impl Place for Serializable {
    fn open(&self) -> Arc<Store> {
        Arc::new(open(&self.1, &Machine::real()).unwrap())
    }
    fn unit(&self) -> Micros {
        self.0.unit()
    }
    fn pass(&self, time: Micros) {
        self.0.pass(time);
    }
    fn set_date(&self, date: Micros) {
        self.0.set_date(date);
    }
}

/// Where the server sees conflicts that we have none of, statements are tried again: nobody hears of
/// it.
#[test]
fn conflicts_are_tried_again() {
    let place = Schema::new();
    let url = role(&place, "strict", "pool=8&timeout=60");
    place.admin.lock().unwrap().run(&format!(
        "ALTER ROLE strict SET default_transaction_isolation = 'serializable'; \
         GRANT USAGE ON SCHEMA {} TO strict; \
         GRANT ALL ON ALL TABLES IN SCHEMA {0} TO strict",
        place.quoted()
    ));
    crowds::of_a_hundred_duplicates_one_runs(&Serializable(place, url));
}

/// A server that takes no writes from us is no store, and says why.
#[test]
fn what_takes_no_writes_is_no_store() {
    let place = Schema::new();
    let url = role(&place, "reader", "connect_timeout=1");
    place.admin.lock().unwrap().run(&format!(
        "ALTER ROLE reader SET default_transaction_read_only = on; \
         GRANT USAGE ON SCHEMA {} TO reader; GRANT ALL ON ALL TABLES IN SCHEMA {0} TO reader",
        place.quoted()
    ));
    let store = open(&url, &Machine::real()).unwrap();
    loop {
        match try_claim(&place, &store, b"key") {
            // A busy machine takes longer than that to connect.
            Err(StoreError::Unavailable(said)) if said.contains("did not answer") => {}
            Err(StoreError::Unavailable(said)) => {
                assert!(said.contains("takes no writes"), "{said}");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Another password, role or database is needed: that is said at once, without what was tried.
#[test]
fn who_is_refused_hears_it_at_once() {
    let server = Server::shared();
    let good = server.url("connect_timeout=60");
    let password = PASSWORD.replace(' ', "%20").replace('/', "%2F");
    for (bad, said) in [
        (url("owner", server.port, "connect_timeout=60"), "password"),
        (url("nobody", server.port, "connect_timeout=60"), "password"),
        (good.replace("/postgres?", "/no%20such?"), "no such"),
        (good.replace(&format!(":{password}@"), "@"), "password"),
    ] {
        let begun = System.now();
        let told = open(&bad, &Machine::real()).unwrap().get(&address(b"key"), PATIENCE);
        let Err(StoreError::Refused(text)) = told else { panic!("{bad}: {told:?}") };
        assert!(text.contains(said) && !text.contains("hunter2"), "{text}");
        assert!(since(begun) < Duration::from_secs(30));
    }
}

/// A server of something else is told apart from one that is not there.
#[test]
fn what_is_no_postgresql_is_said_to_be() {
    for says in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"-ERR unknown command\r\n", b""] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let _ = client.read(&mut [0; 1024]);
                let _ = client.write_all(says);
                let _ = client.shutdown(std::net::Shutdown::Write);
            }
        });
        for mode in ["disable", "prefer"] {
            let options = format!("connect_timeout=0.3&sslmode={mode}");
            let store = open(&url("u", port, &options), &Machine::real()).unwrap();
            match store.get(&address(b"key"), PATIENCE) {
                Err(StoreError::Foreign(said)) if !says.is_empty() => {
                    assert!(said.contains("does not speak PostgreSQL"), "{said}");
                }
                Err(StoreError::Unavailable(_)) if says.is_empty() => {}
                other => panic!("{says:?}: {other:?}"),
            }
        }
    }
}

/// What a server would lose is said, once, to whoever asks for it.
#[test]
fn a_server_that_may_lose_something_is_told_of() {
    let place = Schema::new();
    let store = place.store("pool=2");
    assert!(store.notices().is_empty());
    claim(&place, &store, b"key").unwrap();
    let notices = store.notices();
    assert!(notices.len() == 1 && notices[0].contains("fsync is off"), "{notices:?}");
    assert!(store.notices().is_empty());
}
