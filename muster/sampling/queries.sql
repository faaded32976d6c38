-- name: rounds
SELECT r.round, r.name, r.areas, r.starts_at, r.ends_at, r.closed_at,
    ARRAY(SELECT a.name FROM registry.area a WHERE a.area = ANY (r.areas)) AS area_names
FROM sampling.round r ORDER BY r.starts_at DESC, r.round;

-- name: round
SELECT * FROM sampling.round WHERE round = %(round)s;

-- name: sites
SELECT s.*, a.name AS area_name FROM sampling.site s LEFT JOIN registry.area a USING (area)
LEFT JOIN registry.span b USING (area)
WHERE s.code > %(after)s
    AND (%(q)s::text IS NULL OR s.code ^@ %(q)s OR position(%(q)s IN s.name) > 0)
    AND (%(area)s::uuid IS NULL OR %(area)s = ANY (b.line))
    AND (%(open)s::boolean IS NULL OR s.open = %(open)s)
ORDER BY s.code LIMIT %(limit)s;

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
SELECT s.position, s.person, s.recorded, i.name, a.code AS building_code, a.name AS building_name, r.room
FROM sampling.specimen s
LEFT JOIN registry.resident r ON r.resident = s.person
LEFT JOIN registry.area a ON a.area = r.building
LEFT JOIN vault.identity i ON i.resident = s.person
WHERE s.tube = %(tube)s ORDER BY s.position NULLS LAST, s.person;

-- name: timeline
-- Everything recorded of a tube, from its first swab to its results and recalls: its own events, and of
-- those about many tubes (a box, a scan, a plate, a run) the part that is about this one. A box, scan or
-- well that may be of another tube of the same barcode is left out. `labs`: only what these laboratories
-- may see of it. Each table is asked by an index: the whole is a few hundred probes.
WITH boxes AS (
    SELECT b.box, b.code, i.bag
    FROM (
        SELECT p.box, NULL::uuid AS bag FROM custody.packed p
        WHERE p.barcode = %(barcode)s AND (p.tube = %(tube)s OR p.tube IS NULL
            AND p.packed_at BETWEEN %(sealed_at)s::timestamptz - interval '1 hour'
                AND %(sealed_at)s::timestamptz + make_interval(hours => %(hours)s)
            AND NOT EXISTS (SELECT FROM sampling.tube o
                WHERE o.barcode = %(barcode)s AND o.tube <> %(tube)s
                    AND p.packed_at BETWEEN o.sealed_at - interval '1 hour'
                        AND o.sealed_at + make_interval(hours => %(hours)s)))) d
    CROSS JOIN LATERAL (
        SELECT d.box, d.bag UNION SELECT g.box, g.bag FROM custody.bagged g WHERE g.bag = d.box) i
    JOIN custody.box b ON b.box = i.box
    WHERE %(labs)s::text[] IS NULL OR b.bound_for = ANY (%(labs)s)
        OR EXISTS (SELECT FROM lab.reception r WHERE r.box = b.box AND r.lab = ANY (%(labs)s))
), receptions AS (
    SELECT r.reception, r.id, r.code, r.lab, bool_or(x.scanned) AS scanned
    FROM (
        SELECT v.reception, true AS scanned FROM lab.received v
        WHERE v.barcode = %(barcode)s AND v.tube = %(tube)s
        UNION ALL
        SELECT r.reception, false FROM lab.reception r WHERE r.box = ANY (ARRAY(SELECT box FROM boxes))
    ) x
    JOIN lab.reception r ON r.reception = x.reception
    WHERE %(labs)s::text[] IS NULL OR r.lab = ANY (%(labs)s)
    GROUP BY r.reception, r.id, r.code, r.lab
), wells AS (
    SELECT w.plate, w.well, w.repeat, p.code, p.lab, p.assay
    FROM lab.well w JOIN lab.plate p ON p.plate = w.plate
    WHERE w.barcode = %(barcode)s AND w.tube = %(tube)s
        AND (%(labs)s::text[] IS NULL OR w.lab = ANY (%(labs)s))
), runs AS (
    SELECT r.run, r.importing, w.plate, w.code, w.well
    FROM wells w JOIN lab.run r ON r.plate = w.plate
), results AS (
    SELECT r.result, r.lab FROM lab.result r
    WHERE r.barcode = %(barcode)s AND %(tube)s = ANY (r.tubes)
        AND (%(labs)s::text[] IS NULL OR r.lab = ANY (%(labs)s))
    UNION
    SELECT p.result, p.lab FROM lab.proposal p
    WHERE p.barcode = %(barcode)s AND p.tube = %(tube)s
        AND (%(labs)s::text[] IS NULL OR p.lab = ANY (%(labs)s))
)
SELECT seq, at, received_at, type, actor, device, body FROM ledger.event WHERE subject = %(tube)s
UNION
SELECT seq, at, received_at, type, actor, device, body FROM ledger.event
WHERE type = 'SpecimenMoved' AND (body ->> 'to')::uuid = %(tube)s
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    jsonb_build_object('box', b.box, 'code', b.code) || CASE WHEN e.type = 'BoxPacked'
        THEN (e.body - 'tubes' - 'bags') || CASE WHEN b.bag IS NULL THEN '{}'
            ELSE jsonb_build_object('bag', b.bag) END
        ELSE coalesce(e.body, '{}') END
