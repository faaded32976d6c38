-- What a map of a round shows: areas below one, with their figures and where they lie. Read by Muster's own
-- hand after the caller's reach was checked.

-- name: sizes
-- How many areas stand so many levels below an area.
SELECT s.depth - top.depth AS down, count(*)::int AS areas
FROM registry.span top JOIN registry.span s ON s.lo BETWEEN top.lo AND top.hi AND s.depth > top.depth
WHERE top.area = %(area)s GROUP BY 1 ORDER BY 1;

-- name: pieces
-- Areas down to a depth below an area, each with the sums of the buildings in it. Each building is added
-- to every area of its line that is asked for.
WITH top AS MATERIALIZED (SELECT * FROM registry.span WHERE area = %(area)s),
sums AS (
    SELECT l.area, sum(c.expected)::int AS expected, sum(c.sampled)::int AS sampled,
        sum(c.released)::int AS released, sum(c.missing)::int AS missing,
        sum(c.recall_open)::int AS recall_open
    FROM top
    JOIN registry.span b ON b.lo BETWEEN top.lo AND top.hi
    JOIN coverage.building c ON c.building = b.area AND c.round = %(round)s
    CROSS JOIN LATERAL unnest(b.line[top.depth + 1 : top.depth + 1 + %(down)s]) l (area)
    GROUP BY l.area
), closed AS (
    SELECT b.area, b.expected, b.sampled, b.released, b.missing, coalesce(b.recall_open, 0) AS recall_open
    FROM ledger.event e
    CROSS JOIN jsonb_to_recordset(e.body -> 'balance') AS b (area uuid, expected int, sampled int,
        released int, missing int, recall_open int)
    WHERE e.subject = %(round)s AND e.type = 'RoundClosed'
)
SELECT s.area, a.parent, a.code, a.name, a.level, coalesce(f.expected, c.expected, 0) AS expected,
    coalesce(f.sampled, c.sampled, 0) AS sampled, coalesce(f.released, c.released, 0) AS released,
    coalesce(f.missing, c.missing, 0) AS missing,
    coalesce(f.recall_open, c.recall_open, 0) AS recall_open,
    p.lon_micro, p.lat_micro, p.outline, coalesce(p.generated, false) AS generated,
    s.hi > s.lo AS divided
FROM top
JOIN registry.span s ON s.lo BETWEEN top.lo AND top.hi AND s.depth <= top.depth + %(down)s
JOIN registry.area a ON a.area = s.area
LEFT JOIN sums f ON f.area = s.area
LEFT JOIN closed c ON c.area = s.area
LEFT JOIN registry.place p ON p.area = s.area
ORDER BY s.lo;

-- name: site_places
-- Where the sites of an area stand.
SELECT s.site, p.lon_micro, p.lat_micro, p.generated
FROM sampling.place p
JOIN sampling.site s ON s.site = p.site
JOIN registry.span b ON b.area = s.area
WHERE b.lo BETWEEN %(lo)s AND %(hi)s;
