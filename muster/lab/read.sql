-- name: result (key: barcode; touched: barcode; index: result; index: outcome where cardinality(tubes) <> 1)
-- Each result with its present outcome and the tubes it may belong to: the one a person bound it to,
-- the one the laboratory named, else every sealed tube of that barcode in the time window. None:
-- it waits for its tube. Several: a conflict, and nobody is told anything good by it.
SELECT r.body ->> 'barcode' AS barcode,
    r.subject AS result,
    coalesce(a.body ->> 'outcome', r.body ->> 'outcome') AS outcome,
    r.body ->> 'outcome' AS first_outcome,
    coalesce(a.id, r.id) AS cause,
    (r.body ->> 'resulted_at')::timestamptz AS resulted_at,
    r.body ->> 'lab' AS lab,
    b.tube IS NOT NULL AS bound,
    x.subject IS NOT NULL AS rejected,
    CASE
        WHEN b.tube IS NOT NULL THEN ARRAY[b.tube]
        WHEN r.body ? 'tube' THEN ARRAY[(r.body ->> 'tube')::uuid]
        ELSE ARRAY(
            SELECT t.tube FROM sampling.tube t
            WHERE t.barcode = r.body ->> 'barcode' AND t.sealed_at IS NOT NULL
                AND (r.body ->> 'resulted_at')::timestamptz BETWEEN
                    t.sealed_at - interval '1 hour'
                    AND t.sealed_at + make_interval(hours => coalesce((
                        SELECT p.value FROM registry.policy p
                        WHERE p.name = 'result_window_hours' AND p.since <= t.sealed_at
                        ORDER BY p.since DESC LIMIT 1), {DEFAULT_RESULT_WINDOW_HOURS}))
            ORDER BY t.tube)
    END AS tubes
FROM ledger.event r
LEFT JOIN LATERAL (
    SELECT m.id, m.body FROM ledger.event m
    WHERE m.subject = r.subject AND m.type = 'ResultAmended'
    ORDER BY m.at DESC, m.id DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT (m.body ->> 'tube')::uuid AS tube FROM ledger.event m
    WHERE m.subject = r.subject AND m.type = 'ResultBound'
    ORDER BY m.at DESC, m.id DESC LIMIT 1) b ON true
LEFT JOIN LATERAL (
    SELECT m.subject FROM ledger.event m
    WHERE m.subject = r.subject AND m.type = 'ResultRejected' LIMIT 1) x ON true
WHERE r.type = 'ResultReleased' AND r.body IS NOT NULL;

-- name: outcome (key: barcode; touched: barcode; spills: tube; index: tube)
-- What is known of a tube: the gravest of its results, final or in conflict. An invalid run is no
-- second opinion: a later one replaces it.
SELECT c.barcode, c.tube,
    (array_agg(c.outcome ORDER BY c.gravity DESC, c.resulted_at, c.cause))[1] AS outcome,
    CASE WHEN bool_or(c.candidates > 1)
            OR count(DISTINCT c.outcome) FILTER (WHERE c.outcome <> 'invalid') > 1
        THEN 'conflict' ELSE 'final' END AS state,
    (array_agg(c.cause ORDER BY c.gravity DESC, c.resulted_at, c.cause))[1] AS cause,
    max(c.resulted_at) AS resulted_at
FROM (
    SELECT r.barcode, tube, r.outcome, r.cause, r.resulted_at, cardinality(r.tubes) AS candidates,
        array_position(ARRAY['invalid', 'negative', 'indeterminate', 'positive'], r.outcome)
            AS gravity
    FROM lab.result r, unnest(r.tubes) AS tube
    WHERE NOT r.rejected) c
GROUP BY c.barcode, c.tube;

-- name: recall (key: tube; touched: tube; index: person; index: recall; index: retest; index: state where state = 'open')
-- Each recall and how it stands: withdrawn beats closed beats open; a closing counts unless undone;
-- a confirmed re-test beats a released one.
SELECT o.subject AS tube, o.id AS recall, coalesce(a.person, p.recorded) AS person, p.recorded,
    o.body ->> 'outcome' AS outcome, o.at AS ordered_at,
    w.id AS withdrawal,
    CASE WHEN w.id IS NOT NULL THEN 'withdrawn' WHEN c.outcome IS NOT NULL THEN 'closed'
        ELSE 'open' END AS state,
    c.outcome AS answer, c.id AS closing, c.retest, c.at AS closed_at,
    EXISTS (SELECT FROM ledger.event d WHERE d.subject = o.subject AND d.type = 'RecallFellDue'
        AND (d.body ->> 'recall')::uuid = o.id) AS fell_due
FROM ledger.event o
CROSS JOIN LATERAL (SELECT (o.body ->> 'person')::uuid AS recorded) p
LEFT JOIN registry.alias a ON a.recorded = p.recorded
LEFT JOIN LATERAL (
    SELECT e.id FROM ledger.event e
    WHERE e.subject = o.subject AND e.type = 'RecallWithdrawn'
        AND (e.body ->> 'recall')::uuid = o.id
    LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT e.id, e.at, e.body ->> 'outcome' AS outcome, (e.body ->> 'retest')::uuid AS retest
    FROM ledger.event e
    WHERE e.subject = o.subject AND e.type = 'RecallClosed'
        AND (e.body ->> 'recall')::uuid = o.id
        AND NOT EXISTS (SELECT FROM ledger.event u
            WHERE u.subject = o.subject AND u.type = 'RecallReopened'
                AND (u.body ->> 'closing')::uuid = e.id)
    ORDER BY e.body ->> 'outcome', e.id LIMIT 1) c ON true
WHERE o.type = 'RecallOrdered' AND o.body IS NOT NULL;

-- name: result_seen (for: result)
-- A laboratory sees its own results, others those of tubes they see.
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND (SELECT bool_or(access.sees_tube(t)) FROM unnest(tubes) t)

-- name: outcome_seen (for: outcome)
(SELECT access.yes('everyone')) OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)
    OR cardinality((SELECT access.codes('labs'))) > 0 AND EXISTS (SELECT FROM lab.result r WHERE r.barcode = outcome.barcode)

-- name: recall_seen (for: recall)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas') OR access.tube_here(tube)
