-- name: staff (key: staff; touched: staff; index: unit)
-- Each person once, whichever units list them: of the unit that listed them first, with all skills and tags.
SELECT l.staff,
    (array_agg(l.unit ORDER BY l.first_at, l.unit))[1] AS unit,
    array_agg(l.unit ORDER BY l.unit) AS units,
    ARRAY(SELECT DISTINCT s FROM unnest(array_agg(l.skills)) x, jsonb_array_elements_text(x) s ORDER BY s) AS skills,
    ARRAY(SELECT DISTINCT s FROM unnest(array_agg(l.tags)) x, jsonb_array_elements_text(x) s ORDER BY s) AS tags,
    (array_agg(l.home ORDER BY l.at DESC, l.id DESC) FILTER (WHERE l.home IS NOT NULL))[1] AS home,
    (array_agg(l.birth_year ORDER BY l.at DESC, l.id DESC) FILTER (WHERE l.birth_year IS NOT NULL))[1] AS birth_year,
    (array_agg(l.sex ORDER BY l.at DESC, l.id DESC) FILTER (WHERE l.sex IS NOT NULL))[1] AS sex,
    bool_and(l.fit) AS fit
FROM (
    SELECT DISTINCT ON (e.subject, e.body ->> 'unit') e.subject AS staff, (e.body ->> 'unit')::uuid AS unit,
        e.type, e.at, e.id, min(e.at) OVER (PARTITION BY e.subject, e.body ->> 'unit') AS first_at,
        coalesce(e.body -> 'skills', '[]') AS skills, coalesce(e.body -> 'tags', '[]') AS tags,
        (e.body ->> 'home')::uuid AS home, (e.body ->> 'birth_year')::int AS birth_year, e.body ->> 'sex' AS sex,
        coalesce((e.body ->> 'fit')::boolean, true) AS fit
    FROM ledger.event e
    WHERE e.type IN ('StaffListed', 'StaffDelisted') AND e.body IS NOT NULL
    ORDER BY e.subject, e.body ->> 'unit', e.at DESC, e.id DESC) l
WHERE l.type = 'StaffListed'
GROUP BY l.staff;

-- name: staff_seen (for: staff)
-- Who leads the area where the unit stands.
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM registry.unit u
    WHERE u.unit = staff.unit AND access.sees_building(u.area, 'people_areas'))

-- name: training (key: staff; touched: staff)
-- The last training passed for each role.
SELECT DISTINCT ON (e.subject, e.body ->> 'role') e.subject AS staff, e.body ->> 'role' AS role,
    (e.body ->> 'on')::date AS "on", (e.body ->> 'until')::date AS until
FROM ledger.event e
WHERE e.type = 'TrainingPassed' AND e.body IS NOT NULL
ORDER BY e.subject, e.body ->> 'role', (e.body ->> 'on')::date DESC, e.at DESC, e.id DESC;

-- name: training_seen (for: training)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = training.staff)

-- name: away (key: staff; touched: staff)
-- When somebody cannot be called up.
SELECT e.subject AS staff, e.id AS event, (e.body ->> 'starts_at')::timestamptz AS starts_at,
    (e.body ->> 'ends_at')::timestamptz AS ends_at
FROM ledger.event e
WHERE e.type = 'StaffAway' AND e.body IS NOT NULL
    AND NOT EXISTS (SELECT FROM ledger.event b
        WHERE b.subject = e.subject AND b.type = 'StaffBack' AND b.cause = e.id);

-- name: away_seen (for: away)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = away.staff)

-- name: hardship (key: staff; touched: staff)
-- Who is not to be called up for reasons of their own: for few to see.
SELECT l.staff, l.event, l.since FROM (
    SELECT DISTINCT ON (e.subject) e.subject AS staff, e.id AS event, e.at AS since,
        coalesce((e.body ->> 'lifted')::boolean, false) AS lifted
    FROM ledger.event e
    WHERE e.type = 'HardshipFlagged' AND e.body IS NOT NULL
    ORDER BY e.subject, e.at DESC, e.id DESC) l
WHERE NOT l.lifted;

-- name: hardship_seen (for: hardship)
(SELECT access.yes('everyone'))

-- name: demand (key: demand; touched: demand; index: area; index: starts_at)
-- What each place needs, as said last.
SELECT DISTINCT ON (e.subject) e.subject AS demand, (e.body ->> 'area')::uuid AS area,
    (e.body ->> 'site')::uuid AS site, e.body ->> 'role' AS role, (e.body ->> 'count')::int AS count,
    (e.body ->> 'starts_at')::timestamptz AS starts_at, (e.body ->> 'ends_at')::timestamptz AS ends_at,
    coalesce((e.body ->> 'arrive_by')::timestamptz, (e.body ->> 'starts_at')::timestamptz) AS arrive_by,
    e.body ->> 'skill' AS skill, coalesce((e.body ->> 'proven')::boolean, false) AS proven, e.actor AS raised_by, e.at AS raised_at
