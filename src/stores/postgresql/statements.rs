//! What is asked, in SQL. Each text is a transaction of its own.
//!
//! What happens as a rule is one statement, at the server's own time: a claim of a new key, what an
//! owner says of its claim. All else is decided by [`step`](crate::stores::idempotency::step) of what
//! was read, and written if nobody wrote meanwhile ([`Statements::write`]): no rule is said twice
//! that need not be.
//!
//! A record's checksum is computed by the server over all its columns, in their order, with their
//! types and lengths (`record_send`); it is also what tells whether somebody wrote. No statement
//! leaves anything in the session, so that a connection may be anybody's afterwards: the wait for
//! locks is bounded within the statement itself.

use super::settings::Settings;
use crate::stores::LATEST;
use std::fmt::Write;

/// The columns that the checksum covers, in its order.
const CONTENT: [&str; 16] = [
    "id",
    "layout",
    "state",
    "owner",
    "fence",
    "attempts",
    "quarantine",
    "fingerprint",
    "created",
    "changed",
    "ttl",
    "expires",
    "lease_until",
    "hard_deadline",
    "codec",
    "result",
];

/// Microseconds since 1970, on the server's own clock, whenever it is asked.
const CLOCK: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::int8";

/// How many statements a session may keep.
pub(super) const NAMED: usize = 7;

/// A statement's text, and its number if a session may keep it.
#[derive(Debug)]
pub(super) struct Sql {
    pub text: String,
    pub number: Option<usize>,
}

/// The texts for one table. Walks are rare, and their best plans differ by where they begin: no
/// session keeps them.
#[derive(Debug)]
pub(super) struct Statements {
    /// A claim, if there is no record: id, owner, fingerprint, lease, cap, ttl, quarantine.
    pub claim: Sql,
    /// An owner's word: id, owner, fence, and the lease.
    pub extend: Sql,
    /// Likewise, and the state, codec and result.
    pub end: Sql,
    /// An owner's word: id, owner, fence.
    pub release: Sql,
    /// Likewise.
    pub quarantine: Sql,
    /// One record and the time: id.
    pub read: Sql,
    /// A record in the place of the one with this checksum: id, checksum, the content from `state` on.
    pub write: Sql,
    /// Records and the time: first id, end, how many, state.
    pub list: Sql,
    /// Id, state and whether it has expired: first id, end, how many.
    pub tally: Sql,
    /// Removes: first id, end, how many.
    pub sweep: Sql,
}

