-- name: team
-- A team by its id or its code; one that is dissolved by its id only.
SELECT t.*, a.name AS area_name, (SELECT count(*)::int FROM teams.member m WHERE m.team = t.team) AS people
FROM teams.team t LEFT JOIN registry.area a ON a.area = t.area
WHERE t.team::text = %(text)s OR t.code = %(text)s AND NOT t.dissolved
ORDER BY t.team::text = %(text)s DESC, t.team LIMIT 2;

-- name: teams
-- Teams by code: all, of an area and what lies under it, of a kind, of an aid.
SELECT t.team, t.code, t.name, t.kind, t.area, a.name AS area_name, t.marking, t.badge, t.lodging, t.vehicle,
    t.parent, t.aid, t.wave, t.dissolved,
    (SELECT count(*)::int FROM teams.member m WHERE m.team = t.team) AS people
FROM teams.team t
LEFT JOIN registry.area a ON a.area = t.area
LEFT JOIN registry.span b ON b.area = t.area
WHERE (%(area)s::uuid IS NULL OR %(area)s = ANY (b.line)) AND (%(kind)s::text IS NULL OR t.kind = %(kind)s)
    AND (%(aid)s::uuid IS NULL OR t.aid = %(aid)s) AND (%(dissolved)s OR NOT t.dissolved)
    AND (t.code, t.team) > (%(code)s, %(last)s::uuid)
ORDER BY t.code, t.team LIMIT %(limit)s;

-- name: members
-- Who works in a team, its leader and deputy first.
SELECT m.staff, i.name, u.name AS unit_name, s.skills, m.joined_at, x.part, l.lodging, l.meals, l.at_home
FROM teams.member m
JOIN teams.team t ON t.team = m.team
CROSS JOIN LATERAL (SELECT CASE m.staff WHEN t.leader THEN 'leader' WHEN t.deputy THEN 'deputy' ELSE 'member' END
    AS part, CASE m.staff WHEN t.leader THEN 0 WHEN t.deputy THEN 1 ELSE 2 END AS place) x
LEFT JOIN workforce.staff s ON s.staff = m.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN vault.identity i ON i.resident = m.staff
LEFT JOIN teams.lodging l ON l.staff = m.staff
WHERE m.team = %(team)s AND (x.place, m.staff) > (%(place)s, %(last)s::uuid)
ORDER BY x.place, m.staff LIMIT %(limit)s;

-- name: member_ids
SELECT staff FROM teams.member WHERE team = ANY (%(teams)s::uuid[]) ORDER BY staff;

-- name: featured
-- What of a team's people is counted.
SELECT u.kind AS unit_kind, s.sex, s.birth_year, s.skills, s.tags
FROM teams.member m JOIN workforce.staff s ON s.staff = m.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
WHERE m.team = %(team)s;

-- name: workers
-- What of people counts for a group, and where their unit stands.
SELECT s.staff, s.unit, s.skills, s.sex, u.area FROM workforce.staff s
JOIN registry.unit u ON u.unit = s.unit
WHERE s.staff = ANY (%(staff)s::uuid[]) ORDER BY s.staff;

-- name: of_unit
SELECT staff FROM workforce.staff WHERE %(unit)s = ANY (units) ORDER BY staff;

-- name: arrived_of
-- Who stands, or stood, where a call-up sent them.
SELECT DISTINCT p.staff FROM workforce.posting p
JOIN workforce.call_up c ON p.demand = ANY (c.demands)
WHERE c.call_up = %(call_up)s AND p.state IN ('arrived', 'left') ORDER BY p.staff;

-- name: areas_of_demands
SELECT DISTINCT area FROM workforce.demand WHERE demand = ANY (%(demands)s::uuid[]);

-- name: aid
-- An aid by its id or its name.
SELECT a.*, h.name AS host_name FROM teams.aid a LEFT JOIN registry.area h ON h.area = a.host
WHERE a.aid::text = %(text)s OR a.name = %(text)s ORDER BY a.aid::text = %(text)s DESC, a.starts_at DESC LIMIT 1;

