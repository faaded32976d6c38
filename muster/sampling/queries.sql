-- name: rounds
SELECT r.round, r.name, r.areas, r.starts_at, r.ends_at, r.closed_at,
    ARRAY(SELECT a.name FROM registry.area a WHERE a.area = ANY (r.areas)) AS area_names
FROM sampling.round r ORDER BY r.starts_at DESC, r.round;

-- name: round
SELECT * FROM sampling.round WHERE round = %(round)s;

-- name: sites
SELECT s.*, a.name AS area_name FROM sampling.site s LEFT JOIN registry.area a USING (area)
WHERE s.code > %(after)s ORDER BY s.code LIMIT %(limit)s;

-- name: site
SELECT * FROM sampling.site WHERE code = %(text)s OR site::text = %(text)s LIMIT 1;

-- name: tubes_by_barcode
SELECT tube FROM sampling.tube WHERE barcode = %(barcode)s ORDER BY at DESC, tube LIMIT 50;

-- name: tube
SELECT t.*, o.outcome, o.state, s.code AS site_code, s.name AS site_name
FROM sampling.tube t
LEFT JOIN lab.outcome o ON o.tube = t.tube
LEFT JOIN sampling.site s ON s.site = t.site
WHERE t.tube = %(tube)s;

-- name: members
SELECT s.position, s.person, s.recorded, i.name, a.code AS building_code, r.room
FROM sampling.specimen s
LEFT JOIN registry.resident r ON r.resident = s.person
LEFT JOIN registry.area a ON a.area = r.building
LEFT JOIN vault.identity i ON i.resident = s.person
WHERE s.tube = %(tube)s ORDER BY s.position NULLS LAST, s.person;

-- name: timeline
-- Everything recorded of a tube: its own events, what was moved into it, its results.
SELECT DISTINCT e.seq, e.at, e.received_at, e.type, e.actor, e.device, e.body
FROM (
    SELECT * FROM ledger.event WHERE subject = %(tube)s
    UNION ALL
    SELECT * FROM ledger.event
    WHERE type = 'SpecimenMoved' AND (body ->> 'to')::uuid = %(tube)s
    UNION ALL
    SELECT * FROM ledger.event
    WHERE type IN ('ResultReleased', 'ResultAmended', 'ResultBound', 'ResultRejected')
        AND body ->> 'barcode' = %(barcode)s
        AND subject = ANY (ARRAY(SELECT r.result FROM lab.result r
            WHERE r.barcode = %(barcode)s AND %(tube)s = ANY (r.tubes)))
) e
ORDER BY e.at, e.seq;

-- name: sees_members
-- Whether every member of a tube may be seen: by its site, by who sees everyone, by Muster itself.
SELECT current_setting('role') <> 'muster_reader' OR access.yes('everyone')
    OR access.tube_here(%(tube)s) AS "all";

-- name: anomalies
-- Every anomaly on record: what a tube shows by itself, people in two tubes, barcodes on two tubes.
SELECT * FROM (
    SELECT f.flag AS kind, f.tube::text AS key, ARRAY[f.tube] AS tubes, t.barcode, t.round,
        NULL::uuid AS person
    FROM sampling.flag f LEFT JOIN sampling.tube t USING (tube)
    UNION ALL
    SELECT 'person_twice', w.person::text || coalesce(w.round::text, ''), w.tubes, NULL, w.round,
        w.person
    FROM sampling.twice w
    UNION ALL
    SELECT CASE WHEN b.sites > 1 THEN 'barcode_at_two_sites' ELSE 'barcode_twice' END, b.barcode,
        b.tubes, b.barcode, NULL, NULL
    FROM sampling.barcode_twice b
) a
WHERE (%(kind)s::text IS NULL OR (a.kind, a.key) > (%(kind)s, %(key)s))
ORDER BY a.kind, a.key
LIMIT %(limit)s;

-- name: tube_size
-- The edition in force: for the group before the area, for a nearer area before a wider one.
SELECT p.value, p.household, p.policy, p.since
FROM registry.policy p
LEFT JOIN registry.span w ON w.area = p.area
LEFT JOIN registry.span h ON h.area = %(area)s
WHERE p.name = 'tube_size' AND p.since <= %(at)s
    AND (p."group" IS NULL OR p."group" = %(group)s)
    AND (p.area IS NULL OR h.lo BETWEEN w.lo AND w.hi)
ORDER BY (p."group" IS NOT NULL) DESC, w.depth DESC NULLS LAST, p.since DESC
LIMIT 1;

-- name: device_gaps
-- Numbers a device has used and the server has not seen: how "nothing is lost" is known.
SELECT device, first_missing, last_missing, received_at FROM access.device_gaps()
ORDER BY device, first_missing LIMIT %(limit)s;

-- name: receipts
SELECT q.id, CASE WHEN e.id IS NOT NULL THEN 'stored' WHEN i.refused_at IS NOT NULL THEN 'refused'
    WHEN i.id IS NOT NULL THEN 'held' ELSE 'unknown' END AS state, i.id AS inbox, i.slug AS why
FROM unnest(%(ids)s::uuid[]) AS q (id)
LEFT JOIN ledger.event e ON e.id = q.id
LEFT JOIN LATERAL (SELECT x.id, x.slug, x.refused_at FROM ledger.inbox x
    WHERE x.event = q.id AND x.applied_at IS NULL ORDER BY x.received_at DESC LIMIT 1) i ON true;

-- name: inbox
SELECT id, received_at, expires_at, owner, sender, slug, event, applied_at, refused_at, decided_by,
    sealed IS NOT NULL AS kept
FROM ledger.inbox
WHERE %(after)s::uuid IS NULL OR id > %(after)s::uuid ORDER BY id LIMIT %(limit)s;

-- name: stalled
SELECT subject, view, event, error, since FROM ledger.stalled ORDER BY since, subject LIMIT 1000;
