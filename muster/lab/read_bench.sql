-- name: lab (key: id; touched: lab; index: lab; seen: everyone)
-- The laboratories that take part.
SELECT DISTINCT ON (e.subject) e.subject AS id, e.body ->> 'code' AS lab, e.body ->> 'name' AS name,
    e.body ->> 'kind' AS kind,
    coalesce((e.body ->> 'capacity_per_hour')::int, 0) AS capacity_per_hour,
    (e.body ->> 'area')::uuid AS area, (e.body ->> 'wells_since')::timestamptz AS wells_since
FROM ledger.event e
WHERE e.type = 'LabListed' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

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

-- name: call (key: run; touched: run; spills: barcode; index: barcode, run)
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

-- name: sample (key: barcode; touched: sample; index: tube; index: lab, received_at, barcode where next <> 'done'; index: lab, released_at)
-- Each tube in each laboratory it came to, and what is to be done with it next: load, run, repeat,
-- propose (a first person), confirm (a second), release (one person), unfit (decide), identify (no tube
-- of that barcode is known), done: also what was sent on, and what nobody could identify. Results are
-- found by barcode: `lab || ''` keeps PostgreSQL from taking all results of the laboratory instead.
SELECT b.barcode, b.tube, b.lab, t.site, t.sealed_at, v.reception,
    coalesce(v.received_at, w.loaded_at) AS received_at, v.condition, w.plate, w.well, w.loaded_at,
    c.run, c.called_at, c.call, c.reason, c.standing, c.standing_reason, c.blocked, c.edition,
    p.result AS proposed, p.outcome AS proposed_outcome, p.proposed_by,
    r.result, r.outcome, r.resulted_at AS released_at,
    CASE WHEN r.result IS NOT NULL THEN 'done'
        WHEN w.plate IS NULL AND EXISTS (
            SELECT FROM lab.discrepancy d
            WHERE d.reception = v.reception AND d.barcode = b.barcode AND d.state = 'resolved'
                AND (d.how = 'sent_on' OR b.tube IS NULL)) THEN 'done'
        WHEN p.result IS NOT NULL THEN 'confirm'
        WHEN w.plate IS NOT NULL AND c.plate IS DISTINCT FROM w.plate THEN 'run'
        WHEN c.blocked THEN 'repeat'
        WHEN c.next = 'propose' AND EXISTS (
            SELECT FROM lab.proposal x
            WHERE x.barcode = b.barcode AND x.lab = b.lab AND x.tube IS NOT DISTINCT FROM b.tube
                AND x.answer = 'ProposalDeclined' AND x.answered_at >= c.called_at) THEN 'repeat'
        WHEN c.run IS NOT NULL THEN c.next
        WHEN b.tube IS NULL THEN 'identify'
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
    WHERE x.barcode = b.barcode AND x.lab || '' = b.lab AND NOT x.rejected AND x.proven
        AND (b.tube IS NULL OR b.tube = ANY (x.tubes))
    ORDER BY x.resulted_at DESC, x.result LIMIT 1) r ON true;

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
