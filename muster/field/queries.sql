-- name: head
SELECT coalesce((SELECT last_seq FROM ledger.batch ORDER BY id DESC LIMIT 1), 0) AS seq;

-- name: bound
-- Where a device works now.
SELECT b.area, b.site, b.lab FROM access.binding b
WHERE b.device = %(device)s AND b.since <= %(at)s AND (b.until IS NULL OR b.until > %(at)s) LIMIT 1;

-- name: sealed_name
SELECT p.name FROM credential.person p WHERE p.account = %(account)s;

-- name: place
-- The place of an area or a site, with the numbers of the areas it holds: a site holds those of the area
-- in which it stands.
SELECT coalesce(s.site, a.area) AS id, coalesce(s.code, a.code) AS code, coalesce(s.name, a.name) AS name,
    w.area, w.lo, w.hi, w.line
FROM (SELECT) one
LEFT JOIN sampling.site s ON s.site = %(site)s::uuid
LEFT JOIN registry.area a ON a.area = coalesce(s.area, %(area)s::uuid)
LEFT JOIN registry.span w ON w.area = a.area;

-- name: areas
-- The areas a place lies under and those it holds, in the order of the walk; without buildings where
-- there are too many.
SELECT a.area, a.parent, a.code, a.name, a.level, a.floors, a.lift
FROM registry.span b JOIN registry.area a ON a.area = b.area
WHERE (b.lo BETWEEN %(lo)s AND %(hi)s OR b.area = ANY (%(line)s::uuid[]))
    AND (%(buildings)s OR a.level <> 'building')
ORDER BY b.lo LIMIT %(limit)s;

-- name: rounds
-- The rounds that are not closed and reach the place; all of them where it is everywhere.
SELECT r.round, r.name, r.starts_at, r.ends_at FROM sampling.round r
WHERE r.closed_at IS NULL AND (%(line)s::uuid[] IS NULL OR r.areas && %(line)s
    OR EXISTS (SELECT FROM registry.span b WHERE b.area = ANY (r.areas) AND b.lo BETWEEN %(lo)s AND %(hi)s))
ORDER BY r.starts_at DESC, r.round LIMIT %(limit)s;

-- name: policies
-- The editions in force at a place: of a nearer area before a wider one. Nobody's group is one's own there.
SELECT DISTINCT ON (p.name) p.name, p.value, p.household FROM registry.policy p
LEFT JOIN registry.span w ON w.area = p.area
WHERE p.since <= %(at)s AND p."group" IS NULL AND (p.area IS NULL OR p.area = ANY (%(line)s::uuid[]))
ORDER BY p.name, w.depth DESC NULLS LAST, p.since DESC, p.policy DESC;

-- name: sites
-- The sites at a place and those of the boxes that are listed.
SELECT s.site, s.code, s.name, s.area, s.lanes, s.open FROM sampling.site s
LEFT JOIN registry.span b ON b.area = s.area
WHERE s.site = ANY (%(also)s::uuid[]) OR CASE %(kind)s::text
    WHEN 'site' THEN s.site = %(id)s::uuid
    WHEN 'area' THEN b.lo BETWEEN %(lo)s AND %(hi)s
    WHEN 'lab' THEN false ELSE true END
ORDER BY s.code LIMIT %(limit)s;

-- name: labs
SELECT lab, name FROM lab.lab ORDER BY lab LIMIT %(limit)s;

-- name: formats
SELECT kind, supplier, pattern, "check", capacity FROM custody.format
WHERE since <= %(at)s AND NOT retired ORDER BY kind, supplier, pattern LIMIT %(limit)s;

-- name: labels
-- The ranges of labels that some sites were given and still have.
SELECT l.kind, l.first, l.last, l.site FROM custody.labels l
WHERE l.site = ANY (%(sites)s::uuid[]) AND l.taken_back_at IS NULL
ORDER BY l.site, l.kind, l.first LIMIT %(limit)s;

-- name: boxes
-- Boxes and bags that no laboratory has taken in: of the place, bound for it or carried there, packed last
-- first.
SELECT b.box, b.code, b.kind, b.bound_for, b.site, b.packed_at, l.taker AS "with",
    ARRAY(SELECT p.barcode FROM custody.packed p WHERE p.box = b.box ORDER BY p.barcode) AS tubes,
    ARRAY(SELECT g.bag FROM custody.bagged g WHERE g.box = b.box ORDER BY g.bag) AS bags
FROM custody.box b
LEFT JOIN sampling.site s ON s.site = b.site
LEFT JOIN registry.span h ON h.area = s.area
LEFT JOIN LATERAL (SELECT x.taker FROM custody.leg x WHERE x.box = b.box
    ORDER BY coalesce(x.taken_at, x.given_at) DESC, x.n DESC LIMIT 1) l ON true
