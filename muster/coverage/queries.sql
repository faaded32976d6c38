-- name: funnel
-- The sums of a round for each area at one level under a given area, from the per-building rows.
SELECT w.area, a.code, a.name, a.level,
    coalesce(sum(c.expected), 0)::int AS expected, coalesce(sum(c.sampled), 0)::int AS sampled,
    coalesce(sum(c.resulted), 0)::int AS resulted, coalesce(sum(c.invalid), 0)::int AS invalid,
    coalesce(sum(c.pending), 0)::int AS pending, coalesce(sum(c.recalled), 0)::int AS recalled,
    coalesce(sum(c.recall_open), 0)::int AS recall_open,
    coalesce(sum(c.exempt), 0)::int AS exempt, coalesce(sum(c.away), 0)::int AS away,
    coalesce(sum(c.refused), 0)::int AS refused, coalesce(sum(c.missing), 0)::int AS missing,
    coalesce(sum(c.swabs), 0)::int AS swabs,
    coalesce(sum(c.sealed), 0)::int AS sealed, coalesce(sum(c.in_transit), 0)::int AS in_transit,
    coalesce(sum(c.received), 0)::int AS received, coalesce(sum(c.on_plate), 0)::int AS on_plate,
    coalesce(sum(c.called), 0)::int AS called, coalesce(sum(c.released), 0)::int AS released
FROM registry.span top
JOIN registry.span w ON w.lo BETWEEN top.lo AND top.hi
JOIN registry.area a ON a.area = w.area
LEFT JOIN registry.span b ON b.lo BETWEEN w.lo AND w.hi
LEFT JOIN coverage.building c ON c.building = b.area AND c.round = %(round)s
WHERE top.area = %(area)s AND a.level = %(level)s
GROUP BY w.area, w.lo, a.code, a.name, a.level
ORDER BY w.lo;

-- name: as_of
-- How far the coverage follower has come: its figures speak of this moment.
SELECT f.as_of, coalesce((SELECT last_seq FROM ledger.batch ORDER BY id DESC LIMIT 1), 0) - f.seq
    AS behind_events
FROM ledger.follower f WHERE f.name = 'coverage.building';

-- name: denominators
-- What has been declared of an area's people, newest first: shown beside the roster's own count.
SELECT people, source, "on" FROM registry.denominator WHERE area = %(area)s ORDER BY "on" DESC;

-- name: missing
-- Who has not been tested in a round, under an area, in the order of the walk: building, room. Read
-- from the facts themselves, so it is of this moment. Nobody exempt, away or refusing is listed.
-- OFFSET 0: one index probe a person, and the policies are asked about those rows only; joined, they
-- would be asked about every swab of the round.
SELECT b.lo AS place, coalesce(r.room, '') AS room, r.resident, r.building, a.code AS building_code,
    a.name AS building_name, r.birth_year, r.sex, r.state, r."group", i.name,
    i.phone IS NOT NULL AS has_phone
FROM registry.span top
JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
JOIN registry.resident r ON r.building = b.area
JOIN registry.area a ON a.area = b.area
LEFT JOIN vault.identity i ON i.resident = r.resident
WHERE top.area = %(area)s AND r.merged_into IS NULL
    AND r.state IN ('resident', 'temporary')
    AND NOT EXISTS (SELECT FROM sampling.specimen s
        WHERE s.person = r.resident AND s.round = %(round)s OFFSET 0)
    AND NOT EXISTS (SELECT FROM sampling.stance x
        WHERE x.person = r.resident AND (x.round = %(round)s OR x.round IS NULL) OFFSET 0)
    AND (%(place)s::bigint IS NULL
        OR (b.lo, coalesce(r.room, ''), r.resident) > (%(place)s, %(room)s, %(resident)s::uuid))
ORDER BY b.lo, coalesce(r.room, ''), r.resident
LIMIT %(limit)s;

