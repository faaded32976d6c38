-- name: reception (key: reception; touched: reception; index: box; index: code; index: lab, received_at)
-- Each box a laboratory took in. Codes of boxes come again with every tour: without an id it is the box
-- of that code that was packed last before it came.
SELECT DISTINCT ON (r.subject) r.subject AS reception, r.id, r.body ->> 'code' AS code,
    r.body ->> 'lab' AS lab,
    CASE WHEN r.body ? 'box' THEN (r.body ->> 'box')::uuid ELSE (
        SELECT b.box FROM custody.box b
        WHERE b.code = r.body ->> 'code' AND b.packed_at BETWEEN
            r.at - interval '{BOX_WINDOW_HOURS} hours' AND r.at + interval '1 hour'
        ORDER BY b.packed_at DESC, b.box LIMIT 1) END AS box,
    r.at AS received_at, r.actor AS received_by,
    (SELECT key || ':' || value FROM jsonb_each_text(r.body -> 'giver') LIMIT 1) AS giver,
    (r.body ->> 'count')::int AS count, r.body ->> 'seal' AS seal,
    coalesce((r.body ->> 'seal_intact')::boolean, true) AS seal_intact,
    (r.body ->> 'temperature_decidegrees')::int AS decidegrees
FROM ledger.event r
WHERE r.type = 'BoxReceived' AND r.body IS NOT NULL
ORDER BY r.subject, r.at, r.id;

-- name: emptied (key: reception; touched: scanned)
-- Boxes whose receivers said that nothing is left in them.
SELECT DISTINCT ON (e.subject) e.subject AS reception, e.at AS ended_at, e.actor AS ended_by
FROM ledger.event e
WHERE e.type = 'ReceptionEnded'
ORDER BY e.subject, e.at, e.id;

-- name: scan (key: reception; touched: scanned; index: barcode)
-- What was scanned out of each box: each barcode once, how often, and the worst that was seen of it.
SELECT s.reception, s.barcode, s.lab, sum(s.n)::int AS scans, min(s.at) AS at,
    (array_agg(s.condition ORDER BY array_position(
        ARRAY['ok', 'unlabelled', 'damaged', 'leaking', 'empty'], s.condition) DESC))[1] AS condition
FROM (
    SELECT x.reception, x.barcode, x.lab, x.condition, sum(x.n) AS n, min(x.at) AS at
    FROM (
        SELECT e.subject AS reception, i ->> 'barcode' AS barcode, e.body ->> 'lab' AS lab,
            coalesce(i ->> 'condition', 'ok') AS condition, 1 AS n, e.at
        FROM ledger.event e, jsonb_array_elements(e.body -> 'scans') i
        WHERE e.type = 'TubesReceived'
        UNION ALL
        SELECT e.subject, e.body ->> 'barcode', e.body ->> 'lab',
            coalesce(e.body ->> 'condition', 'ok'), -1, NULL
        FROM ledger.event e WHERE e.type = 'ScanUndone' AND e.body IS NOT NULL) x
    GROUP BY x.reception, x.barcode, x.lab, x.condition
    HAVING sum(x.n) > 0) s
GROUP BY s.reception, s.barcode, s.lab;

-- name: received (key: barcode; touched: received; index: reception, barcode; index: tube)
-- The tube behind each scan: the only sealed one of that barcode in the time window, or the one the
-- manifest names. None: unknown; several: ambiguous, and nobody guesses. LIMIT: each scan asks for its
-- reception; joined, PostgreSQL would rather read every scan of every reception.
SELECT s.barcode, s.reception, r.lab, s.at AS received_at, s.scans, s.condition, c.candidates,
    CASE WHEN c.candidates = 1 OR c.named THEN c.tube END AS tube
FROM lab.scan s
CROSS JOIN LATERAL (
    SELECT x.lab, x.box FROM lab.reception x WHERE x.reception = s.reception LIMIT 1) r
