-- name: proof (key: staff; touched: staff)
-- The last proof shown of each skill.
SELECT DISTINCT ON (e.subject, e.body ->> 'skill') e.subject AS staff, e.body ->> 'skill' AS skill,
    e.body ->> 'issuer' AS issuer, (e.body ->> 'on')::date AS "on", (e.body ->> 'until')::date AS until,
    e.id AS event
FROM ledger.event e
WHERE e.type = 'SkillProven' AND e.body IS NOT NULL
ORDER BY e.subject, e.body ->> 'skill', (e.body ->> 'on')::date DESC, e.at DESC, e.id DESC;

-- name: proof_seen (for: proof)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = proof.staff)

-- name: rest (key: posting; touched: posting)
-- The breaks somebody takes at a post, each with its end.
SELECT e.subject AS posting, e.id AS event, e.at AS began_at, (
    SELECT min(f.at) FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'BreakEnded' AND f.body IS NOT NULL AND f.at >= e.at) AS ended_at
FROM ledger.event e
WHERE e.type = 'BreakBegun' AND e.body IS NOT NULL;

-- name: rest_seen (for: rest)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.posting p WHERE p.posting = rest.posting)

-- name: relief (key: posting; touched: posting; index: demand)
-- Who asked to be relieved and still wants to be, and by which demand somebody is looked for.
SELECT l.posting, l.event, l.requested_at, l.why, l.how, l.demand
FROM (
    SELECT DISTINCT ON (e.subject) e.subject AS posting, e.id AS event, e.at AS requested_at, e.type,
        e.body ->> 'why' AS why, e.body ->> 'how' AS how, (e.body ->> 'demand')::uuid AS demand
    FROM ledger.event e
    WHERE e.type IN ('ReliefRequested', 'ReliefNoLongerWanted') AND e.body IS NOT NULL
    ORDER BY e.subject, e.at DESC, e.id DESC) l
WHERE l.type = 'ReliefRequested';

-- name: relief_seen (for: relief)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.posting p WHERE p.posting = relief.posting)

-- name: passed (key: posting; touched: posting)
-- Which limits somebody passed at a post, and when the clock saw it last: in the suit it may be anew.
SELECT DISTINCT ON (e.subject, e.body ->> 'limit') e.subject AS posting, e.body ->> 'limit' AS "limit",
    (e.body ->> 'value')::int AS value, e.id AS event, e.at AS passed_at
FROM ledger.event e
WHERE e.type = 'LimitPassed' AND e.body IS NOT NULL
ORDER BY e.subject, e.body ->> 'limit', e.at DESC, e.id DESC;

-- name: passed_seen (for: passed)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.posting p WHERE p.posting = passed.posting)

-- name: handover (key: posting; touched: posting; index: to_posting)
-- To whom a post was handed over, as said last.
SELECT DISTINCT ON (e.subject) e.subject AS posting, (e.body ->> 'to')::uuid AS to_posting,
    coalesce((e.body ->> 'open_matters')::int, 0) AS open_matters, e.id AS event, e.at AS handed_over_at
FROM ledger.event e
WHERE e.type = 'HandedOver' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: handover_seen (for: handover)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.posting p WHERE p.posting = handover.posting)

-- name: work (key: posting; touched: posting)
-- What somebody is to do at a post whose role does not say it.
SELECT DISTINCT ON (e.subject) e.subject AS posting, e.body ->> 'what' AS what, e.at AS given_at
FROM ledger.event e
WHERE e.type = 'WorkGiven' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: work_seen (for: work)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.posting p WHERE p.posting = work.posting)

-- name: incident (key: incident; touched: incident; index: staff)
-- What befell people at posts, and from when they may stand again.
SELECT DISTINCT ON (e.subject) e.subject AS incident, e.id AS event, (e.body ->> 'staff')::uuid AS staff,
    (e.body ->> 'posting')::uuid AS posting, e.body ->> 'kind' AS kind, e.at AS happened_at,
    e.actor AS recorded_by, c.clear_from, c.cleared_by
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT (f.body ->> 'starts_at')::timestamptz AS clear_from, f.actor AS cleared_by FROM ledger.event f
    WHERE f.subject = e.subject AND f.type = 'ClearedForDuty' AND f.body IS NOT NULL
    ORDER BY f.at DESC, f.id DESC LIMIT 1) c ON true
