-- name: areas
-- A round's sums for an area (depth 0) and the areas under it down to grids, in the order of the tree: of
-- an open round from the buildings, of a closed one from the sheet it was closed on.
WITH top AS (SELECT w.lo, w.hi, w.depth FROM registry.span w WHERE w.area = %(area)s),
closing AS (
    SELECT e.body FROM ledger.event e
    WHERE e.subject = %(round)s AND e.type = 'RoundClosed' ORDER BY e.seq LIMIT 1
), line AS (
    SELECT w.area, c.expected, c.sampled, c.resulted, c.invalid, c.pending, c.recalled, c.recall_open,
        c.exempt, c.away, c.refused, c.missing, c.swabs
    FROM top CROSS JOIN registry.span w
    JOIN registry.area a ON a.area = w.area AND a.level <> 'building'
    JOIN registry.span b ON b.lo BETWEEN w.lo AND w.hi
    JOIN coverage.building c ON c.building = b.area AND c.round = %(round)s
    WHERE w.lo BETWEEN top.lo AND top.hi AND NOT EXISTS (SELECT FROM closing)
    UNION ALL
    SELECT w.area, b.expected, b.sampled, b.resulted, b.invalid, b.pending, b.recalled,
        b.recall_open, b.exempt, b.away, b.refused, b.missing, b.swabs
    FROM closing
    CROSS JOIN jsonb_to_recordset(closing.body -> 'balance') AS b (area uuid, expected int,
        sampled int, resulted int, invalid int, pending int, exempt int, away int, refused int,
        missing int, recalled int, recall_open int, swabs int)
    JOIN registry.span w ON w.area = b.area
    JOIN top ON w.lo BETWEEN top.lo AND top.hi
), above AS (  -- a closed round's areas may lie below the one asked for: their sum is its
    SELECT %(area)s::uuid AS area, l.expected, l.sampled, l.resulted, l.invalid, l.pending, l.recalled,
        l.recall_open, l.exempt, l.away, l.refused, l.missing, l.swabs
    FROM line l JOIN sampling.round r ON r.round = %(round)s AND l.area = ANY (r.areas)
    WHERE EXISTS (SELECT FROM closing) AND NOT EXISTS (SELECT FROM line x WHERE x.area = %(area)s)
)
SELECT l.area, a.code, a.name, a.level, w.depth - top.depth AS depth,
    coalesce(sum(l.expected), 0)::int AS expected, coalesce(sum(l.sampled), 0)::int AS sampled,
    coalesce(sum(l.resulted), 0)::int AS resulted, coalesce(sum(l.invalid), 0)::int AS invalid,
    coalesce(sum(l.pending), 0)::int AS pending, coalesce(sum(l.recalled), 0)::int AS recalled,
    coalesce(sum(l.recall_open), 0)::int AS recall_open, coalesce(sum(l.exempt), 0)::int AS exempt,
    coalesce(sum(l.away), 0)::int AS away, coalesce(sum(l.refused), 0)::int AS refused,
    coalesce(sum(l.missing), 0)::int AS missing, coalesce(sum(l.swabs), 0)::int AS swabs,
    (SELECT d.people FROM registry.denominator d WHERE d.area = l.area
        ORDER BY d."on" DESC, d.event LIMIT 1) AS declared
FROM (SELECT * FROM line UNION ALL SELECT * FROM above) l
JOIN registry.span w ON w.area = l.area
JOIN registry.area a ON a.area = l.area
CROSS JOIN top
GROUP BY l.area, a.code, a.name, a.level, w.lo, w.depth, top.depth
ORDER BY w.lo;

