-- name: lab (key: id; touched: lab; index: lab; seen: everyone)
-- The laboratories that take part.
SELECT DISTINCT ON (e.subject) e.subject AS id, e.body ->> 'code' AS lab, e.body ->> 'name' AS name,
    e.body ->> 'kind' AS kind,
    coalesce((e.body ->> 'capacity_per_hour')::int, 0) AS capacity_per_hour,
    (e.body ->> 'area')::uuid AS area, (e.body ->> 'wells_since')::timestamptz AS wells_since
FROM ledger.event e
WHERE e.type = 'LabListed' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: reception (key: reception; touched: reception; index: box; index: code; index: lab, received_at)
-- Each box a laboratory took in. Codes of boxes come again with every tour: without an id it is the box
-- of that code that was packed last before it came.
SELECT DISTINCT ON (r.subject) r.subject AS reception, r.id, r.body ->> 'code' AS code,
    r.body ->> 'lab' AS lab,
    CASE WHEN r.body ? 'box' THEN (r.body ->> 'box')::uuid ELSE (
        SELECT b.box FROM custody.box b
        WHERE b.code = r.body ->> 'code' AND b.packed_at BETWEEN
            r.at - interval '{BOX_WINDOW_HOURS} hours' AND r.at + interval '1 hour'
        ORDER BY b.packed_at DESC, b.box LIMIT 1) END AS box,
    r.at AS received_at, r.actor AS received_by,
    (SELECT key || ':' || value FROM jsonb_each_text(r.body -> 'giver') LIMIT 1) AS giver,
    (r.body ->> 'count')::int AS count, r.body ->> 'seal' AS seal,
    coalesce((r.body ->> 'seal_intact')::boolean, true) AS seal_intact,
    (r.body ->> 'temperature_decidegrees')::int AS decidegrees,
    n.at AS ended_at, n.actor AS ended_by
FROM ledger.event r
LEFT JOIN LATERAL (
    SELECT e.at, e.actor FROM ledger.event e
    WHERE e.subject = r.subject AND e.type = 'ReceptionEnded'
    ORDER BY e.at, e.id LIMIT 1) n ON true
WHERE r.type = 'BoxReceived' AND r.body IS NOT NULL
ORDER BY r.subject, r.at, r.id;

-- name: scan (key: reception; touched: scanned; index: barcode)
-- What was scanned out of each box: each barcode once, how often, and the worst that was seen of it.
SELECT s.reception, s.barcode, sum(s.n)::int AS scans, min(s.at) AS at,
    (array_agg(s.condition ORDER BY array_position(
        ARRAY['ok', 'unlabelled', 'damaged', 'leaking', 'empty'], s.condition) DESC))[1] AS condition
FROM (
    SELECT x.reception, x.barcode, x.condition, sum(x.n) AS n, min(x.at) AS at
    FROM (
        SELECT e.subject AS reception, i ->> 'barcode' AS barcode,
            coalesce(i ->> 'condition', 'ok') AS condition, 1 AS n, e.at
        FROM ledger.event e, jsonb_array_elements(e.body -> 'scans') i
        WHERE e.type = 'TubesReceived'
        UNION ALL
        SELECT e.subject, e.body ->> 'barcode', coalesce(e.body ->> 'condition', 'ok'), -1, NULL
        FROM ledger.event e WHERE e.type = 'ScanUndone' AND e.body IS NOT NULL) x
    GROUP BY x.reception, x.barcode, x.condition
    HAVING sum(x.n) > 0) s
GROUP BY s.reception, s.barcode;

-- name: received (key: barcode; touched: barcode; index: reception; index: tube)
-- The tube behind each scan: the only sealed one of that barcode in the time window, or the one the
-- manifest names. None: unknown; several: ambiguous, and nobody guesses.
SELECT s.barcode, s.reception, r.lab, s.at AS received_at, s.scans, s.condition, c.candidates,
    CASE WHEN c.candidates = 1 OR c.named THEN c.tube END AS tube
FROM lab.scan s
JOIN lab.reception r ON r.reception = s.reception
LEFT JOIN LATERAL (
    SELECT k.tube FROM custody.packed k
    WHERE k.barcode = s.barcode AND (k.box = r.box OR k.box IN (
        SELECT g.bag FROM custody.bagged g WHERE g.box = r.box))
    ORDER BY k.tube LIMIT 1) p ON true
