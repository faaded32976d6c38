-- name: progress (key: tube; follower: keyed; index: round, site; index: at; index: stage, at where stage < 7)
-- How far each tube of a round has come, as a number: 1 swabs are in it, 2 sealed, 3 its box was handed
-- over, 4 a laboratory has it, 5 it stands on a plate, 6 a run has called it, 7 a result is released. What
-- is further has passed what comes before, whether or not somebody scanned it there. `persons`: of its
-- members those whose first tube of the round it is, so that they add up to people.
SELECT t.tube, t.round, coalesce(t.site, '00000000-0000-0000-0000-000000000000') AS site, t.at,
    m.swabs, m.persons,
    CASE WHEN EXISTS (SELECT FROM lab.outcome o WHERE o.tube = t.tube) THEN 7
        ELSE coalesce(l.stage, CASE
            WHEN EXISTS (
                SELECT FROM custody.packed p
                LEFT JOIN custody.bagged g ON g.bag = p.box
                JOIN custody.leg k ON k.box = ANY (ARRAY[p.box, g.box])
                WHERE p.barcode = t.barcode AND (p.tube = t.tube OR p.tube IS NULL
                    AND p.packed_at BETWEEN t.at - interval '1 hour'
                        AND t.at + interval '{BOX_WINDOW_HOURS} hours')) THEN 3
            WHEN t.sealed_at IS NOT NULL THEN 2 ELSE 1 END) END AS stage
FROM sampling.tube t
CROSS JOIN LATERAL (
    SELECT count(DISTINCT s.person)::int AS swabs,
        (count(DISTINCT s.person) FILTER (WHERE NOT EXISTS (
            SELECT FROM sampling.specimen o
            WHERE o.person = s.person AND o.round = s.round AND (o.at, o.tube) < (s.at, s.tube)
        )))::int AS persons
    FROM sampling.specimen s WHERE s.tube = t.tube) m
LEFT JOIN LATERAL (
    SELECT max(CASE WHEN x.run IS NOT NULL AND x.blocked IS NOT TRUE THEN 6
        WHEN x.plate IS NOT NULL THEN 5 ELSE 4 END) AS stage
    FROM lab.sample x WHERE x.tube = t.tube) l ON true
WHERE t.round IS NOT NULL;

-- name: progress_keys (for: progress)
-- The touched tubes, and of whoever is or was in one of them all other tubes: which was their first may
-- have changed.
WITH {tubes_touched}, {people_touched}
SELECT tube FROM tubes WHERE tube IS NOT NULL
UNION SELECT s.tube FROM sampling.specimen s WHERE s.person = ANY (ARRAY(SELECT person FROM people));

