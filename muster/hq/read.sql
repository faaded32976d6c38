-- name: addressee (key: addressee; touched: addressee; index: role; seen: everyone)
-- Every edition of each addressee and until when it holds; of two from one moment the later said counts.
SELECT e.subject AS addressee, e.id AS edition,
    e.body ->> 'code' AS code,
    e.body ->> 'name' AS name,
    ARRAY(SELECT x FROM jsonb_array_elements_text(e.body -> 'kinds') x ORDER BY x) AS kinds,
    e.body ->> 'role' AS role,
    e.body ->> 'reach' AS reach,
    (e.body ->> 'minutes')::int AS minutes,
    (e.body ->> 'since')::timestamptz AS since,
    lead((e.body ->> 'since')::timestamptz) OVER (
        PARTITION BY e.subject ORDER BY (e.body ->> 'since')::timestamptz, e.at, e.id) AS until,
    coalesce((e.body ->> 'ended')::boolean, false) AS ended
FROM ledger.event e
WHERE e.type = 'AddresseeListed' AND e.body IS NOT NULL;

-- name: task (key: task; touched: task; index: tube; index: login; index: about; index: due_at, task where state IN ('issued', 'acknowledged'))
-- Each task and how it stands: done beats withdrawn beats acknowledged; who came first is named. A
-- phone that was away may say "done" of what has been withdrawn since: it was done.
SELECT DISTINCT ON (i.subject) i.subject AS task,
    i.body ->> 'kind' AS kind,
    i.body ->> 'role' AS role,
    (i.body ->> 'area')::uuid AS area,
    (i.body ->> 'site')::uuid AS site,
    i.body ->> 'lab' AS lab,
    i.body ->> 'login' AS login,
    (i.body ->> 'about')::uuid AS about,
    (i.body ->> 'tube')::uuid AS tube,
    (i.body ->> 'addressee')::uuid AS addressee,
    i.id AS issuing, i.cause, i.at AS issued_at,
    (i.body ->> 'due_at')::timestamptz AS due_at,
    CASE WHEN d.id IS NOT NULL THEN 'done' WHEN w.id IS NOT NULL THEN 'withdrawn'
        WHEN a.id IS NOT NULL THEN 'acknowledged' ELSE 'issued' END AS state,
    a.actor AS acknowledged_by, a.at AS acknowledged_at,
    d.actor AS done_by, d.at AS done_at, d.outcome,
    w.at AS withdrawn_at,
    EXISTS (SELECT FROM ledger.event f
        WHERE f.subject = i.subject AND f.type = 'TaskFellDue') AS fell_due
FROM ledger.event i
LEFT JOIN LATERAL (
    SELECT e.id, e.actor, e.at FROM ledger.event e
    WHERE e.subject = i.subject AND e.type = 'TaskAcknowledged' AND e.body IS NOT NULL
    ORDER BY e.at, e.id LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT e.id, e.actor, e.at, coalesce(e.body ->> 'outcome', 'done') AS outcome
    FROM ledger.event e
    WHERE e.subject = i.subject AND e.type = 'TaskDone' AND e.body IS NOT NULL
    ORDER BY e.at, e.id LIMIT 1) d ON true
LEFT JOIN LATERAL (
    SELECT e.id, e.at FROM ledger.event e
    WHERE e.subject = i.subject AND e.type = 'TaskWithdrawn' AND e.body IS NOT NULL
    ORDER BY e.at, e.id LIMIT 1) w ON true
WHERE i.type = 'TaskIssued' AND i.body IS NOT NULL
ORDER BY i.subject, i.at, i.id;

-- name: in_force (view; seen: everyone)
-- Who is told of what from when until when: those who are listed and, until somebody is listed for the
-- same in that role, the emergency squad and the community. Adding a third never loses these two.
SELECT a.addressee, a.code, a.name, k.kind, a.role, a.reach, a.minutes, a.since,
    coalesce(a.until, 'infinity') AS until
FROM hq.addressee a CROSS JOIN LATERAL unnest(a.kinds) AS k (kind)
WHERE NOT a.ended
UNION ALL
SELECT NULL, d.role, NULL, d.kind, d.role, d.reach, d.minutes, '-infinity', coalesce((
    SELECT min(a.since) FROM hq.addressee a
    WHERE a.role = d.role AND d.kind = ANY (a.kinds)), 'infinity')
FROM (VALUES
    ('positive_tube', 'squad', 'site_area', {DEFAULT_TASK_MINUTES}),
    ('positive_tube', 'area_lead', 'member_community', {DEFAULT_TASK_MINUTES}),
    ('recall_overdue', 'area_lead', 'member_community', {DEFAULT_OVERDUE_TASK_MINUTES})
) AS d (kind, role, reach, minutes);

-- name: called (view; seen: everyone)
-- Who is to be called, by what is known now: to a positive tube, as long as one of its members waits for
-- an answer, and to recalls past their time. The community is the first area above the building that
-- is more than a compound or grid. Where a tube's site is not known, its members' communities stand
-- for it. Asked by tube: each positive costs a walk up the tree a member.
SELECT DISTINCT ON (g.tube, g.kind, f.addressee, f.role, w.area, w.lab)
    g.tube, g.kind, f.addressee, f.role, w.area, w.lab, g.cause,
    g.at + make_interval(mins => f.minutes) AS due_at