LEFT JOIN LATERAL (
    SELECT k.tube FROM custody.packed k
    WHERE k.barcode = s.barcode AND (k.box = r.box OR k.box IN (
        SELECT g.bag FROM custody.bagged g WHERE g.box = r.box))
    ORDER BY k.tube LIMIT 1) p ON true
LEFT JOIN LATERAL (
    SELECT count(*)::int AS candidates, coalesce(bool_or(t.tube = p.tube), false) AS named,
        (array_agg(t.tube ORDER BY (t.tube IS NOT DISTINCT FROM p.tube) DESC, t.tube))[1] AS tube
    FROM sampling.tube t
    WHERE t.barcode = s.barcode AND t.sealed_at IS NOT NULL
        AND s.at BETWEEN t.sealed_at - interval '1 hour'
            AND t.sealed_at + interval '{DEFAULT_RESULT_WINDOW_HOURS} hours') c ON true;

-- name: found (key: reception; touched: scanned)
-- What is wrong with a box, as its scans and its manifest now say: by tube, and of the box as a whole.
SELECT r.reception, r.lab, f.kind, f.barcode, r.id AS cause,
    coalesce(n.ended_by, r.received_by) AS owner
FROM lab.reception r
LEFT JOIN lab.emptied n ON n.reception = r.reception
LEFT JOIN custody.box b ON b.box = r.box
CROSS JOIN LATERAL (
    SELECT 'missing' AS kind, m.barcode
    FROM (SELECT r.box UNION ALL SELECT g.bag FROM custody.bagged g WHERE g.box = r.box) x (box)
    JOIN custody.packed m ON m.box = x.box
    WHERE n.ended_at IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM lab.scan s
            WHERE s.barcode = m.barcode AND s.at BETWEEN m.packed_at - interval '1 hour'
                AND m.packed_at + interval '{BOX_WINDOW_HOURS} hours')
    UNION ALL
    SELECT k.kind, s.barcode
    FROM lab.scan s
    LEFT JOIN lab.received v ON v.barcode = s.barcode AND v.reception = s.reception
    LEFT JOIN sampling.tube t ON t.tube = v.tube
    LEFT JOIN LATERAL (
        SELECT bool_or(m.box = r.box OR g.box = r.box) AS here,
            bool_or(h.bound_for <> r.lab) AS elsewhere
        FROM custody.packed m
        LEFT JOIN custody.bagged g ON g.bag = m.box
        LEFT JOIN custody.box h ON h.box = coalesce(g.box, m.box)
        WHERE m.barcode = s.barcode AND m.packed_at BETWEEN
            s.at - interval '{BOX_WINDOW_HOURS} hours' AND s.at + interval '1 hour') m ON true
    CROSS JOIN LATERAL (
        SELECT 'duplicate' AS kind WHERE s.scans > 1 OR EXISTS (
            SELECT FROM lab.scan o
            WHERE o.barcode = s.barcode AND o.reception <> s.reception AND o.lab = s.lab
                AND (o.at, o.reception) < (s.at, s.reception)
                AND o.at > s.at - interval '{BOX_WINDOW_HOURS} hours')
        UNION ALL SELECT 'unknown' WHERE coalesce(v.candidates, 0) = 0
        UNION ALL SELECT 'ambiguous' WHERE v.candidates > 1 AND v.tube IS NULL
        UNION ALL SELECT CASE WHEN m.elsewhere THEN 'wrong_lab' ELSE 'extra' END
        WHERE b.box IS NOT NULL AND v.candidates > 0 AND m.here IS NOT TRUE
        UNION ALL SELECT s.condition WHERE s.condition <> 'ok'
        UNION ALL SELECT 'too_old' WHERE s.at > t.sealed_at + make_interval(mins => coalesce((
            SELECT p.value FROM registry.policy p
            WHERE p.name = 'tube_age_minutes' AND p.since <= t.sealed_at
            ORDER BY p.since DESC, p.policy DESC LIMIT 1), {DEFAULT_TUBE_AGE_MINUTES}))) k
    WHERE s.reception = r.reception
    UNION ALL SELECT 'wrong_lab', NULL WHERE b.bound_for <> r.lab
    UNION ALL SELECT 'no_manifest', NULL WHERE b.box IS NULL AND n.ended_at IS NOT NULL
    UNION ALL SELECT 'seal_broken', NULL WHERE NOT r.seal_intact
    UNION ALL SELECT 'seal_differs', NULL WHERE b.seal <> r.seal
    UNION ALL SELECT 'count_differs', NULL
    WHERE r.count <> coalesce(b.count, b.tubes)
    UNION ALL SELECT 'warm', NULL WHERE r.decidegrees > coalesce((
        SELECT p.value FROM registry.policy p
        WHERE p.name = 'box_most_decidegrees' AND p.since <= r.received_at
        ORDER BY p.since DESC, p.policy DESC LIMIT 1), {DEFAULT_BOX_MOST_DECIDEGREES})
    UNION ALL SELECT 'cold', NULL WHERE r.decidegrees < coalesce((
        SELECT p.value FROM registry.policy p
        WHERE p.name = 'box_least_decidegrees' AND p.since <= r.received_at
        ORDER BY p.since DESC, p.policy DESC LIMIT 1), {DEFAULT_BOX_LEAST_DECIDEGREES})) f;

