-- name: mark_erased
-- Whatever still arrives about an erased id finds no place in the vault.
INSERT INTO vault.erased (resident) SELECT unnest(%(residents)s::uuid[]) ON CONFLICT DO NOTHING;

-- name: erase_identities
DELETE FROM vault.identity WHERE resident = ANY (%(residents)s::uuid[]);

-- name: erase_search
DELETE FROM vault.search WHERE resident = ANY (%(residents)s::uuid[]);

-- name: erase_notes
-- Free text that came with an event about the person, or with an event that is emptied.
DELETE FROM vault.note WHERE event = ANY (%(events)s::uuid[]) OR event = ANY (ARRAY(
    SELECT e.id FROM ledger.event e WHERE e.subject = ANY (%(residents)s::uuid[])));

-- name: erase_held
-- The bytes of held items and the keyed digest by which they could be confirmed; that something was
-- held, and when, stays.
UPDATE ledger.inbox SET sealed = NULL, event = NULL,
    digest = decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
WHERE id = ANY (%(events)s::uuid[]) OR event = ANY (%(events)s::uuid[]);

-- name: erase_imports
-- Files that wait to be imported, and rows handed back: whoever is erased may stand in any of them.
WITH parts AS (DELETE FROM registry.import_part RETURNING import),
    faults AS (DELETE FROM registry.import_fault RETURNING import)
SELECT import FROM parts UNION SELECT import FROM faults;

-- name: still_filled
-- Of the events to be emptied those that are here, with what is in them.
SELECT id FROM ledger.event
WHERE id = ANY (%(events)s::uuid[]) AND body IS NOT NULL AND type <> 'RedactionAuthorised'
ORDER BY seq;

-- name: one_person
-- Every id of a person: the one merged ids lead to, and those.
SELECT coalesce((SELECT a.person FROM registry.alias a WHERE a.recorded = %(person)s), %(person)s)
    AS id
UNION SELECT b.recorded FROM registry.alias b WHERE b.person = coalesce(
    (SELECT a.person FROM registry.alias a WHERE a.recorded = %(person)s), %(person)s::uuid);

-- name: people_of_round
-- Whoever was swabbed in a round and in no other, and those ids that were merged into them.
WITH here AS (
    SELECT DISTINCT s.person FROM sampling.specimen s WHERE s.round = %(round)s
        AND NOT EXISTS (SELECT FROM sampling.specimen o
            WHERE o.person = s.person AND o.round IS DISTINCT FROM s.round)
)
SELECT person AS id FROM here WHERE person NOT IN (SELECT g.resident FROM vault.erased g)
UNION SELECT a.recorded FROM registry.alias a JOIN here h ON h.person = a.person;

-- name: everybody
-- Everybody who is on record by more than a swab.
SELECT i.resident AS id FROM vault.identity i UNION SELECT r.resident FROM registry.resident r;

-- name: open_rounds
SELECT r.name FROM sampling.round r WHERE r.closed_at IS NULL
    AND (%(round)s::uuid IS NULL OR r.round = %(round)s) ORDER BY r.starts_at;

-- name: personal_events
-- What events say about people: where they live, their state, what they refused, objected, were told.
-- Swabs, results and recalls speak of an id that leads to nobody any more; tubes stay provable.
SELECT e.id, e.type FROM ledger.event e
WHERE e.subject = ANY (%(residents)s::uuid[]) AND e.body IS NOT NULL
    AND e.type IN ('ResidentListed', 'ResidentMoved', 'ResidentStateChanged', 'RefusalRecorded',
        'ExemptionGranted', 'VisitMade', 'ObjectionRaised', 'ObjectionAnswered')
ORDER BY e.seq;

-- name: late_events
-- What was still sent about erased people after the last look: no name comes with it, but where they
-- live may.
SELECT e.id, e.subject FROM ledger.event e JOIN vault.erased g ON g.resident = e.subject
WHERE e.seq > coalesce((SELECT f.seq FROM ledger.follower f WHERE f.name = 'erased'), 0)
    AND e.seq <= %(head)s AND e.body IS NOT NULL
    AND e.type IN ('ResidentListed', 'ResidentMoved', 'ResidentStateChanged', 'RefusalRecorded',
        'ExemptionGranted', 'VisitMade', 'ObjectionRaised', 'ObjectionAnswered')
