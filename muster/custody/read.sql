-- name: format (key: format; touched: format; seen: everyone)
-- Barcode formats in use: the latest word on each.
SELECT DISTINCT ON (e.subject) e.subject AS format, e.body ->> 'supplier' AS supplier,
    e.body ->> 'kind' AS kind, e.body ->> 'pattern' AS pattern,
    coalesce(e.body ->> 'check', 'none') AS "check", (e.body ->> 'capacity')::int AS capacity,
    (e.body ->> 'since')::timestamptz AS since,
    coalesce((e.body ->> 'retired')::boolean, false) AS retired
FROM ledger.event e
WHERE e.type = 'BarcodeFormatAdopted' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: box (key: box; touched: box; index: code; index: site; index: bound_for; index: packed_at, box)
-- Each box and bag as it was last packed, and where it is to go.
SELECT DISTINCT ON (p.subject) p.subject AS box, p.body ->> 'code' AS code,
    coalesce(p.body ->> 'kind', 'box') AS kind, p.body ->> 'seal' AS seal,
    (p.body ->> 'count')::int AS count,
    coalesce(jsonb_array_length(p.body -> 'tubes'), 0) AS tubes,
    coalesce(jsonb_array_length(p.body -> 'bags'), 0) AS bags,
    (p.body ->> 'site')::uuid AS site,
    coalesce((SELECT r.body ->> 'bound_for' FROM ledger.event r
        WHERE r.subject = p.subject AND r.type = 'BoxRouted' AND r.body IS NOT NULL
        ORDER BY r.at DESC, r.id DESC LIMIT 1), p.body ->> 'bound_for') AS bound_for,
    p.at AS packed_at, p.actor AS packed_by, p.id AS packing
FROM ledger.event p
WHERE p.type = 'BoxPacked' AND p.body IS NOT NULL
ORDER BY p.subject, p.at DESC, p.id DESC;

-- name: packed (key: box; touched: box; spills: barcode; index: barcode, box)
-- The manifest: which tubes a box or bag itself holds, as its last packing says.
SELECT b.box, t ->> 'barcode' AS barcode, min(t ->> 'tube')::uuid AS tube, count(*)::int AS listed,
    b.packed_at
FROM custody.box b
JOIN ledger.event p ON p.id = b.packing
CROSS JOIN jsonb_array_elements(p.body -> 'tubes') t
GROUP BY b.box, t ->> 'barcode', b.packed_at;

-- name: bagged (key: box; touched: box; index: bag)
-- Which bags stand in which box.
SELECT b.box, g::uuid AS bag, b.packed_at
FROM custody.box b
JOIN ledger.event p ON p.id = b.packing
CROSS JOIN jsonb_array_elements_text(p.body -> 'bags') g;

-- name: leg (key: box; touched: carried; index: taker; index: given_at where taken_at IS NULL)
-- The hand-overs of a box, the two sides' scans side by side, and in what they differ: the n-th giving
-- from one party to another with the n-th taking. A laboratory's reception is its taking; who gave is
-- then who says so, or who is named by the scan next in time. A box that a laboratory took once and
-- scanned in again was not handed over again: the second taking counts where there is a second giving.
-- Two thermometers may be two degrees apart.
SELECT s.box, s.giver, s.taker, s.n,
    min(s.at) FILTER (WHERE s.side = 'gives') AS given_at,
    min(s.at) FILTER (WHERE s.side = 'takes') AS taken_at,
    min(s.count) FILTER (WHERE s.side = 'gives') AS given_count,
    min(s.count) FILTER (WHERE s.side = 'takes') AS taken_count,
    min(s.seal) FILTER (WHERE s.side = 'gives') AS given_seal,
    min(s.seal) FILTER (WHERE s.side = 'takes') AS taken_seal,
    bool_and(s.seal_intact) AS seal_intact,
    min(s.decidegrees) FILTER (WHERE s.side = 'gives') AS given_decidegrees,
    min(s.decidegrees) FILTER (WHERE s.side = 'takes') AS taken_decidegrees,
    min(s.actor) FILTER (WHERE s.side = 'gives') AS given_by,
    min(s.actor) FILTER (WHERE s.side = 'takes') AS taken_by,
    array_remove(ARRAY[
        CASE WHEN min(s.count) <> max(s.count) THEN 'count' END,
        CASE WHEN min(s.seal) <> max(s.seal) THEN 'seal' END,
        CASE WHEN NOT bool_and(s.seal_intact) THEN 'seal_broken' END,
        CASE WHEN max(s.decidegrees) - min(s.decidegrees) > 20 THEN 'temperature' END
    ], NULL) AS differs
