//! `sqlite:///relative.db`, `sqlite:////absolute.db`: one file for all processes of a host.
//!
//! SQLite is bundled, so that its version is known. Each process has one connection, which is used
//! by one thread at a time, and one thread of its own (`writer`), which takes all that waits into one
//! transaction: with `durability=full`, the disk is waited for once for all of them. With
//! `durability=relaxed` there is nothing to share, and a thread that may block does its own work.
//!
//! Nothing of SQLite crosses a fork: it keeps its own account of the locks of its process, which in
//! a child is wrong, also for what is opened there. So a fork waits until nobody is inside, the
//! connection is closed before it, and both sides open their own.

mod connection;
mod errors;
mod file;
mod schema;
mod settings;
mod table;
mod writer;

use super::backend::{Answer, Backend, Done, Op};
use super::clock::Machine;
use super::error::StoreError;
use super::url::Url;
use crate::error::Problem;
use crate::process::forks::{self, Own};
use settings::{Durability, Settings};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::time::Duration;
use writer::Writer;

#[derive(Debug)]
struct Sqlite {
    settings: Arc<Settings>,
    machine: Machine,
    writer: Own<Arc<Writer>>,
    closed: AtomicBool,
}

/// Makes one. The file is opened when it is first used.
pub(super) fn open(
    url: &Url,
    machine: &Machine,
    problems: &mut Vec<Problem>,
) -> Option<Arc<dyn Backend>> {
    Settings::of(url, problems).map(|settings| {
        Arc::new(Sqlite {
            settings: Arc::new(settings),
            machine: machine.clone(),
            writer: Own::default(),
            closed: AtomicBool::new(false),
        }) as Arc<dyn Backend>
    })
}

impl Sqlite {
    /// This process's.
    fn writer(&self) -> Result<Arc<Writer>, StoreError> {
        if self.closed.load(SeqCst) {
            return Err(StoreError::Closed);
        }
        let held = forks::hold();
        let writer = self.writer.get(&held, || {
            let writer = Arc::new(Writer::new(Arc::clone(&self.settings), self.machine.clone()));
            let watcher: Weak<Writer> = Arc::downgrade(&writer);
            forks::watch(&held, watcher);
            writer
        });
        Ok(Arc::clone(writer))
    }
}

impl Backend for Sqlite {
    fn here(&self, op: Op, patience: Duration) -> Result<Result<Answer, StoreError>, Op> {
        if self.settings.durability == Durability::Full {
            return Err(op);
        }
        Ok(self.writer().and_then(|writer| writer.at_once(&op, patience)))
    }

    fn submit(&self, op: Op, done: Done) {
        match self.writer() {
            Ok(writer) => writer.queue(op, done),
            Err(error) => done(Err(error)),
        }
    }

    fn close(&self) {
        if let Ok(writer) = self.writer() {
            self.closed.store(true, SeqCst);
            writer.close();
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}
