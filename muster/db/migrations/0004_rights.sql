-- Row-level security: what a question may see is set for the connection by `access.scope` settings
-- and read by the policies that stand beside each table (`…_seen` in read.sql, access/guards.sql).
-- Nothing is set: nothing is seen.
CREATE SCHEMA IF NOT EXISTS access;

-- Figures (sums, no person), people (rows about persons, by id), names (who they are): three widths,
-- each everywhere or under some areas.
CREATE FUNCTION access.yes(setting text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(current_setting('muster.' || setting, true), '') = 'yes' $$;
CREATE FUNCTION access.ids(setting text) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(nullif(current_setting('muster.' || setting, true), ''), '{}')::uuid[] $$;
CREATE FUNCTION access.codes(setting text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(nullif(current_setting('muster.' || setting, true), ''), '{}')::text[] $$;
CREATE FUNCTION access.word(setting text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(current_setting('muster.' || setting, true), '') $$;

-- Two questions that would otherwise ask each other in a circle. They run as the owner, and answer
-- yes or no about the caller's own sites only.
CREATE FUNCTION access.tube_here(tube_ uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF cardinality(access.ids('sites')) = 0 AND cardinality(access.ids('people_areas')) = 0 THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM sampling.tube t
        LEFT JOIN sampling.site s ON s.site = t.site
        LEFT JOIN registry.span b ON b.area = s.area
        WHERE t.tube = tube_
            AND (t.site = ANY (access.ids('sites')) OR b.line && access.ids('people_areas')));
END $$;

CREATE FUNCTION access.swabbed_here(person_ uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    RETURN EXISTS (SELECT FROM sampling.specimen s
        WHERE s.person = person_ AND access.tube_here(s.tube));
END $$;

-- The tokens of devices: short ones that rotate, kept as hashes. `used_at`: the newest token has been
-- seen, so that an older one coming back means a copy.
CREATE TABLE access.device_token (
    device         uuid PRIMARY KEY,
    token          bytea NOT NULL UNIQUE,        -- sha256 of the access token
    expires_at     timestamptz NOT NULL,
    refresh        bytea NOT NULL UNIQUE,        -- sha256 of the refresh token
    earlier        bytea UNIQUE,                 -- the refresh token before it
    used_at        timestamptz,
    seen_at        timestamptz,
    holder         uuid,                         -- whose PIN was typed last
    holder_since   timestamptz
);
CREATE TABLE access.device_code (                -- one-time enrolment codes, printed as QR
    code       bytea PRIMARY KEY,                -- sha256
    device     uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE TABLE access.device_holder (
    device   uuid NOT NULL,
    account  uuid NOT NULL,
    pin      text NOT NULL,                      -- argon2id
    since    timestamptz NOT NULL,
    until    timestamptz,
    wrong    int NOT NULL DEFAULT 0,
    PRIMARY KEY (device, account)
);

-- What was recorded before its sender was moved or ended, and came after: it counts, and both the old
-- and the new holder are told.
CREATE TABLE access.late (
    event      uuid PRIMARY KEY,
    account    uuid,
    login      text NOT NULL,
    device     text,
    holding    uuid,                             -- the one in force when it was recorded
    area       uuid,
    site       uuid,
    at         timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX late_account ON access.late (account, received_at);
CREATE INDEX late_place ON access.late (site, area);

-- Which policies stand: another hash means they are made anew.
CREATE TABLE access.secured (
    id   smallint PRIMARY KEY,
    hash bytea NOT NULL
);

-- Who handed an item in ("device:…" or "login:…"): a retry is judged like the upload was; and who
-- decided about it.
ALTER TABLE ledger.inbox ADD COLUMN sender text;
ALTER TABLE ledger.inbox ADD COLUMN decided_by text;
ALTER TABLE ledger.inbox ADD COLUMN refused_at timestamptz;