LEFT JOIN LATERAL (
    SELECT count(*)::int AS candidates, coalesce(bool_or(t.tube = p.tube), false) AS named,
        (array_agg(t.tube ORDER BY (t.tube IS NOT DISTINCT FROM p.tube) DESC, t.tube))[1] AS tube
    FROM sampling.tube t
    WHERE t.barcode = s.barcode AND t.sealed_at IS NOT NULL
        AND s.at BETWEEN t.sealed_at - interval '1 hour'
            AND t.sealed_at + interval '{DEFAULT_RESULT_WINDOW_HOURS} hours') c ON true;

-- name: found (key: reception; touched: scanned)
-- What is wrong with a box, as its scans and its manifest now say: by tube, and of the box as a whole.
SELECT r.reception, r.lab, f.kind, f.barcode, r.id AS cause,
    coalesce(r.ended_by, r.received_by) AS owner
FROM lab.reception r
LEFT JOIN custody.box b ON b.box = r.box
CROSS JOIN LATERAL (
    SELECT 'missing' AS kind, m.barcode
    FROM custody.packed m
    WHERE r.ended_at IS NOT NULL
        AND (m.box = r.box OR m.box IN (SELECT g.bag FROM custody.bagged g WHERE g.box = r.box))
        AND NOT EXISTS (
            SELECT FROM lab.scan s JOIN lab.reception o ON o.reception = s.reception
            WHERE s.barcode = m.barcode AND (o.box = r.box OR s.at >= m.packed_at
                AND s.at < m.packed_at + interval '{BOX_WINDOW_HOURS} hours'))
    UNION ALL
    SELECT k.kind, s.barcode
    FROM lab.scan s
    LEFT JOIN lab.received v ON v.barcode = s.barcode AND v.reception = s.reception
    LEFT JOIN sampling.tube t ON t.tube = v.tube
    LEFT JOIN LATERAL (
        SELECT bool_or(m.box = r.box OR g.box = r.box) AS here,
            bool_or(h.bound_for <> r.lab) AS elsewhere
        FROM custody.packed m
        LEFT JOIN custody.bagged g ON g.bag = m.box
        LEFT JOIN custody.box h ON h.box = coalesce(g.box, m.box)
        WHERE m.barcode = s.barcode AND m.packed_at BETWEEN
            s.at - interval '{BOX_WINDOW_HOURS} hours' AND s.at + interval '1 hour') m ON true
    CROSS JOIN LATERAL (
        SELECT 'duplicate' AS kind WHERE s.scans > 1 OR EXISTS (
            SELECT FROM lab.scan o JOIN lab.reception q ON q.reception = o.reception
            WHERE o.barcode = s.barcode AND o.reception <> s.reception AND q.lab = r.lab
                AND (o.at, o.reception) < (s.at, s.reception)
                AND o.at > s.at - interval '{BOX_WINDOW_HOURS} hours')
        UNION ALL SELECT 'unknown' WHERE coalesce(v.candidates, 0) = 0
        UNION ALL SELECT 'ambiguous' WHERE v.candidates > 1 AND v.tube IS NULL
        UNION ALL SELECT CASE WHEN m.elsewhere THEN 'wrong_lab' ELSE 'extra' END
        WHERE b.box IS NOT NULL AND v.candidates > 0 AND m.here IS NOT TRUE
        UNION ALL SELECT s.condition WHERE s.condition <> 'ok'
        UNION ALL SELECT 'too_old' WHERE s.at > t.sealed_at + make_interval(mins => coalesce((
            SELECT p.value FROM registry.policy p
            WHERE p.name = 'tube_age_minutes' AND p.since <= t.sealed_at
            ORDER BY p.since DESC, p.policy LIMIT 1), {DEFAULT_TUBE_AGE_MINUTES}))) k
    WHERE s.reception = r.reception
    UNION ALL SELECT 'wrong_lab', NULL WHERE b.bound_for <> r.lab
    UNION ALL SELECT 'no_manifest', NULL WHERE b.box IS NULL AND r.ended_at IS NOT NULL
    UNION ALL SELECT 'seal_broken', NULL WHERE NOT r.seal_intact
    UNION ALL SELECT 'seal_differs', NULL WHERE b.seal <> r.seal
    UNION ALL SELECT 'count_differs', NULL
    WHERE r.count <> coalesce(b.count, b.tubes)
    UNION ALL SELECT 'warm', NULL WHERE r.decidegrees > coalesce((
        SELECT p.value FROM registry.policy p
        WHERE p.name = 'box_most_decidegrees' AND p.since <= r.received_at
        ORDER BY p.since DESC, p.policy LIMIT 1), {DEFAULT_BOX_MOST_DECIDEGREES})
    UNION ALL SELECT 'cold', NULL WHERE r.decidegrees < coalesce((
        SELECT p.value FROM registry.policy p
        WHERE p.name = 'box_least_decidegrees' AND p.since <= r.received_at
        ORDER BY p.since DESC, p.policy LIMIT 1), {DEFAULT_BOX_LEAST_DECIDEGREES})) f;

