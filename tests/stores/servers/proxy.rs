//! What stands between a store and its server, and loses replies when it is told to.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Forwards all that is said, but for the replies that it loses.
pub struct Proxy {
    pub port: u16,
    to_lose: Arc<AtomicU32>,
}

impl Proxy {
    /// In front of this port of this machine.
    pub fn new(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let to_lose = Arc::new(AtomicU32::new(0));
        let shared = Arc::clone(&to_lose);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                // Where the server is gone, so is this.
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let ends = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || forward(client, server, || false));
                let to_lose = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let one_less = |left: u32| left.checked_sub(1);
                    forward(ends.1, ends.0, || {
                        to_lose.fetch_update(SeqCst, SeqCst, one_less).is_ok()
                    });
                });
            }
        });
        Self { port, to_lose }
    }

    /// The next replies are lost, each with its connection.
    pub fn lose(&self, replies: u32) {
        self.to_lose.store(replies, SeqCst);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, lost: impl Fn() -> bool) {
    let mut bytes = [0; 65_536];
    while let Ok(read) = from.read(&mut bytes) {
        if read == 0 || lost() || to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
