-- The ledger: what happened, in commit order, chained; and what could not be read or shown yet.
CREATE SCHEMA ledger;

CREATE TABLE ledger.event (
    seq         bigint PRIMARY KEY,          -- gapless; its order is commit order
    id          uuid NOT NULL UNIQUE,        -- minted by the sender before sending
    type        text NOT NULL,
    v           smallint NOT NULL,           -- version of the type's body
    subject     uuid NOT NULL,
    -- clocks: what the device said, how far off it was measured, and what we make of it
    at          timestamptz NOT NULL,
    device_at   timestamptz NOT NULL,
    offset_ms   bigint NOT NULL,
    received_at timestamptz NOT NULL,
    -- who
    actor       text NOT NULL,
    device      text,
    device_seq  bigint,
    cause       uuid,                        -- the event this one follows from
    -- proof: digest = sha256(salt || canonical bytes); salt and body are NULL once redacted
    salt        bytea,
    digest      bytea NOT NULL,
    body        jsonb
);
CREATE INDEX event_subject ON ledger.event (subject, type);
CREATE INDEX event_device ON ledger.event (device, device_seq) WHERE device_seq IS NOT NULL;
-- Results name a barcode, moves name a second tube: their views look events up by these.
CREATE INDEX event_result_barcode ON ledger.event ((body ->> 'barcode'))
    WHERE type IN ('ResultReleased', 'ResultAmended', 'ResultBound', 'ResultRejected');
CREATE INDEX event_moved_to ON ledger.event (((body ->> 'to')::uuid)) WHERE type = 'SpecimenMoved';

-- One row a transaction; hash = sha256(previous hash || id, first and last seq || digests in order).
CREATE TABLE ledger.batch (
    id           bigint PRIMARY KEY,
    first_seq    bigint NOT NULL,
    last_seq     bigint NOT NULL,
    committed_at timestamptz NOT NULL,
    hash         bytea NOT NULL
);

-- What the server could not read: kept verbatim, encrypted, owned, expiring.
CREATE TABLE ledger.inbox (
    id          uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    owner       text NOT NULL,               -- who sent it: the device or the importing account
    offset_ms   bigint NOT NULL,             -- how far the owner's clock was measured off then
    slug        text NOT NULL,               -- the problem that held it
    event       uuid,                        -- the event id, where one could be read
    digest      bytea NOT NULL UNIQUE,       -- keyed, so that a repeated upload is held once
    sealed      bytea,                       -- the bytes, encrypted; NULL once applied or expired
    applied_at  timestamptz
);
CREATE INDEX inbox_event ON ledger.inbox (event);

-- A subject whose view or rule failed: its events are stored, its rows are old until this is gone.
CREATE TABLE ledger.stalled (
    subject  uuid NOT NULL,
    view     text NOT NULL,
    event    uuid NOT NULL,
    error    text NOT NULL,
    since    timestamptz NOT NULL,
    PRIMARY KEY (subject, view)
);

-- Followers run just after commit, each from its own cursor.
CREATE TABLE ledger.follower (
    name  text PRIMARY KEY,
    seq   bigint NOT NULL,
    as_of timestamptz NOT NULL
);

-- What each read table was built from: another hash means it is rebuilt on upgrade.
CREATE TABLE ledger.read_table (
    name text PRIMARY KEY,
    hash bytea NOT NULL,
    kind text NOT NULL                       -- table or view
);
