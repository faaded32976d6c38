-- Who is behind a figure of the overview, in the order of the walk: the same conditions as in the sums
-- (read.sql: building). Read through the caller's policies. OFFSET 0: one index probe a person. `place` are
-- the buildings to look in for a page, which an open round's sums say (and a hundred persons more, since
-- they may be a moment behind); of a closed round, which has none, all.

-- name: by_stage
-- Persons of whose swabs at least one has come so far: 0 everybody expected, 1 sampled … 7 released.
WITH place AS MATERIALIZED (
    SELECT n.lo, n.area FROM (
        SELECT b.lo, b.area, f.persons,
            sum(CASE WHEN b.lo = %(place)s THEN 0 ELSE f.persons END) OVER (ORDER BY b.lo)
                - f.persons AS before
        FROM registry.span top
        JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
        LEFT JOIN coverage.building c ON c.building = b.area AND c.round = %(round)s
        CROSS JOIN LATERAL (SELECT CASE %(figure)s WHEN 'expected' THEN c.expected WHEN 'sampled' THEN c.sampled
            WHEN 'sealed' THEN c.sealed WHEN 'in_transit' THEN c.in_transit
            WHEN 'received' THEN c.received WHEN 'on_plate' THEN c.on_plate
            WHEN 'called' THEN c.called ELSE c.released END AS persons) f
        WHERE top.area = %(area)s AND (%(place)s::bigint IS NULL OR b.lo >= %(place)s)) n
    WHERE n.persons > 0 AND n.before <= %(limit)s + 100
        OR n.persons IS NULL AND EXISTS (
            SELECT FROM sampling.round r WHERE r.round = %(round)s AND r.closed_at IS NOT NULL)
)
SELECT b.lo AS place, coalesce(r.room, '') AS room, r.resident, r.building, a.code AS building_code,
    a.name AS building_name, r.birth_year, r.sex, r.state, i.name, i.phone IS NOT NULL AS has_phone,
    g.stage, g.barcode, g.at
FROM place b
JOIN registry.resident r ON r.building = b.area
JOIN registry.area a ON a.area = b.area
LEFT JOIN vault.identity i ON i.resident = r.resident
LEFT JOIN LATERAL (
    SELECT coalesce(p.stage, 1) AS stage, t.barcode, s.at FROM sampling.specimen s
    LEFT JOIN coverage.progress p ON p.tube = s.tube
    LEFT JOIN sampling.tube t ON t.tube = s.tube
    WHERE s.person = r.resident AND s.round = %(round)s
    ORDER BY p.stage DESC NULLS LAST, s.at LIMIT 1) g ON true
WHERE r.merged_into IS NULL AND r.state <> 'moved_away'
    AND coalesce(g.stage, 0) >= %(stage)s
    AND (%(place)s::bigint IS NULL
        OR (b.lo, coalesce(r.room, ''), r.resident) > (%(place)s, %(room)s, %(resident)s::uuid))
ORDER BY b.lo, coalesce(r.room, ''), r.resident
LIMIT %(limit)s;

-- name: by_recall
-- Persons recalled in a round: all, those of whom a recall is open, or those with whom it is done.
SELECT b.lo AS place, coalesce(r.room, '') AS room, r.resident, r.building, a.code AS building_code,
    a.name AS building_name, r.birth_year, r.sex, r.state, i.name, i.phone IS NOT NULL AS has_phone,
    c.barcode, c.ordered_at AS at
FROM (
    SELECT c.person, min(t.barcode) AS barcode, min(c.ordered_at) AS ordered_at FROM lab.recall c
    JOIN sampling.tube t ON t.tube = c.tube AND t.round = %(round)s
    WHERE c.state <> 'withdrawn' GROUP BY c.person
    HAVING %(open)s::boolean IS NULL OR bool_or(c.state = 'open') = %(open)s) c
JOIN registry.resident r ON r.resident = c.person
JOIN registry.span b ON b.area = r.building
JOIN registry.span top ON b.lo BETWEEN top.lo AND top.hi
JOIN registry.area a ON a.area = b.area
LEFT JOIN vault.identity i ON i.resident = r.resident
WHERE top.area = %(area)s AND r.merged_into IS NULL AND r.state <> 'moved_away'
    AND (%(place)s::bigint IS NULL
        OR (b.lo, coalesce(r.room, ''), r.resident) > (%(place)s, %(room)s, %(resident)s::uuid))
