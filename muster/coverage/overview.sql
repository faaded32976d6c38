-- What a command post asks of a round at one glance. Read by Muster's own hand after the caller's reach
-- was checked: a policy would be asked about every row of a wide sum.

-- name: stages
-- The sums of the buildings under an area by the area below it in which they stand (NULL: the area is the
-- building itself). The numbers of the tree make it one range, `line` names the area below.
SELECT b.line[top.depth + 2] AS area, sum(c.expected)::int AS expected, sum(c.sampled)::int AS sampled,
    sum(c.sealed)::int AS sealed, sum(c.in_transit)::int AS in_transit,
    sum(c.received)::int AS received, sum(c.on_plate)::int AS on_plate, sum(c.called)::int AS called,
    sum(c.released)::int AS released, sum(c.recalled)::int AS recalled,
    sum(c.recall_open)::int AS recall_open, sum(c.exempt)::int AS exempt, sum(c.away)::int AS away,
    sum(c.refused)::int AS refused, sum(c.missing)::int AS missing, sum(c.swabs)::int AS swabs
FROM registry.span top
JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
JOIN coverage.building c ON c.building = b.area AND c.round = %(round)s
WHERE top.area = %(area)s
GROUP BY 1;

-- name: closed_stages
-- The same of a closed round, from the sheet it was closed on: the area itself and those below it.
SELECT CASE WHEN b.area = %(area)s THEN NULL ELSE b.area END AS area, b.area = %(area)s AS whole,
    b.expected, b.sampled, b.sealed, b.in_transit, b.received, b.on_plate, b.called, b.released,
    coalesce(b.recalled, 0) AS recalled, coalesce(b.recall_open, 0) AS recall_open, b.exempt, b.away,
    b.refused, b.missing, coalesce(b.swabs, 0) AS swabs
FROM ledger.event e
CROSS JOIN jsonb_to_recordset(e.body -> 'balance') AS b (area uuid, expected int, sampled int,
    exempt int, away int, refused int, missing int, recalled int, recall_open int, swabs int,
    sealed int, in_transit int, received int, on_plate int, called int, released int)
LEFT JOIN registry.area a ON a.area = b.area
WHERE e.id = (SELECT x.id FROM ledger.event x
        WHERE x.subject = %(round)s AND x.type = 'RoundClosed' ORDER BY x.seq LIMIT 1)
    AND (b.area = %(area)s OR a.parent = %(area)s);

-- name: below
-- The areas right below one, in the order of the tree.
SELECT a.area, a.code, a.name, a.level FROM registry.area a JOIN registry.span s ON s.area = a.area
WHERE a.parent = %(area)s ORDER BY s.lo;

-- name: here
-- An area, where it stands in the tree, and its line with names.
SELECT a.area, a.code, a.name, a.level, s.lo, s.hi, s.depth, s.line,
    ARRAY(SELECT n.name FROM unnest(s.line) WITH ORDINALITY l (area, nth)
        JOIN registry.area n ON n.area = l.area ORDER BY l.nth) AS names
FROM registry.area a JOIN registry.span s ON s.area = a.area WHERE a.area = %(area)s;

-- name: top
-- Where a round is asked for without an area: what holds all its areas.
SELECT s.area FROM registry.span s
WHERE NOT EXISTS (SELECT FROM unnest(%(areas)s::uuid[]) r JOIN registry.span x ON x.area = r
        WHERE NOT s.area = ANY (x.line))
ORDER BY s.depth DESC LIMIT 1;

-- name: as_of
-- How far the followers have come that these figures are read from: the one furthest behind.
SELECT min(f.as_of) AS as_of, coalesce((SELECT last_seq FROM ledger.batch ORDER BY id DESC LIMIT 1), 0)
    - min(f.seq) AS behind_events
FROM ledger.follower f WHERE f.name IN ('coverage.building', 'coverage.progress');

