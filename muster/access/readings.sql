-- name: note
-- By the owner's hand: the caller's connection may see and change none of it.
SELECT access.note_reading(%(at)s, %(who)s, %(device)s, %(what)s, %(why)s, %(masked)s, %(export)s,
    %(people)s::uuid[]);

-- name: about
-- Who looked at somebody, under whichever id: newest first.
SELECT r.id, r.at, r.who, r.device, r.what, r.why, r.masked, r.export,
    cardinality(r.people) AS people,
    ARRAY(SELECT h.role FROM access.account a JOIN access.holding h ON h.account = a.account
        WHERE a.login = r.who AND h.starts_at <= r.at AND (h.ends_at IS NULL OR h.ends_at > r.at)
        ORDER BY h.role) AS roles
FROM access.reading r
WHERE r.people && %(ids)s::uuid[] AND (%(before)s::bigint IS NULL OR r.id < %(before)s)
ORDER BY r.id DESC LIMIT %(limit)s;

-- name: by_account
-- Whom an account looked at, newest first. A list of thousands is counted, not spelled out.
SELECT r.id, r.at, r.who, r.device, r.what, r.why, r.masked, r.export,
    cardinality(r.people) AS count, r.people[1:20] AS people
FROM access.reading r
WHERE (%(who)s::text IS NULL OR r.who = %(who)s) AND (%(before)s::bigint IS NULL OR r.id < %(before)s)
    AND (%(export)s::uuid IS NULL OR r.export = %(export)s::uuid)
ORDER BY r.id DESC LIMIT %(limit)s;

-- name: one_person
-- Every id of a person: the one merged ids lead to, and those.
SELECT coalesce((SELECT a.person FROM registry.alias a WHERE a.recorded = %(person)s), %(person)s)
    AS id
UNION SELECT b.recorded FROM registry.alias b WHERE b.person = coalesce(
    (SELECT a.person FROM registry.alias a WHERE a.recorded = %(person)s), %(person)s::uuid);

-- name: roles_at
SELECT h.role FROM access.holding h
WHERE h.account = %(account)s AND h.starts_at <= %(at)s
    AND (h.ends_at IS NULL OR h.ends_at > %(at)s);