-- name: balance
-- The closing sheet of a round: its areas, whatever they are, and the levels under them down to
-- communities. An area named twice, by itself and within another, is one line.
SELECT w.area, a.code, a.name, a.level, sum(c.expected)::int AS expected,
    sum(c.sampled)::int AS sampled, sum(c.resulted)::int AS resulted, sum(c.invalid)::int AS invalid,
    sum(c.pending)::int AS pending, sum(c.exempt)::int AS exempt, sum(c.away)::int AS away,
    sum(c.refused)::int AS refused, sum(c.missing)::int AS missing,
    sum(c.recalled)::int AS recalled, sum(c.recall_open)::int AS recall_open,
    sum(c.swabs)::int AS swabs, sum(c.sealed)::int AS sealed,
    sum(c.in_transit)::int AS in_transit, sum(c.received)::int AS received,
    sum(c.on_plate)::int AS on_plate, sum(c.called)::int AS called, sum(c.released)::int AS released
FROM sampling.round rd
JOIN registry.span w ON EXISTS (SELECT FROM registry.span top
    WHERE top.area = ANY (rd.areas) AND w.lo BETWEEN top.lo AND top.hi)
JOIN registry.area a ON a.area = w.area
JOIN registry.span b ON b.lo BETWEEN w.lo AND w.hi
JOIN coverage.building c ON c.building = b.area AND c.round = rd.round
WHERE rd.round = %(round)s
    AND (a.level NOT IN ('compound', 'grid', 'building') OR w.area = ANY (rd.areas))
GROUP BY w.area, w.lo, a.code, a.name, a.level ORDER BY w.lo;

-- name: closed_balance
-- The sheet a closed round was closed on, or the lines of one level under an area.
SELECT a.area, a.code, a.name, a.level, b.expected, b.sampled, b.resulted, b.invalid, b.pending,
    coalesce(b.recalled, 0) AS recalled, coalesce(b.recall_open, 0) AS recall_open,
    b.exempt, b.away, b.refused, b.missing, coalesce(b.swabs, 0) AS swabs, b.sealed, b.in_transit,
    b.received, b.on_plate, b.called, b.released, e.at AS closed_at
FROM ledger.event e
CROSS JOIN jsonb_to_recordset(e.body -> 'balance') AS b (area uuid, expected int, sampled int,
    resulted int, invalid int, pending int, exempt int, away int, refused int, missing int,
    recalled int, recall_open int, swabs int, sealed int, in_transit int, received int, on_plate int,
    called int, released int)
JOIN registry.area a ON a.area = b.area
LEFT JOIN registry.span w ON w.area = b.area
LEFT JOIN registry.span top ON top.area = %(area)s::uuid
WHERE e.id = (SELECT x.id FROM ledger.event x
        WHERE x.subject = %(round)s AND x.type = 'RoundClosed' ORDER BY x.seq LIMIT 1)
    AND (%(area)s::uuid IS NULL OR a.level = %(level)s AND w.lo BETWEEN top.lo AND top.hi)
ORDER BY w.lo;

-- name: unplaced
-- People sampled in a round who live nowhere on the roster: walk-ins nobody has placed yet.
SELECT count(*)::int AS persons FROM coverage.unplaced WHERE round = %(round)s;

