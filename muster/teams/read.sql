-- name: team (key: team; touched: team; index: area; index: code; index: aid)
-- Each team as said last. When it was first formed is the first word; dissolved, the last.
SELECT DISTINCT ON (e.subject) e.subject AS team, e.body ->> 'code' AS code, e.body ->> 'name' AS name,
    e.body ->> 'kind' AS kind, (e.body ->> 'area')::uuid AS area, (e.body ->> 'leader')::uuid AS leader,
    (e.body ->> 'deputy')::uuid AS deputy, e.body ->> 'lodging' AS lodging, e.body ->> 'vehicle' AS vehicle,
    e.body ->> 'badge' AS badge, e.body ->> 'marking' AS marking, (e.body ->> 'parent')::uuid AS parent,
    (e.body ->> 'aid')::uuid AS aid, (e.body ->> 'wave')::uuid AS wave,
    coalesce((e.body ->> 'dissolved')::boolean, false) AS dissolved, e.at AS said_at, e.actor AS said_by
FROM ledger.event e
WHERE e.type = 'TeamFormed' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: team_seen (for: team)
(SELECT access.yes('figures')) OR access.sees_building(area, 'figure_areas')

-- name: member (key: staff, kind; touched: teamed; index: team)
-- In which team of a kind somebody works: the one they joined last, unless they left it afterwards.
SELECT l.staff, l.kind, l.team, l.joined_at, l.said_by FROM (
    SELECT DISTINCT ON (e.subject, e.body ->> 'kind') e.subject AS staff, e.body ->> 'kind' AS kind,
        (e.body ->> 'team')::uuid AS team, e.at AS joined_at, e.id, e.actor AS said_by
    FROM ledger.event e
    WHERE e.type = 'TeamJoined' AND e.body IS NOT NULL
    ORDER BY e.subject, e.body ->> 'kind', e.at DESC, e.id DESC) l
WHERE NOT EXISTS (SELECT FROM ledger.event o
    WHERE o.subject = l.staff AND o.type = 'TeamLeft' AND (o.body ->> 'team')::uuid = l.team
        AND (o.at, o.id) > (l.joined_at, l.id));

-- name: member_seen (for: member)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = member.staff)
OR EXISTS (SELECT FROM teams.team t WHERE t.team = member.team AND access.sees_building(t.area, 'people_areas'))

-- name: aid (key: aid; touched: aid; index: host)
-- Each aid as agreed last, and from when on it was released.
SELECT DISTINCT ON (e.subject) e.subject AS aid, e.body ->> 'name' AS name, e.body ->> 'sender' AS sender,
    (e.body ->> 'host')::uuid AS host, e.body ->> 'kind' AS kind,
    (e.body ->> 'starts_at')::timestamptz AS starts_at, (e.body ->> 'ends_at')::timestamptz AS ends_at,
    (e.body ->> 'unit')::uuid AS unit, (e.body ->> 'lead')::uuid AS lead, e.body ->> 'lodging' AS lodging,
    e.body ->> 'meals' AS meals, e.at AS said_at, e.actor AS said_by, r.released_at, r.released_by
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT (f.body ->> 'released_at')::timestamptz AS released_at, f.actor AS released_by FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'AidReleased' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) r ON true
WHERE e.type = 'AidAgreed' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: aid_seen (for: aid)
(SELECT access.yes('figures')) OR access.sees_building(host, 'figure_areas')

-- name: wave (key: wave; touched: wave; index: aid)
-- Each wave as sent last, how many the host said came, and from when on it was released by itself.
SELECT DISTINCT ON (e.subject) e.subject AS wave, (e.body ->> 'aid')::uuid AS aid,
    (e.body ->> 'number')::int AS number, (e.body ->> 'leaves_at')::timestamptz AS leaves_at,
    (e.body ->> 'arrives_by')::timestamptz AS arrives_by, (e.body ->> 'count')::int AS count,
    a.at AS arrived_at, a.count AS arrived, a.actor AS confirmed_by, r.released_at
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT min(f.at) OVER () AS at, (f.body ->> 'count')::int AS count, f.actor FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'WaveArrived' AND f.body IS NOT NULL
    ORDER BY f.at DESC, f.id DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT (f.body ->> 'released_at')::timestamptz AS released_at FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'AidReleased' AND f.body IS NOT NULL
    ORDER BY f.at, f.id LIMIT 1) r ON true
WHERE e.type = 'WaveSent' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: wave_seen (for: wave)
-- Whoever sees the aid.
(SELECT access.yes('figures')) OR EXISTS (SELECT FROM teams.aid a WHERE a.aid = wave.aid)

-- name: carried (key: staff; touched: teamed)
-- How many days of duty somebody brought along.
SELECT DISTINCT ON (e.subject) e.subject AS staff, (e.body ->> 'days')::int AS days, (e.body ->> 'on')::date AS up_to
FROM ledger.event e
WHERE e.type = 'DutyCarried' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: carried_seen (for: carried)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = carried.staff)

-- name: lodging (key: staff; touched: teamed)
-- Where somebody sleeps and who feeds them.
SELECT DISTINCT ON (e.subject) e.subject AS staff, e.body ->> 'lodging' AS lodging, e.body ->> 'meals' AS meals,
    coalesce((e.body ->> 'at_home')::boolean, false) AS at_home, (e.body ->> 'area')::uuid AS area
FROM ledger.event e
WHERE e.type = 'LodgingGiven' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: lodging_seen (for: lodging)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = lodging.staff)