ORDER BY b.lo, coalesce(r.room, ''), r.resident
LIMIT %(limit)s;

-- name: by_reason
-- Persons not sampled and not missing either: exempt, away or refused. Who is exempt is not asked whether
-- they are away, and so on, as in the sums.
WITH place AS MATERIALIZED (
    SELECT n.lo, n.area FROM (
        SELECT b.lo, b.area, f.persons,
            sum(CASE WHEN b.lo = %(place)s THEN 0 ELSE f.persons END) OVER (ORDER BY b.lo)
                - f.persons AS before
        FROM registry.span top
        JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
        LEFT JOIN coverage.building c ON c.building = b.area AND c.round = %(round)s
        CROSS JOIN LATERAL (SELECT CASE %(figure)s WHEN 'exempt' THEN c.exempt WHEN 'away' THEN c.away
            ELSE c.refused END AS persons) f
        WHERE top.area = %(area)s AND (%(place)s::bigint IS NULL OR b.lo >= %(place)s)) n
    WHERE n.persons > 0 AND n.before <= %(limit)s + 100
        OR n.persons IS NULL AND EXISTS (
            SELECT FROM sampling.round r WHERE r.round = %(round)s AND r.closed_at IS NOT NULL)
)
SELECT b.lo AS place, coalesce(r.room, '') AS room, r.resident, r.building, a.code AS building_code,
    a.name AS building_name, r.birth_year, r.sex, r.state, i.name, i.phone IS NOT NULL AS has_phone,
    %(figure)s AS why, x.at
FROM place b
JOIN registry.resident r ON r.building = b.area
JOIN registry.area a ON a.area = b.area
LEFT JOIN vault.identity i ON i.resident = r.resident
LEFT JOIN LATERAL (
    SELECT bool_or(x.kind = 'exempt') AS exempt, bool_or(x.kind = 'refused') AS refused,
        min(x.at) AS at
    FROM sampling.stance x
    WHERE x.person = r.resident AND (x.round = %(round)s OR x.round IS NULL)) x ON true
WHERE r.merged_into IS NULL AND r.state <> 'moved_away'
    AND CASE WHEN x.exempt OR r.state = 'cannot_be_tested' THEN 'exempt'
        WHEN r.state = 'away' THEN 'away' WHEN x.refused THEN 'refused' END = %(figure)s
    AND NOT EXISTS (SELECT FROM sampling.specimen s
        WHERE s.person = r.resident AND s.round = %(round)s OFFSET 0)
    AND (%(place)s::bigint IS NULL
        OR (b.lo, coalesce(r.room, ''), r.resident) > (%(place)s, %(room)s, %(resident)s::uuid))
ORDER BY b.lo, coalesce(r.room, ''), r.resident
LIMIT %(limit)s;

-- name: tubes_at
-- Tubes of a round that have come so far (`exact`: and no further), of the sites of an area or of one
-- site, begun in a span; latest first.
SELECT p.tube, t.barcode, p.stage, p.swabs, p.persons, p.at, t.sealed_at, s.code AS site_code,
    s.name AS site_name, o.outcome
FROM coverage.progress p
JOIN sampling.tube t ON t.tube = p.tube
LEFT JOIN sampling.site s ON s.site = p.site
LEFT JOIN lab.outcome o ON o.barcode = t.barcode AND o.tube = p.tube
WHERE p.round = %(round)s AND p.stage >= %(stage)s AND (NOT %(exact)s OR p.stage = %(stage)s)
    AND (%(site)s::uuid IS NULL OR p.site = %(site)s)
    AND (%(whole)s OR p.site = ANY (ARRAY(
        SELECT x.site FROM sampling.site x JOIN registry.span b ON b.area = x.area
        WHERE b.lo BETWEEN %(lo)s AND %(hi)s)))
    AND (%(since)s::timestamptz IS NULL OR p.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR p.at < %(until)s)
    AND (%(at)s::timestamptz IS NULL OR (p.at, p.tube) < (%(at)s, %(tube)s::uuid))
ORDER BY p.at DESC, p.tube DESC
LIMIT %(limit)s;
