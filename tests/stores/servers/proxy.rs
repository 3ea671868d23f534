//! Between a store and its server: what cuts the connection at the worst moment.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering::SeqCst};

/// Hands on what comes, until it is told to cut.
pub struct Proxy {
    pub port: u16,
    upstream: Arc<AtomicU16>,
    cuts: Arc<AtomicU32>,
}

impl Proxy {
    /// Before the server at this port.
    pub fn new(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (upstream, cuts) = (Arc::new(AtomicU16::new(upstream)), Arc::new(AtomicU32::new(0)));
        let (to, counted) = (Arc::clone(&upstream), Arc::clone(&cuts));
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
        Self { port, upstream, cuts }
    }

    /// Instead of the next answers, as many as are said, the connection ends: what was asked was
    /// done, and nobody is told.
    pub fn cut(&self, answers: u32) {
        self.cuts.store(answers, SeqCst);
    }

    /// Have all been cut that were to be?
    pub fn has_cut(&self) -> bool {
        self.cuts.load(SeqCst) == 0
    }

    /// From now on new connections reach the server at this port.
    pub fn lead_to(&self, upstream: u16) {
        self.upstream.store(upstream, SeqCst);
    }
}

fn hand_on(mut from: &TcpStream, mut to: &TcpStream, cuts: Option<&AtomicU32>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let one_less = |left: u32| left.checked_sub(1);
        if cuts.is_some_and(|cuts| cuts.fetch_update(SeqCst, SeqCst, one_less).is_ok())
            || to.write_all(&bytes[..count]).is_err()
        {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
