-- name: boxes
-- Boxes and bags, packed last first, and how far each has come: packed, underway (a hand-over was
-- scanned), received (a laboratory took it in).
SELECT b.box, b.code, b.kind, b.tubes, b.bags, b.count, b.seal, b.bound_for, b.packed_at, b.packed_by,
    b.site, s.code AS site_code, s.name AS site_name, w.state, w.lab, w.received_at, w."with"
FROM custody.box b
LEFT JOIN sampling.site s ON s.site = b.site
CROSS JOIN LATERAL (
    SELECT r.lab, r.received_at, l.taker AS "with",
        CASE WHEN r.reception IS NOT NULL THEN 'received' WHEN l.box IS NOT NULL THEN 'underway'
            ELSE 'packed' END AS state
    FROM (SELECT) one
    LEFT JOIN LATERAL (SELECT x.reception, x.lab, x.received_at FROM lab.reception x
        WHERE x.box = b.box ORDER BY x.received_at DESC, x.reception LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT x.box, x.taker FROM custody.leg x WHERE x.box = b.box
        ORDER BY coalesce(x.taken_at, x.given_at) DESC, x.n DESC LIMIT 1) l ON true) w
WHERE (%(q)s::text IS NULL OR b.code ^@ %(q)s)
    AND (%(site)s::uuid IS NULL OR b.site = %(site)s)
    AND (%(bound_for)s::text IS NULL OR b.bound_for = %(bound_for)s)
    AND (%(state)s::text IS NULL OR w.state = %(state)s)
    AND (%(at)s::timestamptz IS NULL OR (b.packed_at, b.box) < (%(at)s, %(box)s::uuid))
ORDER BY b.packed_at DESC, b.box DESC LIMIT %(limit)s;

-- name: boxes_called
-- The boxes of an id or a code, packed last first: codes come again with every tour.
SELECT b.*, s.code AS site_code, s.name AS site_name
FROM custody.box b LEFT JOIN sampling.site s ON s.site = b.site
WHERE b.box = %(box)s::uuid OR b.code = %(code)s
ORDER BY b.packed_at DESC, b.box LIMIT 20;

-- name: manifest
-- The tubes in some boxes and bags, and whether a laboratory has scanned them.
SELECT p.box, p.barcode, p.tube, p.listed, EXISTS (
        SELECT FROM lab.scan s JOIN lab.reception r ON r.reception = s.reception
        WHERE s.barcode = p.barcode AND (r.box = p.box
            OR r.box IN (SELECT g.box FROM custody.bagged g WHERE g.bag = p.box))) AS scanned
FROM custody.packed p WHERE p.box = ANY (%(boxes)s::uuid[]) ORDER BY p.barcode;

-- name: bags
SELECT g.bag, b.code, b.tubes, b.count, b.seal, b.packed_at
FROM custody.bagged g LEFT JOIN custody.box b ON b.box = g.bag
WHERE g.box = %(box)s ORDER BY b.code, g.bag;

-- name: boxes_of_bag
SELECT g.box, b.code FROM custody.bagged g LEFT JOIN custody.box b ON b.box = g.box
WHERE g.bag = %(box)s ORDER BY g.packed_at, g.box;

-- name: legs
SELECT * FROM custody.leg WHERE box = %(box)s ORDER BY coalesce(given_at, taken_at), taken_at, n;

-- name: temperatures
SELECT at, decidegrees, source FROM custody.temperature WHERE box = %(box)s ORDER BY at, source;

-- name: receptions
SELECT r.reception, r.lab, r.received_at, r.received_by, r.count, r.seal, r.seal_intact, r.decidegrees,
    n.ended_at
FROM lab.reception r LEFT JOIN lab.emptied n ON n.reception = r.reception
WHERE r.box = %(box)s ORDER BY r.received_at, r.reception;

-- name: cases
SELECT d.discrepancy, d.reception, d.lab, d.kind, d.barcode, d.owner, d.opened_at
FROM lab.discrepancy d JOIN lab.reception r ON r.reception = d.reception
WHERE r.box = %(box)s AND d.state = 'open' ORDER BY d.opened_at, d.discrepancy;

