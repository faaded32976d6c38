-- name: edition
-- The edition of a keeping time in force.
SELECT value FROM registry.policy
WHERE name = %(name)s AND since <= %(at)s AND area IS NULL AND "group" IS NULL
ORDER BY since DESC, policy DESC LIMIT 1;

-- name: due_identities
-- Everybody, once no round is open and the last one was closed so long ago.
SELECT CASE WHEN EXISTS (SELECT FROM sampling.round)
    AND NOT EXISTS (SELECT FROM sampling.round WHERE closed_at IS NULL
        OR closed_at > %(at)s - make_interval(days => %(days)s))
    THEN (SELECT count(*) FROM vault.identity) ELSE 0 END;

-- name: due_swab_links
-- Of those, who was swabbed: the id under which it is on record leads to a name.
SELECT CASE WHEN EXISTS (SELECT FROM sampling.round)
    AND NOT EXISTS (SELECT FROM sampling.round WHERE closed_at IS NULL
        OR closed_at > %(at)s - make_interval(days => %(days)s))
    THEN (SELECT count(*) FROM vault.identity i
        WHERE EXISTS (SELECT FROM sampling.specimen s WHERE s.person = i.resident)) ELSE 0 END;

-- name: due_notes
SELECT count(*) FROM vault.note WHERE expires_at < %(at)s;

-- name: end_notes
DELETE FROM vault.note WHERE expires_at < %(at)s;

-- name: due_inbox
SELECT count(*) FROM ledger.inbox WHERE sealed IS NOT NULL AND expires_at < %(at)s;

-- name: end_inbox
UPDATE ledger.inbox SET sealed = NULL WHERE sealed IS NOT NULL AND expires_at < %(at)s;

-- name: due_files
SELECT count(*) FROM lab.run_file WHERE sealed IS NOT NULL AND expires_at < %(at)s;

-- name: end_files
UPDATE lab.run_file SET sealed = NULL WHERE sealed IS NOT NULL AND expires_at < %(at)s;

-- name: due_photos
SELECT count(*) FROM sampling.photo_file WHERE sealed IS NOT NULL AND expires_at < %(at)s;

-- name: end_photos
UPDATE sampling.photo_file SET sealed = NULL WHERE sealed IS NOT NULL AND expires_at < %(at)s;

-- name: due_imports
SELECT count(*) FROM registry.import i WHERE i.expires_at < %(at)s
    AND (EXISTS (SELECT FROM registry.import_part p WHERE p.import = i.import)
        OR EXISTS (SELECT FROM registry.import_fault f WHERE f.import = i.import));

-- name: end_imports
-- The bytes and the rows handed back; that there was a file, whose and with which figures, stays.
WITH over AS (
    SELECT import FROM registry.import WHERE expires_at < %(at)s
), parts AS (
    DELETE FROM registry.import_part WHERE import IN (SELECT import FROM over) RETURNING import
), faults AS (
    DELETE FROM registry.import_fault WHERE import IN (SELECT import FROM over) RETURNING import
)
SELECT import FROM parts UNION SELECT import FROM faults;

-- name: due_sessions
SELECT count(*) FROM credential.session
WHERE coalesce(ended_at, seen_at) < %(at)s - make_interval(days => %(days)s);

-- name: end_sessions
DELETE FROM credential.session
WHERE coalesce(ended_at, seen_at) < %(at)s - make_interval(days => %(days)s);

-- name: due_codes
SELECT (SELECT count(*) FROM credential.ceremony WHERE expires_at < %(at)s)
    + (SELECT count(*) FROM credential.enrolment WHERE expires_at < %(at)s - interval '30 days')
    + (SELECT count(*) FROM credential.attempt WHERE last_at < %(at)s - interval '30 days')
    + (SELECT count(*) FROM credential.known_address WHERE seen_at < %(at)s - interval '180 days');

-- name: end_codes
-- Ceremonies last minutes; slips, failures and known addresses are kept while they tell something.
WITH ceremonies AS (
    DELETE FROM credential.ceremony WHERE expires_at < %(at)s RETURNING 1
), slips AS (
    DELETE FROM credential.enrolment WHERE expires_at < %(at)s - interval '30 days' RETURNING 1
), failures AS (
    DELETE FROM credential.attempt WHERE last_at < %(at)s - interval '30 days' RETURNING 1
), addresses AS (
    DELETE FROM credential.known_address WHERE seen_at < %(at)s - interval '180 days' RETURNING 1
)
SELECT * FROM ceremonies UNION ALL SELECT * FROM slips UNION ALL SELECT * FROM failures
UNION ALL SELECT * FROM addresses;

-- name: due_readings
SELECT count(*) FROM access.reading WHERE at < %(at)s - make_interval(days => %(days)s);

-- name: end_readings
DELETE FROM access.reading WHERE at < %(at)s - make_interval(days => %(days)s);