ORDER BY e.seq;

-- name: looked_until
INSERT INTO ledger.follower VALUES ('erased', %(head)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, as_of = excluded.as_of;

-- name: known_by
-- By what a held item may be known to be somebody's. A name that others bear says nothing.
SELECT i.resident, i.name, i.number, i.phone,
    (SELECT count(*) FROM vault.identity o WHERE o.name = i.name
        AND o.resident <> ALL (%(residents)s::uuid[])) AS namesakes
FROM vault.identity i WHERE i.resident = ANY (%(residents)s::uuid[]);

-- name: held
SELECT id, sealed FROM ledger.inbox WHERE sealed IS NOT NULL AND id > %(after)s
ORDER BY id LIMIT 500;

-- name: counts
-- What an erasure of these people takes, by table.
SELECT
    (SELECT count(*) FROM vault.identity WHERE resident = ANY (%(residents)s::uuid[]))
        AS "vault.identity",
    (SELECT count(*) FROM vault.search WHERE resident = ANY (%(residents)s::uuid[]))
        AS "vault.search",
    (SELECT count(*) FROM vault.note n JOIN ledger.event e ON e.id = n.event
        WHERE e.subject = ANY (%(residents)s::uuid[])) AS "vault.note",
    (SELECT count(*) FROM registry.resident WHERE resident = ANY (%(residents)s::uuid[]))
        AS "registry.resident",
    (SELECT count(*) FROM sampling.stance WHERE recorded = ANY (%(residents)s::uuid[]))
        AS "sampling.stance",
    (SELECT count(*) FROM sampling.home_request WHERE recorded = ANY (%(residents)s::uuid[]))
        AS "sampling.home_request",
    (SELECT count(*) FROM access.holding h JOIN access.account a USING (account)
        WHERE a.kind = 'resident' AND h.person = ANY (%(residents)s::uuid[]))
        AS "credential.person";

-- name: kept
-- What stays, under an id that leads to nobody.
SELECT
    (SELECT count(*) FROM sampling.specimen WHERE person = ANY (%(residents)s::uuid[]))
        AS "sampling.specimen",
    (SELECT count(*) FROM lab.recall WHERE person = ANY (%(residents)s::uuid[])) AS "lab.recall",
    (SELECT count(*) FROM access.reading WHERE people && %(residents)s::uuid[]) AS "access.reading";

-- name: own_accounts
-- Accounts residents were given to ask about themselves.
SELECT DISTINCT a.account FROM access.holding h JOIN access.account a USING (account)
WHERE a.kind = 'resident' AND h.person = ANY (%(residents)s::uuid[]);

-- name: add_request
INSERT INTO access.erasure (request, kind, round, residents, plan, digest, requested_by, requested_at)
VALUES (%(request)s, %(kind)s, %(round)s, %(residents)s::uuid[], %(plan)s, %(digest)s, %(by)s,
    %(at)s);

-- name: request
SELECT * FROM access.erasure WHERE request = %(request)s;

-- name: requests
SELECT request, kind, plan, requested_by, requested_at, confirmed_by, confirmed_at, done_at,
    cardinality(residents) AS people
FROM access.erasure ORDER BY requested_at DESC LIMIT 200;

-- name: confirm
-- One confirmation counts; the same again continues what was interrupted.
UPDATE access.erasure SET confirmed_by = %(by)s, confirmed_at = coalesce(confirmed_at, %(at)s)
WHERE request = %(request)s AND done_at IS NULL AND (confirmed_by IS NULL OR confirmed_by = %(by)s)
RETURNING request;

-- name: finish
UPDATE access.erasure SET done_at = %(at)s, proof = %(proof)s WHERE request = %(request)s;

-- name: head
SELECT id AS batch, last_seq AS seq, encode(hash, 'hex') AS hash
FROM ledger.batch ORDER BY id DESC LIMIT 1;