-- name: hand_overs
-- Hand-overs since a moment that one side only has scanned for longer than the limit in force then,
-- or whose sides differ.
SELECT h.*, b.code, b.site, s.code AS site_code, b.bound_for
FROM (
    SELECT l.*, l.begun_at + make_interval(mins => coalesce((
            SELECT p.value FROM registry.policy p
            WHERE p.name = 'hand_over_minutes' AND p.since <= l.begun_at
                AND p.area IS NULL AND p."group" IS NULL
            ORDER BY p.since DESC, p.policy DESC LIMIT 1), %(minutes)s)) < %(at)s
            AND (l.given_at IS NULL OR l.taken_at IS NULL) AS open
    FROM (SELECT x.*, least(x.given_at, x.taken_at) AS begun_at FROM custody.leg x
        WHERE least(x.given_at, x.taken_at) BETWEEN %(since)s AND %(at)s) l) h
JOIN custody.box b ON b.box = h.box
LEFT JOIN sampling.site s ON s.site = b.site
WHERE CASE WHEN %(open)s::boolean THEN h.open
        WHEN NOT %(open)s::boolean THEN NOT h.open AND h.differs <> '{}'
        ELSE h.open OR h.differs <> '{}' END
    AND (%(last)s::timestamptz IS NULL
        OR (h.begun_at, h.box, coalesce(h.giver, ''), h.taker, h.n)
            > (%(last)s, %(box)s::uuid, %(giver)s, %(taker)s, %(n)s))
ORDER BY h.begun_at, h.box, coalesce(h.giver, ''), h.taker, h.n LIMIT %(limit)s;

-- name: formats
SELECT format, supplier, kind, pattern, "check", capacity, since, retired
FROM custody.format ORDER BY kind, supplier, pattern, format;

-- name: formats_in_use
SELECT supplier, kind, pattern, "check", capacity FROM custody.format
WHERE since <= %(at)s AND NOT retired ORDER BY supplier, kind, pattern;

-- name: format_of
SELECT format, supplier, kind, pattern, "check", capacity, retired FROM custody.format
WHERE format = %(format)s;

-- name: labels_last
-- The highest label of a format that was ever issued, taken back or not: a number is not printed twice.
SELECT max(l.last) AS last FROM custody.labels l WHERE l.format = %(format)s;

-- name: labels_overlapping
-- A range in force that shares labels with one that is to be issued, whatever its format.
SELECT l.first, l.last, l.site, s.name AS site_name FROM custody.labels l
LEFT JOIN sampling.site s ON s.site = l.site
WHERE l.kind = %(kind)s AND l.taken_back_at IS NULL AND length(l.first) = length(%(first)s)
    AND l.first <= %(last)s AND l.last >= %(first)s
ORDER BY l.first LIMIT 1;

-- name: labels_issue
SELECT l.*, s.name AS site_name, s.code AS site_code, s.area FROM custody.labels l
LEFT JOIN sampling.site s ON s.site = l.site WHERE l.labels = %(labels)s;

-- name: labels_issued
-- Ranges issued, latest first, of some areas or everywhere, each with how many were sealed with and how
-- many of those elsewhere.
SELECT l.labels, l.kind, l.format, f.supplier, f.pattern, l.first, l.last, l.count, l.site,
    s.code AS site_code, s.name AS site_name, l.issued_at, l.issued_by, l.taken_back_at,
    (SELECT count(*)::int FROM custody.foreign_label x WHERE x.labels = l.labels) AS elsewhere
FROM custody.labels l
LEFT JOIN sampling.site s ON s.site = l.site
LEFT JOIN custody.format f ON f.format = l.format
LEFT JOIN registry.span b ON b.area = s.area
WHERE (%(site)s::uuid IS NULL OR l.site = %(site)s)
    AND (%(whole)s OR b.line && %(areas)s::uuid[] OR l.site = ANY (%(sites)s::uuid[]))
    AND (%(at)s::timestamptz IS NULL OR (l.issued_at, l.labels) < (%(at)s, %(last)s::uuid))
ORDER BY l.issued_at DESC, l.labels DESC LIMIT %(limit)s;