-- name: tubes
-- Tubes of a round by hour and stage, of the sites of an area (`whole`: of all, also where no site is
-- known), with their swabs and, of those, the people whose first tube of the round it is.
SELECT date_bin('1 hour', p.at, timestamptz '2000-01-01 00:00:00+00') AS hour, p.stage,
    count(*)::int AS tubes, sum(p.swabs)::int AS swabs, sum(p.persons)::int AS persons,
    max(p.at) AS last_at, count(*) FILTER (WHERE p.at > %(at)s::timestamptz - interval '1 hour')::int
        AS tubes_hour, coalesce(sum(p.persons) FILTER (
            WHERE p.at > %(at)s::timestamptz - interval '1 hour'), 0)::int AS persons_hour
FROM coverage.progress p
WHERE p.round = %(round)s AND p.at <= %(at)s::timestamptz + interval '1 day'
    AND (%(whole)s OR p.site = ANY (ARRAY(
        SELECT s.site FROM sampling.site s JOIN registry.span b ON b.area = s.area
        WHERE b.lo BETWEEN %(lo)s AND %(hi)s)))
GROUP BY 1, 2;

-- name: sites
-- The sites of an area: whether they work, on how many lanes, what they took in the last quarter and the
-- last hour, when last, and their queues as counted last: of the whole site, else the sum of its lanes.
WITH here AS MATERIALIZED (
    SELECT s.site, s.code, s.name, s.area, s.lanes, s.open, s.lanes_open
    FROM sampling.site s JOIN registry.span b ON b.area = s.area
    WHERE b.lo BETWEEN %(lo)s AND %(hi)s
), lately AS (
    SELECT p.site, sum(p.swabs) FILTER (WHERE p.at > %(at)s::timestamptz - interval '15 minutes')::int
        AS swabs_15, sum(p.swabs)::int AS swabs_60
    FROM coverage.progress p
    WHERE p.at > %(at)s::timestamptz - interval '1 hour' AND p.at <= %(at)s GROUP BY p.site
), last AS MATERIALIZED (  -- all at once: site by site each would be a scan where its tubes are many
    SELECT p.site, max(p.at) AS last_at FROM coverage.progress p
    WHERE p.round = %(round)s AND p.at <= %(at)s GROUP BY p.site
), counted AS (
    SELECT q.site,
        max(q.at) FILTER (WHERE q.lane = 0) AS whole_at, max(q.at) FILTER (WHERE q.lane > 0) AS lane_at,
        max(q.waiting) FILTER (WHERE q.lane = 0) AS whole,
        sum(q.waiting) FILTER (WHERE q.lane > 0)::int AS lanes,
        max(q.wait_minutes) FILTER (WHERE q.lane = 0) AS whole_minutes,
        max(q.wait_minutes) FILTER (WHERE q.lane > 0) AS lane_minutes
    FROM sampling.queue q
    WHERE q.at BETWEEN %(at)s::timestamptz - make_interval(mins => %(queue_minutes)s) AND %(at)s
    GROUP BY q.site
)
SELECT h.site, h.code, h.name, a.name AS area_name, h.open, h.lanes, h.lanes_open::int AS lanes_open,
    coalesce(l.swabs_15, 0) AS swabs_15, coalesce(l.swabs_60, 0) AS swabs_60, t.last_at,
    greatest(c.whole_at, c.lane_at) AS counted_at,
    CASE WHEN c.whole_at >= c.lane_at OR c.lane_at IS NULL THEN c.whole ELSE c.lanes END AS waiting,
    CASE WHEN c.whole_at >= c.lane_at OR c.lane_at IS NULL THEN c.whole_minutes
        ELSE c.lane_minutes END AS wait_minutes
FROM here h
LEFT JOIN registry.area a ON a.area = h.area
LEFT JOIN lately l ON l.site = h.site
LEFT JOIN counted c ON c.site = h.site
LEFT JOIN last t ON t.site = h.site
ORDER BY h.code;

