-- What is stored once by what it holds: the data of frozen reports. Nobody's to read but Muster's own
-- hand, which asks first who may.
CREATE TABLE ledger.artifact (
    hash      bytea PRIMARY KEY,               -- sha256 of the content
    kind      text NOT NULL,
    content   bytea NOT NULL,
    stored_at timestamptz NOT NULL
);
