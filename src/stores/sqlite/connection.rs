//! One connection, and the transactions that are made with it.

use super::errors::Trouble;
use super::settings::{Durability, Settings};
use super::{file, schema, table};
use crate::stores::backend::{Answer, Op};
use crate::stores::clock::{Machine, Shift};
use crate::stores::error::StoreError;
use crate::stores::{Micros, SECOND};
use rusqlite::config::DbConfig;
use rusqlite::{Connection as Handle, OpenFlags};
use std::path::PathBuf;

/// Before it, a write-ahead log that was reset at the wrong moment could corrupt the file.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Statements that are kept prepared: all there are.
const STATEMENTS: usize = 32;

#[derive(Debug)]
pub(super) struct Connection {
    handle: Handle,
    machine: Machine,
    shift: Shift,
    /// The time that the file knows to have been.
    noted: Micros,
    path: PathBuf,
    file: Option<(u64, u64)>,
}

impl Connection {
    pub fn open(settings: &Settings, machine: &Machine) -> Result<Self, Trouble> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            let said = format!("SQLite {} corrupts files", rusqlite::version());
            return Err(StoreError::Unavailable(said).into());
        }
        let path = file::prepare(settings)?;
        // Nobody else uses the handle meanwhile: it needs no lock of its own.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let handle = Handle::open_with_flags(&path, flags)?;
        handle.set_prepared_statement_cache_capacity(STATEMENTS);
        handle.busy_timeout(std::time::Duration::ZERO)?;
        handle.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        handle.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        handle.pragma_update(None, "cell_size_check", true)?;
        schema::check(&handle)?;
        let mode: String = handle.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let said = format!("the file can't have a write-ahead log: it stays {mode:?}");
            return Err(StoreError::Unavailable(said).into());
        }
        let synchronous = match settings.durability {
            Durability::Full => "FULL",
            Durability::Relaxed => "NORMAL",
        };
        handle.pragma_update(None, "synchronous", synchronous)?;
        handle.pragma_update(None, "fullfsync", settings.durability == Durability::Full)?;
        // What a burst has made of the log is given back.
        handle.pragma_update(None, "journal_size_limit", 16 << 20)?;
        if let Some(max_size) = settings.max_size {
            let page: i64 = handle.query_row("PRAGMA page_size", [], |row| row.get(0))?;
            let pages = max_size.cast_signed() / page;
            handle.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        }
        schema::create(&handle)?;
        let shift = schema::shift(&handle, machine)?;
        let noted = schema::latest(&handle)?;
        let file = file::identity(&path);
        Ok(Self { handle, machine: machine.clone(), shift, noted, path, file })
    }

    /// Leaves the log as it is: whoever forks should not wait for a disk.
    pub fn close_quickly(self) {
        let _ = self.handle.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// Does all of these in one transaction. Either each has an answer, its own error perhaps, or
    /// none was done.
    pub fn transact(&mut self, ops: &[&Op]) -> Result<Vec<Result<Answer, StoreError>>, Trouble> {
        let writes = ops.iter().any(|op| matches!(op, Op::Step(..) | Op::Sweep(_)));
        let done = self.transaction(ops, writes);
        if done.is_err() {
            schema::roll_back(&self.handle);
        }
        done
    }

    fn transaction(
        &mut self,
        ops: &[&Op],
        writes: bool,
    ) -> Result<Vec<Result<Answer, StoreError>>, Trouble> {
        let run = |sql: &str| self.handle.prepare_cached(sql)?.execute([]).map(|_| ());
        run(if writes { "BEGIN IMMEDIATE" } else { "BEGIN" })?;
        // Read once the lock is there: so all who write the file do so at times that grow.
        let now = self.shift.now(&self.machine);
        let notes = writes && now >= self.noted.saturating_add(SECOND);
        if notes {
            // What is written to a file without a name nobody else will ever read.
            if file::identity(&self.path) != self.file {
                let said =
                    format!("{} was moved or removed while it was open", self.path.display());
                return Err(StoreError::Unavailable(said).into());
            }
            self.handle
                .prepare_cached("UPDATE latest SET time = max(time, ?1)")?
                .execute([now.cast_signed()])?;
        }
        let mut answers = Vec::with_capacity(ops.len());
        for op in ops {
            answers.push(match table::apply(&self.handle, op, now) {
                Ok(answer) => Ok(answer),
                // This one record is unreadable: the others' steps have nothing to do with it.
                Err(Trouble::Store(error @ StoreError::Damaged { .. })) => Err(error),
                Err(trouble) => return Err(trouble),
            });
        }
        run("COMMIT")?;
        if notes {
            self.noted = now;
        }
        Ok(answers)
    }
}
