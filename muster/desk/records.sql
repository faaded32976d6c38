-- One thing with what stands around it and what happened to it: a site, a laboratory, a person, a device.

-- name: site
SELECT s.site, s.code, s.name, s.area, a.code AS area_code, a.name AS area_name, s.lanes,
    s.lanes_open, s.open
FROM sampling.site s LEFT JOIN registry.area a ON a.area = s.area
WHERE s.code = %(text)s OR s.site::text = %(text)s LIMIT 1;

-- name: site_rounds
-- What a site did in each round: tubes, and swabs (person-times).
SELECT r.round, r.name, count(*)::int AS tubes,
    count(*) FILTER (WHERE t.sealed_at IS NULL)::int AS open_tubes,
    sum(coalesce(t.sealed_members, 0))::int AS swabs, min(t.at) AS first_at, max(t.at) AS last_at
FROM sampling.tube t LEFT JOIN sampling.round r ON r.round = t.round
WHERE t.site = %(site)s GROUP BY r.round, r.name ORDER BY max(t.at) DESC LIMIT 20;

-- name: site_waiting
-- Sealed tubes of a site that no laboratory has, and the oldest.
SELECT count(*)::int AS tubes, min(a.sealed_at) AS oldest_at FROM custody.awaited a
WHERE a.site = %(site)s;

-- name: site_boxes
SELECT b.box, b.code, b.kind, b.tubes, b.packed_at, b.bound_for,
    (SELECT l.taker FROM custody.leg l WHERE l.box = b.box
        ORDER BY coalesce(l.taken_at, l.given_at) DESC, l.n DESC LIMIT 1) AS "with",
    (SELECT max(r.received_at) FROM lab.reception r WHERE r.box = b.box) AS received_at
FROM custody.box b WHERE b.site = %(site)s ORDER BY b.packed_at DESC, b.box LIMIT 20;

-- name: site_supplies
-- What a site was short of by the latest word on each thing, the longest first.
SELECT u.item, u.remaining AS "left", u.at, u.said_by FROM sampling.supply u WHERE u.site = %(site)s ORDER BY u.at, u.item;

-- name: site_readiness
SELECT r.looked_at, r.faults, r.at, r.checked_by, coalesce((SELECT jsonb_agg(jsonb_build_object(
        'item', p.item, 'hash', p.hash, 'here', EXISTS (SELECT FROM sampling.photo_file f
            WHERE f.hash = decode(p.hash, 'hex') AND f.sealed IS NOT NULL)) ORDER BY p.n)
    FROM ROWS FROM (jsonb_to_recordset(r.photos) AS (item text, hash text)) WITH ORDINALITY
        AS p (item, hash, n)), '[]') AS photos
FROM sampling.readiness r
WHERE r.site = %(site)s ORDER BY r.at LIMIT 1;

-- name: site_moments
-- When a site and its lanes opened and closed, newest first.
SELECT e.at, e.received_at, e.type, e.actor, (e.body ->> 'lane')::int AS lane
FROM ledger.event e
WHERE e.subject = %(site)s AND e.body IS NOT NULL
    AND e.type IN ('SiteOpened', 'SiteClosed', 'LaneOpened', 'LaneClosed')
ORDER BY e.at DESC, e.seq DESC LIMIT 200;

-- name: lab
SELECT l.id, l.lab, l.name, l.kind, l.capacity_per_hour, l.wells_since, l.area, a.name AS area_name
FROM lab.lab l LEFT JOIN registry.area a ON a.area = l.area
WHERE l.lab = %(lab)s ORDER BY l.id LIMIT 1;

-- name: lab_open
-- The open list of a laboratory by what is to be done next.
SELECT s.next, count(*)::int AS tubes, min(s.received_at) AS oldest_at FROM lab.sample s
WHERE s.lab = %(lab)s AND s.next <> 'done' GROUP BY s.next ORDER BY s.next;

-- name: lab_day
-- What a laboratory did since a moment; tubes, not people.
SELECT (SELECT count(*)::int FROM lab.reception r
        WHERE r.lab = %(lab)s AND r.received_at >= %(since)s) AS boxes,
    (SELECT count(*)::int FROM lab.reception r WHERE r.lab = %(lab)s AND r.received_at >= %(since)s
        AND NOT EXISTS (SELECT FROM lab.emptied n WHERE n.reception = r.reception)) AS unpacking,
    (SELECT count(*)::int FROM lab.plate p
        WHERE p.lab = %(lab)s AND p.loaded_at >= %(since)s) AS plates,
    (SELECT count(*)::int FROM lab.run q
        WHERE q.lab = %(lab)s AND q.imported_at >= %(since)s) AS runs,
    (SELECT count(*)::int FROM lab.run q WHERE q.lab = %(lab)s AND q.imported_at >= %(since)s
        AND q.blocked IS NOT NULL) AS blocked_runs,
    (SELECT count(*)::int FROM lab.discrepancy d
        WHERE d.lab = %(lab)s AND d.state = 'open') AS open_cases,
    (SELECT count(*)::int FROM lab.run_file f
        WHERE f.lab = %(lab)s AND f.state = 'waiting') AS waiting_files;

