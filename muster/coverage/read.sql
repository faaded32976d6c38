-- name: building (key: round, building; follower: keyed; index: building)
-- Persons of an open round by building of residence, each counted once: wherever they were sampled,
-- they count at home. expected = sampled + exempt + away + refused + missing, and
-- sampled = resulted + invalid + pending. `swabs` are person-times.
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
    sum(p.swabs)::int AS swabs
FROM (
    SELECT rd.round, r.building, r.resident, count(DISTINCT s.tube) AS swabs,
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
-- lived, and every building of a round or area touched.
WITH people AS (
    SELECT unnest(%(person)s::uuid[]) AS person
    UNION SELECT unnest(%(resident)s::uuid[])
    UNION SELECT unnest(%(stance)s::uuid[])
    UNION SELECT s.person FROM sampling.specimen s WHERE s.tube = ANY (%(tube)s::uuid[])
    UNION SELECT s.person FROM lab.outcome o JOIN sampling.specimen s USING (tube)
    WHERE o.barcode = ANY (%(barcode)s::text[])
), homes AS (
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
WHERE rd.round = ANY (%(round)s::uuid[]);
