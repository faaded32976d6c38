-- name: head
-- The end of the chain: what a receipt names.
SELECT id AS batch, last_seq AS seq, encode(hash, 'hex') AS hash
FROM ledger.batch ORDER BY id DESC LIMIT 1;

-- name: areas
SELECT a.area, a.code, a.level, a.name, p.code AS parent, a.kind, a.floors, a.lift
FROM registry.area a LEFT JOIN registry.area p ON p.area = a.parent;

-- name: units
SELECT unit AS id, code, name, kind, area, headcount FROM registry.unit;

-- name: sites
SELECT site AS id, code, name, area, lanes FROM sampling.site;

-- name: people_known
-- Who of a chunk is known already: by document or, without one, by what a person is known again by.
-- Of several ids the one that stands for itself counts. Where a review has merged the only one, its
-- row still speaks of that id: it is one of the two records of the person, and no third is made. Who
-- listed themselves may have typed another's document: they get no roster's row.
SELECT DISTINCT ON (k.hash) k.hash, r.resident, r.building, r.room, r.state, r.birth_year, r.sex,
    r.registered_area, r."group", r.walk_in, i.name, i.birth_date, i.phone_hash, i.phone
FROM (
    SELECT number_hash AS hash, resident FROM vault.identity
    WHERE number_hash = ANY (%(numbers)s)
    UNION ALL
    SELECT print, resident FROM vault.identity WHERE print = ANY (%(prints)s)
) k
JOIN registry.resident r ON r.resident = k.resident AND r.self_listed IS NOT TRUE
JOIN vault.identity i ON i.resident = k.resident
ORDER BY k.hash, r.merged_into NULLS FIRST, r.resident;

-- name: held
-- With whether it came from whoever asks, or from a device they have a PIN on.
SELECT received_at, owner, offset_ms, sealed, slug, sender,
    coalesce(sender = 'login:' || %(by)s, false) OR EXISTS (
        SELECT FROM access.device d JOIN access.device_holder h ON h.device = d.device
        JOIN access.account a ON a.account = h.account
        WHERE 'device:' || d.code = inbox.sender AND a.login = %(by)s) AS own
FROM ledger.inbox
WHERE id = %(inbox)s AND sealed IS NOT NULL AND applied_at IS NULL AND refused_at IS NULL;

-- name: accepted
UPDATE ledger.inbox SET applied_at = %(at)s, decided_by = %(by)s, sealed = NULL
WHERE id = %(inbox)s RETURNING id;

-- name: refused
UPDATE ledger.inbox SET refused_at = %(at)s, decided_by = %(by)s WHERE id = %(inbox)s RETURNING id;

-- name: areas_under
-- The areas under some, themselves included, as the listings stand: the tree's numbers may be a moment
-- behind what was imported just now.
WITH RECURSIVE down AS (
    SELECT a.area, 0 AS steps FROM registry.area a WHERE a.area = ANY (%(areas)s::uuid[])
    UNION
    SELECT a.area, d.steps + 1 FROM registry.area a JOIN down d ON a.parent = d.area WHERE d.steps < 20)
SELECT DISTINCT area FROM down;

-- name: standing
-- Where what is to be listed stands now; an area in itself.
SELECT area AS subject, area AS place FROM registry.area WHERE area = ANY (%(subjects)s::uuid[])
UNION ALL SELECT unit, area FROM registry.unit WHERE unit = ANY (%(subjects)s::uuid[])
UNION ALL SELECT site, area FROM sampling.site WHERE site = ANY (%(subjects)s::uuid[])
UNION ALL SELECT resident, building FROM registry.resident
    WHERE resident = ANY (%(subjects)s::uuid[])
UNION ALL SELECT s.staff, u.area FROM workforce.staff s JOIN registry.unit u ON u.unit = s.unit
    WHERE s.staff = ANY (%(subjects)s::uuid[]);

