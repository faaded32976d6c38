-- name: homes
-- Grouped first: to count what is distinct would sort everybody.
SELECT coalesce(sum(h.people), 0)::int AS people, count(*)::int AS rooms FROM (
    SELECT count(*) AS people
    FROM registry.span top
    JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
    JOIN registry.resident r ON r.building = b.area
    WHERE top.area = %(area)s AND r.merged_into IS NULL AND r.state <> 'moved_away'
    GROUP BY r.building, r.room) h;

-- name: walk
-- Names last: they are asked for of those on the page only.
SELECT w.*, i.name FROM (
    SELECT b.lo AS place, coalesce(r.room, '') AS room, r.resident, r.building,
        a.name AS building_name, r.birth_year, r.sex
    FROM registry.span top
    JOIN registry.span b ON b.lo BETWEEN greatest(top.lo, %(place)s::bigint) AND top.hi
    JOIN registry.resident r ON r.building = b.area
    JOIN registry.area a ON a.area = b.area
    WHERE top.area = %(area)s AND r.merged_into IS NULL AND r.state <> 'moved_away'
        AND (%(place)s::bigint IS NULL
            OR (b.lo, coalesce(r.room, ''), r.resident) > (%(place)s, %(room)s, %(resident)s::uuid))
    ORDER BY b.lo, coalesce(r.room, ''), r.resident LIMIT %(limit)s) w
LEFT JOIN vault.identity i ON i.resident = w.resident
ORDER BY w.place, w.room, w.resident;

-- name: grids
-- The lowest grid above each building; else its parent.
SELECT DISTINCT ON (b.area) b.area AS building, g.area AS grid, g.name AS grid_name, p.name AS above_name
FROM registry.area b
JOIN registry.span s ON s.area = b.area
JOIN registry.span up ON up.area = ANY (s.line) AND up.area <> b.area
JOIN registry.area g ON g.area = up.area
LEFT JOIN registry.area p ON p.area = g.parent
WHERE b.area = ANY (%(buildings)s::uuid[])
ORDER BY b.area, g.level = 'grid' DESC, up.depth DESC;

-- name: people_of
-- A follower's table: a person of this second is there in the next.
SELECT c.code, r.resident, r.merged_into, r.building, a.name AS building_name,
    coalesce(r.room, '') AS room, r.birth_year, r.sex, r.state, i.name
FROM registry.personal_code c
LEFT JOIN registry.alias m ON m.recorded = c.resident
JOIN registry.resident r ON r.resident = coalesce(m.person, c.resident)
LEFT JOIN registry.area a ON a.area = r.building
LEFT JOIN vault.identity i ON i.resident = r.resident
WHERE c.code = ANY (%(numbers)s::bigint[]) OR c.resident = ANY (%(ids)s::uuid[]) ORDER BY c.code, r.resident;

-- name: sites
SELECT s.site, s.code, s.name, s.area, a.name AS area_name, p.name AS above_name
FROM sampling.site s
LEFT JOIN registry.area a ON a.area = s.area
LEFT JOIN registry.area p ON p.area = a.parent
LEFT JOIN registry.span w ON w.area = s.area
LEFT JOIN registry.span top ON top.area = %(area)s::uuid
WHERE (%(site)s::text IS NULL OR s.code = %(site)s OR s.site::text = %(site)s)
    AND (%(area)s::uuid IS NULL OR w.lo BETWEEN top.lo AND top.hi)
ORDER BY s.code LIMIT 300;