impl Statements {
    pub fn new(settings: &Settings) -> Self {
        let table = settings.table();
        let patience = settings.lock_timeout.as_millis().max(1);
        let patience = format!("set_config('lock_timeout', '{patience}', true)");
        let now = format!("(SELECT {CLOCK} AS now, {patience}) AS t");
        let live = format!("(r.expires IS NULL OR r.expires > {CLOCK})");
        let sound = sound("r");
        let held = format!("r.id = $1 AND r.owner = $2 AND r.fence = $3 AND {live} AND {sound}");
        let change = |new: &[(&str, &str)], guard: &str, answer: &str| {
            format!(
                "UPDATE {table} AS r SET ({names}, checksum) = (SELECT {values}, \
                 sha256(record_send(n)) FROM (SELECT {row} FROM {now}) AS n) \
                 WHERE {held} AND {guard} RETURNING {answer}",
                names = listed("", new.iter().map(|(name, _)| *name)),
                values = listed("n.", new.iter().map(|(name, _)| *name)),
                row = with(new),
            )
        };
        let later = format!("least(now + r.ttl, {LATEST})");
        let no_lease = [("lease_until", "NULL::int8"), ("hard_deadline", "NULL::int8")];
        let over = |new: &[(&'static str, &str)], open: &str| {
            let new: Vec<_> = new.iter().copied().chain(no_lease).collect();
            change(&new, open, "true")
        };
        let lease = format!("greatest(least(now + $4, r.hard_deadline, {LATEST}), r.lease_until)");
        let kept = |number, text| Sql { text, number: Some(number) };
        let once = |text| Sql { text, number: None };
        Self {
            claim: kept(0, claim(&table, &now)),
            extend: kept(
                1,
                change(
                    &[("lease_until", &lease)],
                    &format!("r.state = 0 AND r.hard_deadline > {CLOCK}"),
                    "r.lease_until",
                ),
            ),
            end: kept(
                2,
                over(
                    &[
                        ("state", "$4"),
                        ("codec", "$5"),
                        ("result", "$6"),
                        ("changed", "now"),
                        ("expires", &later),
                    ],
                    "r.state IN (0, 4, 5)",
                ),
            ),
            release: kept(
                3,
                over(
                    &[("state", "3::int2"), ("changed", "now"), ("expires", &later)],
                    "r.state = 0",
                ),
            ),
            quarantine: kept(
                4,
                over(
                    &[("state", "4::int2"), ("changed", "now"), ("expires", "NULL::int8")],
                    "r.state = 0",
                ),
            ),
            read: kept(
                5,
                format!(
                    "SELECT t.now, r.id, {columns} FROM (SELECT {CLOCK} AS now) AS t \
                 LEFT JOIN {table} AS r ON r.id = $1",
                    columns = columns()
                ),
            ),
            write: kept(6, write(&table, &patience)),
            list: once(format!(
                "SELECT t.now, s.id, {columns} \
                 FROM (SELECT {CLOCK} AS now) AS t CROSS JOIN ({stretch}) AS s \
                 LEFT JOIN {table} AS r ON r.id = s.id AND (r.expires IS NULL OR r.expires > t.now) \
                     AND ($4 IS NULL OR r.state = $4) ORDER BY s.id",
                columns = columns(),
                stretch = stretch(&table, "id")
            )),
            tally: once(format!(
                "SELECT s.id, s.state, coalesce(s.expires <= t.now, false) \
                 FROM (SELECT {CLOCK} AS now) AS t CROSS JOIN ({stretch}) AS s ORDER BY s.id",
                stretch = stretch(&table, "id, state, expires")
            )),
            sweep: once(sweep(&table, &settings.transactions())),
        }
    }
}

fn claim(table: &str, now: &str) -> String {
    let hard = format!("least(now + $5, {LATEST})");
    let row = [
        "$1",
        "1::int2",
        "0::int2",
        "$2",
        "now",
        "1::int8",
        "$7",
        "$3",
        "now",
        "now",
        "$6",
        &format!("CASE WHEN NOT $7 THEN least(greatest(now + $6, now + $5), {LATEST}) END"),
        &format!("least(now + $4, {hard})"),
        &hard,
        "NULL::int2",
        "NULL::bytea",
    ];
    format!(
        "INSERT INTO {table} ({names}, checksum) SELECT n.*, sha256(record_send(n)) \
         FROM (SELECT {row} FROM {now}) AS n \
         ON CONFLICT (id) DO NOTHING RETURNING fence, lease_until",
        names = listed("", CONTENT),
        row = row.join(", "),
    )
}

fn write(table: &str, patience: &str) -> String {
    let given: Vec<_> = (0..CONTENT.len() - 2).map(|at| format!("${}", at + 3)).collect();
    let new: Vec<_> = CONTENT[2..].iter().copied().zip(given.iter().map(String::as_str)).collect();
    format!(
        "UPDATE {table} AS r SET ({names}, checksum) = (SELECT {values}, sha256(record_send(n)) \
         FROM (SELECT {row}) AS n) WHERE r.id = $1 AND r.checksum = $2 AND {patience} <> '' \
         RETURNING true",
        names = listed("", CONTENT[2..].iter().copied()),
        values = listed("n.", CONTENT[2..].iter().copied()),
        row = with(&new),
    )
}

/// What somebody is at is left for the next sweep: nobody waits for it here. Nor is a damaged record
/// removed, for when it expires is damaged perhaps. Both tables are walked at once, in one order.
fn sweep(table: &str, transactions: &str) -> String {
    format!(
        "WITH seen AS MATERIALIZED (({records}) UNION ({others}) ORDER BY id LIMIT $3), \
         looked AS (SELECT id FROM seen ORDER BY id LIMIT $3 - 1), \
         expired AS (SELECT r.id FROM {table} AS r WHERE r.id IN (SELECT id FROM looked) \
             AND r.expires <= {CLOCK} AND {sound} FOR UPDATE SKIP LOCKED), \
         gone AS (DELETE FROM {table} AS r USING expired AS e WHERE r.id = e.id RETURNING 1), \
         ended AS (SELECT t.id FROM {transactions} AS t WHERE t.id IN (SELECT id FROM looked) \
             AND t.expires <= {CLOCK} FOR UPDATE SKIP LOCKED), \
         past AS (DELETE FROM {transactions} AS t USING ended AS o WHERE t.id = o.id RETURNING 1) \
         SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM past), \
             (SELECT count(*) FROM seen), (SELECT id FROM looked ORDER BY id DESC LIMIT 1)",
        records = stretch(table, "id"),
        others = stretch(transactions, "id"),
        sound = sound("r")
    )
}

/// In the order of their bytes.
fn stretch(table: &str, columns: &str) -> String {
    format!(
        "SELECT {columns} FROM {table} WHERE id >= $1 AND ($2 IS NULL OR id < $2) \
         ORDER BY id LIMIT $3"
    )
}

/// What a record is read from, after the time and its id.
fn columns() -> String {
    format!("r.checksum, {}, {}", sound("r"), listed("r.", CONTENT[1..].iter().copied()))
}

/// Is it what was written, by a version whose checksums we know?
fn sound(row: &str) -> String {
    let columns = listed(&format!("{row}."), CONTENT);
    format!("({row}.layout = 1 AND {row}.checksum = sha256(record_send(ROW({columns}))))")
}

/// The row as it is kept, but for what is new.
fn with(new: &[(&str, &str)]) -> String {
    let mut row = String::new();
    for name in CONTENT {
        let kept = format!("r.{name}");
        let value = new.iter().find(|(changed, _)| *changed == name).map_or(&*kept, |(_, new)| new);
        let comma = if row.is_empty() { "" } else { ", " };
        // Never fails: it is a string.
        let _ = write!(row, "{comma}{value} AS {name}");
    }
    row
}

fn listed<'a>(before: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("{before}{name}")).collect::<Vec<_>>().join(", ")
}