-- name: alarms
-- What a person must look at, gravest first, with the oldest of each and what falls due first. A positive
-- nobody can be told of is the top alarm.
SELECT * FROM (
    SELECT 1 AS rank, 'positive_without_tube' AS alarm, count(*)::int AS count,
        min(resulted_at) AS since, NULL::timestamptz AS due_at
    FROM lab.result
    WHERE outcome IN ('positive', 'indeterminate') AND NOT rejected AND cardinality(tubes) = 0
    UNION ALL
    SELECT 1, 'positive_without_members', count(*)::int, min(o.resulted_at), NULL FROM lab.outcome o
    WHERE o.outcome IN ('positive', 'indeterminate')
        AND NOT EXISTS (SELECT FROM sampling.specimen s WHERE s.tube = o.tube)
    UNION ALL
    SELECT 2, 'result_conflict', count(*)::int, min(resulted_at), NULL
    FROM lab.outcome WHERE state = 'conflict'
    UNION ALL SELECT 2, 'task_overdue', count(*)::int, min(issued_at), min(due_at) FROM hq.task
    WHERE state IN ('issued', 'acknowledged') AND fell_due AND kind <> 'result_amended'
    UNION ALL SELECT 3, 'stalled', count(*)::int, min(since), NULL FROM ledger.stalled
    UNION ALL SELECT 3, 'device_gap', count(*)::int, NULL, NULL FROM access.device_gaps()
    UNION ALL SELECT 3, 'inbox', count(*)::int, min(received_at), min(expires_at) FROM ledger.inbox
    WHERE applied_at IS NULL AND sealed IS NOT NULL
    UNION ALL SELECT 4, 'recall_overdue', count(*)::int, min(ordered_at), NULL FROM lab.recall
    WHERE state = 'open' AND fell_due
    UNION ALL SELECT 5, 'result_without_tube', count(*)::int, min(resulted_at), NULL FROM lab.result
    WHERE outcome NOT IN ('positive', 'indeterminate') AND NOT rejected AND cardinality(tubes) = 0
    UNION ALL SELECT 4, 'objection_overdue', count(*)::int, min(raised_at), NULL
    FROM registry.objection
    WHERE answered IS NULL AND raised_at < now() - make_interval(hours => coalesce((
        SELECT p.value FROM registry.policy p WHERE p.name = 'objection_hours'
            AND p.since <= now() AND p.area IS NULL AND p."group" IS NULL
        ORDER BY p.since DESC, p.policy DESC LIMIT 1), %(objection_hours)s))
    UNION ALL SELECT 5, 'person_twice', count(*)::int, NULL, NULL FROM sampling.twice
    UNION ALL SELECT 5, 'barcode_twice', count(*)::int, NULL, NULL FROM sampling.barcode_twice
    UNION ALL SELECT 6, flag, count(*)::int, NULL, NULL FROM sampling.flag GROUP BY flag
    UNION ALL SELECT 6, 'foreign_label', count(*)::int, NULL, NULL FROM custody.foreign_label
    UNION ALL SELECT 6, 'more_sampled_than_declared', count(*)::int, NULL, NULL FROM (
        SELECT d.area FROM registry.denominator d
        JOIN registry.span w ON w.area = d.area
        JOIN registry.span b ON b.lo BETWEEN w.lo AND w.hi
        JOIN coverage.building c ON c.building = b.area
        GROUP BY d.area, d.event, d.people, c.round HAVING sum(c.sampled) > d.people) over_all
) a WHERE count > 0 ORDER BY rank, alarm;