-- name: tubes_touched (part)
-- Of which tubes the touched keys may speak: by themselves, by their barcodes, by what became of boxes,
-- receptions, plates, runs and results, and by another time window. What is no longer so is read from the
-- events: what a box once held, what stood on a plate, where a result was bound.
boxes AS (
    SELECT unnest(%(box)s::uuid[] || %(carried)s::uuid[]) AS box
    UNION SELECT b.box FROM custody.box b WHERE b.code = ANY (%(box_code)s::text[])
    UNION SELECT r.box FROM lab.reception r
    WHERE r.reception = ANY (%(reception)s::uuid[] || %(scanned)s::uuid[])
), packings AS (
    SELECT e.body FROM ledger.event e
    WHERE e.subject = ANY (ARRAY(SELECT box FROM boxes)) AND e.type = 'BoxPacked'
), inside AS (
    SELECT body FROM packings
    UNION ALL
    SELECT e.body FROM ledger.event e
    WHERE e.type = 'BoxPacked' AND e.subject = ANY (ARRAY(
        SELECT g::uuid FROM packings p CROSS JOIN jsonb_array_elements_text(p.body -> 'bags') g))
), codes AS (
    SELECT unnest(%(barcode)s::text[] || %(received)s::text[] || %(sample)s::text[]) AS barcode
    UNION SELECT r.barcode FROM lab.result r WHERE r.result = ANY (%(result)s::uuid[])
    UNION SELECT e.body ->> 'barcode' FROM ledger.event e
    WHERE e.subject = ANY (%(tube)s::uuid[]) AND e.type IN ('TubeOpened', 'TubeSealed')
    UNION SELECT t ->> 'barcode' FROM inside i CROSS JOIN jsonb_array_elements(i.body -> 'tubes') t
    UNION SELECT s.barcode FROM lab.scan s
    WHERE s.reception = ANY (%(reception)s::uuid[] || %(scanned)s::uuid[])
    UNION SELECT w ->> 'barcode' FROM ledger.event e
    CROSS JOIN jsonb_array_elements(e.body -> 'wells') w
    WHERE e.subject = ANY (%(plate)s::uuid[]) AND e.type = 'PlateLoaded'
    UNION SELECT c ->> 'barcode' FROM ledger.event e
    CROSS JOIN jsonb_array_elements(e.body -> 'calls') c
    WHERE e.subject = ANY (%(run)s::uuid[]) AND e.type = 'RunCalled'
), tubes AS (
    SELECT unnest(%(tube)s::uuid[]) AS tube
    UNION SELECT t.tube FROM sampling.tube t WHERE t.barcode = ANY (ARRAY(SELECT barcode FROM codes))
    UNION SELECT unnest(r.tubes) FROM lab.result r
    WHERE r.barcode = ANY (ARRAY(SELECT barcode FROM codes))
    UNION SELECT (e.body ->> 'tube')::uuid FROM ledger.event e
    WHERE e.type IN ('ResultReleased', 'ResultBound')
        AND e.body ->> 'barcode' = ANY (ARRAY(SELECT barcode FROM codes))
    UNION SELECT t.tube FROM sampling.tube t, (
        SELECT min((e.body ->> 'since')::timestamptz) AS since FROM ledger.event e
        WHERE e.subject = ANY (%(policy)s::uuid[]) AND e.type = 'PolicyAdopted'
            AND e.body ->> 'name' = 'result_window_hours') p
    WHERE p.since IS NOT NULL AND t.sealed_at >= p.since
)

-- name: people_touched (part)
-- Whom the touched keys may concern: who is or was in one of `tubes`, and into whom an id was merged.
people AS (
    SELECT unnest(%(person)s::uuid[]) AS person
    UNION SELECT unnest(%(resident)s::uuid[])
    UNION SELECT unnest(%(alias)s::uuid[])
    UNION SELECT unnest(%(stance)s::uuid[])
    UNION SELECT a.person FROM registry.alias a WHERE a.recorded = ANY (%(person)s::uuid[])
    UNION SELECT s.person FROM sampling.specimen s WHERE s.tube = ANY (ARRAY(SELECT tube FROM tubes))
    UNION SELECT (e.body ->> 'person')::uuid FROM ledger.event e
    WHERE e.subject = ANY (%(tube)s::uuid[]) AND e.type = 'SpecimenTaken'
    UNION SELECT (e.body ->> 'into')::uuid FROM ledger.event e
    WHERE e.subject = ANY (%(alias)s::uuid[]) AND e.type = 'ResidentsMerged'
)

-- name: progress_seen (for: progress)
(SELECT access.yes('everyone')) OR access.sees_tube(tube)

-- name: briefing (key: briefing; touched: briefing; index: as_of; seen: everyone)
-- Figures that somebody reported, as they were said.
SELECT DISTINCT ON (e.subject) e.subject AS briefing, (e.body ->> 'as_of')::timestamptz AS as_of,
    e.body ->> 'source' AS source, coalesce((e.body ->> 'rounded_to')::int, 1) AS rounded_to,
    e.body -> 'total' AS total, e.body -> 'parts' AS parts, e.at AS reported_at,
    e.actor AS reported_by
FROM ledger.event e
WHERE e.type = 'FiguresReported' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;