-- name: lab_released
SELECT r.outcome, count(*)::int AS tubes, max(r.resulted_at) AS last_at FROM lab.result r
WHERE r.lab = %(lab)s AND r.resulted_at >= %(since)s AND NOT r.rejected
GROUP BY r.outcome ORDER BY r.outcome;

-- name: story
-- All that happened to a person, under every id that counts for them, newest first: what was said of
-- them, their swabs, what came of the tubes, recalls and who was reached.
WITH person AS (
    SELECT CASE WHEN a.person IS NULL THEN q.asked ELSE a.person END AS id
    FROM (SELECT %(person)s::uuid AS asked) q
    LEFT JOIN registry.alias a ON a.recorded = q.asked
), every AS (
    SELECT id FROM person
    UNION SELECT a.recorded FROM registry.alias a, person p WHERE a.person = p.id
), swab AS (
    SELECT s.tube, s.at, s.person, t.barcode, t.site, t.purpose, t.sealed_at, t.round
    FROM person p
    JOIN sampling.specimen s ON s.person = p.id JOIN sampling.tube t ON t.tube = s.tube
)
SELECT e.at, e.type AS kind, e.actor AS by, e.device, NULL::uuid AS tube, NULL AS barcode, NULL AS site_name,
    coalesce(e.body ->> 'state', e.body ->> 'reason', e.body ->> 'outcome', e.body ->> 'about',
        e.body ->> 'answer', e.body ->> 'source') AS detail,
    coalesce(b.name, r.name) AS place, e.body ->> 'room' AS room
FROM every i
JOIN ledger.event e ON e.subject = i.id AND e.body IS NOT NULL
    AND e.type IN ('ResidentListed', 'ResidentMoved', 'ResidentStateChanged', 'ResidentsMerged',
        'ResidentsUnmerged', 'RefusalRecorded', 'ExemptionGranted', 'StanceWithdrawn', 'VisitMade',
        'VisitWithdrawn', 'ObjectionRaised', 'ObjectionAnswered')
LEFT JOIN registry.area b ON b.area = (e.body ->> 'building')::uuid
LEFT JOIN sampling.round r ON r.round = (e.body ->> 'round')::uuid
UNION ALL
SELECT s.at, CASE WHEN s.sealed_at IS NULL THEN 'swabbed_open' ELSE 'swabbed' END,
    NULL, NULL, s.tube, s.barcode, x.name, s.purpose, r.name, NULL
FROM swab s LEFT JOIN sampling.site x ON x.site = s.site LEFT JOIN sampling.round r ON r.round = s.round
UNION ALL
SELECT o.resulted_at, 'resulted', NULL, NULL, s.tube, s.barcode, NULL,
    CASE WHEN o.state = 'final' THEN o.outcome ELSE o.state END, NULL, NULL
FROM swab s JOIN lab.outcome o ON o.tube = s.tube
UNION ALL
SELECT m.at, m.kind, NULL, NULL, s.tube, s.barcode, NULL, m.detail, NULL, NULL
FROM swab s
JOIN lab.recall c ON c.tube = s.tube AND c.person = s.person
CROSS JOIN LATERAL (VALUES (c.ordered_at, 'recall_ordered', c.outcome),
    (c.closed_at, 'recall_closed', c.answer)) AS m (at, kind, detail)
WHERE m.at IS NOT NULL
UNION ALL
SELECT e.at, 'recall_contact', e.actor, e.device, s.tube, s.barcode, NULL, e.body ->> 'how', NULL, NULL
FROM swab s
JOIN lab.recall c ON c.tube = s.tube AND c.person = s.person
JOIN ledger.event e ON e.subject = s.tube AND e.type = 'MemberReached'
    AND (e.body ->> 'recall')::uuid = c.recall
ORDER BY 1 DESC, 2 LIMIT 500;

-- name: board
-- Devices in some places, those in trouble first: what they still keep, numbers that have not come, how
-- long nothing was heard. `rank`: 0 keeps or lacks something, 1 quiet, 2 well, 3 revoked.
SELECT q.*, CASE WHEN q.revoked_at IS NOT NULL THEN 3 WHEN q.unsent > 0 OR q.missing > 0 THEN 0
    WHEN q.quiet THEN 1 ELSE 2 END AS rank