WHERE e.type = 'IncidentRecorded' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: incident_seen (for: incident)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = incident.staff)

-- name: lead (key: place; touched: post_place; index: staff)
-- Who leads a place: the last word for each part.
SELECT l.place, l.part, l.staff, l.since, l.named_by
FROM (
    SELECT DISTINCT ON (e.subject, e.body ->> 'part') e.subject AS place, e.body ->> 'part' AS part,
        (e.body ->> 'staff')::uuid AS staff, e.at AS since, e.actor AS named_by
    FROM ledger.event e
    WHERE e.type = 'PlaceLed' AND e.body IS NOT NULL
    ORDER BY e.subject, e.body ->> 'part', e.at DESC, e.id DESC) l
WHERE l.staff IS NOT NULL;

-- name: lead_seen (for: lead)
(SELECT access.yes('everyone')) OR EXISTS (SELECT FROM workforce.staff s WHERE s.staff = lead.staff)

-- name: owner (key: area; touched: owner; index: staff)
-- Who answers for the homes in an area.
SELECT l.area, l.staff, l.since, l.named_by
FROM (
    SELECT DISTINCT ON (e.subject) e.subject AS area, (e.body ->> 'staff')::uuid AS staff, e.at AS since,
        e.actor AS named_by
    FROM ledger.event e
    WHERE e.type = 'OwnerNamed' AND e.body IS NOT NULL
    ORDER BY e.subject, e.at DESC, e.id DESC) l
WHERE l.staff IS NOT NULL;

-- name: owner_seen (for: owner)
(SELECT access.yes('everyone')) OR access.sees_building(area, 'people_areas')

-- name: heat (key: area; touched: heat; seen: everyone)
-- How hot it was last in an area.
SELECT DISTINCT ON (e.subject) e.subject AS area, (e.body ->> 'decidegrees')::int AS decidegrees, e.at AS read_at,
    e.id AS event
FROM ledger.event e
WHERE e.type = 'HeatRead' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: to_tell (view; seen: everyone)
-- What whoever leads an area is told of its posts, while it is so: one for each demand and limit somebody
-- there has passed, one for each who asks to be relieved, for each who was hurt, and for the heat.
SELECT x.kind, x.about, x.area, x.cause, x.at FROM (
    SELECT DISTINCT ON (p.demand, x."limit") 'duty_' || x."limit" AS kind, p.demand AS about, d.area,
        x.event AS cause, x.passed_at AS at
    FROM workforce.passed x
    JOIN workforce.posting p ON p.posting = x.posting AND p.state = 'arrived'
    JOIN workforce.demand d ON d.demand = p.demand
    WHERE x."limit" <> 'suit' OR NOT EXISTS (
        SELECT FROM workforce.rest r WHERE r.posting = x.posting AND r.began_at >= x.passed_at)
    ORDER BY p.demand, x."limit", x.passed_at DESC, x.event) x
UNION ALL
SELECT 'relief_asked', r.posting, d.area, r.event, r.requested_at
FROM workforce.relief r
JOIN workforce.posting p ON p.posting = r.posting AND p.state = 'arrived'
JOIN workforce.demand d ON d.demand = p.demand
UNION ALL
SELECT 'incident', i.incident, d.area, i.event, i.happened_at
FROM workforce.incident i
JOIN workforce.posting p ON p.posting = i.posting
JOIN workforce.demand d ON d.demand = p.demand
WHERE i.clear_from IS NULL
UNION ALL
SELECT 'heat', h.area, h.area, h.event, h.read_at FROM workforce.heat h
WHERE h.decidegrees >= {HEAT_TOLD_DECIDEGREES};
