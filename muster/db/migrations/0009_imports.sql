-- Files that are fed to the roster, the tree and the catalogue: what was sent, how far it came, by whom.
CREATE SCHEMA IF NOT EXISTS registry;

-- One row a file; it stays as the history of imports. Its bytes and its faults are personal data.
CREATE TABLE registry.import (
    import         uuid PRIMARY KEY,
    -- the file
    name           text NOT NULL,
    size_bytes     bigint NOT NULL,
    hash           bytea,                       -- sha256 of the bytes, once all are here
    -- how it is to be read
    kind           text,
    columns        jsonb,                       -- field → header, where somebody chose; else by name
    correct_names  boolean NOT NULL DEFAULT false,
    -- whose it is, and where they may import: no areas means everywhere
    made_by        text NOT NULL,
    made_at        timestamptz NOT NULL,
    areas          uuid[],
    -- how far it came: receiving, received, check_waiting, checking, checked, waiting, running, stopped,
    -- done, failed
    state          text NOT NULL,
    stopping       boolean NOT NULL DEFAULT false,
    slug           text,                        -- of the problem that ended it
    facts          jsonb,
    started_by     text,
    started_at     timestamptz,
    ended_at       timestamptz,
    turns          int NOT NULL DEFAULT 0,      -- how often it was begun: more than once after a restart
    -- figures of the check, or of the import once it has begun
    done           bigint NOT NULL DEFAULT 0,   -- of `total`, in the unit of the file
    total          bigint NOT NULL DEFAULT 0,
    rows           int NOT NULL DEFAULT 0,
    stored         int NOT NULL DEFAULT 0,      -- of a check: what would be
    unchanged      int NOT NULL DEFAULT 0,
    joined         int NOT NULL DEFAULT 0,
    rejected       int NOT NULL DEFAULT 0,
    headers        jsonb,                       -- of the file, for the rows handed back
    unused         jsonb,                       -- headers of columns that were not used
    summary        jsonb,                       -- faults by header and problem: how many rows
    expires_at     timestamptz NOT NULL
);
CREATE INDEX import_made ON registry.import (made_at DESC, import);
CREATE INDEX import_waiting ON registry.import (started_at)
    WHERE state IN ('check_waiting', 'checking', 'waiting', 'running');

-- The bytes, in pieces as they were sent, encrypted.
CREATE TABLE registry.import_part (
    part        uuid PRIMARY KEY,
    import      uuid NOT NULL REFERENCES registry.import ON DELETE CASCADE,
    number      int NOT NULL,
    size_bytes  int NOT NULL,
    sealed      bytea NOT NULL,
    UNIQUE (import, number)
);

-- What is wrong with its rows, some hundreds to a row here, encrypted: they are quoted.
CREATE TABLE registry.import_fault (
    page    uuid PRIMARY KEY,
    import  uuid NOT NULL REFERENCES registry.import ON DELETE CASCADE,
    number  int NOT NULL,
    sealed  bytea NOT NULL,
    UNIQUE (import, number)
);
