//! Between a store and its server: what loses answers when it is told to.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering::SeqCst};

/// Hands on what comes, but for the answers that it loses.
pub struct Proxy {
    pub port: u16,
    upstream: Arc<AtomicU16>,
    to_lose: Arc<AtomicU32>,
}

impl Proxy {
    /// Before the server at this port.
    pub fn new(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (upstream, to_lose) = (Arc::new(AtomicU16::new(upstream)), Arc::new(AtomicU32::new(0)));
        let (to, counted) = (Arc::clone(&upstream), Arc::clone(&to_lose));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(("127.0.0.1", to.load(SeqCst))) else {
                    continue;
                };
                let both = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || hand_on(&both.0, &both.1, None));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || hand_on(&server, &client, Some(&counted)));
            }
        });
        Self { port, upstream, to_lose }
    }

    /// The next answers are lost, each with its connection: what was asked was done, and nobody is
    /// told.
    pub fn lose(&self, answers: u32) {
        self.to_lose.store(answers, SeqCst);
    }

    /// Have all been lost that were to be?
    pub fn has_lost(&self) -> bool {
        self.to_lose.load(SeqCst) == 0
    }

    /// From now on new connections reach the server at this port.
    pub fn lead_to(&self, upstream: u16) {
        self.upstream.store(upstream, SeqCst);
    }
}

fn hand_on(mut from: &TcpStream, mut to: &TcpStream, to_lose: Option<&AtomicU32>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let one_less = |left: u32| left.checked_sub(1);
        if to_lose.is_some_and(|to_lose| to_lose.fetch_update(SeqCst, SeqCst, one_less).is_ok())
            || to.write_all(&bytes[..count]).is_err()
        {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