-- name: make_import
-- Unless the account has too many files that it has not fed.
INSERT INTO registry.import (import, name, size_bytes, made_by, made_at, state, expires_at)
SELECT %(import)s, %(name)s, %(size_bytes)s, %(by)s, %(at)s, 'receiving', %(expires_at)s
WHERE (SELECT count(*) FROM registry.import
    WHERE made_by = %(by)s AND state IN ('receiving', 'received', 'checked', 'stopped')
        AND expires_at > %(at)s) < %(limit)s
RETURNING import;

-- name: import
-- One import with the pieces that are here.
SELECT i.*, coalesce(p.numbers, '{}') AS numbers, coalesce(p.bytes, 0) AS received_bytes,
    EXISTS (SELECT FROM registry.import_fault f WHERE f.import = i.import) AS has_faults
FROM registry.import i
LEFT JOIN LATERAL (
    SELECT array_agg(p.number ORDER BY p.number) AS numbers, sum(p.size_bytes)::bigint AS bytes
    FROM registry.import_part p WHERE p.import = i.import) p ON true
WHERE i.import = %(import)s;

-- name: imports
-- The history, newest first: everything, or one's own and what was imported under one's areas only.
SELECT i.*, '{}'::int[] AS numbers, 0 AS received_bytes,
    EXISTS (SELECT FROM registry.import_fault f WHERE f.import = i.import) AS has_faults
FROM registry.import i
WHERE (%(whole)s OR i.made_by = %(by)s OR i.areas IS NOT NULL AND NOT EXISTS (
        SELECT FROM unnest(i.areas) x WHERE NOT EXISTS (
            SELECT FROM registry.span s WHERE s.area = x AND s.line && %(areas)s::uuid[])))
    AND (%(last)s::uuid IS NULL OR (i.made_at, i.import) < (%(made_at)s, %(last)s))
ORDER BY i.made_at DESC, i.import DESC LIMIT %(limit)s;

-- name: put_part
INSERT INTO registry.import_part (part, import, number, size_bytes, sealed)
VALUES (%(part)s, %(import)s, %(number)s, %(size_bytes)s, %(sealed)s)
ON CONFLICT (import, number) DO NOTHING RETURNING part;

-- name: parts
SELECT number, part FROM registry.import_part WHERE import = %(import)s ORDER BY number;

-- name: part
SELECT sealed FROM registry.import_part WHERE part = %(part)s;

-- name: whole
-- All bytes are here: which they are, and what kind of table it seems to be; or why it is none.
UPDATE registry.import SET state = %(state)s, hash = %(hash)s, kind = %(kind)s, slug = %(slug)s,
    facts = %(facts)s::jsonb, ended_at = %(ended_at)s
WHERE import = %(import)s AND state = 'receiving' RETURNING import;

-- name: choose
UPDATE registry.import SET kind = %(kind)s, columns = %(columns)s::jsonb,
    correct_names = %(correct_names)s, state = 'received', slug = NULL, facts = NULL
WHERE import = %(import)s AND state IN ('received', 'checked', 'stopped', 'failed')
    AND hash IS NOT NULL RETURNING import;

-- name: begin
-- What waits to be checked or fed. Only what was checked as it stands is fed; what was stopped or failed
-- goes on.
UPDATE registry.import SET state = %(state)s, areas = %(areas)s::uuid[], stopping = false,
    started_by = %(by)s, started_at = %(at)s, ended_at = NULL, slug = NULL, facts = NULL,
    done = 0, total = 0, rows = 0, stored = 0, unchanged = 0, joined = 0, rejected = 0, summary = NULL
WHERE import = %(import)s AND state = ANY (%(from)s) RETURNING import;

-- name: stop
-- What has not begun is stopped at once; what is under way at its next chunk.
UPDATE registry.import SET stopping = state IN ('checking', 'running'),
    state = CASE state WHEN 'check_waiting' THEN 'received' WHEN 'waiting' THEN 'stopped'
        ELSE state END
WHERE import = %(import)s AND state IN ('check_waiting', 'checking', 'waiting', 'running')
RETURNING import;

-- name: discard
UPDATE registry.import SET state = 'discarded', expires_at = %(at)s, ended_at = coalesce(ended_at, %(at)s)
WHERE import = %(import)s AND state NOT IN ('check_waiting', 'checking', 'waiting', 'running', 'done')
RETURNING import;