-- name: aids
-- Aids with their sums, the latest first.
SELECT a.aid, a.name, a.sender, a.kind, a.host, h.name AS host_name, a.starts_at, a.ends_at, a.released_at,
    (SELECT coalesce(sum(w.count), 0)::int FROM teams.wave w WHERE w.aid = a.aid) AS sent,
    (SELECT coalesce(sum(w.arrived), 0)::int FROM teams.wave w WHERE w.aid = a.aid) AS arrived
FROM teams.aid a LEFT JOIN registry.area h ON h.area = a.host
WHERE %(after)s::timestamptz IS NULL OR (a.starts_at, a.aid) < (%(after)s, %(last)s::uuid)
ORDER BY a.starts_at DESC, a.aid DESC LIMIT %(limit)s;

-- name: waves
SELECT w.wave, w.number, w.leaves_at, w.arrives_by, w.count, w.arrived_at, w.arrived, w.confirmed_by, w.released_at
FROM teams.wave w WHERE w.aid = %(aid)s ORDER BY w.number, w.wave;

-- name: wave
SELECT w.*, a.host FROM teams.wave w JOIN teams.aid a ON a.aid = w.aid WHERE w.wave = %(wave)s;

-- name: sent
-- The people of an aid, or of one of its waves: in its teams; whether their wave is here, and when it, or all,
-- was released. What they carried along, where they sleep.
SELECT DISTINCT ON (m.staff) m.staff, t.team, t.code AS team_code, t.wave, w.arrived_at,
    t.wave IS NULL OR w.arrived_at IS NOT NULL AS here, least(w.released_at, a.released_at) AS released_at,
    c.days, c.up_to, coalesce(b.line, '{}') AS line
FROM teams.team t
JOIN teams.aid a ON a.aid = t.aid
JOIN teams.member m ON m.team = t.team
LEFT JOIN teams.wave w ON w.wave = t.wave
LEFT JOIN teams.carried c ON c.staff = m.staff
LEFT JOIN teams.lodging l ON l.staff = m.staff
LEFT JOIN registry.span b ON b.area = l.area
WHERE t.aid = %(aid)s AND NOT t.dissolved AND (%(wave)s::uuid IS NULL OR t.wave = %(wave)s)
ORDER BY m.staff, t.code;

-- name: spots
-- The places of a level under an area, with how many live there: as listed, or else as declared last.
SELECT p.area, p.code, p.name, s.line, coalesce(nullif(n.people, 0), d.people, 0) AS size
FROM registry.span top
JOIN registry.span s ON s.lo BETWEEN top.lo AND top.hi
JOIN registry.area p ON p.area = s.area
LEFT JOIN LATERAL (
    SELECT count(*)::int AS people FROM registry.span b JOIN registry.resident r ON r.building = b.area
    WHERE b.lo BETWEEN s.lo AND s.hi AND r.merged_into IS NULL AND r.state <> 'moved_away') n ON true
LEFT JOIN LATERAL (
    SELECT d.people FROM registry.denominator d WHERE d.area = p.area
    ORDER BY d."on" DESC, d.event DESC LIMIT 1) d ON true
WHERE top.area = %(area)s AND p.level = %(level)s ORDER BY s.lo LIMIT %(most)s;

-- name: shifts
-- When people stand somewhere, in a time.
SELECT staff, least(starts_at, coalesce(arrived_at, starts_at)) AS starts_at, coalesce(left_at, ends_at) AS ends_at
FROM workforce.posting
WHERE staff = ANY (%(staff)s::uuid[]) AND state <> 'withdrawn'
    AND starts_at < %(until)s AND coalesce(left_at, ends_at) > %(since)s;

-- name: standing
-- What of people a post asks about, on a day, and on which days they stood somewhere.
SELECT s.staff, s.birth_year, s.fit,
    ARRAY(SELECT g.role FROM workforce.training g WHERE g.staff = s.staff AND g."on" <= %(at)s::date
        AND (g.until IS NULL OR g.until >= %(at)s::date)) AS trained,
    EXISTS (SELECT FROM workforce.incident n
        WHERE n.staff = s.staff AND (n.clear_from IS NULL OR n.clear_from > %(at)s)) AS hurt,
    EXISTS (SELECT FROM workforce.hardship h WHERE h.staff = s.staff)
        OR EXISTS (SELECT FROM workforce.away y WHERE y.staff = s.staff
            AND y.starts_at < %(until)s AND y.ends_at > %(at)s) AS away,
    ARRAY(SELECT DISTINCT (p.arrived_at AT TIME ZONE %(zone)s)::date FROM workforce.posting p
        WHERE p.staff = s.staff AND p.arrived_at > %(since)s) AS days
