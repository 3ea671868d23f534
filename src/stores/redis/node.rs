//! One server, and the connection to it.

use super::connection::{Connection, connect};
use super::settings::Settings;
use crate::stores::error::StoreError;
use crate::stores::net::backoff::Backoff;
use crate::stores::net::{Endpoint, Link, Notices};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use super::slots::Place;

pub(super) struct Node {
    pub settings: Arc<Settings>,
    notices: Arc<Notices>,
    link: Link<Connection>,
    /// The connection on which somebody waited in vain: its server may be gone without a word.
    suspect: AtomicU64,
    /// It was not reached, or is no primary any more: others may know who is in its place.
    missed: AtomicBool,
}

impl Node {
    /// The server that the store's URL names.
    pub fn named(settings: &Arc<Settings>, notices: &Arc<Notices>) -> Self {
        Self {
            settings: Arc::clone(settings),
            notices: Arc::clone(notices),
            link: Link::new(settings.limits.connect_timeout, Backoff::default()),
            suspect: AtomicU64::new(0),
            missed: AtomicBool::new(false),
        }
    }

    /// Another of its cluster, which is reached as the named one is.
    pub fn at(place: &Place, settings: &Settings, notices: &Arc<Notices>) -> Self {
        let Place { host, port } = place.clone();
        let endpoint = Endpoint { host, port, ..settings.endpoint.clone() };
        Self::named(&Arc::new(Settings { endpoint, ..settings.clone() }), notices)
    }

    pub async fn connection(&self) -> Result<(u64, Connection), StoreError> {
        let found = self.found().await;
        self.missed.store(matches!(found, Err(StoreError::Unavailable(_))), SeqCst);
        found
    }

    async fn found(&self) -> Result<(u64, Connection), StoreError> {
        let make = || connect(&self.settings, &self.notices);
        let (number, connection) = self.link.get(make).await?;
        if self.suspect.load(SeqCst) != number {
            return Ok((number, connection));
        }
        self.link.lose(number).await;
        self.link.get(make).await
    }

    pub async fn lose(&self, number: u64) {
        self.missed.store(true, SeqCst);
        self.link.lose(number).await;
    }

    pub fn is_missed(&self) -> bool {
        self.missed.load(SeqCst)
    }

    pub async fn let_go(&self) {
        self.link.let_go().await;
    }

    /// Somebody waits on this connection.
    pub fn waits(&self, number: u64) -> Waits<'_> {
        Waits { suspect: &self.suspect, number, answered: false }
    }
}

/// Whoever is dropped while it waits leaves word of it.
pub(super) struct Waits<'a> {
    suspect: &'a AtomicU64,
    number: u64,
    answered: bool,
}

impl Waits<'_> {
    pub fn end(mut self) {
        self.answered = true;
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.suspect.fetch_max(self.number, SeqCst);
        }
    }
}