FROM boxes b
JOIN ledger.event e ON e.subject = b.box
WHERE e.type IN ('BoxRouted', 'BoxHandedOver', 'TemperatureRead') OR e.type = 'BoxPacked'
    AND (e.body -> 'tubes' @> jsonb_build_array(jsonb_build_object('barcode', %(barcode)s::text))
        OR e.body -> 'bags' @> to_jsonb(b.bag::text))
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    e.body || jsonb_build_object('reception', r.reception)
FROM receptions r JOIN ledger.event e ON e.id = r.id
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    jsonb_build_object('lab', r.lab, 'reception', r.reception, 'code', r.code,
        'barcode', %(barcode)s::text, 'condition', coalesce(e.body ->> 'condition',
            jsonb_path_query_first(e.body, '$.scans[*] ? (@.barcode == $b).condition',
                jsonb_build_object('b', %(barcode)s::text)) #>> '{}', 'ok'))
FROM receptions r
JOIN ledger.event e ON e.subject = r.reception
WHERE r.scanned AND (
    e.type = 'TubesReceived'
        AND e.body -> 'scans' @> jsonb_build_array(jsonb_build_object('barcode', %(barcode)s::text))
    OR e.type = 'ScanUndone' AND e.body ->> 'barcode' = %(barcode)s)
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    coalesce(e.body, '{}') || jsonb_build_object('kind', d.kind)
FROM receptions r
JOIN lab.discrepancy d ON d.reception = r.reception AND d.barcode = %(barcode)s
JOIN ledger.event e ON e.subject = d.discrepancy
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    jsonb_build_object('plate', w.plate, 'code', w.code, 'lab', w.lab, 'assay', w.assay,
        'well', w.well, 'repeat', w.repeat)
FROM wells w JOIN ledger.event e ON e.subject = w.plate AND e.type = 'PlateLoaded'
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    (e.body - 'readings') || jsonb_build_object('code', r.code, 'well', r.well,
        'readings', jsonb_path_query_array(e.body, '$.readings[*] ? (@.well == $w)',
            jsonb_build_object('w', r.well)))
FROM runs r JOIN ledger.event e ON e.id = r.importing
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    (e.body - 'calls' - 'failed_controls') || jsonb_build_object('code', r.code) || c.call
FROM runs r
JOIN ledger.event e ON e.subject = r.run AND e.type = 'RunCalled'
CROSS JOIN LATERAL jsonb_path_query(e.body, '$.calls[*] ? (@.barcode == $b)',
    jsonb_build_object('b', %(barcode)s::text)) c (call)
UNION
SELECT e.seq, e.at, e.received_at, e.type, e.actor, e.device,
    coalesce(e.body, '{}') || jsonb_build_object('lab', r.lab)
FROM results r
JOIN ledger.event e ON e.subject = r.result
WHERE e.type IN ('ResultProposed', 'ProposalDeclined', 'ResultReleased', 'ResultAmended',
    'ResultBound', 'ResultRejected')
ORDER BY at, seq;

-- name: sees_members
-- Whether every member of a tube may be seen: by its site, by who sees everyone, by Muster itself; and
-- the laboratories whose work alone may be seen, where it is not everybody's.
SELECT whole OR access.tube_here(%(tube)s) AS "all",
    CASE WHEN NOT whole AND cardinality(access.codes('labs')) > 0 THEN access.codes('labs') END AS labs
FROM (SELECT current_setting('role') <> 'muster_reader' OR access.yes('everyone') AS whole) w;

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
    UNION ALL
    SELECT 'foreign_label', f.tube::text, ARRAY[f.tube], f.barcode, f.round, NULL
    FROM custody.foreign_label f
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
ORDER BY (p."group" IS NOT NULL) DESC, w.depth DESC NULLS LAST, p.since DESC, p.policy DESC
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

-- name: photo_place
-- Where the site is whose check names a photo.
SELECT s.area FROM ledger.event e JOIN sampling.site s ON s.site = e.subject
WHERE e.type = 'SiteChecked' AND e.body -> 'photos' @> jsonb_build_array(jsonb_build_object('hash', %(hash)s::text))
ORDER BY e.seq LIMIT 1;

-- name: keep_photo
-- Once; one that had expired does not come back.
INSERT INTO sampling.photo_file (hash, sealed, size_bytes, received_at, sent_by, expires_at)
VALUES (decode(%(hash)s, 'hex'), %(sealed)s, %(size_bytes)s, %(at)s, %(by)s, %(expires_at)s)
ON CONFLICT (hash) DO NOTHING RETURNING hash;

-- name: photo
SELECT sealed FROM sampling.photo_file WHERE hash = decode(%(hash)s, 'hex') AND sealed IS NOT NULL;