-- name: sites
-- A round's tubes by the site that sealed them, of the sites in an area; tubes of no site of the
-- catalogue stand in a line of their own where the area is a whole tree.
WITH top AS (SELECT w.lo, w.hi, w.depth FROM registry.span w WHERE w.area = %(area)s),
tube AS (
    SELECT t.tube, s.site, s.code, s.name, a.name AS area_name, t.sealed_at
    FROM sampling.tube t
    LEFT JOIN sampling.site s ON s.site = t.site
    LEFT JOIN registry.area a ON a.area = s.area
    LEFT JOIN registry.span b ON b.area = s.area
    CROSS JOIN top
    WHERE t.round = %(round)s AND t.sealed_at IS NOT NULL
        AND (b.lo BETWEEN top.lo AND top.hi OR b.lo IS NULL AND top.depth = 0)
), told AS (
    SELECT o.tube, (array_agg(o.outcome ORDER BY
            array_position(ARRAY['invalid', 'negative', 'indeterminate', 'positive'], o.outcome) DESC
        ))[1] AS outcome, bool_and(o.state = 'final') AS final
    FROM tube t JOIN lab.outcome o ON o.tube = t.tube GROUP BY o.tube
), inside AS (
    SELECT t.site, count(*)::int AS swabs, count(DISTINCT s.person)::int AS persons
    FROM tube t JOIN sampling.specimen s ON s.tube = t.tube GROUP BY t.site
), odd AS (
    SELECT t.site, count(*)::int AS anomalies
    FROM tube t JOIN sampling.flag f ON f.tube = t.tube GROUP BY t.site
)
SELECT t.code, t.name, t.area_name, count(*)::int AS tubes, coalesce(i.swabs, 0) AS swabs,
    coalesce(i.persons, 0) AS persons, min(t.sealed_at) AS first_at, max(t.sealed_at) AS last_at,
    count(o.tube) FILTER (WHERE o.final AND o.outcome IN ('negative', 'positive')
        OR o.outcome IN ('positive', 'indeterminate'))::int AS resulted,
    count(o.tube) FILTER (WHERE o.outcome = 'positive')::int AS positive,
    count(o.tube) FILTER (WHERE o.outcome = 'indeterminate')::int AS indeterminate,
    count(o.tube) FILTER (WHERE o.final AND o.outcome = 'invalid')::int AS invalid,
    count(*) FILTER (WHERE o.tube IS NULL OR NOT o.final
        AND o.outcome NOT IN ('positive', 'indeterminate'))::int AS pending,
    coalesce(d.anomalies, 0) AS anomalies
FROM tube t
LEFT JOIN told o ON o.tube = t.tube
LEFT JOIN inside i ON i.site IS NOT DISTINCT FROM t.site
LEFT JOIN odd d ON d.site IS NOT DISTINCT FROM t.site
GROUP BY t.site, t.code, t.name, t.area_name, i.swabs, i.persons, d.anomalies
ORDER BY t.code NULLS LAST, t.site LIMIT %(limit)s;

-- name: persons
-- How many persons and person-times stand behind the tubes of the sites in an area, each person once
-- however many sites they went to; and who of them a single re-test confirmed.
WITH top AS (SELECT w.lo, w.hi, w.depth FROM registry.span w WHERE w.area = %(area)s),
tube AS (
    SELECT t.tube FROM sampling.tube t
    LEFT JOIN sampling.site s ON s.site = t.site
    LEFT JOIN registry.span b ON b.area = s.area
    CROSS JOIN top
    WHERE t.round = %(round)s AND t.sealed_at IS NOT NULL
        AND (b.lo BETWEEN top.lo AND top.hi OR b.lo IS NULL AND top.depth = 0)
)
SELECT (SELECT count(DISTINCT s.person)::int FROM tube t JOIN sampling.specimen s ON s.tube = t.tube)
        AS persons,
    (SELECT count(*)::int FROM tube t JOIN sampling.specimen s ON s.tube = t.tube) AS swabs,
    (SELECT count(DISTINCT r.person)::int FROM tube t JOIN lab.recall r ON r.tube = t.tube
        WHERE r.state = 'closed' AND r.answer = 'confirmed') AS confirmed,
    (SELECT count(DISTINCT r.person)::int FROM tube t JOIN lab.recall r ON r.tube = t.tube
        WHERE r.state = 'open') AS recall_open;

-- name: labs
-- A round's tubes by the laboratory that took them in, worked on them or reported them, of the sites in
-- an area. A tube that two laboratories worked on is a tube of each.
WITH top AS (SELECT w.lo, w.hi, w.depth FROM registry.span w WHERE w.area = %(area)s),
tube AS (
    SELECT t.tube, t.barcode, t.sealed_at FROM sampling.tube t
    LEFT JOIN sampling.site s ON s.site = t.site
    LEFT JOIN registry.span b ON b.area = s.area
    CROSS JOIN top
    WHERE t.round = %(round)s AND t.sealed_at IS NOT NULL
        AND (b.lo BETWEEN top.lo AND top.hi OR b.lo IS NULL AND top.depth = 0)
), came AS (
    SELECT v.lab, count(DISTINCT v.tube)::int AS received
    FROM tube t JOIN lab.received v ON v.barcode = t.barcode AND v.tube = t.tube GROUP BY v.lab
), ran AS (
    SELECT w.lab, count(DISTINCT w.tube)::int AS on_plate
    FROM tube t JOIN lab.well w ON w.barcode = t.barcode AND w.tube = t.tube GROUP BY w.lab
), said AS (
    SELECT r.lab, count(DISTINCT t.tube)::int AS resulted,
        count(DISTINCT t.tube) FILTER (WHERE r.outcome = 'positive')::int AS positive,
        count(DISTINCT t.tube) FILTER (WHERE r.outcome = 'indeterminate')::int AS indeterminate,
        count(DISTINCT t.tube) FILTER (WHERE r.outcome = 'negative')::int AS negative,
        count(DISTINCT t.tube) FILTER (WHERE r.outcome = 'invalid')::int AS invalid,
        count(DISTINCT t.tube) FILTER (WHERE r.amended)::int AS amended,
        max(r.resulted_at) AS last_at,
        (percentile_disc(0.5) WITHIN GROUP (ORDER BY
            floor(extract(epoch FROM r.resulted_at - t.sealed_at) / 60)))::int AS minutes
    FROM tube t
    JOIN lab.result r ON r.barcode = t.barcode AND t.tube = ANY (r.tubes) AND NOT r.rejected
    GROUP BY r.lab
)
SELECT n.lab, l.name, coalesce(c.received, 0) AS received, coalesce(x.on_plate, 0) AS on_plate,
    coalesce(s.resulted, 0) AS resulted, coalesce(s.positive, 0) AS positive,
    coalesce(s.indeterminate, 0) AS indeterminate, coalesce(s.negative, 0) AS negative,
    coalesce(s.invalid, 0) AS invalid, coalesce(s.amended, 0) AS amended, s.minutes, s.last_at