-- name: next_import
-- What has waited longest, or was under way when its server ended.
SELECT * FROM registry.import WHERE state = ANY (%(states)s)
ORDER BY started_at, import LIMIT 1;

-- name: take_import
UPDATE registry.import SET state = %(state)s, turns = turns + 1, done = 0, total = 0, rows = 0, stored = 0,
    unchanged = 0, joined = 0, rejected = 0, summary = NULL
WHERE import = %(import)s RETURNING import;

-- name: note_import
UPDATE registry.import SET done = %(done)s, total = %(total)s, rows = %(rows)s, stored = %(stored)s,
    unchanged = %(unchanged)s, joined = %(joined)s, rejected = %(rejected)s,
    headers = %(headers)s::jsonb, unused = %(unused)s::jsonb, summary = %(summary)s::jsonb
WHERE import = %(import)s RETURNING stopping;

-- name: end_import
UPDATE registry.import SET state = %(state)s, stopping = false, slug = %(slug)s, facts = %(facts)s::jsonb,
    stored = %(stored)s, unchanged = %(unchanged)s, ended_at = %(at)s
WHERE import = %(import)s RETURNING import;

-- name: stored_by
-- How many events a file has brought, over all its turns.
SELECT count(*)::int AS stored FROM ledger.event
WHERE cause = %(cause)s AND type <> 'ImportEnded'
    AND seq > (SELECT s.seq FROM ledger.event s WHERE s.id = %(cause)s);

-- name: forget_parts
DELETE FROM registry.import_part WHERE import = %(import)s RETURNING part;

-- name: forget_faults
DELETE FROM registry.import_fault WHERE import = %(import)s RETURNING page;

-- name: put_faults
INSERT INTO registry.import_fault (page, import, number, sealed)
VALUES (%(page)s, %(import)s, %(number)s, %(sealed)s) RETURNING page;

-- name: faults
SELECT number, sealed FROM registry.import_fault
WHERE import = %(import)s AND number >= %(number)s ORDER BY number LIMIT %(limit)s;

-- name: places
-- Areas and sites by code or name, and whether they lie under some areas.
SELECT a.area AS id, a.code, a.name, false AS site, %(everywhere)s OR coalesce(
    (SELECT w.line && %(areas)s::uuid[] FROM registry.span w WHERE w.area = a.area), false) AS within
FROM registry.area a
WHERE a.code = ANY (%(codes)s) OR a.name = ANY (%(names)s) AND a.level NOT IN ('grid', 'building')
UNION ALL
SELECT s.site, s.code, s.name, true, %(everywhere)s OR coalesce(
    (SELECT w.line && %(areas)s::uuid[] FROM registry.span w WHERE w.area = s.area), false)
FROM sampling.site s WHERE s.code = ANY (%(codes)s) OR s.name = ANY (%(names)s);

-- name: staff
-- Who can be called up, as each unit lists them: by what a row of a list is known again.
SELECT s.staff, (l.body ->> 'unit')::uuid AS unit, l.body ->> 'number' AS number,
    ARRAY(SELECT x FROM jsonb_array_elements_text(l.body -> 'skills') x) AS skills,
    ARRAY(SELECT x FROM jsonb_array_elements_text(l.body -> 'tags') x) AS tags,
    (l.body ->> 'home')::uuid AS home, (l.body ->> 'birth_year')::int AS birth_year, l.body ->> 'sex' AS sex,
    coalesce((l.body ->> 'fit')::boolean, true) AS fit,
    i.name, i.number_hash, i.phone_hash, i.kind, i.number AS paper, i.phone, i.birth_date
FROM workforce.staff s
JOIN LATERAL (
    SELECT DISTINCT ON (e.body ->> 'unit') e.body FROM ledger.event e
    WHERE e.subject = s.staff AND e.type = 'StaffListed' AND e.body IS NOT NULL
        AND (e.body ->> 'unit')::uuid = ANY (s.units)
    ORDER BY e.body ->> 'unit', e.at DESC, e.id DESC) l ON true
LEFT JOIN vault.identity i ON i.resident = s.staff;