FROM ledger.event e
WHERE e.type = 'DemandRaised' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: demand_seen (for: demand)
(SELECT access.yes('figures')) OR access.sees_building(area, 'figure_areas')

-- name: call_up (key: call_up; touched: call_up; index: opened_at)
-- Each call-up, and since when nobody else is asked.
SELECT DISTINCT ON (e.subject) e.subject AS call_up, e.id AS opening, e.body ->> 'name' AS name,
    ARRAY(SELECT d::uuid FROM jsonb_array_elements_text(e.body -> 'demands') d) AS demands,
    (e.body ->> 'answer_minutes')::int AS answer_minutes,
    ARRAY(SELECT u::uuid FROM jsonb_array_elements_text(e.body -> 'units') u) AS units,
    ARRAY(SELECT a::uuid FROM jsonb_array_elements_text(e.body -> 'areas') a) AS areas,
    e.at AS opened_at, e.actor AS opened_by, c.at AS closed_at, c.why AS closed_why
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT f.at, f.body ->> 'why' AS why FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'CallUpClosed' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) c ON true
WHERE e.type = 'CallUpOpened' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: call_up_seen (for: call_up)
-- Whoever sees one of its demands.
(SELECT access.yes('figures')) OR EXISTS (SELECT FROM workforce.demand d WHERE d.demand = ANY (call_up.demands))

-- name: summons (key: summons; touched: summons; index: call_up; index: demand; index: staff)
-- Each person asked, and what they said last.
SELECT DISTINCT ON (e.subject) e.subject AS summons, e.id AS asking, (e.body ->> 'call_up')::uuid AS call_up,
    (e.body ->> 'demand')::uuid AS demand, (e.body ->> 'staff')::uuid AS staff, (e.body ->> 'wave')::int AS wave,
    e.at AS called_at, (e.body ->> 'answer_by')::timestamptz AS answer_by,
    CASE WHEN a.answer IS NOT NULL THEN a.answer WHEN w.at IS NOT NULL THEN 'withdrawn' ELSE 'called' END AS state,
    a.at AS answered_at, a.how
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT f.at, f.body ->> 'answer' AS answer, f.body ->> 'how' AS how FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'CallAnswered' AND f.body IS NOT NULL
    ORDER BY f.at DESC, f.id DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT f.at FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'SummonsWithdrawn' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) w ON true
WHERE e.type = 'StaffCalledUp' AND e.body IS NOT NULL
ORDER BY e.subject, e.at, e.id;

-- name: summons_seen (for: summons)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = summons.staff)
OR EXISTS (SELECT FROM workforce.demand d WHERE d.demand = summons.demand
    AND access.sees_building(d.area, 'people_areas'))

-- name: posting (key: posting; touched: posting; index: demand; index: staff; index: starts_at)
-- Each place somebody has, and whether they came and left. Who is known to have stood there did, whatever was
-- said before.
SELECT DISTINCT ON (e.subject) e.subject AS posting, e.id AS posting_event, (e.body ->> 'staff')::uuid AS staff,
    (e.body ->> 'demand')::uuid AS demand, e.body ->> 'role' AS role,
    (e.body ->> 'starts_at')::timestamptz AS starts_at, (e.body ->> 'ends_at')::timestamptz AS ends_at,
    (e.body ->> 'summons')::uuid AS summons,
    ARRAY(SELECT o FROM jsonb_array_elements_text(e.body -> 'overridden') o) AS overridden,
    e.at AS posted_at, e.actor AS posted_by,
    CASE WHEN l.at IS NOT NULL THEN 'left' WHEN a.at IS NOT NULL THEN 'arrived'
        WHEN w.at IS NOT NULL THEN 'withdrawn' ELSE 'posted' END AS state,
    a.at AS arrived_at, a.how AS arrived_how, l.at AS left_at, l.by AS relieved_by, w.why AS withdrawn_why
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT f.at, f.body ->> 'how' AS how FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'ArrivedAtPost' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT f.at, (f.body ->> 'by')::uuid AS by FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'Relieved' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) l ON true
LEFT JOIN LATERAL (
    SELECT f.at, f.body ->> 'why' AS why FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'PostingWithdrawn' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) w ON true
WHERE e.type = 'StaffPosted' AND e.body IS NOT NULL
ORDER BY e.subject, e.at, e.id;

-- name: posting_seen (for: posting)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = posting.staff)
OR EXISTS (SELECT FROM workforce.demand d WHERE d.demand = posting.demand
    AND access.sees_building(d.area, 'people_areas'))
