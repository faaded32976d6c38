-- Privacy: keys that change, reads that are recorded, erasures that two people decide.
CREATE SCHEMA IF NOT EXISTS access;

-- Which event an identity came with, and when that was: the latest by that time counts, in whatever
-- order they arrive. What was stored before this edition gives way to the next.
ALTER TABLE vault.identity
    ADD COLUMN at timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN event uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- the same hashes under the next key, while keys are changed
    ADD COLUMN number_next bytea,
    ADD COLUMN phone_next bytea,
    ADD COLUMN print_next bytea;

-- Under which key number_hash, phone_hash and print stand, and under which the columns `_next`.
CREATE TABLE vault.hashing (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    key  smallint NOT NULL,
    next smallint,
    done boolean NOT NULL DEFAULT true       -- false while keys are being changed
);
INSERT INTO vault.hashing (key) VALUES (1);

-- Who was erased: whatever still arrives about them finds no place in the vault.
CREATE TABLE vault.erased (
    resident uuid PRIMARY KEY
);

-- Reads of people's data: one row an answer. Nothing in it names anybody but by id.
CREATE TABLE access.reading (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    who      text NOT NULL,                  -- the account's login, or "command line"
    device   text NOT NULL,
    what     text NOT NULL,                  -- the route or command
    why      text NOT NULL,                  -- the reason given, '' where none is asked
    masked   boolean NOT NULL,
    export   uuid,                           -- of a file: the id in its watermark
    people   uuid[] NOT NULL
);
CREATE INDEX reading_people ON access.reading USING gin (people);
CREATE INDEX reading_who ON access.reading (who, id);

-- Nobody alters or removes a record of a read, the tables' owner included; what is past its keeping
-- time is removed by a transaction that says so (SET LOCAL muster.retention = 'on').
CREATE FUNCTION access.keep_readings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('muster.retention', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'access.reading is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON access.reading
    FOR EACH STATEMENT EXECUTE FUNCTION access.keep_readings();
ALTER TABLE access.reading ENABLE ALWAYS TRIGGER keep;

-- A reader's connection may add a record and neither see nor change one.
CREATE FUNCTION access.note_reading(at timestamptz, who text, device text, what text, why text,
    masked boolean, export uuid, people uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    INSERT INTO access.reading (at, who, device, what, why, masked, export, people)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
$$;

-- Requests to erase: made by one account, confirmed by another. `plan` holds counts, `residents` ids.
CREATE TABLE access.erasure (
    request      uuid PRIMARY KEY,
    kind         text NOT NULL,              -- person, campaign or expired
    round        uuid,
    residents    uuid[] NOT NULL,
    plan         jsonb NOT NULL,
    digest       bytea NOT NULL,             -- of the plan: what was shown is what is erased
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    confirmed_by text,
    confirmed_at timestamptz,
    done_at      timestamptz,
    proof        jsonb
);