WHERE b.packed_at >= %(since)s
    AND NOT EXISTS (SELECT FROM lab.reception r WHERE r.box = b.box)
    AND NOT EXISTS (SELECT FROM custody.bagged g JOIN lab.reception r ON r.box = g.box WHERE g.bag = b.box)
    AND CASE %(kind)s::text
        WHEN 'site' THEN b.site = %(id)s::uuid OR l.taker = 'site:' || %(id)s::text
        WHEN 'area' THEN h.lo BETWEEN %(lo)s AND %(hi)s
        WHEN 'lab' THEN b.bound_for = %(lab)s OR l.taker = 'lab:' || %(lab)s ELSE true END
ORDER BY b.packed_at DESC, b.box LIMIT %(limit)s;

-- name: bags
-- The bags in some boxes. Read by Muster's own hand: who may take a box in may know what its manifest lists,
-- though a bag of it may say nothing of where it goes.
SELECT b.box, b.code, b.kind, b.bound_for, b.site, b.packed_at, NULL AS "with",
    ARRAY(SELECT p.barcode FROM custody.packed p WHERE p.box = b.box ORDER BY p.barcode) AS tubes,
    '{}'::uuid[] AS bags
FROM custody.box b WHERE b.box = ANY (%(bags)s::uuid[]) ORDER BY b.packed_at DESC, b.box LIMIT %(limit)s;

-- name: recalls
-- Who of a place is to be swabbed again, and how far each has come: who lives there, or whose tube was
-- filled there.
SELECT r.recall, r.tube, t.barcode, r.person, r.ordered_at, r.stage
FROM lab.recall_stage r
LEFT JOIN sampling.tube t ON t.tube = r.tube
LEFT JOIN registry.resident p ON p.resident = r.person
LEFT JOIN registry.span b ON b.area = p.building
WHERE r.state = 'open' AND (b.lo BETWEEN %(lo)s AND %(hi)s OR t.site = ANY (%(sites)s::uuid[]))
ORDER BY r.ordered_at, r.recall LIMIT %(limit)s;

-- name: ways
-- Whose missing are the holder's way.
SELECT k.task, k.area, k.about AS round, k.due_at, k.state FROM hq.task k
WHERE k.login = %(login)s AND k.kind = 'door_to_door' AND k.state IN ('issued', 'acknowledged')
ORDER BY k.due_at, k.task LIMIT %(limit)s;

-- name: calls
-- Buildings called down in the rounds that are open, the last first: of the place, and those sent to one
-- of its sites.
SELECT c.building, c.round, c.to_site, c.called_at, c.called_by
FROM visits.call c LEFT JOIN registry.span b ON b.area = c.building
WHERE c.round = ANY (%(rounds)s::uuid[])
    AND (b.lo BETWEEN %(lo)s AND %(hi)s OR c.to_site = ANY (%(sites)s::uuid[]))
ORDER BY c.called_at DESC, c.event LIMIT %(limit)s;

-- name: count
-- How many live at a place, up to a limit: beyond it the number says so.
SELECT count(*)::int AS people FROM (
    SELECT FROM registry.span b JOIN registry.resident r ON r.building = b.area
    WHERE b.lo BETWEEN %(lo)s AND %(hi)s AND r.merged_into IS NULL AND r.state <> 'moved_away'
    LIMIT %(limit)s) x;

-- name: people
-- Who lives at a place, in the order of the walk, or some of them; phone and number sealed. Whether they
-- were swabbed and what they said is asked of the rounds that are open, as for the missing; whether they
-- asked to be swabbed at home and still wait, of all rounds. Recall and request are asked for only by who
-- may: that somebody was in a positive tube, or cannot leave the house, is not for every helper at a site.
SELECT r.resident, i.name, i.pinyin, i.initials, r.building, r.room, r.birth_year, r.sex, r.state,
    i.phone, i.number, s.at AS swabbed_at,
    CASE WHEN x.kind = 'exempt' OR r.state = 'cannot_be_tested' THEN 'exempt'
        WHEN r.state = 'away' THEN 'away' WHEN x.kind = 'refused' THEN 'refused' END AS stance,
    c.recall, v.outcome AS visit, floor(extract(epoch FROM v.at))::bigint AS visited_at,
    floor(extract(epoch FROM v.again_at))::bigint AS again_at, h.reason AS asked_home
FROM registry.span b
JOIN registry.resident r ON r.building = b.area
LEFT JOIN vault.identity i ON i.resident = r.resident
LEFT JOIN LATERAL (
    SELECT floor(extract(epoch FROM max(s.at)))::bigint AS at FROM sampling.specimen s
    WHERE s.person = r.resident AND s.round = ANY (%(rounds)s::uuid[])) s ON true
