-- name: visit (key: recorded; touched: visit; index: person)
-- What came of the last visit to somebody's door.
SELECT DISTINCT ON (e.subject) e.subject AS recorded, coalesce(a.person, e.subject) AS person,
    e.id AS event, e.body ->> 'outcome' AS outcome, (e.body ->> 'round')::uuid AS round,
    (e.body ->> 'again_at')::timestamptz AS again_at, e.at, e.actor AS visited_by
FROM ledger.event e
LEFT JOIN registry.alias a ON a.recorded = e.subject
WHERE e.type = 'VisitMade' AND e.body IS NOT NULL
    AND NOT EXISTS (SELECT FROM ledger.event w
        WHERE w.subject = e.subject AND w.type = 'VisitWithdrawn' AND w.cause = e.id)
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: visit_seen (for: visit)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas')

-- name: call (key: building; touched: call; index: to_site; seen: everyone)
-- Every calling down of a building.
SELECT e.subject AS building, e.id AS event, (e.body ->> 'round')::uuid AS round,
    (e.body ->> 'to_site')::uuid AS to_site, e.at AS called_at, e.actor AS called_by
FROM ledger.event e
WHERE e.type = 'BuildingCalled' AND e.body IS NOT NULL;