FROM (
    SELECT m.*, row_number() OVER (
        PARTITION BY m.box, m.giver, m.taker, m.side ORDER BY m.at, m.id)::int AS n
    FROM (
        SELECT e.subject AS box, e.id, e.at, e.actor, e.body ->> 'side' AS side,
            (SELECT key || ':' || value FROM jsonb_each_text(e.body -> 'giver') LIMIT 1) AS giver,
            (SELECT key || ':' || value FROM jsonb_each_text(e.body -> 'taker') LIMIT 1) AS taker,
            (e.body ->> 'count')::int AS count, e.body ->> 'seal' AS seal,
            coalesce((e.body ->> 'seal_intact')::boolean, true) AS seal_intact,
            (e.body ->> 'temperature_decidegrees')::int AS decidegrees
        FROM ledger.event e
        WHERE e.type = 'BoxHandedOver' AND e.body IS NOT NULL
        UNION ALL
        SELECT r.box, r.id, r.received_at, r.received_by, 'takes',
            coalesce(r.giver, (
                SELECT g.key || ':' || g.value
                FROM ledger.event e, jsonb_each_text(e.body -> 'giver') g
                WHERE e.subject = r.box AND e.type = 'BoxHandedOver'
                    AND e.body -> 'taker' ->> 'lab' = r.lab
                ORDER BY abs(extract(epoch FROM e.at - r.received_at)), e.id LIMIT 1)),
            'lab:' || r.lab, r.count, r.seal, r.seal_intact, r.decidegrees
        FROM lab.reception r WHERE r.box IS NOT NULL) m) s
GROUP BY s.box, s.giver, s.taker, s.n
HAVING s.n = 1 OR bool_or(s.side = 'gives') OR s.taker NOT LIKE 'lab:%';

-- name: temperature (key: box; touched: carried; index: decidegrees)
-- Every temperature on record of a box: read on its way, at hand-overs, at its reception.
SELECT e.subject AS box, e.at, (e.body ->> 'temperature_decidegrees')::int AS decidegrees,
    coalesce(e.body ->> 'logger', e.actor) AS source
FROM ledger.event e
WHERE e.type IN ('TemperatureRead', 'BoxHandedOver') AND e.body ? 'temperature_decidegrees'
UNION ALL
SELECT r.box, r.received_at, r.decidegrees, r.received_by
FROM lab.reception r WHERE r.box IS NOT NULL AND r.decidegrees IS NOT NULL;

-- name: awaited (key: tube; follower: keyed; index: sealed_at)
-- Sealed tubes that no laboratory has scanned and no result has reached: what may grow too old. Stored,
-- since they are few beside the tubes of a day, and are asked for every few seconds.
SELECT t.tube, t.barcode, t.site, t.round, t.sealed_at
FROM sampling.tube t
WHERE t.sealed_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM lab.received v WHERE v.barcode = t.barcode AND v.tube = t.tube)
    AND NOT EXISTS (SELECT FROM lab.outcome o WHERE o.barcode = t.barcode AND o.tube = t.tube);

-- name: awaited_keys (for: awaited)
-- The tubes of what was touched: by themselves, by their barcodes, by boxes and receptions, by results,
-- by another time window.
SELECT unnest(%(tube)s::uuid[])
UNION SELECT t.tube FROM sampling.tube t
WHERE t.barcode = ANY (%(barcode)s::text[] || %(received)s::text[] || ARRAY(
        SELECT r.barcode FROM lab.result r WHERE r.result = ANY (%(result)s::uuid[])
        UNION SELECT s.barcode FROM lab.scan s
        WHERE s.reception = ANY (%(reception)s::uuid[] || %(scanned)s::uuid[])
        UNION SELECT p.barcode FROM custody.packed p
        WHERE p.box = ANY (%(box)s::uuid[] || ARRAY(
            SELECT g.bag FROM custody.bagged g WHERE g.box = ANY (%(box)s::uuid[])))))
UNION SELECT t.tube FROM sampling.tube t, (
    SELECT min((e.body ->> 'since')::timestamptz) AS since FROM ledger.event e
    WHERE e.subject = ANY (%(policy)s::uuid[]) AND e.type = 'PolicyAdopted'
        AND e.body ->> 'name' = 'result_window_hours') p
WHERE p.since IS NOT NULL AND t.sealed_at >= p.since;

-- name: awaited_seen (for: awaited)
(SELECT access.yes('everyone')) OR access.sees_tube(tube)

-- name: box_seen (for: box)
-- A box by its code: its site's, the laboratory's it goes to or came to, and whoever carries boxes.
(SELECT access.yes('everyone')) OR (SELECT access.yes('figures'))
    OR bound_for = ANY ((SELECT access.codes('labs'))::text[])
    OR site = ANY ((SELECT access.ids('sites'))::uuid[])
    OR access.box_here(box)

-- name: packed_seen (for: packed)
EXISTS (SELECT FROM custody.box b WHERE b.box = packed.box)

-- name: bagged_seen (for: bagged)
EXISTS (SELECT FROM custody.box b WHERE b.box = bagged.box)

-- name: leg_seen (for: leg)
EXISTS (SELECT FROM custody.box b WHERE b.box = leg.box)

-- name: temperature_seen (for: temperature)
EXISTS (SELECT FROM custody.box b WHERE b.box = temperature.box)
