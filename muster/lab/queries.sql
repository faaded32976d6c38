-- name: visible
-- Which of these people the reader's scope lets through. What may be told to them is then read without
-- weighing every tube and outcome of theirs anew: a result belongs to whoever it is about.
SELECT p FROM unnest(%(people)s::uuid[]) p
WHERE (SELECT access.yes('everyone')) OR access.sees_person(p, 'people_areas');

-- name: results_of
-- What may be told to people: specimen → tube → outcome, nothing stored per person. `asked` is the
-- id that was asked for, which may since have been merged into another. CASE and not coalesce: under
-- row-level security an index serves only what cannot leak, and PostgreSQL takes coalesce for leaky.
SELECT q.asked, s.tube, s.at, s.round, t.purpose, t.sealed_at IS NOT NULL AS sealed,
    CASE
        WHEN r.answer = 'confirmed' THEN 'confirmed'
        WHEN r.answer = 'released' THEN 'negative'
        WHEN r.state = 'open' THEN 'recalled'
        WHEN o.outcome IS NULL OR o.state = 'conflict' THEN 'pending'
        WHEN o.outcome = 'invalid' THEN 'sample_again'
        ELSE o.outcome END AS told,
    o.resulted_at
FROM unnest(%(people)s::uuid[]) AS q (asked)
LEFT JOIN registry.alias a ON a.recorded = q.asked
JOIN sampling.specimen s
    ON s.person = CASE WHEN a.person IS NULL THEN q.asked ELSE a.person END
JOIN sampling.tube t ON t.tube = s.tube
LEFT JOIN lab.outcome o ON o.tube = s.tube
LEFT JOIN lab.recall r ON r.tube = s.tube AND r.person = s.person AND r.state <> 'withdrawn'
ORDER BY q.asked, s.at DESC, s.tube;

-- name: recalls
SELECT r.recall, r.tube, t.barcode, r.person, r.outcome, r.ordered_at, r.state, r.answer,
    r.closed_at, r.fell_due, i.name, a.code AS building_code, a.name AS building_name, p.room
FROM lab.recall r
LEFT JOIN sampling.tube t ON t.tube = r.tube
LEFT JOIN registry.resident p ON p.resident = r.person
LEFT JOIN registry.area a ON a.area = p.building
LEFT JOIN vault.identity i ON i.resident = r.person
WHERE (%(state)s::text IS NULL OR r.state = %(state)s)
    AND (%(at)s::timestamptz IS NULL OR (r.ordered_at, r.recall) > (%(at)s, %(recall)s::uuid))
ORDER BY r.ordered_at, r.recall
LIMIT %(limit)s;

-- name: conflicts
-- Results and tubes that contradict each other, with what a person needs to decide.
SELECT r.barcode, r.result, r.outcome, r.lab, r.resulted_at, r.tubes,
    CASE WHEN cardinality(r.tubes) > 1 THEN 'several_tubes' ELSE 'several_outcomes' END AS kind
FROM lab.result r
WHERE NOT r.rejected AND EXISTS (
        SELECT FROM lab.outcome o WHERE o.barcode = r.barcode AND o.state = 'conflict')
    AND (%(barcode)s::text IS NULL OR (r.barcode, r.result) > (%(barcode)s, %(result)s::uuid))
ORDER BY r.barcode, r.result
LIMIT %(limit)s;

-- name: waiting
-- Results whose tube is not known (yet), positives first.
SELECT r.barcode, r.result, r.outcome, r.lab, r.resulted_at
FROM lab.result r
WHERE NOT r.rejected AND cardinality(r.tubes) = 0
    AND (%(barcode)s::text IS NULL OR (r.barcode, r.result) > (%(barcode)s, %(result)s::uuid))
ORDER BY r.barcode, r.result
LIMIT %(limit)s;

-- name: result
SELECT r.*, e.id AS event FROM lab.result r
JOIN ledger.event e ON e.subject = r.result AND e.type = 'ResultReleased'
WHERE r.result = %(result)s LIMIT 1;

-- name: of_tube
SELECT r.result, r.barcode, r.outcome, r.first_outcome, r.lab, r.resulted_at, r.rejected,
    cardinality(r.tubes) AS candidates
FROM lab.result r WHERE %(tube)s = ANY (r.tubes) AND r.barcode = %(barcode)s
ORDER BY r.resulted_at;

-- name: facts_of
-- A person's swabs with what may be told of each (as results_of) and the events that say so.
SELECT s.tube, s.at AS sampled_at,
    CASE
        WHEN r.answer = 'confirmed' THEN 'confirmed'
        WHEN r.answer = 'released' THEN 'negative'
        WHEN r.state = 'open' THEN 'recalled'
        WHEN o.outcome IS NULL OR o.state = 'conflict' THEN 'pending'
        WHEN o.outcome = 'invalid' THEN 'sample_again'
        ELSE o.outcome END AS told,
    coalesce(r.closed_at, o.resulted_at) AS resulted_at,
    CASE WHEN r.state = 'open' THEN r.ordered_at END AS ordered_at,
    array_remove(ARRAY[(SELECT e.id FROM ledger.event e WHERE e.subject = s.tube
            AND e.type IN ('TubeSealed', 'SpecimenTaken') ORDER BY e.type DESC, e.at LIMIT 1),
        o.cause, r.recall, r.closing], NULL) AS evidence
FROM sampling.specimen s
LEFT JOIN lab.outcome o ON o.tube = s.tube
LEFT JOIN lab.recall r ON r.tube = s.tube AND r.person = s.person AND r.state <> 'withdrawn'
WHERE s.person = (SELECT CASE WHEN a.person IS NULL THEN q.asked ELSE a.person END
    FROM (SELECT %(person)s::uuid AS asked) q LEFT JOIN registry.alias a ON a.recorded = q.asked)
ORDER BY s.at DESC, s.tube;

-- name: terms
-- The policy numbers a status follows from, as they stood at a moment.
SELECT DISTINCT ON (p.name) p.name, p.value, p.policy FROM registry.policy p
WHERE p.name IN ('result_valid_hours', 'positive_days', 'result_window_hours')
    AND p.since <= %(at)s AND p.area IS NULL AND p."group" IS NULL
ORDER BY p.name, p.since DESC, p.policy;