-- name: ages
-- Sealed tubes that no laboratory has yet, of the sites of an area, by the age they have at a moment, and
-- how many are over the limit of age that held when they were sealed.
SELECT least(floor(extract(epoch FROM %(at)s - w.sealed_at) / 3600), 5)::int AS hours, count(*)::int AS tubes,
    (count(*) FILTER (WHERE w.sealed_at + make_interval(mins => coalesce((
        SELECT p.value FROM registry.policy p
        WHERE p.name = 'tube_age_minutes' AND p.since <= w.sealed_at AND p.area IS NULL
        ORDER BY p.since DESC, p.policy DESC LIMIT 1), %(age)s)) < %(at)s))::int AS over,
    min(w.sealed_at) AS oldest_at
FROM custody.awaited w
WHERE w.sealed_at BETWEEN %(at)s::timestamptz - make_interval(hours => %(hours)s) AND %(at)s
    AND w.round = %(round)s AND (%(whole)s OR w.site = ANY (ARRAY(
        SELECT s.site FROM sampling.site s JOIN registry.span b ON b.area = s.area
        WHERE b.lo BETWEEN %(lo)s AND %(hi)s)))
GROUP BY 1 ORDER BY 1;

-- name: labs
-- What each laboratory has to do, by what is to be done next, and what it released in the last hour: of
-- the tubes of an area's sites, or of all.
WITH work AS (
    SELECT s.lab, s.next, count(*)::int AS tubes, min(s.received_at) AS oldest_at FROM lab.sample s
    WHERE s.next <> 'done' AND (%(whole)s OR s.site = ANY (ARRAY(
        SELECT x.site FROM sampling.site x JOIN registry.span b ON b.area = x.area
        WHERE b.lo BETWEEN %(lo)s AND %(hi)s)))
    GROUP BY s.lab, s.next
), given AS (
    SELECT l.lab, count(*)::int AS tubes FROM lab.lab l
    JOIN lab.sample s ON s.lab = l.lab AND s.released_at > %(at)s::timestamptz - interval '1 hour'
        AND s.released_at <= %(at)s
    WHERE %(whole)s OR s.site = ANY (ARRAY(
        SELECT x.site FROM sampling.site x JOIN registry.span b ON b.area = x.area
        WHERE b.lo BETWEEN %(lo)s AND %(hi)s))
    GROUP BY l.lab
)
SELECT l.lab, l.name, l.kind, l.capacity_per_hour,
    coalesce((SELECT jsonb_object_agg(w.next, w.tubes) FROM work w WHERE w.lab = l.lab), '{}') AS next,
    coalesce((SELECT sum(w.tubes) FROM work w WHERE w.lab = l.lab), 0)::int AS open,
    (SELECT min(w.oldest_at) FROM work w WHERE w.lab = l.lab) AS oldest_at,
    coalesce((SELECT g.tubes FROM given g WHERE g.lab = l.lab), 0) AS released_hour
FROM lab.lab l
WHERE %(whole)s OR EXISTS (SELECT FROM work w WHERE w.lab = l.lab)
    OR EXISTS (SELECT FROM given g WHERE g.lab = l.lab)
ORDER BY l.lab, l.id;

-- name: briefings
-- Figures reported of late, latest first.
SELECT b.briefing, b.as_of, b.source, b.rounded_to, b.total, b.parts, b.reported_at, b.reported_by
FROM coverage.briefing b
WHERE %(since)s::timestamptz IS NULL OR b.reported_at > %(since)s
ORDER BY b.as_of DESC, b.briefing LIMIT %(limit)s;

-- name: moved
-- Changes whenever anything that is shown may have changed.
SELECT (SELECT last_seq FROM ledger.batch ORDER BY id DESC LIMIT 1) AS head,
    sum(f.seq)::bigint AS followed FROM ledger.follower f;

-- name: round
SELECT round, name, areas, starts_at, ends_at, closed_at FROM sampling.round WHERE round = %(round)s;
