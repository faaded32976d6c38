-- name: tree
-- The areas right under an area, or some areas themselves, with a round's sums from the per-building rows:
-- an index range an area and a look-up a building.
SELECT a.area, a.code, a.name, a.level, a.parent,
    (SELECT count(*)::int FROM registry.area x WHERE x.parent = a.area) AS children,
    coalesce(c.expected, 0) AS expected, coalesce(c.sampled, 0) AS sampled,
    coalesce(c.resulted, 0) AS resulted, coalesce(c.invalid, 0) AS invalid,
    coalesce(c.pending, 0) AS pending, coalesce(c.recalled, 0) AS recalled,
    coalesce(c.recall_open, 0) AS recall_open, coalesce(c.exempt, 0) AS exempt,
    coalesce(c.away, 0) AS away, coalesce(c.refused, 0) AS refused,
    coalesce(c.missing, 0) AS missing, coalesce(c.swabs, 0) AS swabs
FROM registry.area a
JOIN registry.span w ON w.area = a.area
LEFT JOIN LATERAL (
    SELECT sum(c.expected)::int AS expected, sum(c.sampled)::int AS sampled,
        sum(c.resulted)::int AS resulted, sum(c.invalid)::int AS invalid,
        sum(c.pending)::int AS pending, sum(c.recalled)::int AS recalled,
        sum(c.recall_open)::int AS recall_open, sum(c.exempt)::int AS exempt,
        sum(c.away)::int AS away, sum(c.refused)::int AS refused, sum(c.missing)::int AS missing,
        sum(c.swabs)::int AS swabs
    FROM registry.span b JOIN coverage.building c ON c.building = b.area
    WHERE b.lo BETWEEN w.lo AND w.hi AND c.round = %(round)s) c ON true
WHERE a.parent = %(area)s OR a.area = ANY (%(areas)s::uuid[])
ORDER BY w.lo;

-- name: closed_tree
-- The same of a round that is closed, from the sheet it was closed on.
SELECT a.area, a.code, a.name, a.level, a.parent,
    (SELECT count(*)::int FROM registry.area x WHERE x.parent = a.area
        AND x.level NOT IN ('compound', 'grid', 'building')) AS children,
    b.expected, b.sampled, b.resulted, b.invalid, b.pending, coalesce(b.recalled, 0) AS recalled,
    coalesce(b.recall_open, 0) AS recall_open, b.exempt, b.away, b.refused, b.missing,
    coalesce(b.swabs, 0) AS swabs
FROM ledger.event e
CROSS JOIN jsonb_to_recordset(e.body -> 'balance') AS b (area uuid, expected int, sampled int,
    resulted int, invalid int, pending int, exempt int, away int, refused int, missing int,
    recalled int, recall_open int, swabs int)
JOIN registry.area a ON a.area = b.area
LEFT JOIN registry.span w ON w.area = b.area
WHERE e.id = (SELECT x.id FROM ledger.event x
        WHERE x.subject = %(round)s AND x.type = 'RoundClosed' ORDER BY x.seq LIMIT 1)
    AND (a.parent = %(area)s OR a.area = ANY (%(areas)s::uuid[]))
ORDER BY w.lo;

-- name: as_of
SELECT f.as_of, coalesce((SELECT last_seq FROM ledger.batch ORDER BY id DESC LIMIT 1), 0) - f.seq
    AS behind_events
FROM ledger.follower f WHERE f.name = 'coverage.building';

-- name: line
-- The areas under which one lies, from the top, itself last.
SELECT a.area, a.code, a.name, a.level
FROM registry.span s, unnest(s.line) WITH ORDINALITY AS l (area, n)
JOIN registry.area a ON a.area = l.area
WHERE s.area = %(area)s ORDER BY l.n;

-- name: within_round
-- Of some areas those that lie in a round's.
SELECT s.area FROM registry.span s
WHERE s.area = ANY (%(areas)s::uuid[]) AND s.line && %(round_areas)s::uuid[];

-- name: doors
-- Who lives in an area itself, not in those under it, and how each stands in a round. Of this moment.
SELECT r.resident AS person, r.room, r.birth_year, r.sex, r."group", r.state, i.name,
    i.phone IS NOT NULL AS has_phone, s.sealed_at AS sampled_at, s.tube IS NOT NULL AS sampled,
    x.event AS stance, x.kind, x.reason, x.round AS stance_round, x.at AS stance_at,
    v.outcome AS visit, v.at AS visited_at, v.again_at,
    CASE WHEN s.tube IS NOT NULL THEN 'sampled'
        WHEN x.kind = 'exempt' OR r.state = 'cannot_be_tested' THEN 'exempt'
        WHEN r.state = 'away' THEN 'away'
        WHEN x.kind = 'refused' THEN 'refused' ELSE 'missing' END AS standing
FROM registry.resident r
LEFT JOIN vault.identity i ON i.resident = r.resident
LEFT JOIN LATERAL (
    SELECT s.tube, t.sealed_at FROM sampling.specimen s
    LEFT JOIN sampling.tube t ON t.tube = s.tube
    WHERE s.person = r.resident AND s.round = %(round)s
    ORDER BY t.sealed_at NULLS LAST, s.tube LIMIT 1) s ON true
