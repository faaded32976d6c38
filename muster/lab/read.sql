-- name: result (key: barcode; touched: barcode; index: result; index: lab, resulted_at; index: outcome where cardinality(tubes) <> 1; index: amended_at where amended_at IS NOT NULL)
-- Each result with its present outcome and the tubes it may belong to: the one a person bound it to,
-- the one the laboratory named, else every sealed tube of that barcode in the time window, of which
-- those that this laboratory received where it received any. None: it waits for its tube. Several: a conflict, and nobody is told anything good by it.
SELECT r.body ->> 'barcode' AS barcode,
    r.subject AS result,
    coalesce(a.body ->> 'outcome', r.body ->> 'outcome') AS outcome,
    r.body ->> 'outcome' AS first_outcome,
    coalesce(a.id, r.id) AS cause,
    (r.body ->> 'resulted_at')::timestamptz AS resulted_at,
    r.body ->> 'lab' AS lab,
    b.tube IS NOT NULL AS bound,
    x.subject IS NOT NULL AS rejected,
    a.id IS NOT NULL AS amended,
    a.at AS amended_at,
    (r.body ->> 'run')::uuid AS run,
    r.body ->> 'unfit' AS unfit,
    CASE WHEN r.body ? 'run' THEN EXISTS (
            SELECT FROM lab.call c WHERE c.barcode = r.body ->> 'barcode'
                AND c.run = (r.body ->> 'run')::uuid AND NOT c.blocked)
        WHEN r.body ? 'unfit' THEN true
        ELSE NOT EXISTS (
            SELECT FROM lab.lab l WHERE l.lab = r.body ->> 'lab'
                AND l.wells_since <= (r.body ->> 'resulted_at')::timestamptz) END AS proven,
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
                        ORDER BY p.since DESC, p.policy DESC LIMIT 1), {DEFAULT_RESULT_WINDOW_HOURS}))
                AND (NOT EXISTS (
                    SELECT FROM lab.received v WHERE v.barcode = t.barcode
                        AND v.lab = r.body ->> 'lab' AND v.tube IS NOT NULL)
                    OR EXISTS (
                    SELECT FROM lab.received v WHERE v.barcode = t.barcode
                        AND v.lab = r.body ->> 'lab' AND v.tube = t.tube))
            ORDER BY t.tube)
    END AS tubes
FROM ledger.event r
LEFT JOIN LATERAL (
    SELECT m.id, m.at, m.body FROM ledger.event m
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

-- name: outcome (key: barcode; touched: barcode; spills: tube; index: tube; index: outcome where outcome <> 'negative'; index: state where state <> 'final')
-- What is known of a tube: the gravest of its results, final, in conflict or unproven (a good result
-- that shows no well and no raw value). An invalid run is no second opinion: a later one replaces it. A
-- negative cannot overtake a call that is positive or indeterminate and not yet released.
SELECT c.barcode, c.tube,
    (array_agg(c.outcome ORDER BY c.gravity DESC, c.resulted_at, c.cause))[1] AS outcome,
    CASE WHEN bool_or(c.candidates > 1)
            OR count(DISTINCT c.outcome) FILTER (WHERE c.outcome <> 'invalid') > 1
            OR bool_and(c.outcome IN ('negative', 'invalid') AND NOT c.amended) AND EXISTS (
                SELECT FROM (
                    SELECT DISTINCT ON (k.lab) k.standing, k.blocked FROM lab.call k
                    WHERE k.barcode = c.barcode AND k.tube = c.tube
                    ORDER BY k.lab, k.imported_at DESC, k.run) k
                WHERE k.standing IN ('positive', 'indeterminate') AND NOT k.blocked)
        THEN 'conflict'
        WHEN bool_and(c.outcome IN ('negative', 'invalid')) AND NOT bool_or(c.proven) THEN 'unproven'
        ELSE 'final' END AS state,
    (array_agg(c.cause ORDER BY c.gravity DESC, c.resulted_at, c.cause))[1] AS cause,
    max(c.resulted_at) AS resulted_at, max(c.amended_at) AS amended_at
FROM (
    SELECT r.barcode, tube, r.outcome, r.cause, r.resulted_at, cardinality(r.tubes) AS candidates,
        r.amended, r.amended_at, r.proven,
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

-- name: reached (key: tube; touched: reached; index: recall)
-- Whether the member of a recall was told to come: the latest time they were reached, else the latest
-- vain attempt, which has no time of reaching.
SELECT DISTINCT ON (e.subject, (e.body ->> 'recall')::uuid) e.subject AS tube,
    (e.body ->> 'recall')::uuid AS recall, (e.body ->> 'person')::uuid AS person,
    e.body ->> 'how' AS reached_how,
    CASE WHEN e.body ->> 'how' <> 'not_found' THEN e.at END AS reached_at, e.actor AS reached_by
FROM ledger.event e
WHERE e.type = 'MemberReached' AND e.body IS NOT NULL
ORDER BY e.subject, (e.body ->> 'recall')::uuid, (e.body ->> 'how' <> 'not_found') DESC, e.at DESC,
    e.id DESC;

-- name: recall_stage (view; seen: everyone)
-- How far each recall has come: ordered, reached, swabbed again (singly), answered (by a result that
-- does not close it), closed, withdrawn. Not stored: a re-test is another tube, and what reaching and
-- swabbing say must decide nothing.
SELECT r.tube, r.recall, r.person, r.recorded, r.outcome, r.ordered_at, r.state, r.answer, r.retest,
    r.closed_at, r.fell_due, c.reached_at, c.reached_how, c.reached_by, x.retested_at,
    CASE WHEN r.state <> 'open' THEN r.state
        WHEN x.answered THEN 'answered'
        WHEN x.retested_at IS NOT NULL THEN 'swabbed'
        WHEN c.reached_at IS NOT NULL THEN 'reached'
        ELSE 'ordered' END AS stage
FROM lab.recall r
LEFT JOIN lab.reached c ON c.tube = r.tube AND c.recall = r.recall
LEFT JOIN LATERAL (
    SELECT min(t.sealed_at) AS retested_at,
        bool_or(EXISTS (SELECT FROM lab.outcome o WHERE o.tube = t.tube)) AS answered
    FROM sampling.tube t
    WHERE t.retest_of = r.tube AND t.tube <> r.tube AND t.sealed_at IS NOT NULL
        AND EXISTS (SELECT FROM sampling.specimen s WHERE s.tube = t.tube AND s.person = r.person)
        AND (SELECT count(*) FROM sampling.specimen m WHERE m.tube = t.tube) = 1) x ON true;

-- name: reached_seen (for: reached)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas') OR access.tube_here(tube)

-- name: result_seen (for: result)
-- A laboratory sees its own results, others those of tubes they see.
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND (SELECT bool_or(access.sees_tube(t)) FROM unnest(tubes) t)

-- name: outcome_seen (for: outcome)
(SELECT access.yes('everyone')) OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)
    OR cardinality((SELECT access.codes('labs'))) > 0 AND EXISTS (SELECT FROM lab.result r WHERE r.barcode = outcome.barcode)

-- name: recall_seen (for: recall)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas') OR access.tube_here(tube)
