-- name: no_task
-- Who stands at a post without anything to do: their role does not say it and nobody told them, the site is
-- closed, or the place is not needed any more.
SELECT p.posting AS id, 'no_task' AS kind, CASE WHEN x.site IS NOT NULL AND NOT x.open THEN 'site_closed'
        WHEN d.count = 0 THEN 'not_needed' ELSE 'nothing_given' END AS why,
    d.area, a.name AS area_name, x.code AS site_code, x.name AS site_name, p.staff, i.name, p.role,
    p.arrived_at AS since
FROM workforce.posting p
JOIN workforce.demand d ON d.demand = p.demand
JOIN registry.span b ON b.area = d.area
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN vault.identity i ON i.resident = p.staff
WHERE p.state = 'arrived' AND %(area)s = ANY (b.line) AND p.posting > %(last)s
    AND (p.role = 'other' AND NOT EXISTS (SELECT FROM workforce.work w WHERE w.posting = p.posting)
        OR d.count = 0 OR x.site IS NOT NULL AND NOT x.open)
ORDER BY p.posting LIMIT %(limit)s;

-- name: grid_uncovered
-- Grids that nobody covers: no account holds a grid worker's role there or in the compound or community above,
-- and nobody stands there as a door worker.
SELECT g.area AS id, 'grid_uncovered' AS kind, 'nobody' AS why, g.area, g.name AS area_name
FROM registry.area g
JOIN registry.span b ON b.area = g.area
WHERE g.level = 'grid' AND %(area)s = ANY (b.line) AND g.area > %(last)s
    AND NOT EXISTS (
        SELECT FROM access.holding h
        JOIN access.account c ON c.account = h.account AND c.closed_at IS NULL
        JOIN registry.area o ON o.area = h.area AND o.level IN ('grid', 'compound', 'community')
        WHERE h.role = 'grid_worker' AND h.area = ANY (b.line) AND h.starts_at <= %(at)s
            AND (h.ends_at IS NULL OR h.ends_at > %(at)s) AND (c.ends_at IS NULL OR c.ends_at > %(at)s))
    AND NOT EXISTS (
        SELECT FROM workforce.demand d JOIN workforce.posting p ON p.demand = d.demand
        WHERE d.area = g.area AND p.role = 'door_worker' AND p.state = 'arrived')
ORDER BY g.area LIMIT %(limit)s;

-- name: no_police
-- Sites that work now without anybody of the police there.
SELECT x.site AS id, 'no_police' AS kind, 'nobody' AS why, x.area, a.name AS area_name, x.code AS site_code,
    x.name AS site_name
FROM sampling.site x
JOIN registry.span b ON b.area = x.area
LEFT JOIN registry.area a ON a.area = x.area
WHERE x.open AND %(area)s = ANY (b.line) AND x.site > %(last)s
    AND NOT EXISTS (
        SELECT FROM workforce.demand d JOIN workforce.posting p ON p.demand = d.demand
        WHERE d.site = x.site AND p.role = 'police' AND p.state = 'arrived')
ORDER BY x.site LIMIT %(limit)s;

-- name: no_chief
-- Sites that work now without a chief, a deputy, or somebody to relieve the chief: the gravest that is missing.
SELECT x.site AS id, 'no_chief' AS kind, CASE WHEN NOT 'chief' = ANY (l.parts) THEN 'chief'
        WHEN NOT 'deputy' = ANY (l.parts) THEN 'deputy' ELSE 'relief' END AS why,
    x.area, a.name AS area_name, x.code AS site_code, x.name AS site_name
FROM sampling.site x
JOIN registry.span b ON b.area = x.area
LEFT JOIN registry.area a ON a.area = x.area
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(l.part), '{}') AS parts FROM workforce.lead l WHERE l.place = x.site) l
WHERE x.open AND %(area)s = ANY (b.line) AND x.site > %(last)s AND cardinality(l.parts) < 3
ORDER BY x.site LIMIT %(limit)s;

-- name: no_owner
-- Areas with homes in them for which nobody answers at their level, and how many households.
SELECT o.area AS id, 'no_owner' AS kind, o.level AS why, o.area, o.name AS area_name, h.households
FROM registry.area o
JOIN registry.span b ON b.area = o.area
CROSS JOIN LATERAL (
    SELECT count(*)::int AS households FROM registry.span w
    JOIN registry.household d ON d.building = w.area
    WHERE w.lo BETWEEN b.lo AND b.hi) h
WHERE o.level IN ('street', 'community', 'compound', 'grid', 'building') AND %(area)s = ANY (b.line)
    AND o.area > %(last)s AND h.households > 0
    AND (%(level)s::text IS NULL OR o.level = %(level)s)
    AND NOT EXISTS (SELECT FROM workforce.owner w WHERE w.area = o.area)
ORDER BY o.area LIMIT %(limit)s;

-- name: owners_of
-- Who answers for the homes of a building, level by level from the top.
SELECT a.area, a.level, a.name AS area_name, o.staff, i.name, o.since
FROM registry.span b, unnest(b.line) WITH ORDINALITY AS l (area, n)
JOIN registry.area a ON a.area = l.area
LEFT JOIN workforce.owner o ON o.area = a.area
LEFT JOIN vault.identity i ON i.resident = o.staff
WHERE b.area = %(area)s AND a.level IN ('street', 'community', 'compound', 'grid', 'building') ORDER BY l.n;

-- name: leads
-- Who leads the places of an area.
SELECT l.place, l.part, l.staff, i.name, l.since, coalesce(x.name, a.name) AS place_name, x.code AS site_code
FROM workforce.lead l
LEFT JOIN sampling.site x ON x.site = l.place
JOIN registry.area a ON a.area = coalesce(x.area, l.place)
JOIN registry.span b ON b.area = a.area
LEFT JOIN vault.identity i ON i.resident = l.staff
WHERE %(area)s = ANY (b.line) AND (l.place, l.part) > (%(last)s, %(part)s)
ORDER BY l.place, l.part LIMIT %(limit)s;
