//! Who may listen, and who is believed.

use crate::authority::{Authority, front};
use crate::conformance::{PATIENCE, address};
use crate::server::Server;
use seawall::stores::clock::Machine;
use seawall::stores::registry::open;
use seawall::stores::{Store, StoreError};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// What a client says first that wants TLS, as the protocol has it.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Before a server that was built without TLS: it says that it has it, and so it has.
struct Door {
    port: u16,
    encrypted: Arc<AtomicU32>,
}

impl Door {
    fn new(authority: &Authority, server: u16) -> Self {
        let secure = front(server, &authority.server("localhost"), None);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let encrypted = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&encrypted);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, mut first) = (client.unwrap(), [0; 8]);
                client.read_exact(&mut first).unwrap();
                let port = if first == SSL_REQUEST {
                    counted.fetch_add(1, SeqCst);
                    client.write_all(b"S").unwrap();
                    secure
                } else {
                    server
                };
                let mut inner = TcpStream::connect(("127.0.0.1", port)).unwrap();
                if first != SSL_REQUEST {
                    inner.write_all(&first).unwrap();
                }
                let back = (inner.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || hand_on(client, inner));
                std::thread::spawn(move || hand_on(back.0, back.1));
            }
        });
        Self { port, encrypted }
    }

    fn store(&self, host: &str, options: &str) -> Store {
        let url = Server::shared().url(&format!("host={host}&{options}"));
        let here = format!(":{}/", self.port);
        let url = url.replace(&format!(":{}/", Server::shared().port), &here);
        open(&url, &Machine::real()).unwrap()
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Each mode asks of a certificate what libpq's does, and no less.
#[test]
fn modes_ask_what_they_say() {
    let (authority, other) = (Authority::new("pg"), Authority::new("pg-other"));
    let door = Door::new(&authority, Server::shared().port);
    let (root, other) = (authority.root(), other.root());
    let (root, other) = (root.display(), other.display());
    for (host, options, encrypted) in [
        ("localhost", "sslmode=disable".to_owned(), false),
        ("localhost", String::new(), true),
        ("localhost", "sslmode=prefer".to_owned(), true),
        ("localhost", "sslmode=require".to_owned(), true),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={root}"), true),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={root}"), true),
        ("localhost", format!("sslmode=verify-full&sslrootcert={root}"), true),
    ] {
        let store = door.store(host, &options);
        let before = door.encrypted.load(SeqCst);
        store.get(&address(b"key"), PATIENCE).unwrap();
        assert_eq!(door.encrypted.load(SeqCst) > before, encrypted, "{host} {options}");
    }
    for (host, options) in [
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={root}")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={other}")),
        ("localhost", format!("sslmode=verify-ca&sslrootcert={other}")),
        ("localhost", format!("sslmode=require&sslrootcert={other}")),
        ("localhost", "sslmode=verify-full&sslrootcert=/no/such/file".to_owned()),
    ] {
        match door.store(host, &options).get(&address(b"key"), PATIENCE) {
            Err(StoreError::Unavailable(said)) => assert!(
                said.contains("certificate") || said.contains("/no/such/file"),
                "{options}: {said}"
            ),
            told => panic!("{host} {options}: {told:?}"),
        }
    }
}

/// Where the server has no TLS and the mode wants it, nothing is sent, and what to do is said.
#[test]
fn nothing_is_sent_in_the_clear_unless_that_is_wanted() {
    let url = Server::shared().url("sslmode=require");
    let store = open(&url, &Machine::real()).unwrap();
    match store.get(&address(b"key"), PATIENCE) {
        Err(StoreError::Unavailable(said)) => assert!(said.contains("sslmode=disable"), "{said}"),
        told => panic!("{told:?}"),
    }
}