LEFT JOIN LATERAL (
    SELECT x.event, x.kind, x.reason, x.round, x.at FROM sampling.stance x
    WHERE x.person = r.resident AND (x.round = %(round)s OR x.round IS NULL)
    ORDER BY x.kind, x.at DESC, x.event LIMIT 1) x ON true
LEFT JOIN LATERAL (
    SELECT v.outcome, v.at, v.again_at FROM visits.visit v
    WHERE v.person = r.resident AND (v.round = %(round)s OR v.round IS NULL)
    ORDER BY v.at DESC, v.event DESC LIMIT 1) v ON true
WHERE r.building = %(area)s AND r.merged_into IS NULL AND r.state <> 'moved_away'
ORDER BY coalesce(r.room, ''), r.resident
LIMIT %(limit)s;

-- name: calls
-- When a building was called down in a round.
SELECT c.called_at, c.called_by, s.name AS site_name
FROM visits.call c LEFT JOIN sampling.site s ON s.site = c.to_site
WHERE c.building = %(area)s AND c.round = %(round)s
ORDER BY c.called_at DESC, c.event LIMIT %(limit)s;

-- name: standing_of
-- How a person stands in a round: swabbed, their state, what is in force of what they said.
SELECT r.resident AS person, r.state,
    EXISTS (SELECT FROM sampling.specimen s WHERE s.person = r.resident AND s.round = %(round)s)
        AS sampled,
    ARRAY(SELECT x.kind FROM sampling.stance x
        WHERE x.person = r.resident AND (x.round = %(round)s OR x.round IS NULL)) AS stances
FROM registry.resident r WHERE r.resident = %(person)s AND r.merged_into IS NULL;

-- name: said
-- What was recorded of a person by one event, and whether that still holds: it can be taken back then.
-- `before`: the state they were in until it.
SELECT e.id, e.type, e.subject, e.body ->> 'state' AS state, CASE
    WHEN e.type IN ('RefusalRecorded', 'ExemptionGranted')
        THEN EXISTS (SELECT FROM sampling.stance x WHERE x.recorded = e.subject AND x.event = e.id)
    ELSE r.state = e.body ->> 'state' AND NOT EXISTS (SELECT FROM ledger.event n
        WHERE n.subject = e.subject AND n.type IN ('ResidentStateChanged', 'ResidentListed')
            AND (n.at, n.id) > (e.at, e.id)) END AS holds,
    coalesce((SELECT b.body ->> 'state' FROM ledger.event b
        WHERE b.subject = e.subject AND b.type IN ('ResidentStateChanged', 'ResidentListed')
            AND (b.at, b.id) < (e.at, e.id)
        ORDER BY b.at DESC, b.id DESC LIMIT 1), 'resident') AS before
FROM ledger.event e
LEFT JOIN registry.resident r ON r.resident = e.subject
WHERE e.id = %(event)s AND e.body IS NOT NULL
    AND e.type IN ('RefusalRecorded', 'ExemptionGranted', 'ResidentStateChanged');

-- name: walkers
-- Who may be sent from door to door in an area: whoever holds such a role there, above it or in a part of
-- it, now.
SELECT c.login, h.role, a.name AS area_name, a.level, s.lo, bool_or(s.line && t.line) AS whole
FROM registry.span t
JOIN access.holding h ON h.starts_at <= %(at)s AND (h.ends_at IS NULL OR h.ends_at > %(at)s)
    AND h.role = ANY (%(roles)s)
JOIN access.account c ON c.account = h.account AND c.closed_at IS NULL
    AND c.starts_at <= %(at)s AND (c.ends_at IS NULL OR c.ends_at > %(at)s)
JOIN registry.span s ON s.area = h.area AND (s.area = ANY (t.line) OR t.area = ANY (s.line))
JOIN registry.area a ON a.area = h.area
WHERE t.area = %(area)s AND (%(login)s::text IS NULL OR c.login = %(login)s)
GROUP BY c.login, h.role, a.name, a.level, s.lo
ORDER BY s.lo, c.login, h.role LIMIT 500;

-- name: assignments
-- Whose way is which, of a round under an area, open ones first, with what is missing there by now.
SELECT k.task, k.login, k.area, a.code AS area_code, a.name AS area_name, a.level, k.state,
    k.issued_at, e.actor AS issued_by, k.due_at, k.acknowledged_at, k.done_at, k.outcome,
    k.state IN ('issued', 'acknowledged') AND k.due_at < %(at)s AS overdue, m.missing, m.expected
FROM registry.span top
JOIN registry.span w ON w.lo BETWEEN top.lo AND top.hi
JOIN hq.task k ON k.area = w.area AND k.kind = 'door_to_door' AND k.about = %(round)s
JOIN registry.area a ON a.area = k.area
JOIN ledger.event e ON e.id = k.issuing
LEFT JOIN LATERAL (
    SELECT sum(c.missing)::int AS missing, sum(c.expected)::int AS expected
    FROM registry.span b JOIN coverage.building c ON c.building = b.area
    WHERE b.lo BETWEEN w.lo AND w.hi AND c.round = %(round)s) m ON true