-- name: way_alarms
-- The same of what is on its way and in laboratories, at a moment: of everywhere, or of the sites held and
-- those in the areas held; what is of a laboratory as a whole, of everywhere only. Read by Muster's own
-- hand, since a policy would be asked about every tube. A limit is that of the edition in force then.
WITH place AS (
    SELECT s.site FROM sampling.site s LEFT JOIN registry.span b ON b.area = s.area
    WHERE s.site = ANY (%(sites)s::uuid[]) OR b.line && %(areas)s::uuid[]
), term AS (
    SELECT l.name, l.value, l.since, coalesce(lead(l.since) OVER (
        PARTITION BY l.name ORDER BY l.since, l.policy NULLS FIRST), 'infinity') AS until
    FROM (
        SELECT p.name, p.value, p.since, p.policy FROM registry.policy p
        UNION ALL SELECT 'tube_age_minutes', %(age)s, '-infinity', NULL
        UNION ALL SELECT 'tube_warning_minutes', %(warning)s, '-infinity', NULL
        UNION ALL SELECT 'hand_over_minutes', %(hand_over)s, '-infinity', NULL
        UNION ALL SELECT 'box_least_decidegrees', %(least)s, '-infinity', NULL
        UNION ALL SELECT 'box_most_decidegrees', %(most)s, '-infinity', NULL) l
    WHERE l.name IN ('tube_age_minutes', 'tube_warning_minutes', 'hand_over_minutes',
        'box_least_decidegrees', 'box_most_decidegrees')
), awaited AS MATERIALIZED (
    SELECT t.tube, t.sealed_at FROM custody.awaited t
    WHERE t.sealed_at BETWEEN %(at)s::timestamptz - make_interval(hours => %(hours)s) AND %(at)s
        AND (%(whole)s OR t.site IN (
            SELECT s.site FROM sampling.site s LEFT JOIN registry.span b ON b.area = s.area
            WHERE s.site = ANY (%(sites)s::uuid[]) OR b.line && %(areas)s::uuid[]))
), hand_over AS (
    SELECT l.box, (l.given_at IS NULL OR l.taken_at IS NULL)
        AND least(l.given_at, l.taken_at) + make_interval(mins => m.value) < %(at)s AS open,
        l.differs <> '{}' AS differs, least(l.given_at, l.taken_at) AS since
    FROM custody.leg l
    JOIN custody.box b ON b.box = l.box
    JOIN term m ON m.name = 'hand_over_minutes' AND least(l.given_at, l.taken_at) >= m.since
        AND least(l.given_at, l.taken_at) < m.until
    WHERE least(l.given_at, l.taken_at)
            BETWEEN %(at)s::timestamptz - make_interval(hours => %(hours)s) AND %(at)s
        AND (%(whole)s OR b.site IN (SELECT site FROM place))
), box AS (
    SELECT c.box, c.decidegrees > m.value AS warm, c.at
    FROM custody.temperature c
    JOIN custody.box b ON b.box = c.box
    JOIN term m ON c.at >= m.since AND c.at < m.until
        AND (m.name = 'box_most_decidegrees' AND c.decidegrees > m.value
            OR m.name = 'box_least_decidegrees' AND c.decidegrees < m.value)
    WHERE c.at BETWEEN %(at)s::timestamptz - interval '24 hours' AND %(at)s
        AND NOT EXISTS (SELECT FROM lab.reception r WHERE r.box = c.box)
        AND (%(whole)s OR b.site IN (SELECT site FROM place))
), worked AS (
    SELECT q.run, q.lab, q.imported_at, q.ended_at, q.blocked, p.tubes, p.loaded_at
    FROM lab.run q JOIN lab.plate p ON p.plate = q.plate
    WHERE %(whole)s AND q.imported_at > %(at)s::timestamptz - interval '24 hours'
), given AS MATERIALIZED (  -- by run first: that is a hundredth of the rows
    SELECT r.lab, date_trunc('hour', r.resulted_at) AS hour, r.run, count(*) AS results,
        count(*) - count(r.unfit) AS tested, min(r.resulted_at) AS first
    FROM lab.result r
    WHERE %(whole)s AND r.resulted_at > %(at)s::timestamptz - interval '24 hours' AND NOT r.rejected
    GROUP BY 1, 2, 3
), early AS (
    SELECT e.early FROM given g
    JOIN worked w ON w.run = g.run AND g.first < greatest(w.loaded_at, w.ended_at)
    CROSS JOIN LATERAL (
        SELECT count(*) AS early FROM lab.result r
        WHERE r.lab = g.lab AND r.resulted_at >= g.hour AND r.run = g.run AND NOT r.rejected
            AND r.resulted_at < least(g.hour + interval '1 hour',
                greatest(w.loaded_at, w.ended_at))) e
    UNION ALL
    SELECT count(*) FROM lab.result r
    WHERE EXISTS (SELECT FROM given g WHERE g.run IS NULL AND g.lab IN (SELECT lab FROM worked))
        AND r.run IS NULL AND NOT r.rejected AND r.lab IN (SELECT lab FROM worked)
        AND r.resulted_at > %(at)s::timestamptz - interval '24 hours'
        AND (SELECT min(x.loaded_at) > r.resulted_at FROM lab.well x
            WHERE x.barcode = r.barcode AND x.lab = r.lab AND x.tube = ANY (r.tubes))
), run AS (
    SELECT w.lab, date_trunc('hour', w.imported_at) AS hour, sum(w.tubes) AS tubes,
        coalesce(sum(w.tubes) FILTER (WHERE w.blocked IS NULL), 0) AS wells
    FROM worked w GROUP BY 1, 2
)
SELECT * FROM (
    SELECT 2 AS rank, 'result_unproven' AS alarm, count(*)::int AS count,
        min(resulted_at) AS since, NULL::timestamptz AS due_at
    FROM lab.outcome
    WHERE %(whole)s AND state = 'unproven'
    UNION ALL SELECT 2, 'more_results_than_wells', count(*)::int, NULL, NULL FROM (
        SELECT g.lab FROM given g JOIN lab.lab l ON l.lab = g.lab AND g.first >= l.wells_since
        WHERE g.run IS NULL OR g.run IN (SELECT w.run FROM worked w)
        GROUP BY g.lab
        HAVING sum(g.tested) > coalesce((SELECT sum(r.wells) FROM run r WHERE r.lab = g.lab), 0)) m
    UNION ALL SELECT 2, 'result_before_plate', coalesce(sum(e.early), 0)::int, NULL, NULL
    FROM early e
    UNION ALL SELECT 3, 'throughput_over_capacity', count(*)::int, min(d.hour), NULL FROM (
        SELECT r.lab, r.hour, r.tubes AS done FROM run r
        UNION ALL SELECT g.lab, g.hour, sum(g.results) FROM given g
        WHERE g.lab NOT IN (SELECT r.lab FROM run r) GROUP BY g.lab, g.hour) d
    JOIN lab.lab l ON l.lab = d.lab AND l.capacity_per_hour > 0 AND d.done > l.capacity_per_hour
    UNION ALL SELECT 2, 'repooling_refused', count(*)::int, min(at), NULL FROM lab.repooling
    WHERE %(whole)s AND at > %(at)s::timestamptz - interval '24 hours'
    UNION ALL SELECT 3, 'tube_too_old', count(*)::int, min(a.sealed_at),
        min(a.sealed_at + make_interval(mins => m.value)) FROM awaited a
    JOIN term m ON m.name = 'tube_age_minutes' AND a.sealed_at >= m.since AND a.sealed_at < m.until
    WHERE a.sealed_at + make_interval(mins => m.value) < %(at)s
    UNION ALL SELECT 4, 'tube_near_limit', count(*)::int, min(a.sealed_at),
        min(a.sealed_at + make_interval(mins => m.value)) FROM awaited a
    JOIN term m ON m.name = 'tube_age_minutes' AND a.sealed_at >= m.since AND a.sealed_at < m.until
    JOIN term n ON n.name = 'tube_warning_minutes'
        AND a.sealed_at >= n.since AND a.sealed_at < n.until
    WHERE a.sealed_at + make_interval(mins => m.value) >= %(at)s
        AND a.sealed_at + make_interval(mins => n.value) <= %(at)s
    UNION ALL SELECT 4, 'hand_over_open', count(*)::int, min(since), NULL FROM hand_over WHERE open
    UNION ALL SELECT 3, 'hand_over_differs', count(*)::int, min(since), NULL FROM hand_over
    WHERE differs
    UNION ALL SELECT 3, 'box_too_warm', count(DISTINCT box)::int, min(at), NULL FROM box WHERE warm
    UNION ALL SELECT 3, 'box_too_cold', count(DISTINCT box)::int, min(at), NULL FROM box WHERE NOT warm
    UNION ALL SELECT 4, 'discrepancy_open', count(*)::int, min(d.opened_at), NULL FROM lab.discrepancy d
    WHERE d.state = 'open' AND (%(whole)s OR EXISTS (
        SELECT FROM lab.reception r JOIN custody.box b ON b.box = r.box
        WHERE r.reception = d.reception AND b.site IN (SELECT site FROM place)))
    UNION ALL SELECT 4, 'supply_low', count(*)::int, min(u.at), NULL FROM sampling.supply u
    WHERE u.at BETWEEN %(at)s::timestamptz - make_interval(hours => %(supply_hours)s) AND %(at)s
        AND (%(whole)s OR u.site IN (SELECT site FROM place))
    UNION ALL SELECT 4, 'run_file_waiting', count(*)::int, min(received_at), NULL FROM lab.run_file
    WHERE %(whole)s AND state = 'waiting'
) a WHERE count > 0 ORDER BY rank, alarm;