-- name: discrepancy (key: discrepancy; touched: discrepancy; index: reception; index: lab, opened_at where state = 'open')
-- Each case, who owns it, and what became of it.
SELECT DISTINCT ON (o.subject) o.subject AS discrepancy, (o.body ->> 'reception')::uuid AS reception,
    o.body ->> 'lab' AS lab, o.body ->> 'kind' AS kind, o.body ->> 'barcode' AS barcode,
    o.at AS opened_at, o.id AS opening,
    coalesce((SELECT a.body ->> 'owner' FROM ledger.event a
        WHERE a.subject = o.subject AND a.type = 'DiscrepancyAssigned' AND a.body IS NOT NULL
        ORDER BY a.at DESC, a.id DESC LIMIT 1), o.body ->> 'owner') AS owner,
    CASE WHEN EXISTS (SELECT FROM ledger.event w WHERE w.subject = o.subject
            AND w.type = 'DiscrepancyWithdrawn' AND w.cause = o.id) THEN 'withdrawn'
        WHEN d.id IS NOT NULL THEN 'resolved' ELSE 'open' END AS state,
    d.body ->> 'how' AS how, d.actor AS resolved_by, d.at AS resolved_at
FROM ledger.event o
LEFT JOIN LATERAL (
    SELECT e.id, e.body, e.actor, e.at FROM ledger.event e
    WHERE e.subject = o.subject AND e.type = 'DiscrepancyResolved' AND e.body IS NOT NULL
    ORDER BY e.at DESC, e.id DESC LIMIT 1) d ON true
WHERE o.type = 'DiscrepancyOpened' AND o.body IS NOT NULL
ORDER BY o.subject, o.seq DESC;

-- name: plate (key: plate; touched: plate; index: code; index: lab, loaded_at)
-- Plates as they were loaded; a discarded one keeps its row and none of its wells.
SELECT DISTINCT ON (e.subject) e.subject AS plate, e.body ->> 'code' AS code, e.body ->> 'lab' AS lab,
    e.body ->> 'assay' AS assay, (e.body ->> 'size')::int AS size,
    e.body ->> 'template' AS template, e.body -> 'controls' AS controls,
    jsonb_array_length(e.body -> 'wells') AS tubes, e.at AS loaded_at, e.actor AS loaded_by,
    e.id AS loading,
    (SELECT d.body ->> 'reason' FROM ledger.event d
        WHERE d.subject = e.subject AND d.type = 'PlateDiscarded' AND d.body IS NOT NULL
        ORDER BY d.at, d.id LIMIT 1) AS discarded
FROM ledger.event e
WHERE e.type = 'PlateLoaded' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: well (key: plate; touched: plate; spills: barcode; index: barcode)
-- Which tube stands in which well of a plate that was not discarded.
SELECT p.plate, w ->> 'well' AS well, w ->> 'barcode' AS barcode, (w ->> 'tube')::uuid AS tube,
    coalesce((w ->> 'repeat')::boolean, false) AS repeat, p.lab, p.assay, p.loaded_at
FROM lab.plate p
JOIN ledger.event e ON e.id = p.loading
CROSS JOIN jsonb_array_elements(e.body -> 'wells') w
WHERE p.discarded IS NULL;

-- name: repooling (key: plate; touched: plate; index: lab, at)
-- Attempts to put several tubes into one well.
SELECT e.subject AS plate, e.body ->> 'lab' AS lab, e.body ->> 'well' AS well,
    ARRAY(SELECT jsonb_array_elements_text(e.body -> 'barcodes')) AS barcodes,
    e.body ->> 'found_in' AS found_in, e.at, e.actor AS by
FROM ledger.event e
WHERE e.type = 'RepoolingRefused' AND e.body IS NOT NULL;

