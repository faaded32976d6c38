-- The list of tubes. Read by Muster's own hand within the caller's places: policies asked tube by tube
-- would read every tube to find a rare one. Only the filters that are set stand in the statement, so that
-- PostgreSQL begins with the one that leaves least.

-- name: tubes
-- Newest first. What stands beside each tube is looked up for the rows of the page alone.
SELECT p.tube, t.barcode, t.at, t.sealed_at, t.purpose, t.capacity, t.lane, t.device,
    t.site, s.code AS site_code, s.name AS site_name, t.round, r.name AS round_name,
    (SELECT count(*)::int FROM sampling.specimen m WHERE m.tube = t.tube) AS people,
    ARRAY(SELECT f.flag FROM sampling.flag f WHERE f.tube = t.tube ORDER BY f.flag) AS flags,
    o.outcome, o.state, o.resulted_at, x.box, b.code AS box_code, l.taker AS "with",
    w.lab, n.name AS lab_name, w.next,
    CASE WHEN t.sealed_at IS NULL THEN 'open'
        WHEN o.state = 'final' AND (w.lab IS NULL OR w.next = 'done') THEN 'released'
        WHEN w.called_at >= w.loaded_at THEN 'run' WHEN w.loaded_at IS NOT NULL THEN 'on_plate'
        WHEN w.received_at IS NOT NULL THEN 'received' WHEN o.state = 'final' THEN 'released'
        WHEN l.taker IS NOT NULL THEN 'handed_over'
        WHEN x.box IS NOT NULL THEN 'packed' ELSE 'sealed' END AS stage
FROM (
    SELECT t.tube, t.at FROM sampling.tube t
    WHERE {where}
    ORDER BY t.at DESC, t.tube DESC LIMIT %(limit)s) p
JOIN sampling.tube t ON t.tube = p.tube
LEFT JOIN sampling.site s ON s.site = t.site
LEFT JOIN sampling.round r ON r.round = t.round
LEFT JOIN LATERAL (SELECT y.outcome, y.state, y.resulted_at FROM lab.outcome y
    WHERE y.tube = t.tube LIMIT 1) o ON true
LEFT JOIN LATERAL (
    SELECT CASE WHEN g.box IS NULL THEN k.box ELSE g.box END AS box FROM custody.packed k
    LEFT JOIN custody.bagged g ON g.bag = k.box
    WHERE k.barcode = t.barcode AND (k.tube = t.tube OR k.tube IS NULL
        AND k.packed_at BETWEEN t.sealed_at - interval '1 hour'
            AND t.sealed_at + make_interval(hours => %(hours)s))
    ORDER BY k.packed_at DESC, k.box LIMIT 1) x ON true
LEFT JOIN custody.box b ON b.box = x.box
LEFT JOIN LATERAL (SELECT y.taker FROM custody.leg y WHERE y.box = x.box
    ORDER BY coalesce(y.taken_at, y.given_at) DESC, y.n DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (SELECT y.lab, y.next, y.received_at, y.loaded_at, y.called_at FROM lab.sample y
    WHERE y.tube = t.tube ORDER BY y.received_at DESC, y.lab LIMIT 1) w ON true
LEFT JOIN lab.lab n ON n.lab = w.lab
ORDER BY p.at DESC, p.tube DESC;

-- name: sites_within
-- The sites of some places, of an area if one is asked for.
SELECT s.site FROM sampling.site s LEFT JOIN registry.span b ON b.area = s.area
WHERE (%(everywhere)s OR s.site = ANY (%(sites)s::uuid[]) OR b.line && %(areas)s::uuid[])
    AND (%(area)s::uuid IS NULL OR %(area)s = ANY (b.line));

-- name: where_sites
t.site = ANY (%(within)s::uuid[])

-- name: where_labs
t.tube IN (SELECT y.tube FROM lab.sample y WHERE y.lab = ANY (%(labs)s::text[]))

-- name: where_q
t.barcode ^@ %(q)s

-- name: where_site
t.site = %(site)s

-- name: where_round
t.round = %(round)s

-- name: where_since
t.at >= %(since)s

-- name: where_until
t.at < %(until)s

-- name: where_flag
t.tube IN (SELECT f.tube FROM sampling.flag f WHERE f.flag = %(flag)s)

-- name: where_any_flag
t.tube IN (SELECT f.tube FROM sampling.flag f)

-- name: where_outcome
t.tube IN (SELECT y.tube FROM lab.outcome y WHERE y.outcome = %(outcome)s)

-- name: where_state
t.tube IN (SELECT y.tube FROM lab.outcome y WHERE y.state = %(state)s)

-- name: where_empty
-- Sealed or opened, and nobody is known to be in it: of those who were, all were taken out, which is rare.
(t.sealed_at IS NULL OR t.sealed_members = 0 OR t.tube IN (
        SELECT v.subject FROM ledger.event v WHERE v.type = 'SpecimenVoided'
        UNION ALL SELECT v.subject FROM ledger.event v WHERE v.type = 'SpecimenMoved'))
    AND NOT EXISTS (SELECT FROM sampling.specimen m WHERE m.tube = t.tube)

-- name: where_open
t.sealed_at IS NULL

-- name: where_sealed
t.tube IN (SELECT a.tube FROM custody.awaited a) AND t.sealed_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM custody.packed k WHERE k.barcode = t.barcode)

-- name: where_packed
t.tube IN (SELECT a.tube FROM custody.awaited a JOIN custody.packed k ON k.barcode = a.barcode
    LEFT JOIN custody.bagged g ON g.bag = k.box
    WHERE NOT EXISTS (SELECT FROM custody.leg y
        WHERE y.box = CASE WHEN g.box IS NULL THEN k.box ELSE g.box END))

-- name: where_handed_over
t.tube IN (SELECT a.tube FROM custody.awaited a JOIN custody.packed k ON k.barcode = a.barcode
    LEFT JOIN custody.bagged g ON g.bag = k.box
    WHERE EXISTS (SELECT FROM custody.leg y
        WHERE y.box = CASE WHEN g.box IS NULL THEN k.box ELSE g.box END))

-- name: where_received
t.tube IN (SELECT y.tube FROM lab.sample y WHERE y.next <> 'done' AND y.loaded_at IS NULL)

-- name: where_on_plate
t.tube IN (SELECT y.tube FROM lab.sample y WHERE y.next <> 'done' AND y.loaded_at IS NOT NULL
    AND (y.called_at IS NULL OR y.called_at < y.loaded_at))

-- name: where_run
t.tube IN (SELECT y.tube FROM lab.sample y WHERE y.next <> 'done' AND y.called_at >= y.loaded_at)

-- name: where_released
EXISTS (SELECT FROM lab.outcome y WHERE y.tube = t.tube AND y.state = 'final')
    AND NOT EXISTS (SELECT FROM lab.sample y WHERE y.tube = t.tube AND y.next <> 'done')

-- name: where_after
-- The plain comparison beside the pair lets an index by site and time begin where the page does.
(t.at, t.tube) < (%(at)s, %(tube)s::uuid)
