//! Servers that are something else, want something else, or are not believed.

use super::tls::{Authority, front};
use super::valkey::{Server, since};
use super::{PATIENCE, store};
use crate::conformance::address;
use seawall::stores::{Store, StoreError};
use seawall::time::{Clock, System};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

fn asked(store: &Store) -> Result<(), StoreError> {
    store.get(&address(b"k"), PATIENCE).map(|record| assert_eq!(record, None))
}

/// A wrong password, or none, is said at once, without the password.
#[test]
fn a_wrong_password_is_refused() {
    let server = Server::new(&["--requirepass", "right", "--save", ""]);
    let begun = System.now();
    for login in ["", ":hunter2@", "somebody:hunter2@"] {
        let store = store(&format!("redis://{login}127.0.0.1:{}", server.port));
        let Err(StoreError::Refused(said)) = asked(&store) else { panic!("{login:?} is let in") };
        assert!(said.contains("password") && !said.contains("hunter2"), "{said}");
    }
    assert!(since(begun) < Duration::from_secs(4), "it was tried again and again");
    assert_eq!(asked(&store(&format!("redis://:right@127.0.0.1:{}", server.port))), Ok(()));
}

/// Somebody who may do little: what is missing is named. Who may do what a store needs needs no
/// more, and what may not be asked is not known.
#[test]
fn rights_that_are_missing_are_named() {
    let server = Server::new(&["--save", ""]);
    server.run(&["ACL", "SETUSER", "few", "on", ">pw", "~*", "+get"]);
    let needed = [
        "ACL",
        "SETUSER",
        "some",
        "on",
        ">pw",
        "~seawall:*",
        "+evalsha",
        "+eval",
        "+time",
        "+hmget",
        "+hget",
        "+hset",
        "+hdel",
        "+exists",
        "+pexpireat",
        "+persist",
        "+del",
        "+scan",
        "+select",
    ];
    server.run(&needed);
    let url = |user: &str| format!("redis://{user}:pw@127.0.0.1:{}", server.port);
    let Err(StoreError::Refused(said)) = asked(&store(&url("few"))) else { panic!("let in") };
    assert!(said.contains("permissions"), "{said}");
    let store = store(&url("some"));
    assert_eq!((asked(&store), store.notices().len()), (Ok(()), 0));
}

/// Settings that lose records are told, each once, when the server was first asked.
#[test]
fn settings_that_lose_records_are_told() {
    let server = Server::new(&["--maxmemory-policy", "allkeys-lru", "--save", ""]);
    let store = store(&server.url(""));
    assert!(store.notices().is_empty());
    assert_eq!(asked(&store), Ok(()));
    let said = store.notices();
    assert_eq!(said.len(), 2);
    assert!(said[0].contains("allkeys-lru") && said[1].contains("appendonly"), "{said:?}");
    assert!(store.notices().is_empty());
    let safe = Server::safe();
    let store = super::store(&safe.url(""));
    assert_eq!((asked(&store), store.notices()), (Ok(()), Vec::new()));
}

/// Something that is no Redis is told apart from one that is gone.
#[test]
fn a_web_server_is_no_store() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 1024]);
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let said = asked(&store(&format!("redis://127.0.0.1:{port}")));
    assert!(matches!(said, Err(StoreError::Foreign(_))), "{said:?}");
}

/// A replica may lag, and a node of a cluster that has nobody's slots yet keeps nothing: neither is
/// used.
#[test]
fn replicas_and_nodes_without_slots_are_not_used() {
    let primary = Server::new(&["--save", ""]);
    let replica =
        Server::new(&["--save", "", "--replicaof", "127.0.0.1", &primary.port.to_string()]);
    let store = super::store(&replica.url("connect_timeout=0.3"));
    let said = asked(&store);
    assert!(matches!(&said, Err(StoreError::Unavailable(_))), "{said:?}");
    let node = Server::new(&["--cluster-enabled", "yes", "--save", ""]);
    let said = asked(&super::store(&node.url("connect_timeout=0.3")));
    assert!(
        matches!(&said, Err(StoreError::Unavailable(said)) if said.contains("slot")),
        "{said:?}"
    );
    // It has one database, and no other is meant.
    let said = asked(&super::store(&format!("redis://127.0.0.1:{}/1", node.port)));
    assert!(matches!(&said, Err(StoreError::Refused(_))), "{said:?}");
}

/// With `rediss://` a server is only believed whose certificate fits its name and one of the roots;
/// one that wants to know us is shown our own.
#[test]
fn a_server_must_prove_who_it_is() {
    let server = Server::safe();
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    let good = front(server.port, &ours.server("localhost"), None);
    let named = front(server.port, &ours.server("elsewhere.example"), None);
    let strict = front(server.port, &ours.server("localhost"), Some(&ours));
    let ask = |port: u16, options: &str| {
        let limits = "connect_timeout=30&timeout=60";
        asked(&store(&format!("rediss://localhost:{port}?{options}&{limits}")))
    };
    let ca = |authority: &Authority| format!("ca={}", authority.root().display());
    assert_eq!(ask(good, &ca(&ours)), Ok(()));
    let us = ours.client();
    let known = format!("{}&cert={}&key={}", ca(&ours), us.0.display(), us.1.display());
    assert_eq!(ask(strict, &known), Ok(()));
    for (port, options) in
        [(good, String::new()), (good, ca(&others)), (named, ca(&ours)), (strict, ca(&ours))]
    {
        let said = ask(port, &options);
        assert!(matches!(said, Err(StoreError::Refused(_))), "{port} {options}: {said:?}");
    }
    // In the clear to one that wants TLS, and with TLS to one that has none.
    let said = asked(&store(&format!("redis://127.0.0.1:{good}?connect_timeout=0.2")));
    assert!(matches!(said, Err(StoreError::Foreign(_) | StoreError::Unavailable(_))), "{said:?}");
    let url = format!("rediss://localhost:{}?{}&connect_timeout=0.2", server.port, ca(&ours));
    let said = asked(&store(&url));
    assert!(matches!(said, Err(StoreError::Unavailable(_))), "{said:?}");
}
