//! What speaks to the server: each operation until it is answered, or may not be repeated.

use super::connection::connect;
use super::script::{Act, By, Words, command};
use super::settings::Settings;
use super::trouble::Trouble;
use super::walk;
use crate::stores::Address;
use crate::stores::backend::{Answer, Op};
use crate::stores::error::StoreError;
use crate::stores::idempotency::Verb;
use crate::stores::net::backoff::Backoff;
use crate::stores::net::{Client, Link, Notices};
use ::redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// On how many connections one operation is tried.
const TRIES: u32 = 3;

pub(super) struct Redis {
    settings: Arc<Settings>,
    notices: Arc<Notices>,
    link: Link<MultiplexedConnection>,
    /// The connection on which somebody waited in vain: its server may be gone without a word.
    suspect: AtomicU64,
}

impl Client for Redis {
    type Settings = Settings;

    fn new(settings: &Arc<Settings>, notices: &Arc<Notices>) -> Self {
        Self {
            settings: Arc::clone(settings),
            notices: Arc::clone(notices),
            link: Link::new(settings.limits.connect_timeout, Backoff::default()),
            suspect: AtomicU64::new(0),
        }
    }

    async fn answer(&self, op: &Op) -> Result<Answer, StoreError> {
        let mut cut_off = None;
        for _ in 0..TRIES {
            let (number, connection) = match self.connection().await {
                Ok(found) => found,
                // What went before may have been done, and that is what has to be known.
                Err(error) => return Err(cut_off.unwrap_or(error)),
            };
            let waits = Waits { suspect: &self.suspect, number, answered: false };
            let answer = Asked { settings: &self.settings, connection }.answer(op).await;
            waits.end();
            match answer {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Lost(said)) => {
                    self.link.lose(number).await;
                    let lost = StoreError::CutOff(said);
                    if !may_be_repeated(op) {
                        return Err(lost);
                    }
                    cut_off = Some(lost);
                }
                Err(Trouble::Elsewhere(said)) => {
                    self.link.lose(number).await;
                    cut_off.get_or_insert(StoreError::Unavailable(said));
                }
                Err(Trouble::NoScript) => {
                    let said = "the server forgets its scripts at once".to_owned();
                    return Err(StoreError::Failed(said));
                }
            }
        }
        Err(cut_off.unwrap_or(StoreError::TimedOut))
    }

    async fn let_go(&self) {
        self.link.let_go().await;
    }
}

impl Redis {
    async fn connection(&self) -> Result<(u64, MultiplexedConnection), StoreError> {
        let make = || connect(&self.settings, &self.notices);
        let (number, connection) = self.link.get(make).await?;
        if self.suspect.load(SeqCst) != number {
            return Ok((number, connection));
        }
        self.link.lose(number).await;
        self.link.get(make).await
    }
}

/// Whoever is dropped while it waits leaves word of it.
struct Waits<'a> {
    suspect: &'a AtomicU64,
    number: u64,
    answered: bool,
}

impl Waits<'_> {
    fn end(mut self) {
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

/// An owner may say again what it said, and so may whoever only looks. What an operator decided is
/// not there to be decided twice.
fn may_be_repeated(op: &Op) -> bool {
    !matches!(op, Op::Step(_, Verb::Resolve(_) | Verb::Reopen))
}

/// An operation on one connection.
pub(super) struct Asked<'a> {
    pub settings: &'a Settings,
    pub connection: MultiplexedConnection,
}

impl Asked<'_> {
    async fn answer(mut self, op: &Op) -> Result<Answer, Trouble> {
        match op {
            Op::Step(address, verb) => {
                let key = self.settings.key(address);
                let words = self.run(address, &key, Act::Step(verb)).await?;
                words.reply(address, &key).map(Answer::Reply)
            }
            Op::Get(address) => {
                let key = self.settings.key(address);
                let words = self.run(address, &key, Act::Get).await?;
                words.kept(address, &key).map(Answer::Record)
            }
            Op::List(look, state) => walk::list(&mut self, look, *state).await,
            Op::Tally(look) => walk::tally(&mut self, look).await,
            Op::Sweep(look) => walk::sweep(&mut self, look).await,
        }
    }

    /// Runs the script, and gives it to a server that does not know it.
    pub async fn run(
        &mut self,
        address: &Address,
        key: &[u8],
        act: Act<'_>,
    ) -> Result<Words, Trouble> {
        match self.once(By::Name, address, key, act).await {
            Err(Trouble::NoScript) => self.once(By::Text, address, key, act).await,
            other => other,
        }
    }

    async fn once(
        &mut self,
        by: By,
        address: &Address,
        key: &[u8],
        act: Act<'_>,
    ) -> Result<Words, Trouble> {
        let told = self.connection.send_packed_command(&command(by, key, act)).await;
        let words = told.map_err(|error| Trouble::of(&error)).and_then(Words::of);
        words.map_err(|trouble| trouble.at(address))
    }
}
