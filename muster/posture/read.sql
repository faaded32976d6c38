-- name: template (key: template; touched: posture_template)
-- The edition of each template that was kept last.
SELECT DISTINCT ON (e.subject) e.subject AS template, e.id AS edition, e.body ->> 'code' AS code,
    e.body ->> 'name' AS name, e.body ->> 'name_en' AS name_en, e.body -> 'groups' AS groups,
    e.actor AS kept_by, e.at AS kept_at
FROM ledger.event e
WHERE e.type = 'PostureTemplateKept' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: template_seen (for: template)
(SELECT access.yes('figures'))

-- name: command (key: command; touched: command; index: area)
-- Each command post, and since when it stands no more.
SELECT DISTINCT ON (e.subject) e.subject AS command, e.id AS raising, (e.body ->> 'template')::uuid AS template,
    (e.body ->> 'edition')::uuid AS edition, (e.body ->> 'area')::uuid AS area,
    e.actor AS raised_by, e.at AS raised_at, d.at AS stood_down_at, d.actor AS stood_down_by
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT f.at, f.actor FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'CommandStoodDown' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) d ON true
WHERE e.type = 'CommandRaised' AND e.body IS NOT NULL
ORDER BY e.subject, e.at, e.id;

-- name: command_seen (for: command)
(SELECT access.yes('figures')) OR access.sees_building(area, 'figure_areas')

-- name: working_group (key: command; touched: command; index: working_group)
-- The groups of each command post, and who leads them by the last word.
SELECT r.command, (g.value ->> 'group')::uuid AS working_group, g.ordinality::int AS place,
    g.value ->> 'code' AS code, g.value ->> 'name' AS name, g.value ->> 'name_en' AS name_en,
    (g.value ->> 'parent')::uuid AS parent, (g.value ->> 'area')::uuid AS area, g.value ->> 'role' AS role,
    CASE WHEN l.id IS NULL THEN g.value ->> 'lead' ELSE l.lead END AS lead,
    CASE WHEN l.id IS NULL THEN g.value ->> 'deputy' ELSE l.deputy END AS deputy,
    coalesce(g.value -> 'tasks', '[]') AS tasks
FROM (
    SELECT DISTINCT ON (e.subject) e.subject AS command, e.body
    FROM ledger.event e
    WHERE e.type = 'CommandRaised' AND e.body IS NOT NULL
    ORDER BY e.subject, e.at, e.id) r
CROSS JOIN LATERAL jsonb_array_elements(r.body -> 'groups') WITH ORDINALITY g
LEFT JOIN LATERAL (
    SELECT f.id, f.body ->> 'lead' AS lead, f.body ->> 'deputy' AS deputy FROM ledger.event f
    WHERE f.subject = (g.value ->> 'group')::uuid AND f.type = 'GroupLed' AND f.body IS NOT NULL
    ORDER BY f.at DESC, f.id DESC LIMIT 1) l ON true;

-- name: working_group_seen (for: working_group)
EXISTS (SELECT FROM posture.command c WHERE c.command = working_group.command)

-- name: opening (view; seen: everyone)
-- What the leads of standing command posts have to do first: for the lead's account, or for a role in the
-- group's area where nobody leads.
SELECT w.command, w.working_group, c.raising,
    md5(concat_ws(' ', 'opening', w.working_group, t.ordinality))::uuid AS opening, t.value ->> 'name' AS name,
    c.raised_at + make_interval(mins => (t.value ->> 'minutes')::int) AS due_at,
    w.lead AS login, CASE WHEN w.lead IS NULL THEN w.role END AS role,
    CASE WHEN w.lead IS NULL THEN w.area END AS area, c.stood_down_at
FROM posture.working_group w
JOIN posture.command c ON c.command = w.command
CROSS JOIN LATERAL jsonb_array_elements(w.tasks) WITH ORDINALITY t;