FROM (
    SELECT o.tube, 'positive_tube' AS kind, o.cause, e.received_at AS at, s.person
    FROM lab.outcome o
    JOIN ledger.event e ON e.id = o.cause
    LEFT JOIN sampling.specimen s ON s.tube = o.tube
    WHERE o.outcome = 'positive' AND NOT EXISTS (
        SELECT FROM lab.recall r
        WHERE r.tube = o.tube AND r.person = s.person AND r.state = 'closed')
    UNION ALL
    SELECT r.tube, 'recall_overdue', d.id, d.received_at, r.person
    FROM lab.recall r
    JOIN ledger.event d ON d.subject = r.tube AND d.type = 'RecallFellDue'
        AND (d.body ->> 'recall')::uuid = r.recall
    WHERE r.state = 'open'
) g
JOIN hq.in_force f ON f.kind = g.kind AND f.since <= g.at AND g.at < f.until
JOIN sampling.tube t ON t.tube = g.tube
LEFT JOIN sampling.site x ON x.site = t.site
LEFT JOIN registry.resident p ON p.resident = g.person
LEFT JOIN LATERAL (
    WITH RECURSIVE up AS (
        SELECT a.area, a.parent, a.level, 0 AS steps FROM registry.area a
        WHERE a.area = p.building
        UNION ALL
        SELECT a.area, a.parent, a.level, u.steps + 1
        FROM up u JOIN registry.area a ON a.area = u.parent
        WHERE u.level IN ('compound', 'grid', 'building') AND u.steps < 20)
    SELECT u.area FROM up u WHERE u.level NOT IN ('compound', 'grid', 'building')
    LIMIT 1) c ON true
CROSS JOIN LATERAL (
    SELECT CASE f.reach WHEN 'site_area' THEN coalesce(x.area, c.area)
            WHEN 'member_community' THEN c.area END AS area,
        CASE f.reach WHEN 'lab' THEN (
            SELECT r.lab FROM lab.outcome o
            JOIN lab.result r ON r.barcode = o.barcode AND r.cause = o.cause
            WHERE o.tube = g.tube ORDER BY r.lab LIMIT 1) END AS lab) w
WHERE f.reach <> 'member_community' OR w.area IS NOT NULL
ORDER BY g.tube, g.kind, f.addressee, f.role, w.area, w.lab, g.at, g.cause;

-- name: reader (view; seen: everyone)
-- Which accounts were shown a member of an amended result's tubes between its release and its amendment,
-- residents who looked at their own included. Lists in which no result stands do not count. A record of
-- a read is written after the read: a moment's grace.
SELECT r.result, r.amended_at, r.tubes[1] AS tube, a.id AS amendment, x.who,
    a.received_at + interval '{DEFAULT_TOLD_HOURS} hours' AS due_at
FROM lab.result r
CROSS JOIN LATERAL (
    SELECT m.id, m.actor, m.received_at FROM ledger.event m
    WHERE m.subject = r.result AND m.type = 'ResultAmended' AND m.body IS NOT NULL OFFSET 0) a
CROSS JOIN LATERAL (
    SELECT m.received_at FROM ledger.event m
    WHERE m.subject = r.result AND m.type = 'ResultReleased' ORDER BY m.seq LIMIT 1) e
CROSS JOIN LATERAL (
    SELECT DISTINCT g.who FROM access.reading g JOIN access.account c ON c.login = g.who
    WHERE g.people && ARRAY(
            SELECT s.person FROM sampling.specimen s WHERE s.tube = ANY (r.tubes)
            UNION SELECT s.recorded FROM sampling.specimen s WHERE s.tube = ANY (r.tubes)
            UNION SELECT b.recorded FROM sampling.specimen s
            JOIN registry.alias b ON b.person = s.person WHERE s.tube = ANY (r.tubes))
        AND g.at BETWEEN e.received_at AND a.received_at
            + interval '{READING_NOTED_SECONDS} seconds'
        AND g.what <> ALL (ARRAY['GET /v1/people', 'GET /v1/people/{person:uuid}',
            'POST /v1/people/by-number', 'GET /v1/rounds/{round:str}/missing',
            'GET /v1/duplicates', 'GET /v1/objections', 'GET /v1/anomalies', 'GET /v1/late'])
        AND g.who <> a.actor) x;

-- name: task_seen (for: task)
-- A task for one account is that account's alone; others are seen where they are to be done. No task
-- names a person.
(SELECT access.yes('everyone'))
OR login = (SELECT nullif(access.word('login'), ''))
OR login IS NULL AND (
    (SELECT access.yes('figures'))
    OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR site = ANY ((SELECT access.ids('sites'))::uuid[])
    OR access.sees_building(area, 'people_areas') OR access.sees_building(area, 'figure_areas')
    OR site IS NOT NULL AND EXISTS (SELECT FROM sampling.site x WHERE x.site = task.site
        AND (access.sees_building(x.area, 'people_areas')
            OR access.sees_building(x.area, 'figure_areas'))))