-- name: run (key: run; touched: run; index: plate; index: lab, imported_at)
-- Runs, and how they were last called.
SELECT DISTINCT ON (e.subject) e.subject AS run, (e.body ->> 'plate')::uuid AS plate,
    e.body ->> 'lab' AS lab, e.body ->> 'file' AS file, e.body ->> 'format' AS format,
    e.body ->> 'instrument' AS instrument, e.body ->> 'serial' AS serial,
    (e.body ->> 'started_at')::timestamptz AS started_at,
    (e.body ->> 'ended_at')::timestamptz AS ended_at, e.at AS imported_at, e.actor AS imported_by,
    e.id AS importing, c.id AS calling, c.at AS called_at, c.body ->> 'blocked' AS blocked,
    (c.body ->> 'edition')::uuid AS edition,
    ARRAY(SELECT jsonb_array_elements_text(c.body -> 'failed_controls')) AS failed_controls
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT x.id, x.at, x.body FROM ledger.event x
    WHERE x.subject = e.subject AND x.type = 'RunCalled' AND x.body IS NOT NULL
    ORDER BY x.at DESC, x.id DESC LIMIT 1) c ON true
WHERE e.type = 'RunImported' AND e.body IS NOT NULL
ORDER BY e.subject, e.at, e.id;

-- name: call (key: run; touched: run; spills: barcode; index: barcode)
-- The calls of each run as they last were, and what is to be said of the tube after all its runs.
SELECT r.run, r.plate, r.lab, c ->> 'barcode' AS barcode, (c ->> 'tube')::uuid AS tube,
    c ->> 'well' AS well, c ->> 'call' AS call, c ->> 'reason' AS reason,
    c ->> 'standing' AS standing, c ->> 'standing_reason' AS standing_reason, c ->> 'next' AS next,
    c -> 'values' AS values, r.blocked IS NOT NULL AS blocked, r.edition, r.called_at, r.imported_at
FROM lab.run r
JOIN ledger.event e ON e.id = r.calling
CROSS JOIN jsonb_array_elements(e.body -> 'calls') c;

-- name: edition (key: edition; touched: assay; index: assay, since; seen: everyone)
-- Editions of call rules.
SELECT DISTINCT ON (e.subject) e.subject AS edition, e.body -> 'assay' ->> 'code' AS assay,
    e.body -> 'assay' ->> 'name' AS name, (e.body ->> 'since')::timestamptz AS since,
    e.body -> 'assay' AS rules, e.at AS adopted_at, e.actor AS adopted_by
FROM ledger.event e
WHERE e.type = 'AssayAdopted' AND e.body IS NOT NULL
ORDER BY e.subject, e.at, e.id;

-- name: template (key: id; touched: template; index: template; seen: everyone)
-- Layouts of plates.
SELECT DISTINCT ON (e.subject) e.subject AS id, e.body -> 'template' ->> 'code' AS template,
    e.body -> 'template' AS layout, e.at AS adopted_at
FROM ledger.event e
WHERE e.type = 'TemplateAdopted' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: proposal (key: result; touched: result; index: barcode)
-- What a first person would release, amend or reject, until a second one answers.
SELECT e.subject AS result, e.id AS proposal, e.body ->> 'barcode' AS barcode,
    (e.body ->> 'tube')::uuid AS tube, e.body ->> 'outcome' AS outcome, e.body ->> 'lab' AS lab,
    (e.body ->> 'run')::uuid AS run, e.body ->> 'unfit' AS unfit, e.body ->> 'amends' AS amends,
    e.body ->> 'rejects' AS rejects,
    e.actor AS proposed_by, e.at AS proposed_at, x.type AS answer, x.actor AS answered_by,
    x.at AS answered_at
FROM ledger.event e
LEFT JOIN LATERAL (
    SELECT a.type, a.actor, a.at FROM ledger.event a
    WHERE a.subject = e.subject AND a.cause = e.id
        AND a.type IN ('ResultReleased', 'ResultAmended', 'ResultRejected', 'ProposalDeclined')
    ORDER BY a.at, a.id LIMIT 1) x ON true
WHERE e.type = 'ResultProposed' AND e.body IS NOT NULL;

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
                        ORDER BY p.since DESC LIMIT 1), {DEFAULT_RESULT_WINDOW_HOURS}))
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

-- name: outcome (key: barcode; touched: barcode; spills: tube; index: tube)
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

