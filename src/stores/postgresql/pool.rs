//! The connections of a process.
//!
//! One operation at a time uses each, so that one that waits for a lock, or is given up, is in
//! nobody's way. They are made when they are needed, and kept. After one that failed there is a
//! pause, which grows, and then one at a time tries.

use super::connection::Connection;
use super::errors::Trouble;
use super::settings::Settings;
use super::statements::Statements;
use super::table;
use crate::process::locks::Lock;
use crate::random::{Random, Thread};
use crate::stores::backend::{Answer, Op};
use crate::stores::error::StoreError;
use crate::stores::idempotency::Verb;
use crate::stores::net::Notices;
use crate::stores::net::backoff::Backoff;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// How often what others were in the way of is tried again.
const MOST_AGAIN: u32 = 20;
/// Before it is, about so long the first time.
const PAUSE: Duration = Duration::from_millis(2);

pub(super) struct Pool {
    settings: Arc<Settings>,
    statements: Statements,
    notices: Arc<Notices>,
    backoff: Backoff,
    permits: Semaphore,
    /// Whoever tries to connect after one that failed.
    door: Mutex<()>,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    /// The one that was used last is used next: so those that are not needed are not touched.
    idle: Vec<Connection>,
    failures: u32,
    not_before: Option<Instant>,
    met: Option<StoreError>,
    closed: bool,
}

/// A connection while it is used. Dropped, it is cut off: whoever used it is gone, or found it
/// useless.
struct Leased<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    _permit: SemaphorePermit<'a>,
}

impl Leased<'_> {
    /// It is as it was.
    fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            let mut state = self.pool.state.lock();
            if state.closed {
                drop(state);
                connection.end();
            } else {
                state.idle.push(connection);
            }
        }
    }
}

impl Pool {
    pub fn new(settings: &Arc<Settings>, notices: &Arc<Notices>) -> Self {
        Self {
            statements: Statements::new(settings),
            permits: Semaphore::new(settings.pool),
            settings: Arc::clone(settings),
            notices: Arc::clone(notices),
            backoff: Backoff::default(),
            door: Mutex::default(),
            state: Lock::default(),
        }
    }

    /// Has it done. What was cut off in the middle, and may be done twice, is done again.
    pub async fn answer(&self, op: &Op) -> Result<Answer, StoreError> {
        let begun = Instant::now();
        let (mut since, mut cut, mut again) = (begun, None, 0);
        loop {
            let leased = match self.lease(since).await {
                Ok(leased) => leased,
                Err(error) => return Err(cut.map_or(error, StoreError::CutOff)),
            };
            let Some(connection) = &leased.connection else { continue };
            let trouble = match table::apply(connection, &self.statements, op).await {
                Ok(answer) => {
                    leased.give_back();
                    return Ok(answer);
                }
                Err(trouble) => trouble,
            };
            if trouble.spoils_connection() {
                drop(leased);
            } else {
                leased.give_back();
            }
            match trouble {
                Trouble::Store(error) => return Err(error),
                Trouble::Locked => return Err(busy(self.settings.lock_timeout)),
                Trouble::Again(_) if again >= MOST_AGAIN => return Err(busy(begun.elapsed())),
                Trouble::Again(_) => {
                    again += 1;
                    sleep(PAUSE.mul_f64(f64::from(again) * (0.5 + Thread.share()))).await;
                }
                Trouble::Elsewhere(error) => {
                    self.failed(error.clone());
                    if begun.elapsed() >= self.settings.limits.connect_timeout {
                        return Err(error);
                    }
                }
                Trouble::Cut(said) if is_repeatable(op) => {
                    self.failed(StoreError::Unavailable(said.clone()));
                    (since, cut) = (Instant::now(), Some(said));
                }
                Trouble::Cut(said) => return Err(StoreError::CutOff(said)),
            }
        }
    }

    /// Lets go of what nobody uses, and of the others when they are given back.
    pub fn let_go(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        idle.into_iter().for_each(Connection::end);
    }

    /// A connection for somebody who has waited since then.
    async fn lease(&self, since: Instant) -> Result<Leased<'_>, StoreError> {
        let permit = self.permits.acquire().await.map_err(|_| StoreError::Closed)?;
        let leased =
            |connection| Leased { pool: self, connection: Some(connection), _permit: permit };
        if let Some(connection) = self.idle() {
            return Ok(leased(connection));
        }
        // Where the server was there until now, those who waited for others' connections have still
        // all the time for one; where it is gone, they have waited for it already.
        let is_gone = self.state.lock().failures > 0;
        let begun = if is_gone { since } else { Instant::now() };
        let connection = self.connect(begun + self.settings.limits.connect_timeout).await?;
        Ok(leased(connection))
    }

    fn idle(&self) -> Option<Connection> {
        let mut state = self.state.lock();
        while let Some(connection) = state.idle.pop() {
            if !connection.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    async fn connect(&self, deadline: Instant) -> Result<Connection, StoreError> {
        loop {
            let (failures, not_before) = {
                let state = self.state.lock();
                (state.failures, state.not_before)
            };
            if let Some(at) = not_before.filter(|at| *at > Instant::now()) {
                if at > deadline {
                    return Err(self.unavailable());
                }
                sleep_until(at).await;
                continue;
            }
            let _door = match failures {
                0 => None,
                _ => match timeout_at(deadline, self.door.lock()).await {
                    Ok(door) => Some(door),
                    Err(_) => return Err(self.unavailable()),
                },
            };
            // Whoever was at it before may have made out how things stand.
            if let Some(connection) = self.idle() {
                return Ok(connection);
            }
            let not_before = self.state.lock().not_before;
            if failures > 0 && not_before.is_some_and(|at| at > Instant::now()) {
                continue;
            }
            match timeout_at(deadline, Connection::open(&self.settings, &self.notices)).await {
                Ok(Ok(connection)) => {
                    let mut state = self.state.lock();
                    (state.failures, state.not_before, state.met) = (0, None, None);
                    return Ok(connection);
                }
                Ok(Err((error, may_help))) => {
                    self.failed(error.clone());
                    if !may_help {
                        return Err(error);
                    }
                }
                Err(_) => {
                    let said = format!(
                        "{} did not answer within {} s",
                        self.settings.place,
                        self.settings.limits.connect_timeout.as_secs_f64()
                    );
                    let late = StoreError::Unavailable(said);
                    self.failed(late.clone());
                    return Err(late);
                }
            }
        }
    }

    fn failed(&self, met: StoreError) {
        let mut state = self.state.lock();
        state.failures = state.failures.saturating_add(1);
        state.not_before =
            Some(Instant::now() + self.backoff.pause(state.failures, Thread.share()));
        state.met = Some(met);
    }

    fn unavailable(&self) -> StoreError {
        let met = self.state.lock().met.clone();
        met.unwrap_or_else(|| {
            StoreError::Unavailable(format!("no connection to {}", self.settings.place))
        })
    }
}

fn busy(waited: Duration) -> StoreError {
    StoreError::Busy(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX))
}

/// Is the answer the same when it is done twice? An owner's word is, and so is its claim: whoever asks
/// again is known by its number.
fn is_repeatable(op: &Op) -> bool {
    match op {
        Op::Step(_, Verb::Resolve(_) | Verb::Reopen) | Op::Sweep(_) => false,
        Op::Step(..) | Op::Get(_) | Op::List(..) | Op::Tally(_) => true,
    }
}