FROM workforce.staff s WHERE s.staff = ANY (%(staff)s::uuid[]);

-- name: placed
-- How many already have a place at these demands.
SELECT d.demand, (SELECT count(*)::int FROM workforce.posting p
    WHERE p.demand = d.demand AND p.state <> 'withdrawn') AS placed
FROM workforce.demand d WHERE d.demand = ANY (%(demands)s::uuid[]);

-- name: waiting
-- Places of people that begin after a time, which nobody has come to yet.
SELECT posting FROM workforce.posting
WHERE staff = ANY (%(staff)s::uuid[]) AND state = 'posted' AND starts_at >= %(at)s ORDER BY posting;

-- name: posts
-- Who of an aid stands where and when.
SELECT p.posting, p.staff, i.name, u.name AS unit_name, t.code AS team_code, d.area, a.name AS area_name,
    x.name AS site_name, p.role, p.starts_at, p.ends_at, p.state, p.arrived_at, p.left_at
FROM teams.team t
JOIN teams.member m ON m.team = t.team
JOIN workforce.posting p ON p.staff = m.staff
JOIN workforce.demand d ON d.demand = p.demand
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN workforce.staff s ON s.staff = m.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN vault.identity i ON i.resident = m.staff
WHERE t.aid = %(aid)s AND p.state <> 'withdrawn' AND (p.starts_at, p.posting) > (%(after)s, %(last)s::uuid)
ORDER BY p.starts_at, p.posting LIMIT %(limit)s;

-- name: roster
-- Who has a place under an area, in a time, place by place.
SELECT d.demand, coalesce(x.name, a.name) AS place_name, d.role, p.starts_at, p.ends_at, p.staff, i.name,
    u.name AS unit_name, p.state
FROM workforce.demand d
JOIN registry.span b ON b.area = d.area
JOIN workforce.posting p ON p.demand = d.demand AND p.state <> 'withdrawn'
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN workforce.staff s ON s.staff = p.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN vault.identity i ON i.resident = p.staff
WHERE %(area)s = ANY (b.line) AND p.starts_at < %(until)s AND p.ends_at > %(at)s
ORDER BY b.lo, place_name, p.starts_at, d.role, d.demand, p.staff LIMIT %(limit)s;

-- name: served
-- What people of a team did in a time: posts, days, minutes. Whose shift is over and who did not sign off left at
-- its end.
SELECT m.staff, i.name, u.name AS unit_name, n.posts, n.days, n.minutes
FROM teams.member m
LEFT JOIN workforce.staff s ON s.staff = m.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN vault.identity i ON i.resident = m.staff
CROSS JOIN LATERAL (
    SELECT count(*)::int AS posts, count(DISTINCT (p.arrived_at AT TIME ZONE %(zone)s)::date)::int AS days,
        coalesce(sum(extract(epoch FROM greatest(
            least(coalesce(p.left_at, p.ends_at), %(until)s) - p.arrived_at, interval '0'))), 0)::bigint / 60 AS minutes
    FROM workforce.posting p
    WHERE p.staff = m.staff AND p.state IN ('arrived', 'left')
        AND p.arrived_at >= %(since)s AND p.arrived_at < %(until)s) n
WHERE m.team = ANY (%(teams)s::uuid[]) ORDER BY m.staff LIMIT %(limit)s;

-- name: badge
-- Whose badge it is.
SELECT s.staff, i.name, u.name AS unit_name,
    ARRAY(SELECT t.code FROM teams.member m JOIN teams.team t ON t.team = m.team
        WHERE m.staff = s.staff ORDER BY t.code) AS teams
FROM workforce.staff s
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN vault.identity i ON i.resident = s.staff
WHERE s.staff = %(staff)s;

-- name: staff_areas
-- Where the units stand that list people.
SELECT s.staff, u.area FROM workforce.staff s JOIN registry.unit u ON u.unit = s.unit
WHERE s.staff = ANY (%(staff)s::uuid[]);

-- name: names
SELECT resident AS staff, name FROM vault.identity WHERE resident = ANY (%(staff)s::uuid[]);