FROM (SELECT lab FROM came UNION SELECT lab FROM ran UNION SELECT lab FROM said) n
LEFT JOIN LATERAL (SELECT y.name FROM lab.lab y WHERE y.lab = n.lab ORDER BY y.id LIMIT 1) l ON true
LEFT JOIN came c ON c.lab = n.lab
LEFT JOIN ran x ON x.lab = n.lab
LEFT JOIN said s ON s.lab = n.lab
ORDER BY n.lab LIMIT %(limit)s;

-- name: hours
-- Swabs of the round sealed in each hour of the day before a moment, at the sites of an area.
WITH top AS (SELECT w.lo, w.hi, w.depth FROM registry.span w WHERE w.area = %(area)s)
SELECT date_trunc('hour', t.sealed_at, %(zone)s) AS hour, count(DISTINCT t.tube)::int AS tubes,
    count(s.person)::int AS swabs
FROM sampling.tube t
LEFT JOIN sampling.site x ON x.site = t.site
LEFT JOIN registry.span b ON b.area = x.area
CROSS JOIN top
LEFT JOIN sampling.specimen s ON s.tube = t.tube
WHERE t.round = %(round)s AND t.sealed_at > %(at)s::timestamptz - interval '1 day'
    AND t.sealed_at <= %(at)s
    AND (b.lo BETWEEN top.lo AND top.hi OR b.lo IS NULL AND top.depth = 0)
GROUP BY 1 ORDER BY 1;

