-- What happens in the user's own transactions: one row an operation, which is written by the
-- transaction that it stands for, and only ever seen by others when that is committed.
--
-- What was begun and not completed can't be committed: `never` is empty, and what refers to it is
-- looked at when the transaction ends. So a commit inside of a block fails, and undoes all of it.
CREATE TABLE IF NOT EXISTS {schema}.never (id smallint PRIMARY KEY);
CREATE TABLE IF NOT EXISTS {schema}.transactions (
    id bytea PRIMARY KEY,
    layout smallint NOT NULL,
    state smallint NOT NULL,
    begun smallint CONSTRAINT committed_inside_of_an_idempotency_block
        REFERENCES {schema}.never DEFERRABLE INITIALLY DEFERRED,
    transaction bigint NOT NULL,
    fingerprint bytea,
    created bigint NOT NULL,
    expires bigint NOT NULL,
    codec smallint,
    result bytea,
    checksum bytea
) WITH (fillfactor = 70);
