//! The tables, and whose they are.

use super::errors::Trouble;
use crate::stores::clock::{Machine, Shift};
use crate::stores::error::StoreError;
use crate::stores::{LATEST, Micros, SECOND};
use rusqlite::{Connection, OptionalExtension, params};

/// `SeaI`, so that `file` and other programs can tell what it is.
const APPLICATION: i64 = 0x5365_6149;
/// The layout that this version writes.
pub(super) const LAYOUT: i64 = 1;

/// A record's expiry lies before its bytes: a walk that needs no more does not read those of long
/// ones. There is no index of it: sweeping is rare, and each step would pay for it.
const TABLES: &str = "
CREATE TABLE record (
    id BLOB PRIMARY KEY NOT NULL,
    expires INTEGER,
    state INTEGER NOT NULL,
    record BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE clock (boot TEXT PRIMARY KEY NOT NULL, shift INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE latest (only INTEGER PRIMARY KEY CHECK (only = 1), time INTEGER NOT NULL) STRICT;
INSERT INTO latest VALUES (1, 0);
";

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// Is it a store's file, or an empty one? Looked at before anything in it is changed.
///
/// One look, in a transaction: another process may be making the tables between two.
pub(super) fn check(connection: &Connection) -> Result<bool, Trouble> {
    let looked = || -> Result<bool, Trouble> {
        connection.execute_batch("BEGIN")?;
        let is_ours = look(connection)?;
        connection.execute_batch("COMMIT")?;
        Ok(is_ours)
    };
    looked().inspect_err(|_| roll_back(connection))
}

fn look(connection: &Connection) -> Result<bool, Trouble> {
    let application = pragma(connection, "application_id")?;
    let layout = pragma(connection, "user_version")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && layout == 0 && tables == 0 {
        return Ok(false);
    }
    if application != APPLICATION {
        return Err(StoreError::Foreign("another program's SQLite database".to_owned()).into());
    }
    if layout > LAYOUT {
        return Err(StoreError::Newer { found: layout, known: LAYOUT }.into());
    }
    // What we never made could run when a table is touched.
    let alien = "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')";
    if layout < 1 || connection.query_row(alien, [], |row| row.get::<_, i64>(0))? > 0 {
        return Err(StoreError::Foreign("its tables were changed".to_owned()).into());
    }
    Ok(true)
}

/// Makes the tables where there are none. Of many processes at once, one does.
pub(super) fn create(connection: &Connection) -> Result<(), Trouble> {
    if check(connection)? {
        return Ok(());
    }
    let made = || -> Result<(), Trouble> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        if !look(connection)? {
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "application_id", APPLICATION)?;
            connection.pragma_update(None, "user_version", LAYOUT)?;
        }
        Ok(connection.execute_batch("COMMIT")?)
    };
    made().inspect_err(|_| roll_back(connection))
}

pub(super) fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // What can't be rolled back is so when the connection is closed.
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// The store's clock in this boot: the same for all its processes, whatever is done to the date.
///
/// The first process of a boot says where it begins: at the date, or at the latest time that the
/// store has seen, whichever is later.
pub(super) fn shift(connection: &Connection, machine: &Machine) -> Result<Shift, Trouble> {
    let found = || -> Result<Shift, Trouble> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let known = match &machine.boot {
            Some(boot) => connection
                .query_row("SELECT shift FROM clock WHERE boot = ?1", [boot], |row| row.get(0))
                .optional()?
                .map(Shift),
            None => None,
        };
        let shift = if let Some(shift) = known {
            shift
        } else {
            let begins = machine.date().max(latest(connection)?.saturating_add(2 * SECOND));
            let shift = Shift::so_that_now_is(begins.min(LATEST), machine);
            if let Some(boot) = &machine.boot {
                connection.execute("INSERT INTO clock VALUES (?1, ?2)", params![boot, shift.0])?;
            }
            shift
        };
        connection.execute_batch("COMMIT")?;
        Ok(shift)
    };
    found().inspect_err(|_| roll_back(connection))
}

/// The latest time that was noted. The true one is up to a second later.
pub(super) fn latest(connection: &Connection) -> Result<Micros, Trouble> {
    let time: i64 = connection.query_row("SELECT time FROM latest", [], |row| row.get(0))?;
    u64::try_from(time)
        .ok()
        .filter(|time| *time <= LATEST)
        .ok_or_else(|| StoreError::Corrupt("its clock is out of range".to_owned()).into())
}
