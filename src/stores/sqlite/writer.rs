//! Who uses the connection, and in whose turn.
//!
//! What is queued is done by one thread, all that waits in one transaction. What may block its
//! caller is done by the caller. Either holds forks off only while it is inside of SQLite, never
//! while it waits for another process.

use super::connection::Connection;
use super::errors::Trouble;
use super::settings::Settings;
use crate::process::{forks, signals};
use crate::random::{Random, Thread};
use crate::stores::backend::{Answer, Done, Op};
use crate::stores::clock::Machine;
use crate::stores::error::StoreError;
use parking_lot::{Condvar, Mutex};
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

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    has_thread: bool,
    closed: bool,
}

pub(super) struct Writer {
    settings: Arc<Settings>,
    machine: Machine,
    /// Only locked while forks are held off, or by the one that forks.
    connection: Mutex<Option<Connection>>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Writer {
    pub fn new(settings: Arc<Settings>, machine: Machine) -> Self {
        Self {
            settings,
            machine,
            connection: Mutex::default(),
            queue: Mutex::default(),
            changed: Condvar::new(),
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
        self.changed.notify_one();
    }

    /// Refuses what comes, and has the thread end when it has done what is there.
    pub fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        let has_thread = queue.has_thread;
        drop(queue);
        self.changed.notify_all();
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
            let mut queue = self.queue.lock();
            self.changed.wait_while(&mut queue, |queue| queue.jobs.is_empty() && !queue.closed);
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
        *self.connection.lock() = None;
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
        let Some(mut connection) = self.connection.try_lock_for(patience) else {
            return Err(StoreError::TimedOut.into());
        };
        let open = match &mut *connection {
            Some(open) => open,
            none => none.insert(Connection::open(&self.settings, &self.machine)?),
        };
        let done = open.transact(ops);
        if done.as_ref().is_err_and(Trouble::spoils_connection) {
            *connection = None;
        }
        done
    }
}

impl forks::BeforeFork for Writer {
    fn before_fork(&self) {
        if let Some(connection) = self.connection.lock().take() {
            connection.close_quickly();
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("settings", &self.settings).finish_non_exhaustive()
    }
}