-- name: troubles
-- What wants looking at, by kind and place: of the sites in an area, of the homes there, and, for the
-- whole tree, of laboratories and of what has no place.
WITH top AS (SELECT w.lo, w.hi, w.depth FROM registry.span w WHERE w.area = %(area)s),
place AS (
    SELECT s.site, s.code, s.name FROM top CROSS JOIN sampling.site s JOIN registry.span b ON b.area = s.area
    WHERE b.lo BETWEEN top.lo AND top.hi
)
SELECT * FROM (
    SELECT 'anomaly' AS sort, f.flag AS kind, p.code, p.name, count(*)::int AS count
    FROM sampling.flag f JOIN sampling.tube t ON t.tube = f.tube JOIN place p ON p.site = t.site
    GROUP BY f.flag, p.code, p.name
    UNION ALL
    SELECT 'anomaly', 'barcode_twice', p.code, p.name, count(DISTINCT b.barcode)::int
    FROM sampling.barcode_twice b JOIN sampling.tube t ON t.tube = ANY (b.tubes)
    JOIN place p ON p.site = t.site GROUP BY p.code, p.name
    UNION ALL
    SELECT 'anomaly', 'person_twice', a.code, a.name, count(DISTINCT w.person)::int
    FROM top CROSS JOIN sampling.twice w JOIN registry.resident r ON r.resident = w.person
    JOIN registry.span b ON b.area = r.building AND b.lo BETWEEN top.lo AND top.hi
    JOIN registry.area a ON a.area = r.building GROUP BY a.code, a.name
    UNION ALL
    SELECT 'anomaly', 'foreign_label', p.code, p.name, count(*)::int
    FROM custody.foreign_label f JOIN place p ON p.site = f.site GROUP BY p.code, p.name
    UNION ALL
    SELECT 'recall', CASE WHEN c.fell_due THEN 'recall_overdue' ELSE 'recall_open' END, p.code,
        p.name, count(*)::int
    FROM lab.recall c JOIN sampling.tube t ON t.tube = c.tube JOIN place p ON p.site = t.site
    WHERE c.state = 'open' GROUP BY c.fell_due, p.code, p.name
    UNION ALL
    SELECT 'task', CASE WHEN k.due_at <= %(at)s THEN 'task_overdue' ELSE 'task_open' END,
        coalesce(a.code, p.code, k.lab, k.role), coalesce(a.name, p.name, k.lab, k.role),
        count(*)::int
    FROM top CROSS JOIN hq.task k
    LEFT JOIN registry.area a ON a.area = k.area
    LEFT JOIN registry.span b ON b.area = k.area
    LEFT JOIN place p ON p.site = k.site
    WHERE k.state IN ('issued', 'acknowledged')
        AND (b.lo BETWEEN top.lo AND top.hi OR p.site IS NOT NULL
            OR k.area IS NULL AND k.site IS NULL AND top.depth = 0)
    GROUP BY k.due_at <= %(at)s, a.code, a.name, p.code, p.name, k.lab, k.role
    UNION ALL
    SELECT 'discrepancy', d.kind, d.lab, d.lab, count(*)::int
    FROM top CROSS JOIN lab.discrepancy d
    LEFT JOIN lab.reception r ON r.reception = d.reception
    LEFT JOIN custody.box x ON x.box = r.box
    WHERE d.state = 'open' AND (top.depth = 0 OR x.site IN (SELECT site FROM place))
    GROUP BY d.kind, d.lab
    UNION ALL
    SELECT 'result', 'conflict', p.code, p.name, count(*)::int
    FROM lab.outcome o JOIN sampling.tube t ON t.tube = o.tube JOIN place p ON p.site = t.site
    WHERE o.state = 'conflict' GROUP BY p.code, p.name
    UNION ALL
    SELECT 'result', 'result_without_tube', q.lab, q.lab, count(*)::int
    FROM top CROSS JOIN lab.result q
    WHERE top.depth = 0 AND NOT q.rejected AND cardinality(q.tubes) = 0 GROUP BY q.lab
    UNION ALL
    SELECT 'hand_over', 'hand_over_differs', p.code, p.name, count(*)::int
    FROM custody.leg l JOIN custody.box x ON x.box = l.box JOIN place p ON p.site = x.site
    WHERE l.differs <> '{}' GROUP BY p.code, p.name
) y WHERE y.count > 0
ORDER BY y.sort, y.kind, y.code NULLS LAST LIMIT %(limit)s;

-- name: overrides
-- Limits that were broken knowingly in the last day: whose decision, where, in which role, which limits, how often.
WITH top AS (SELECT w.lo, w.hi FROM registry.span w WHERE w.area = %(area)s)
SELECT p.posted_by AS who, coalesce(x.name, a.name) AS name, p.role, y.broken AS kind, count(*)::int AS count
FROM top CROSS JOIN workforce.posting p
CROSS JOIN unnest(p.overridden) AS y (broken)
JOIN workforce.demand d ON d.demand = p.demand
JOIN registry.span b ON b.area = d.area AND b.lo BETWEEN top.lo AND top.hi
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
WHERE p.posted_at > %(at)s::timestamptz - interval '1 day' AND p.posted_at <= %(at)s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2 NULLS LAST, 3, 4 LIMIT %(limit)s;

-- name: round_of
SELECT r.round, r.name, r.starts_at, r.ends_at, r.closed_at FROM sampling.round r
WHERE r.round = %(round)s;

-- name: area_of
SELECT a.area, a.code, a.name, a.level FROM registry.area a WHERE a.area = %(area)s;

-- name: reports
-- Reports of some areas or everywhere, latest first.
SELECT r.report, r.kind, r.area, a.code AS area_code, a.name AS area_name, r.round,
    n.name AS round_name, r.cut_off, r.frozen_at, r.frozen_by, r.findings, r.content,
    (SELECT count(*)::int FROM hq.signature s WHERE s.report = r.report) AS signatures
FROM hq.report r
LEFT JOIN registry.area a ON a.area = r.area
LEFT JOIN sampling.round n ON n.round = r.round
LEFT JOIN registry.span w ON w.area = r.area
WHERE (%(kind)s::text IS NULL OR r.kind = %(kind)s)
    AND (%(whole)s OR w.line && %(areas)s::uuid[])
    AND (%(at)s::timestamptz IS NULL OR (r.frozen_at, r.report) < (%(at)s, %(last)s::uuid))
ORDER BY r.frozen_at DESC, r.report DESC LIMIT %(limit)s;

-- name: report_of
SELECT r.*, a.code AS area_code, a.name AS area_name FROM hq.report r
LEFT JOIN registry.area a ON a.area = r.area WHERE r.report = %(report)s;

-- name: signatures
SELECT s.account, s.login, s.signed_at FROM hq.signature s WHERE s.report = %(report)s
ORDER BY s.signed_at, s.account;

-- name: artifact
SELECT content FROM ledger.artifact WHERE hash = %(hash)s;
