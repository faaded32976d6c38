-- name: standing
-- A place somebody has: how it stands, what they asked, whether they rest.
SELECT p.posting, p.staff, p.demand, p.role, p.state, p.starts_at, p.ends_at, p.arrived_at, d.area, d.site,
    d.skill, d.proven, coalesce(x.name, a.name) AS place_name, r.event AS relief, r.demand AS relief_demand,
    (SELECT t.event FROM workforce.rest t WHERE t.posting = p.posting AND t.ended_at IS NULL LIMIT 1) AS break,
    (SELECT count(*)::int FROM ledger.event e
        WHERE e.subject = p.posting AND e.type IN ('ReliefRequested', 'IncidentRecorded')) AS requests
FROM workforce.posting p
JOIN workforce.demand d ON d.demand = p.demand
LEFT JOIN workforce.relief r ON r.posting = p.posting
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
WHERE p.posting = %(posting)s;

-- name: not_come_yet
-- Who has a place at a demand and has not come.
SELECT posting FROM workforce.posting WHERE demand = %(demand)s AND state = 'posted' ORDER BY posting;

-- name: places_ahead
-- Where somebody is to stand, up to a time, and has not come yet.
SELECT posting FROM workforce.posting
WHERE staff = %(staff)s AND state = 'posted' AND starts_at < %(until)s AND ends_at > %(at)s ORDER BY posting;

-- name: at_posts
-- Everybody who stands somewhere, in an area, with all their stints of the last days and the breaks in them; and
-- how hot it was there last. Whose shift ended a day ago has forgotten to sign off.
SELECT s.posting AS standing, s.staff, s.role, s.demand, s.arrived_at, s.ends_at AS until, d.area,
    a.name AS area_name, d.site, x.code AS site_code, x.name AS site_name, v.event IS NOT NULL AS wants_relief,
    p.posting, p.role AS stint_role, p.arrived_at AS stint_at, p.left_at AS stint_end,
    ARRAY(SELECT t.began_at FROM workforce.rest t WHERE t.posting = p.posting ORDER BY t.began_at) AS began,
    ARRAY(SELECT coalesce(t.ended_at, p.left_at) FROM workforce.rest t
        WHERE t.posting = p.posting ORDER BY t.began_at) AS ended, h.decidegrees,
    ARRAY(SELECT y."limit" FROM workforce.passed y WHERE y.posting = s.posting) AS noted,
    (SELECT y.passed_at FROM workforce.passed y
        WHERE y.posting = s.posting AND y."limit" = 'suit') AS suit_noted_at
FROM workforce.posting s
JOIN workforce.demand d ON d.demand = s.demand
LEFT JOIN registry.span b ON b.area = d.area
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN workforce.relief v ON v.posting = s.posting
LEFT JOIN LATERAL (
    SELECT h.decidegrees FROM unnest(b.line) WITH ORDINALITY AS l (area, n)
    JOIN workforce.heat h ON h.area = l.area AND h.read_at > %(hot_since)s
    ORDER BY l.n DESC LIMIT 1) h ON true
JOIN workforce.posting p ON p.staff = s.staff AND p.state IN ('arrived', 'left') AND p.starts_at > %(since)s
WHERE s.state = 'arrived' AND s.starts_at > %(since)s AND s.ends_at > %(at)s - interval '1 day'
    AND (%(area)s::uuid IS NULL OR %(area)s = ANY (b.line))
ORDER BY s.posting, p.arrived_at;

-- name: days
-- On which days people stood somewhere.
SELECT staff, array_agg(DISTINCT (arrived_at AT TIME ZONE %(zone)s)::date) AS days
FROM workforce.posting
WHERE staff = ANY (%(staff)s::uuid[]) AND arrived_at > %(since)s GROUP BY staff;

-- name: names
SELECT s.staff, i.name, u.name AS unit_name
FROM workforce.staff s
LEFT JOIN vault.identity i ON i.resident = s.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
WHERE s.staff = ANY (%(staff)s::uuid[]);

-- name: incidents
-- What befell people at posts, who is not cleared yet first.
SELECT n.incident, n.staff, i.name, u.name AS unit_name, n.kind, n.happened_at, n.recorded_by, n.posting, d.area,
    a.name AS area_name, x.name AS site_name, n.clear_from, n.cleared_by,
    n.clear_from IS NOT NULL AS cleared
FROM workforce.incident n
LEFT JOIN workforce.posting p ON p.posting = n.posting
LEFT JOIN workforce.demand d ON d.demand = p.demand
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN workforce.staff s ON s.staff = n.staff
LEFT JOIN vault.identity i ON i.resident = n.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
WHERE (NOT %(open)s OR n.clear_from IS NULL) AND (n.happened_at, n.incident) < (%(before)s, %(last)s::uuid)
ORDER BY n.happened_at DESC, n.incident DESC LIMIT %(limit)s;

-- name: incident
SELECT n.incident, n.staff, n.kind, n.clear_from, d.area, u.area AS unit_area
FROM workforce.incident n
LEFT JOIN workforce.posting p ON p.posting = n.posting
LEFT JOIN workforce.demand d ON d.demand = p.demand
LEFT JOIN workforce.staff s ON s.staff = n.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
WHERE n.incident = %(incident)s;

-- name: handover
-- A post's handing over: by whom, to whom, how long both stood there, and the event whose note says what is left.
SELECT h.posting, h.to_posting, h.open_matters, h.event, h.handed_over_at, d.area, a.name AS area_name,
    x.name AS site_name, p.role, p.staff, i.name, t.staff AS to_staff, j.name AS to_name, t.arrived_at AS to_arrived_at,
    p.left_at
FROM workforce.handover h
JOIN workforce.posting p ON p.posting = h.posting
LEFT JOIN workforce.posting t ON t.posting = h.to_posting
JOIN workforce.demand d ON d.demand = p.demand
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN vault.identity i ON i.resident = p.staff
LEFT JOIN vault.identity j ON j.resident = t.staff
WHERE h.posting = %(posting)s OR h.to_posting = %(posting)s
ORDER BY h.posting = %(posting)s DESC, h.handed_over_at DESC LIMIT 1;

-- name: note
SELECT sealed FROM vault.note WHERE event = %(event)s;

-- name: heat
-- How hot it was last in an area or above it, the nearest.
SELECT h.area, a.name AS area_name, h.decidegrees, h.read_at
FROM registry.span b, unnest(b.line) WITH ORDINALITY AS l (area, n)
JOIN workforce.heat h ON h.area = l.area AND h.read_at > %(since)s
JOIN registry.area a ON a.area = h.area
WHERE b.area = %(area)s ORDER BY l.n DESC LIMIT 1;
