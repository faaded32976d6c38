-- What residents' own pages ask, by Muster's own hand: of the catalogue, which is no secret, and of one
-- person after they were known again.

-- name: site
SELECT s.site, s.code, s.name, s.area, s.open, a.name AS area_name
FROM sampling.site s LEFT JOIN registry.area a ON a.area = s.area
WHERE s.code = %(code)s ORDER BY s.site LIMIT 1;

-- name: buildings
-- Buildings near a place: of the first area above it that is more than a compound or grid.
WITH top AS (
    SELECT up.lo, up.hi
    FROM registry.span here
    JOIN registry.span up ON up.area = ANY (here.line)
    JOIN registry.area u ON u.area = up.area
    WHERE here.area = %(area)s AND u.level NOT IN ('compound', 'grid', 'building')
    ORDER BY up.depth DESC LIMIT 1)
SELECT b.area AS building, a.name, p.name AS above_name
FROM top
JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
JOIN registry.area a ON a.area = b.area AND a.level = 'building'
LEFT JOIN registry.area p ON p.area = a.parent
ORDER BY b.lo LIMIT %(limit)s;

-- name: bearers
-- Whose code this is, with what they are known again by. Two may share a code, though hardly ever.
SELECT c.resident, r.self_listed IS TRUE AS self_listed, i.birth_date, i.phone,
    coalesce(m.person, c.resident) AS person, w.self_listed IS TRUE AS merged_self,
    j.birth_date AS merged_birth_date, j.phone AS merged_phone
FROM registry.personal_code c
JOIN registry.resident r ON r.resident = c.resident
LEFT JOIN vault.identity i ON i.resident = c.resident
LEFT JOIN registry.alias m ON m.recorded = c.resident
LEFT JOIN registry.resident w ON w.resident = m.person
LEFT JOIN vault.identity j ON j.resident = m.person
WHERE c.code = %(number)s AND (%(resident)s::uuid IS NULL OR c.resident = %(resident)s::uuid)
ORDER BY c.resident LIMIT 4;

-- name: shown
-- Who is shown to themselves: name and home of an id, or of whom it is merged into.
SELECT r.resident, i.name, r.building, a.name AS building_name
FROM registry.resident r
LEFT JOIN vault.identity i ON i.resident = r.resident
LEFT JOIN registry.area a ON a.area = r.building
WHERE r.resident = %(resident)s;

-- name: swabs
-- Where the swabs of a person were taken, and under which id.
SELECT s.tube, array_agg(s.recorded) AS recorded, min(x.name) AS site_name, min(d.name) AS round_name
FROM sampling.specimen s
JOIN sampling.tube t ON t.tube = s.tube
LEFT JOIN sampling.site x ON x.site = t.site
LEFT JOIN sampling.round d ON d.round = s.round
WHERE s.person = %(person)s AND s.tube = ANY (%(tubes)s::uuid[])
GROUP BY s.tube;

-- name: rounds
-- Rounds that reach a building and are open, or begin within a day.
SELECT r.round, r.name, r.starts_at, r.ends_at
FROM sampling.round r JOIN registry.span b ON b.area = %(building)s AND r.areas && b.line
WHERE r.closed_at IS NULL AND r.ends_at > %(at)s
    AND r.starts_at < %(at)s::timestamptz + interval '1 day'
ORDER BY r.ends_at, r.round LIMIT 5;

-- name: sites_near
-- Sites that work now near a place: in the first area above it that is more than a compound or grid; or
-- one site. With their queues as counted last, and what they took lately.
WITH top AS (
    SELECT up.lo, up.hi
    FROM registry.span here
    JOIN registry.span up ON up.area = ANY (here.line)
    JOIN registry.area u ON u.area = up.area
    WHERE here.area = %(area)s AND u.level NOT IN ('compound', 'grid', 'building')
    ORDER BY up.depth DESC LIMIT 1
), here AS MATERIALIZED (
    SELECT s.site, s.code, s.name, a.name AS area_name
    FROM top
    JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
    JOIN sampling.site s ON s.area = b.area
    LEFT JOIN registry.area a ON a.area = s.area
    WHERE s.open AND (%(site)s::uuid IS NULL OR s.site = %(site)s::uuid)
    ORDER BY b.lo, s.code LIMIT 12
)
SELECT h.site, h.code, h.name, h.area_name, q.counted_at, q.waiting, q.wait_minutes,
    coalesce(l.swabs_15, 0) AS swabs_15, coalesce(l.swabs_60, 0) AS swabs_60