LEFT JOIN LATERAL (
    SELECT x.kind FROM sampling.stance x
    WHERE x.person = r.resident AND (x.round = ANY (%(rounds)s::uuid[]) OR x.round IS NULL)
    ORDER BY x.kind LIMIT 1) x ON true
LEFT JOIN LATERAL (
    SELECT c.recall FROM lab.recall c
    WHERE %(recalls)s AND c.person = r.resident AND c.state = 'open'
    ORDER BY c.ordered_at, c.recall LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT v.outcome, v.at, v.again_at FROM visits.visit v
    WHERE v.person = r.resident AND (v.round IS NULL OR v.round = ANY (%(rounds)s::uuid[]))
    ORDER BY v.at DESC, v.event DESC LIMIT 1) v ON true
LEFT JOIN LATERAL (
    SELECT x.reason FROM sampling.home_request x
    WHERE %(homes)s AND x.person = r.resident AND x.outcome IS NULL
        AND NOT EXISTS (SELECT FROM sampling.specimen s WHERE s.person = x.person AND s.at > x.asked_at)
    ORDER BY x.asked_at DESC, x.request LIMIT 1) h ON true
WHERE b.lo BETWEEN %(lo)s AND %(hi)s AND r.merged_into IS NULL AND r.state <> 'moved_away'
    AND (%(only)s::uuid[] IS NULL OR r.resident = ANY (%(only)s))
ORDER BY b.lo, coalesce(r.room, ''), r.resident;

-- name: touched
-- Who of a place something was recorded about since a number of the ledger: who lives there, and who once
-- did and was listed, moved or merged since. Read by Muster's own hand, as who left is no longer seen.
WITH event AS (
    SELECT e.type, e.subject, e.body FROM ledger.event e
    WHERE e.seq > %(since)s AND e.seq <= %(seq)s AND e.body IS NOT NULL
), tube AS (
    SELECT subject AS tube FROM event
    WHERE type IN ('TubeOpened', 'TubeSealed', 'SpecimenTaken', 'SpecimenVoided', 'SpecimenRestored',
        'SpecimenMoved', 'RecallOrdered', 'RecallWithdrawn', 'RecallClosed', 'RecallReopened')
    UNION SELECT (body ->> 'to')::uuid FROM event WHERE type = 'SpecimenMoved'
), listed AS (
    SELECT subject AS person FROM event
    WHERE type IN ('ResidentListed', 'ResidentMoved', 'ResidentStateChanged', 'ResidentsMerged',
        'ResidentsUnmerged')
    UNION SELECT (body ->> 'into')::uuid FROM event WHERE type IN ('ResidentsMerged', 'ResidentsUnmerged')
), named AS (
    SELECT person FROM listed
    UNION SELECT subject FROM event
    WHERE type IN ('RefusalRecorded', 'ExemptionGranted', 'StanceWithdrawn', 'VisitMade', 'VisitWithdrawn',
        'HomeSamplingAsked', 'HomeSamplingClosed')
    UNION SELECT (body ->> 'person')::uuid FROM event
    WHERE type IN ('SpecimenTaken', 'SpecimenVoided', 'SpecimenRestored', 'SpecimenMoved')
    UNION SELECT (m ->> 'person')::uuid FROM event, jsonb_array_elements(body -> 'members') m
    WHERE type = 'TubeSealed'
    UNION SELECT s.person FROM tube JOIN sampling.specimen s ON s.tube = tube.tube
    UNION SELECT c.person FROM tube JOIN lab.recall c ON c.tube = tube.tube
), meant AS (
    SELECT person FROM named UNION
    SELECT a.person FROM named JOIN registry.alias a ON a.recorded = named.person
)
SELECT m.person FROM meant m
JOIN registry.resident r ON r.resident = m.person
JOIN registry.span b ON b.area = r.building
WHERE b.lo BETWEEN %(lo)s AND %(hi)s
UNION
SELECT l.person FROM listed l
WHERE EXISTS (SELECT FROM ledger.event e
    JOIN registry.span b ON b.area = (e.body ->> 'building')::uuid
    WHERE e.subject = l.person AND e.type IN ('ResidentListed', 'ResidentMoved')
        AND b.lo BETWEEN %(lo)s AND %(hi)s);

-- name: erased_since
-- Whether anything was emptied since: of whom is not said there, so phones get their slices whole.
SELECT EXISTS (SELECT FROM ledger.event e WHERE e.seq > %(since)s AND e.type = 'RedactionAuthorised') AS any;

-- name: began
-- Which database this is and on which course: a restored one may have another past than phones know. No
-- privilege is needed to ask.
SELECT s.system_identifier::text AS server, c.timeline_id AS course, d.oid::bigint AS database
FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database();