-- name: discrepancy (key: discrepancy; touched: discrepancy; index: reception; index: lab, opened_at where state = 'open')
-- Each case, who owns it, and what became of it.
SELECT DISTINCT ON (o.subject) o.subject AS discrepancy, (o.body ->> 'reception')::uuid AS reception,
    o.body ->> 'lab' AS lab, o.body ->> 'kind' AS kind, o.body ->> 'barcode' AS barcode,
    o.at AS opened_at, o.id AS opening,
    coalesce((SELECT a.body ->> 'owner' FROM ledger.event a
        WHERE a.subject = o.subject AND a.type = 'DiscrepancyAssigned' AND a.body IS NOT NULL
        ORDER BY a.at DESC, a.id DESC LIMIT 1), o.body ->> 'owner') AS owner,
    CASE WHEN EXISTS (SELECT FROM ledger.event w WHERE w.subject = o.subject
            AND w.type = 'DiscrepancyWithdrawn' AND w.cause = o.id) THEN 'withdrawn'
        WHEN d.id IS NOT NULL THEN 'resolved' ELSE 'open' END AS state,
    d.body ->> 'how' AS how, d.actor AS resolved_by, d.at AS resolved_at
FROM ledger.event o
LEFT JOIN LATERAL (
    SELECT e.id, e.body, e.actor, e.at FROM ledger.event e
    WHERE e.subject = o.subject AND e.type = 'DiscrepancyResolved' AND e.body IS NOT NULL
    ORDER BY e.at DESC, e.id DESC LIMIT 1) d ON true
WHERE o.type = 'DiscrepancyOpened' AND o.body IS NOT NULL
ORDER BY o.subject, o.seq DESC;

-- name: reception_seen (for: reception)
-- A laboratory sees its own work, others the boxes they see.
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0
        AND EXISTS (SELECT FROM custody.box b WHERE b.box = reception.box)

-- name: emptied_seen (for: emptied)
EXISTS (SELECT FROM lab.reception r WHERE r.reception = emptied.reception)

-- name: scan_seen (for: scan)
EXISTS (SELECT FROM lab.reception r WHERE r.reception = scan.reception)

-- name: received_seen (for: received)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)

-- name: found_seen (for: found)
EXISTS (SELECT FROM lab.reception r WHERE r.reception = found.reception)

-- name: discrepancy_seen (for: discrepancy)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR owner = (SELECT nullif(access.word('login'), ''))
    OR cardinality((SELECT access.codes('labs'))) = 0
        AND EXISTS (SELECT FROM lab.reception r WHERE r.reception = discrepancy.reception)