FROM here h
LEFT JOIN LATERAL (
    SELECT max(c.at) AS counted_at,
        CASE WHEN max(c.at) FILTER (WHERE c.lane = 0) >= max(c.at) FILTER (WHERE c.lane > 0)
            OR max(c.at) FILTER (WHERE c.lane > 0) IS NULL
            THEN max(c.waiting) FILTER (WHERE c.lane = 0)
            ELSE sum(c.waiting) FILTER (WHERE c.lane > 0)::int END AS waiting,
        CASE WHEN max(c.at) FILTER (WHERE c.lane = 0) >= max(c.at) FILTER (WHERE c.lane > 0)
            OR max(c.at) FILTER (WHERE c.lane > 0) IS NULL
            THEN max(c.wait_minutes) FILTER (WHERE c.lane = 0)
            ELSE max(c.wait_minutes) FILTER (WHERE c.lane > 0) END AS wait_minutes
    FROM sampling.queue c
    WHERE c.site = h.site
        AND c.at BETWEEN %(at)s::timestamptz - make_interval(mins => %(queue_minutes)s) AND %(at)s
) q ON true
LEFT JOIN (
    SELECT p.site, sum(p.swabs) FILTER (
            WHERE p.at > %(at)s::timestamptz - interval '15 minutes')::int AS swabs_15,
        sum(p.swabs)::int AS swabs_60
    FROM coverage.progress p
    WHERE p.at > %(at)s::timestamptz - interval '1 hour' AND p.at <= %(at)s
    GROUP BY p.site) l ON l.site = h.site
ORDER BY q.waiting NULLS LAST, h.code;

-- name: home_requests
-- What somebody asked for at home, newest first: under one id, or of the person.
SELECT x.request, x.recorded, x.person, x.reason, x.asked_at, x.outcome, x.closed_at,
    x.outcome IS NULL AND NOT EXISTS (SELECT FROM sampling.specimen s
        WHERE s.person = x.person AND s.at > x.asked_at) AS open
FROM sampling.home_request x
WHERE (%(recorded)s::uuid IS NULL OR x.recorded = %(recorded)s::uuid)
    AND x.person = coalesce((SELECT a.person FROM registry.alias a WHERE a.recorded = %(person)s),
        %(person)s::uuid)
ORDER BY x.asked_at DESC, x.request;

-- name: home_list
-- Who waits to be swabbed at home, in the order of the walk: read through the caller's connection. Who
-- was swabbed since is done, whatever was said.
SELECT x.request, x.person, x.recorded, x.reason, x.asked_at, x.asked_by = 'self' AS by_self,
    i.name, i.phone, r.building, a.name AS building_name, r.room, b.lo AS place
FROM sampling.home_request x
JOIN registry.resident r ON r.resident = x.person
LEFT JOIN registry.area a ON a.area = r.building
LEFT JOIN registry.span b ON b.area = r.building
LEFT JOIN vault.identity i ON i.resident = x.person
WHERE x.outcome IS NULL
    AND NOT EXISTS (SELECT FROM sampling.specimen s WHERE s.person = x.person AND s.at > x.asked_at)
    AND (%(last)s::uuid IS NULL OR (coalesce(b.lo, 0), coalesce(r.room, ''), x.request)
        > (%(at)s::bigint, %(room)s::text, %(last)s::uuid))
    AND (%(lo)s::bigint IS NULL OR b.lo BETWEEN %(lo)s AND %(hi)s)
ORDER BY coalesce(b.lo, 0), coalesce(r.room, ''), x.request LIMIT %(limit)s;

-- name: home_request
SELECT x.request, x.recorded, x.person, x.outcome FROM sampling.home_request x
WHERE x.request = %(request)s;

-- name: span
SELECT lo, hi FROM registry.span WHERE area = %(area)s;

-- name: buildings_named
-- Buildings by code or whole name: the catalogue is no secret.
SELECT a.area, a.code, a.name FROM registry.area a
WHERE a.level = 'building' AND (a.code = ANY (%(texts)s::text[]) OR a.name = ANY (%(texts)s::text[]))
LIMIT 5000;

-- name: tubes_named
-- Which of some barcodes tubes bear already, of those one may see.
SELECT DISTINCT t.barcode FROM sampling.tube t WHERE t.barcode = ANY (%(barcodes)s::text[]);
