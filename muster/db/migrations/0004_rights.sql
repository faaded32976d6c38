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

-- What the policies ask. Functions, each with its plan kept, since policies within policies are planned
-- anew with every statement and guess their costs badly; they run as the owner, lest they ask each
-- other in a circle, and answer yes or no about the caller's own scope only. They
-- always want the index: a plan made while a table was empty, or not yet analysed, would read all of it
-- for each row asked about.

CREATE FUNCTION access.sees_building(building_ uuid, setting text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE mine uuid[] := access.ids(setting);
BEGIN
    RETURN building_ IS NOT NULL AND cardinality(mine) > 0 AND EXISTS (
        SELECT FROM registry.span b WHERE b.area = building_ AND b.line && mine);
END $$;

-- At one of the caller's sites, or at one that stands in the caller's areas.
CREATE FUNCTION access.tube_here(tube_ uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 20000 SECURITY DEFINER SET search_path = pg_catalog
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    sites uuid[] := access.ids('sites');
    areas uuid[] := access.ids('people_areas');
BEGIN
    RETURN (cardinality(sites) > 0 OR cardinality(areas) > 0) AND EXISTS (
        SELECT FROM sampling.tube t
        LEFT JOIN sampling.site s ON s.site = t.site
        LEFT JOIN registry.span b ON b.area = s.area
        WHERE t.tube = tube_ AND (t.site = ANY (sites) OR b.line && areas));
END $$;

-- At a site that stands in one of the areas of a setting.
CREATE FUNCTION access.tube_under(tube_ uuid, setting text) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 20000 SECURITY DEFINER SET search_path = pg_catalog
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE mine uuid[] := access.ids(setting);
BEGIN
    RETURN cardinality(mine) > 0 AND EXISTS (
        SELECT FROM sampling.tube t JOIN sampling.site s ON s.site = t.site
        JOIN registry.span b ON b.area = s.area
        WHERE t.tube = tube_ AND b.line && mine);
END $$;

-- A row about a person: oneself, who lives in one's areas, and who lives nowhere on the roster and was
-- swabbed at one's site.
CREATE FUNCTION access.sees_person(person_ uuid, setting text) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 20000 SECURITY DEFINER SET search_path = pg_catalog
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE mine uuid[] := access.ids(setting);
BEGIN
    RETURN cardinality(mine) > 0 AND EXISTS (
            SELECT FROM registry.resident r JOIN registry.span b ON b.area = r.building
            WHERE r.resident = person_ AND b.line && mine)
        OR person_ = ANY (access.ids('own'))
        OR cardinality(access.ids('sites')) > 0 AND EXISTS (
            SELECT FROM sampling.specimen s LEFT JOIN registry.resident r ON r.resident = s.person
            WHERE s.person = person_ AND r.building IS NULL AND access.tube_here(s.tube));
END $$;

-- A tube, by its code: its site's, and whoever may see one of its members.
CREATE FUNCTION access.sees_tube(tube_ uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 20000 SECURITY DEFINER SET search_path = pg_catalog
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    mine uuid[] := access.ids('people_areas');
    own uuid[] := access.ids('own');
BEGIN
    RETURN cardinality(own) > 0 AND EXISTS (
            SELECT FROM sampling.specimen s WHERE s.tube = tube_ AND s.person = ANY (own))
        OR cardinality(mine) > 0 AND EXISTS (
            SELECT FROM sampling.specimen s JOIN registry.resident r ON r.resident = s.person
            JOIN registry.span b ON b.area = r.building
            WHERE s.tube = tube_ AND b.line && mine)
        OR access.tube_here(tube_);
END $$;

-- Numbers that devices have used and that have not arrived: they concern nobody's person, and are shown
-- to whoever watches the whole. Asked as a function, since a policy would weigh every event.
CREATE FUNCTION access.device_gaps() RETURNS TABLE (device text, first_missing bigint,
        last_missing bigint, received_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF current_setting('role') = 'muster_reader'
        AND NOT (access.yes('figures') OR access.yes('system')) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT s.device, s.before + 1, s.device_seq - 1, s.received_at
    FROM (
        SELECT e.device, e.device_seq, e.received_at,
            coalesce(lag(e.device_seq) OVER (PARTITION BY e.device ORDER BY e.device_seq), 0)
                AS before
        FROM ledger.event e WHERE e.device_seq IS NOT NULL) s
    WHERE s.device_seq - s.before > 1;
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
