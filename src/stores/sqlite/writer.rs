//! Who uses the connection, and in whose turn.
//!
//! What is queued is done by one thread, all that waits in one transaction. What may block its
//! caller is done by the caller. Either holds forks off only while it is inside of SQLite, never
//! while it waits for another process.

use super::connection::Connection;
use super::errors::Trouble;
use super::settings::Settings;
use crate::process::locks::{Bell, Lock};
use crate::process::{forks, signals};
use crate::random::{Random, Thread};
use crate::stores::backend::{Answer, Done, Op};
use crate::stores::clock::Machine;
use crate::stores::error::StoreError;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How many operations may wait.
const MOST_WAITING: usize = 10_000;
/// How many are done in one transaction: others' writes wait for as long as it takes.
const MOST_AT_ONCE: usize = 256;
/// Between two looks for another process's lock: about so long at first, and at last.
const FIRST_PAUSE: f64 = 100e-6;
const LAST_PAUSE: f64 = 5e-3;

type Answers = Vec<Result<Answer, StoreError>>;

struct Job {
    op: Op,
    done: Done,
}

/// Whose turn it is to use the connection.
#[derive(Default)]
struct Turn {
    connection: Option<Connection>,
    is_taken: bool,
    waiting: usize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    has_thread: bool,
    closed: bool,
}

pub(super) struct Writer {
    settings: Arc<Settings>,
    machine: Machine,
    /// Only used while forks are held off, or by the one that forks.
    turn: Lock<Turn>,
    /// Whoever had the connection is done.
    done: Bell,
    queue: Lock<Queue>,
    changed: Bell,
}

impl Writer {
    pub fn new(settings: Arc<Settings>, machine: Machine) -> Self {
        Self {
            settings,
            machine,
            turn: Lock::default(),
            done: Bell::default(),
            queue: Lock::default(),
            changed: Bell::default(),
        }
    }

    /// Does it on this thread.
    pub fn at_once(&self, op: &Op, patience: Duration) -> Result<Answer, StoreError> {
        let mut answers = self.transact(&[op], patience)?;
        answers.pop().unwrap_or(Err(StoreError::TimedOut))
    }

    /// Has it done by the writer's thread.
    pub fn queue(self: &Arc<Self>, op: Op, done: Done) {
        let mut queue = self.queue.lock();
        let refusal = if queue.closed {
            Some(StoreError::Closed)
        } else if queue.jobs.len() >= MOST_WAITING {
            Some(StoreError::Overloaded(MOST_WAITING))
        } else if queue.has_thread {
            None
        } else {
            self.start().err()
        };
        if let Some(refusal) = refusal {
            drop(queue);
            return done(Err(refusal));
        }
        queue.has_thread = true;
        queue.jobs.push_back(Job { op, done });
        drop(queue);
        self.changed.ring_one();
    }

    /// Refuses what comes, and has the thread end when it has done what is there.
    pub fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        let has_thread = queue.has_thread;
        drop(queue);
        self.changed.ring();
        if !has_thread {
            self.let_go();
        }
    }

    fn start(self: &Arc<Self>) -> Result<(), StoreError> {
        let writer = Arc::clone(self);
        std::thread::Builder::new()
            .name("seawall-sqlite".to_owned())
            .spawn(move || writer.run())
            .map(drop)
            .map_err(|error| StoreError::Unavailable(format!("no thread: {error}")))
    }

    fn run(&self) {
        signals::leave_to_others();
        loop {
            let queue = self.queue.lock();
            let mut queue =
                self.changed.wait_while(queue, |queue| queue.jobs.is_empty() && !queue.closed);
            let most = queue.jobs.len().min(MOST_AT_ONCE);
            let jobs: Vec<Job> = queue.jobs.drain(..most).collect();
            drop(queue);
            if jobs.is_empty() {
                return self.let_go();
            }
            self.commit(jobs);
        }
    }

    fn let_go(&self) {
        let _held = forks::hold();
        drop(self.take(Duration::MAX));
        self.put_back(None);
    }

    /// Does these jobs together; or, where that fails, each on its own, so that what is wrong with
    /// one of them is its own trouble.
    fn commit(&self, jobs: Vec<Job>) {
        let ops: Vec<&Op> = jobs.iter().map(|job| &job.op).collect();
        let answers = match self.transact(&ops, Duration::MAX) {
            Ok(answers) => answers,
            Err(error @ (StoreError::Busy(_) | StoreError::Unavailable(_))) => {
                ops.iter().map(|_| Err(error.clone())).collect()
            }
            Err(error) if ops.len() == 1 => vec![Err(error)],
            Err(_) => ops
                .iter()
                .map(|op| {
                    self.transact(&[op], Duration::MAX)
                        .and_then(|mut answers| answers.pop().unwrap_or(Err(StoreError::TimedOut)))
                })
                .collect(),
        };
        for (job, answer) in jobs.into_iter().zip(answers) {
            (job.done)(answer);
        }
    }

    /// One transaction, tried until other processes let it in, or for as long as may be waited.
    fn transact(&self, ops: &[&Op], patience: Duration) -> Result<Answers, StoreError> {
        let patience = patience.min(self.settings.busy_timeout);
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.attempt(ops, patience.saturating_sub(waited)) {
                Ok(answers) => return Ok(answers),
                Err(Trouble::Store(error)) => return Err(error),
                Err(Trouble::Busy) if waited >= patience => {
                    return Err(StoreError::Busy(u64::try_from(waited.as_millis()).unwrap_or(0)));
                }
                Err(Trouble::Busy) => {
                    // Those who wait must not come back in step.
                    let jittered = Duration::from_secs_f64(pause * (0.5 + Thread.share()));
                    let rest = jittered.min(patience.saturating_sub(waited));
                    std::thread::sleep(rest);
                    waited += rest;
                    pause = (pause * 1.5).min(LAST_PAUSE);
                }
            }
        }
    }

    fn attempt(&self, ops: &[&Op], patience: Duration) -> Result<Answers, Trouble> {
        let _held = forks::hold();
        let open = self.take(patience)?;
        let opened = open.map_or_else(|| Connection::open(&self.settings, &self.machine), Ok);
        let (connection, done) = match opened {
            Ok(mut connection) => {
                let done = connection.transact(ops);
                let is_spoilt = done.as_ref().is_err_and(Trouble::spoils_connection);
                ((!is_spoilt).then_some(connection), done)
            }
            Err(trouble) => (None, Err(trouble)),
        };
        self.put_back(connection);
        done
    }

    /// The connection, or the right to open it, unless others had it all the time.
    fn take(&self, patience: Duration) -> Result<Option<Connection>, Trouble> {
        let mut turn = self.turn.lock();
        if turn.is_taken {
            turn.waiting += 1;
            turn = self.done.wait_while_for(turn, patience, |turn| turn.is_taken);
            turn.waiting -= 1;
        }
        if turn.is_taken {
            return Err(StoreError::TimedOut.into());
        }
        turn.is_taken = true;
        Ok(turn.connection.take())
    }

    fn put_back(&self, connection: Option<Connection>) {
        let mut turn = self.turn.lock();
        (turn.connection, turn.is_taken) = (connection, false);
        // Ringing asks the kernel, and as a rule nobody waits.
        if turn.waiting > 0 {
            self.done.ring_one();
        }
    }
}

impl forks::BeforeFork for Writer {
    fn before_fork(&self) {
        if let Some(connection) = self.turn.lock().connection.take() {
            connection.close_quickly();
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