FROM (
    SELECT d.device, d.code, d.kind, d.revoked_at, d.enrolled_at, y.seen_at, y.unsent, y.unsent_at,
        a.login AS holder, n.name AS holder_name, n.phone AS holder_phone,
        y.holder_since,
        b.site, s.code AS site_code, s.name AS site_name, r.name AS area_name, b.lab,
        coalesce(g.last - g.n, 0)::int AS missing, g.last AS last_number,
        (SELECT count(*)::int FROM ledger.inbox i WHERE i.sender = 'device:' || d.code
            AND i.applied_at IS NULL AND i.refused_at IS NULL AND i.sealed IS NOT NULL) AS held,
        coalesce(y.seen_at, d.enrolled_at) < %(at)s::timestamptz
            - make_interval(mins => %(quiet)s) AS quiet
    FROM access.device d
    LEFT JOIN access.device_token y ON y.device = d.device
    LEFT JOIN access.account a ON a.account = y.holder
    LEFT JOIN credential.person n ON n.account = y.holder
    LEFT JOIN access.binding b ON b.device = d.device AND b.since <= %(at)s
        AND (b.until IS NULL OR b.until > %(at)s)
    LEFT JOIN sampling.site s ON s.site = b.site
    LEFT JOIN registry.area r ON r.area = CASE WHEN b.area IS NULL THEN s.area ELSE b.area END
    LEFT JOIN registry.span h ON h.area = r.area
    LEFT JOIN LATERAL (SELECT max(e.device_seq) AS last, count(DISTINCT e.device_seq) AS n
        FROM ledger.event e WHERE e.device = d.code AND e.device_seq IS NOT NULL) g ON true
    WHERE (%(everywhere)s OR b.site = ANY (%(sites)s::uuid[]) OR h.line && %(areas)s::uuid[])
        AND (%(site)s::uuid IS NULL OR b.site = %(site)s)
        AND (%(area)s::uuid IS NULL OR %(area)s = ANY (h.line))
        AND (%(code)s::text IS NULL OR d.code ^@ %(code)s OR a.login ^@ %(code)s)) q
ORDER BY rank, q.code;

-- name: gaps_of
-- The numbers of one device that have not come.
SELECT s.before + 1 AS first_missing, s.device_seq - 1 AS last_missing, s.received_at
FROM (
    SELECT e.device_seq, e.received_at,
        coalesce(lag(e.device_seq) OVER (ORDER BY e.device_seq), 0) AS before
    FROM ledger.event e WHERE e.device = %(code)s AND e.device_seq IS NOT NULL) s
WHERE s.device_seq - s.before > 1 ORDER BY 1 LIMIT 50;

-- name: device_work
-- What a device sent last, by kind.
SELECT e.type, count(*)::int AS events, max(e.at) AS last_at, max(e.received_at) AS last_received_at
FROM (SELECT x.type, x.at, x.received_at FROM ledger.event x
    WHERE x.device = %(code)s AND x.device_seq IS NOT NULL
    ORDER BY x.device_seq DESC LIMIT 1000) e
GROUP BY e.type ORDER BY max(e.at) DESC;

-- name: bindings
SELECT b.since, b.until, s.code AS site_code, s.name AS site_name, r.name AS area_name, b.lab
FROM access.binding b
LEFT JOIN sampling.site s ON s.site = b.site
LEFT JOIN registry.area r ON r.area = b.area
WHERE b.device = %(device)s ORDER BY b.since DESC LIMIT 50;

-- name: holders
SELECT a.login, n.name, n.phone, k.since, k.until FROM access.device_holder k
JOIN access.account a ON a.account = k.account
LEFT JOIN credential.person n ON n.account = k.account
WHERE k.device = %(device)s ORDER BY k.until NULLS FIRST, k.since DESC LIMIT 50;

-- name: recalled
-- Tubes with open recalls, what is due first: whose members are how far. `due_at`: by the limit in
-- force when the recall was ordered.
SELECT q.*, t.barcode, t.sealed_at, t.site, s.name AS site_name, r.name AS round_name
FROM (
    SELECT c.tube, (array_agg(c.outcome ORDER BY c.outcome = 'positive' DESC))[1] AS outcome,
        min(c.ordered_at) AS ordered_at, count(*)::int AS members,
        count(*) FILTER (WHERE c.stage = 'ordered' AND c.reached_how = 'not_found')::int AS not_found,
        count(*) FILTER (WHERE c.stage = 'ordered' AND c.reached_how IS DISTINCT FROM 'not_found')::int
            AS ordered,
        count(*) FILTER (WHERE c.stage = 'reached')::int AS reached,
        count(*) FILTER (WHERE c.stage IN ('swabbed', 'answered'))::int AS swabbed,
        count(*) FILTER (WHERE c.stage = 'closed')::int AS closed,
        bool_or(c.fell_due) AS fell_due,
        min(c.ordered_at) + make_interval(hours => coalesce((
            SELECT p.value FROM registry.policy p
            WHERE p.name = 'recall_hours' AND p.since <= min(c.ordered_at)
                AND p.area IS NULL AND p."group" IS NULL
            ORDER BY p.since DESC, p.policy DESC LIMIT 1), %(hours)s)) AS due_at
    FROM lab.recall_stage c
    WHERE c.state <> 'withdrawn' AND c.tube = ANY (ARRAY(
        SELECT o.tube FROM lab.recall o WHERE o.state = 'open'))
    GROUP BY c.tube) q
JOIN sampling.tube t ON t.tube = q.tube
LEFT JOIN sampling.site s ON s.site = t.site
LEFT JOIN sampling.round r ON r.round = t.round
ORDER BY q.due_at, q.tube LIMIT 1000;

-- name: recall
SELECT c.tube, c.recorded, c.state FROM lab.recall c WHERE c.recall = %(recall)s;