WHERE top.area = %(area)s
ORDER BY k.state NOT IN ('issued', 'acknowledged'), k.due_at, k.task
LIMIT %(limit)s;

-- name: assignment
SELECT k.task, k.login, k.area, k.state, k.about AS round, k.due_at
FROM hq.task k WHERE k.task = %(task)s AND k.kind = 'door_to_door';

-- name: standing_assignment
-- An open way of the same area in the same round.
SELECT k.task, k.login FROM hq.task k
WHERE k.area = %(area)s AND k.kind = 'door_to_door' AND k.about = %(round)s
    AND k.state IN ('issued', 'acknowledged') LIMIT 1;

-- name: unplaced
SELECT count(*)::int AS persons FROM coverage.unplaced WHERE round = %(round)s;

-- name: waiting
-- Who keeps a round open though sampled, under an area, in the order of the walk: whose swabs have no
-- answer yet, or none but invalid ones (as coverage.building counts them, whose rows say where to look).
-- With the swab taken last.
SELECT b.lo AS place, coalesce(r.room, '') AS room, r.resident, r.building, a.code AS building_code,
    a.name AS building_name, i.name, r.birth_year, r.sex, s.tube, s.barcode, s.sealed_at, s.site_name,
    s.outcome, s.state
FROM registry.span top
JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
JOIN coverage.building c ON c.building = b.area AND c.round = %(round)s
    AND CASE WHEN %(what)s = 'pending' THEN c.pending ELSE c.invalid END > 0
JOIN registry.resident r ON r.building = b.area AND r.merged_into IS NULL
JOIN registry.area a ON a.area = b.area
CROSS JOIN LATERAL (
    SELECT count(*) AS swabs,
        bool_or(coalesce(o.state = 'final' AND o.outcome IN ('negative', 'positive')
            OR o.outcome IN ('positive', 'indeterminate'), false)) AS resulted,
        bool_or(o.tube IS NULL OR o.state = 'conflict') AS pending,
        bool_or(coalesce(o.outcome = 'invalid', false)) AS invalid,
        (array_agg(s.tube ORDER BY t.sealed_at DESC NULLS LAST, s.tube))[1] AS tube,
        (array_agg(t.barcode ORDER BY t.sealed_at DESC NULLS LAST, s.tube))[1] AS barcode,
        max(t.sealed_at) AS sealed_at,
        (array_agg(x.name ORDER BY t.sealed_at DESC NULLS LAST, s.tube))[1] AS site_name,
        (array_agg(o.outcome ORDER BY t.sealed_at DESC NULLS LAST, s.tube))[1] AS outcome,
        (array_agg(o.state ORDER BY t.sealed_at DESC NULLS LAST, s.tube))[1] AS state
    FROM sampling.specimen s
    JOIN sampling.tube t ON t.tube = s.tube
    LEFT JOIN sampling.site x ON x.site = t.site
    LEFT JOIN lab.outcome o ON o.tube = s.tube
    WHERE s.person = r.resident AND s.round = %(round)s) s
LEFT JOIN vault.identity i ON i.resident = r.resident
WHERE top.area = %(area)s AND s.swabs > 0 AND r.state <> 'moved_away' AND CASE WHEN %(what)s = 'pending'
        THEN NOT s.resulted AND (s.pending OR NOT s.invalid)
        ELSE s.invalid AND NOT s.resulted AND NOT s.pending END
    AND (%(place)s::bigint IS NULL
        OR (b.lo, coalesce(r.room, ''), r.resident) > (%(place)s, %(room)s, %(resident)s::uuid))
ORDER BY b.lo, coalesce(r.room, ''), r.resident
LIMIT %(limit)s;

-- name: unplaced_people
-- Who was sampled in a round and lives nowhere on the roster, with the swab taken last: walk-ins nobody has
-- placed yet.
SELECT u.person AS resident, i.name, r.birth_year, r.sex, s.tube, s.barcode, s.sealed_at, s.site_name
FROM coverage.unplaced u
LEFT JOIN registry.resident r ON r.resident = u.person
LEFT JOIN vault.identity i ON i.resident = u.person
LEFT JOIN LATERAL (
    SELECT s.tube, t.barcode, t.sealed_at, x.name AS site_name
    FROM sampling.specimen s
    JOIN sampling.tube t ON t.tube = s.tube
    LEFT JOIN sampling.site x ON x.site = t.site
    WHERE s.person = u.person AND s.round = %(round)s
    ORDER BY t.sealed_at DESC NULLS LAST, s.tube LIMIT 1) s ON true
WHERE u.round = %(round)s AND (%(after)s::uuid IS NULL OR u.person > %(after)s::uuid)
ORDER BY u.person LIMIT %(limit)s;
