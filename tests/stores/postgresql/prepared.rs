//! Statements that sessions keep under names, and sessions that lose them.

use crate::conformance::{PATIENCE, Place, address, kept};
use crate::server::Server;
use crate::{Schema, claim};
use seawall::stores::Store;
use seawall::stores::idempotency::{Reply, Verb};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How a server tells its process's number, before that and the secret.
const KEY: &[u8] = b"K\0\0\0\x0c";

/// Between a store and its server: it writes down what the store says. As a pooler it tells numbers
/// of processes that it made up.
struct Relay {
    port: u16,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    fn new(is_pooler: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&said);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(("127.0.0.1", Server::shared().port)).unwrap();
                let both = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let written = Arc::clone(&written);
                std::thread::spawn(move || {
                    hand_on(client, server, |bytes| {
                        written.lock().unwrap().extend_from_slice(bytes);
                    });
                });
                std::thread::spawn(move || {
                    hand_on(both.1, both.0, |bytes| {
                        let at = bytes.windows(KEY.len()).position(|part| part == KEY);
                        if let Some(at) = at.filter(|_| is_pooler) {
                            bytes[at + KEY.len() + 3] ^= 1;
                        }
                    });
                });
            }
        });
        Self { port, said }
    }

    /// How often the store said this.
    fn times(&self, said: &[u8]) -> usize {
        self.said.lock().unwrap().windows(said.len()).filter(|part| *part == said).count()
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&mut [u8])) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        see(&mut bytes[..count]);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Claims and completes so many keys.
fn pairs(place: &Schema, store: &Store, count: usize) {
    for number in 0..count {
        let key = format!("key {number}");
        let hold = claim(place, store, key.as_bytes()).unwrap();
        let end = Verb::Complete(hold, kept("done"));
        assert_eq!(store.step(&address(key.as_bytes()), end, PATIENCE), Ok(Reply::Done));
    }
}

/// In a session of its own a store says each statement once with a name, and never again. With
/// `prepare=no`, and behind a pooler unless it is told that it may, it gives none.
#[test]
fn names_are_given_where_they_are_safe() {
    const COUNT: usize = 6;
    // The first time a statement is asked without a name, and made beside.
    for (is_pooler, options, times) in [
        (false, "pool=1", 2),
        (false, "pool=1&prepare=yes", 2),
        (false, "pool=1&prepare=no", COUNT),
        (true, "pool=1", COUNT),
        (true, "pool=1&prepare=yes", 2),
    ] {
        let place = Schema::new();
        let relay = Relay::new(is_pooler);
        pairs(&place, &place.store_at(relay.port, options), COUNT);
        let told = (relay.times(b"\0INSERT INTO "), relay.times(b"\0UPDATE "));
        assert_eq!(told, (times, times), "behind a pooler: {is_pooler}, {options}");
        let is_set = relay.times(b"enable_seqscan") > 0;
        assert_eq!(is_set, !is_pooler && times == 2, "nobody else's session is changed: {options}");
    }
}

/// All that a store promises, it promises without names.
#[test]
fn without_names_all_is_the_same() {
    struct Nameless(Schema);
    impl Place for Nameless {
        fn open(&self) -> Arc<Store> {
            Arc::new(self.0.store("pool=4&prepare=no"))
        }
        fn unit(&self) -> seawall::stores::Micros {
            self.0.unit()
        }
        fn pass(&self, time: seawall::stores::Micros) {
            self.0.pass(time);
        }
        fn set_date(&self, date: seawall::stores::Micros) {
            self.0.set_date(date);
        }
    }
    crate::conformance::crowds::of_a_hundred_duplicates_one_runs(&Nameless(Schema::new()));
}

/// A session that loses its statements, as one that was reset, fails nobody's call.
#[test]
fn statements_that_are_lost_are_made_again() {
    let place = Schema::new();
    let store = place.store("pool=1");
    place.admin.lock().unwrap().run(&format!(
        "CREATE FUNCTION {schema}.lose() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NULL; END $$; \
         CREATE TRIGGER lose AFTER INSERT OR UPDATE ON {table} EXECUTE FUNCTION {schema}.lose()",
        schema = place.quoted(),
        table = place.table()
    ));
    pairs(&place, &store, 10);
}

/// Tables that are changed or made anew under statements that are kept fail nobody's call, where
/// they would not fail one that asks for the first time.
#[test]
fn plans_that_no_longer_fit_are_made_again() {
    let place = Schema::new();
    let store = place.store("pool=1");
    pairs(&place, &store, 10);
    let missing = || store.get(&address(b"missing"), PATIENCE);
    for kind in ["integer", "bigint"] {
        assert_eq!((missing(), missing()), (Ok(None), Ok(None)));
        let change = format!("ALTER TABLE {} ALTER attempts TYPE {kind}", place.table());
        place.admin.lock().unwrap().run(&change);
        assert_eq!(missing(), Ok(None), "{kind}");
    }
    place.admin.lock().unwrap().run(&format!("DROP SCHEMA {} CASCADE", place.quoted()));
    assert_eq!(place.store("").get(&address(b"missing"), PATIENCE), Ok(None));
    pairs(&place, &store, 10);
}
