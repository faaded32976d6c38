-- name: building (key: round, building; follower: keyed; index: building)
-- Persons of an open round by building of residence, each counted once: wherever they were sampled,
-- they count at home. expected = sampled + exempt + away + refused + missing, and
-- sampled = resulted + invalid + pending. `swabs` are person-times. From sealed to released: persons of
-- whose swabs at least one has come so far (coverage.progress), so that none exceeds the one before.
SELECT p.round, p.building,
    count(*)::int AS expected,
    count(*) FILTER (WHERE p.swabs > 0)::int AS sampled,
    count(*) FILTER (WHERE p.swabs > 0 AND p.resulted)::int AS resulted,
    count(*) FILTER (WHERE p.swabs > 0 AND p.invalid AND NOT p.resulted AND NOT p.pending)::int
        AS invalid,
    count(*) FILTER (WHERE p.swabs > 0 AND NOT p.resulted AND (p.pending OR NOT p.invalid))::int
        AS pending,
    count(*) FILTER (WHERE p.recalled)::int AS recalled,
    count(*) FILTER (WHERE p.recall_open)::int AS recall_open,
    count(*) FILTER (WHERE p.swabs = 0 AND p.why = 'exempt')::int AS exempt,
    count(*) FILTER (WHERE p.swabs = 0 AND p.why = 'away')::int AS away,
    count(*) FILTER (WHERE p.swabs = 0 AND p.why = 'refused')::int AS refused,
    count(*) FILTER (WHERE p.swabs = 0 AND p.why IS NULL)::int AS missing,
    sum(p.swabs)::int AS swabs,
    count(*) FILTER (WHERE p.stage >= 2)::int AS sealed,
    count(*) FILTER (WHERE p.stage >= 3)::int AS in_transit,
    count(*) FILTER (WHERE p.stage >= 4)::int AS received,
    count(*) FILTER (WHERE p.stage >= 5)::int AS on_plate,
    count(*) FILTER (WHERE p.stage >= 6)::int AS called,
    count(*) FILTER (WHERE p.stage >= 7)::int AS released
FROM (
    SELECT rd.round, r.building, r.resident, count(DISTINCT s.tube) AS swabs, max(g.stage) AS stage,
        coalesce(bool_or(o.state = 'final' AND o.outcome IN ('negative', 'positive')
            OR o.outcome IN ('positive', 'indeterminate')), false) AS resulted,
        coalesce(bool_or(o.outcome = 'invalid'), false) AS invalid,
        coalesce(bool_or(s.tube IS NOT NULL AND (o.tube IS NULL OR o.state = 'conflict')), false)
            AS pending,
        coalesce(bool_or(c.state <> 'withdrawn'), false) AS recalled,
        coalesce(bool_or(c.state = 'open'), false) AS recall_open,
        CASE WHEN bool_or(x.kind = 'exempt') OR r.state = 'cannot_be_tested' THEN 'exempt'
            WHEN r.state = 'away' THEN 'away'
            WHEN bool_or(x.kind = 'refused') THEN 'refused' END AS why
    FROM registry.resident r
    JOIN registry.span b ON b.area = r.building
    JOIN sampling.round rd ON rd.closed_at IS NULL AND EXISTS (
        SELECT FROM registry.span w
        WHERE w.area = ANY (rd.areas) AND b.lo BETWEEN w.lo AND w.hi)
    LEFT JOIN sampling.specimen s ON s.person = r.resident AND s.round = rd.round
    LEFT JOIN coverage.progress g ON g.tube = s.tube
    LEFT JOIN lab.outcome o ON o.tube = s.tube
    LEFT JOIN lab.recall c ON c.tube = s.tube AND c.person = r.resident
    LEFT JOIN sampling.stance x ON x.person = r.resident
        AND (x.round = rd.round OR x.round IS NULL)
    WHERE r.merged_into IS NULL AND r.state <> 'moved_away'
    GROUP BY rd.round, r.building, r.resident, r.state
) p
GROUP BY p.round, p.building;

-- name: building_keys (for: building)
-- Which (round, building) rows a set of touched keys may change: where the people touched live or
-- lived, and every building of a round or area touched. Arrays, so that the indexes are used.
WITH {tubes_touched}, {people_touched}, homes AS (
    SELECT r.building FROM people p
    LEFT JOIN registry.alias a ON a.recorded = p.person
    JOIN registry.resident r ON r.resident IN (p.person, a.person)
    UNION
    SELECT (e.body ->> 'building')::uuid FROM ledger.event e
    WHERE e.subject = ANY (%(resident)s::uuid[])
        AND e.type IN ('ResidentListed', 'ResidentMoved')
    UNION
    SELECT b.area FROM registry.span w JOIN registry.span b ON b.lo BETWEEN w.lo AND w.hi
    WHERE w.area = ANY (%(area)s::uuid[])
)
SELECT rd.round, h.building
FROM sampling.round rd CROSS JOIN homes h
WHERE (rd.closed_at IS NULL OR rd.round = ANY (%(round)s::uuid[])) AND h.building IS NOT NULL
UNION
SELECT rd.round, b.area
FROM sampling.round rd
JOIN registry.span w ON w.area = ANY (rd.areas)
JOIN registry.span b ON b.lo BETWEEN w.lo AND w.hi
WHERE rd.round = ANY (%(round)s::uuid[])
UNION
SELECT c.round, c.building FROM coverage.building c
WHERE c.round = ANY (%(round)s::uuid[])
UNION
SELECT c.round, c.building FROM coverage.building c
WHERE cardinality(%(area)s::uuid[]) > 0
    AND NOT EXISTS (SELECT FROM registry.span b WHERE b.area = c.building);

-- name: unplaced (key: person; follower: keyed; index: round)
-- Who was sampled in a round and lives nowhere on the roster.
SELECT DISTINCT s.round, s.person
FROM sampling.specimen s
LEFT JOIN registry.resident r ON r.resident = s.person
WHERE s.round IS NOT NULL AND r.building IS NULL;

-- name: unplaced_keys (for: unplaced)
-- Whoever was swabbed, listed, moved or merged; whoever is or was in a touched tube; and into whom
-- an id was merged before.
SELECT unnest(%(person)s::uuid[]) AS person
UNION SELECT unnest(%(resident)s::uuid[])
UNION SELECT s.person FROM sampling.specimen s WHERE s.tube = ANY (%(tube)s::uuid[])
UNION SELECT (e.body ->> 'person')::uuid FROM ledger.event e
WHERE e.subject = ANY (%(tube)s::uuid[]) AND e.type = 'SpecimenTaken' AND e.body IS NOT NULL
UNION SELECT (e.body ->> 'into')::uuid FROM ledger.event e
WHERE e.subject = ANY (%(alias)s::uuid[]) AND e.type = 'ResidentsMerged' AND e.body IS NOT NULL;

-- name: building_seen (for: building)
-- Figures under one's areas.
(SELECT access.yes('figures'))
    OR building IN (SELECT b.area FROM registry.span w JOIN registry.span b ON b.lo BETWEEN w.lo AND w.hi
        WHERE w.area = ANY ((SELECT access.ids('figure_areas'))::uuid[]))

-- name: unplaced_seen (for: unplaced)
(SELECT access.yes('figures'))