-- name: sample (key: barcode; touched: barcode; index: tube; index: lab, received_at where next <> 'done'; index: lab, released_at)
-- Each tube in each laboratory it came to, and what is to be done with it next: load, run, repeat,
-- propose (a first person), confirm (a second), release (one person), unfit (decide), done.
SELECT b.barcode, b.tube, b.lab, t.site, t.sealed_at, v.reception,
    coalesce(v.received_at, w.loaded_at) AS received_at, v.condition, w.plate, w.well, w.loaded_at,
    c.run, c.called_at, c.call, c.reason, c.standing, c.standing_reason, c.blocked, c.edition,
    p.result AS proposed, p.outcome AS proposed_outcome, p.proposed_by,
    r.result, r.outcome, r.resulted_at AS released_at,
    CASE WHEN r.result IS NOT NULL THEN 'done'
        WHEN p.result IS NOT NULL THEN 'confirm'
        WHEN w.plate IS NOT NULL AND c.plate IS DISTINCT FROM w.plate THEN 'run'
        WHEN c.blocked THEN 'repeat'
        WHEN c.next = 'propose' AND EXISTS (
            SELECT FROM lab.proposal x
            WHERE x.barcode = b.barcode AND x.lab = b.lab AND x.tube IS NOT DISTINCT FROM b.tube
                AND x.answer = 'ProposalDeclined' AND x.answered_at >= c.called_at) THEN 'repeat'
        WHEN c.run IS NOT NULL THEN c.next
        WHEN v.condition IN ('leaking', 'damaged', 'empty', 'unlabelled') THEN 'unfit'
        ELSE 'load' END AS next
FROM (
    SELECT barcode, tube, lab FROM lab.received
    UNION SELECT barcode, tube, lab FROM lab.well) b
LEFT JOIN sampling.tube t ON t.tube = b.tube
LEFT JOIN LATERAL (
    SELECT x.reception, x.received_at, x.condition FROM lab.received x
    WHERE x.barcode = b.barcode AND x.lab = b.lab AND x.tube IS NOT DISTINCT FROM b.tube
    ORDER BY x.received_at, x.reception LIMIT 1) v ON true
LEFT JOIN LATERAL (
    SELECT x.plate, x.well, x.loaded_at FROM lab.well x
    WHERE x.barcode = b.barcode AND x.lab = b.lab AND x.tube IS NOT DISTINCT FROM b.tube
    ORDER BY x.loaded_at DESC, x.plate LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT x.* FROM lab.call x
    WHERE x.barcode = b.barcode AND x.lab = b.lab AND x.tube IS NOT DISTINCT FROM b.tube
    ORDER BY x.imported_at DESC, x.run LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT x.result, x.outcome, x.proposed_by FROM lab.proposal x
    WHERE x.barcode = b.barcode AND x.lab = b.lab AND x.tube IS NOT DISTINCT FROM b.tube
        AND x.amends IS NULL AND x.rejects IS NULL AND x.answer IS NULL
    ORDER BY x.proposed_at DESC, x.result LIMIT 1) p ON true
LEFT JOIN LATERAL (
    SELECT x.result, x.outcome, x.resulted_at FROM lab.result x
    WHERE x.barcode = b.barcode AND x.lab = b.lab AND NOT x.rejected AND x.proven
        AND (b.tube IS NULL OR b.tube = ANY (x.tubes))
    ORDER BY x.resulted_at DESC, x.result LIMIT 1) r ON true;

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

-- name: reception_seen (for: reception)
-- A laboratory sees its own work, others the boxes they see.
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0
        AND EXISTS (SELECT FROM custody.box b WHERE b.box = reception.box)

-- name: scan_seen (for: scan)
EXISTS (SELECT FROM lab.reception r WHERE r.reception = scan.reception)

-- name: received_seen (for: received)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)

-- name: found_seen (for: found)
EXISTS (SELECT FROM lab.reception r WHERE r.reception = found.reception)

-- name: discrepancy_seen (for: discrepancy)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR owner = (SELECT nullif(access.word('login'), ''))
    OR cardinality((SELECT access.codes('labs'))) = 0
        AND EXISTS (SELECT FROM lab.reception r WHERE r.reception = discrepancy.reception)

-- name: plate_seen (for: plate)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])

-- name: well_seen (for: well)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)

-- name: repooling_seen (for: repooling)
(SELECT access.yes('everyone')) OR (SELECT access.yes('figures'))
    OR lab = ANY ((SELECT access.codes('labs'))::text[])

-- name: run_seen (for: run)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])

-- name: call_seen (for: call)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)

-- name: proposal_seen (for: proposal)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])

-- name: sample_seen (for: sample)
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)

-- name: result_seen (for: result)
-- A laboratory sees its own results, others those of tubes they see.
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])
    OR cardinality((SELECT access.codes('labs'))) = 0 AND (SELECT bool_or(access.sees_tube(t)) FROM unnest(tubes) t)

-- name: outcome_seen (for: outcome)
(SELECT access.yes('everyone')) OR cardinality((SELECT access.codes('labs'))) = 0 AND access.sees_tube(tube)
    OR cardinality((SELECT access.codes('labs'))) > 0 AND EXISTS (SELECT FROM lab.result r WHERE r.barcode = outcome.barcode)

-- name: recall_seen (for: recall)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas') OR access.tube_here(tube)
