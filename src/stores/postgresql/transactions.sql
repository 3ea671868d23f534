-- What happens in the user's own transactions: one row an operation, which is written by the
-- transaction that it stands for, and only ever seen by others when that is committed.
CREATE TABLE IF NOT EXISTS {schema}.transactions (
    id bytea PRIMARY KEY,
    layout smallint NOT NULL,
    state smallint NOT NULL,
    transaction bigint NOT NULL,
    fingerprint bytea,
    created bigint NOT NULL,
    expires bigint NOT NULL,
    codec smallint,
    result bytea,
    checksum bytea
) WITH (fillfactor = 70);
