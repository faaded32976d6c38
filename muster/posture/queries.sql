-- name: areas
-- An area and what lies under it down to grids, each with the line of areas above it.
WITH RECURSIVE down AS (
    SELECT a.area, a.code, a.level, ARRAY[a.area] AS line FROM registry.area a WHERE a.area = %(top)s
    UNION ALL
    SELECT a.area, a.code, a.level, d.line || a.area
    FROM down d JOIN registry.area a ON a.parent = d.area
    WHERE a.level <> 'building' AND a.area <> ALL (d.line) AND cardinality(d.line) < 20)
SELECT area, code, level, line FROM down ORDER BY code, area;

-- name: logins
-- Which of these logins are accounts in force.
SELECT a.login FROM access.account a
WHERE a.login = ANY (%(logins)s::text[]) AND a.closed_at IS NULL AND a.starts_at <= %(at)s
    AND (a.ends_at IS NULL OR a.ends_at > %(at)s);

-- name: template
SELECT template, edition, code, name, name_en, groups, kept_by, kept_at
FROM posture.template WHERE code = %(code)s;

-- name: standing
-- The command post that stands in an area.
SELECT c.command, c.template, c.edition, c.area, c.raising, c.raised_by, c.raised_at FROM posture.command c
WHERE c.area = %(area)s AND c.stood_down_at IS NULL ORDER BY c.raised_at, c.command LIMIT 1;

-- name: raised_before
SELECT count(*)::int AS times FROM posture.command c WHERE c.area = %(area)s;

-- name: groups
-- A command post's groups, with their tasks: how many are open and done.
SELECT w.working_group, w.place, w.code, w.name, w.name_en, p.code AS parent_code, w.parent, a.code AS area_code,
    a.name AS area_name, w.lead, w.deputy, k.open, k.done
FROM posture.working_group w
LEFT JOIN posture.working_group p ON p.command = w.command AND p.working_group = w.parent
LEFT JOIN registry.area a ON a.area = w.area
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE k.state IN ('issued', 'acknowledged'))::int AS open,
        count(*) FILTER (WHERE k.state = 'done')::int AS done
    FROM posture.opening o JOIN hq.task k ON k.about = o.opening AND k.kind = 'command'
    WHERE o.command = w.command AND o.working_group = w.working_group) k
WHERE w.command = %(command)s AND w.place > %(after)s
ORDER BY w.place LIMIT %(limit)s;

-- name: known_areas
SELECT a.code FROM registry.area a WHERE a.code = ANY (%(codes)s::text[]);

-- name: named_groups
SELECT w.working_group FROM posture.working_group w LEFT JOIN registry.area a ON a.area = w.area
WHERE w.command = %(command)s AND w.code = %(code)s AND (%(place)s::text IS NULL OR a.code = %(place)s)
ORDER BY w.place LIMIT 2;
