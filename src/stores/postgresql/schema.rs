//! The tables, and their layout's number.

use super::settings::Settings;

/// The layout that this version writes.
pub(super) const LAYOUT: i64 = 1;

/// Locked by whoever makes or changes tables: `seawall` in ASCII, for the whole database.
const LOCK: i64 = 0x0073_6561_7761_6c6c;

/// The table of what happens in transactions of the user's own.
const TRANSACTIONS: &str = include_str!("transactions.sql");

/// One script: all of it is done or nothing. Who comes second, by hand or not, finds it done. To make
/// a schema takes a right of its own, even where there is one already: so that is only said where
/// there is none.
///
/// No index but that of the key: each step would pay for it, and a walk is rare. Room is left in
/// each page, so that a record that ends is written where it lies.
pub(super) fn script(settings: &Settings, has_schema: bool) -> String {
    let schema = settings.quoted_schema();
    let first =
        if has_schema { String::new() } else { format!("CREATE SCHEMA IF NOT EXISTS {schema};\n") };
    format!(
        "BEGIN;
SELECT pg_advisory_xact_lock({LOCK});
{first}CREATE TABLE IF NOT EXISTS {schema}.layout (
    room text PRIMARY KEY,
    version bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.idempotency (
    id bytea PRIMARY KEY,
    layout smallint NOT NULL,
    state smallint NOT NULL,
    owner bytea,
    fence bigint NOT NULL,
    attempts bigint NOT NULL,
    quarantine boolean NOT NULL,
    fingerprint bytea,
    created bigint NOT NULL,
    changed bigint NOT NULL,
    ttl bigint NOT NULL,
    expires bigint,
    lease_until bigint,
    hard_deadline bigint,
    codec smallint,
    result bytea,
    checksum bytea NOT NULL
) WITH (fillfactor = 70);
{transactions}INSERT INTO {schema}.layout VALUES ('idempotency', {LAYOUT}) ON CONFLICT (room) DO NOTHING;
COMMIT;
",
        transactions = TRANSACTIONS.replace("{schema}", &schema),
    )
}

/// The layout that there is.
pub(super) fn find(settings: &Settings) -> String {
    let schema = settings.quoted_schema();
    format!("SELECT version FROM {schema}.layout WHERE room = 'idempotency'")
}
