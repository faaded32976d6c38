-- name: ids
-- Every id of a person: the one merged ids lead to, and those.
SELECT coalesce((SELECT a.person FROM registry.alias a WHERE a.recorded = %(person)s), %(person)s)
    AS id
UNION SELECT b.recorded FROM registry.alias b WHERE b.person = coalesce(
    (SELECT a.person FROM registry.alias a WHERE a.recorded = %(person)s), %(person)s::uuid);

-- name: identities
SELECT i.resident, i.name, i.kind, i.number, i.phone, i.birth_date, i.at
FROM vault.identity i WHERE i.resident = ANY (%(ids)s::uuid[]) ORDER BY i.at DESC;

-- name: addresses
SELECT r.resident, a.code AS building_code, a.name AS building_name, r.room, r.state, r.birth_year,
    r.sex, r.registered_area, r."group", r.walk_in
FROM registry.resident r LEFT JOIN registry.area a ON a.area = r.building
WHERE r.resident = ANY (%(ids)s::uuid[]);

-- name: swabs
-- With the result of the tube, which is the person's as long as it is not recalled or in conflict.
SELECT s.at, s.tube, t.barcode, s.position, t.purpose, d.name AS round, p.name AS site,
    o.outcome, o.state, o.resulted_at
FROM sampling.specimen s
JOIN sampling.tube t ON t.tube = s.tube
LEFT JOIN sampling.round d ON d.round = s.round
LEFT JOIN sampling.site p ON p.site = t.site
LEFT JOIN lab.outcome o ON o.tube = s.tube
WHERE s.person = ANY (%(ids)s::uuid[]) ORDER BY s.at DESC, s.tube;

-- name: recalls
SELECT r.ordered_at, r.outcome, r.state, r.reached_at, r.reached_how, r.retested_at, r.answer,
    r.closed_at
FROM lab.recall_stage r
WHERE r.person = ANY (%(ids)s::uuid[]) ORDER BY r.ordered_at DESC;

-- name: stances
SELECT x.at, x.kind, x.reason, d.name AS round
FROM sampling.stance x LEFT JOIN sampling.round d ON d.round = x.round
WHERE x.person = ANY (%(ids)s::uuid[]) ORDER BY x.at DESC;

-- name: home_requests
SELECT x.asked_at, x.reason, x.outcome, x.closed_at
FROM sampling.home_request x WHERE x.person = ANY (%(ids)s::uuid[]) ORDER BY x.asked_at DESC;

-- name: merges
SELECT e.at, e.type, e.subject AS one, (e.body ->> 'into')::uuid AS other, e.body ->> 'reason' AS reason
FROM ledger.event e
WHERE e.type IN ('ResidentsMerged', 'ResidentsUnmerged') AND e.subject = ANY (%(ids)s::uuid[])
    AND e.body IS NOT NULL
ORDER BY e.at DESC;

-- name: objections
SELECT o.objection, o.about, o.raised_at, o.answer, o.answered_at, n.sealed AS said,
    w.sealed AS told
FROM registry.objection o
LEFT JOIN vault.note n ON n.event = o.objection
LEFT JOIN vault.note w ON w.event = o.answered
WHERE o.resident = ANY (%(ids)s::uuid[]) ORDER BY o.raised_at DESC;

-- name: notes
-- Free text that came with events about them.
SELECT e.at, e.type, n.sealed AS said, n.expires_at
FROM vault.note n JOIN ledger.event e ON e.id = n.event
WHERE e.subject = ANY (%(ids)s::uuid[])
    AND e.type NOT IN ('ObjectionRaised', 'ObjectionAnswered')
ORDER BY e.at DESC;

-- name: said
-- What was recorded of them: each event, by type.
SELECT e.at, e.received_at, e.type, e.actor FROM ledger.event e
WHERE e.subject = ANY (%(ids)s::uuid[]) AND e.body IS NOT NULL ORDER BY e.at DESC, e.seq DESC;

-- name: held
-- Held items: those whose event is about them.
SELECT i.received_at, i.slug, i.expires_at FROM ledger.inbox i
WHERE i.sealed IS NOT NULL AND i.event IN (
    SELECT e.id FROM ledger.event e WHERE e.subject = ANY (%(ids)s::uuid[]))
ORDER BY i.received_at DESC;

-- name: readings
-- Who was shown them, with the roles they had then.
SELECT r.at, r.who, r.what, r.why, r.masked, r.export, cardinality(r.people) AS people,
    ARRAY(SELECT h.role FROM access.account a JOIN access.holding h ON h.account = a.account
        WHERE a.login = r.who AND h.starts_at <= r.at AND (h.ends_at IS NULL OR h.ends_at > r.at)
        ORDER BY h.role) AS roles
FROM access.reading r WHERE r.people && %(ids)s::uuid[] ORDER BY r.id DESC LIMIT 5000;

-- name: open_objections
SELECT o.objection, o.resident, o.about, o.raised_at, o.answer, o.answered_at, i.name,
    a.name AS building_name, r.room
FROM registry.objection o
LEFT JOIN registry.resident r ON r.resident = o.resident
LEFT JOIN registry.area a ON a.area = r.building
LEFT JOIN vault.identity i ON i.resident = o.resident
WHERE (%(all)s OR o.answered IS NULL)
    AND (%(at)s::timestamptz IS NULL OR (o.raised_at, o.objection) > (%(at)s, %(objection)s::uuid))
ORDER BY o.raised_at, o.objection LIMIT %(limit)s;
