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
    o.resulted_at, o.amended_at
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
ORDER BY p.name, p.since DESC, p.policy DESC;

-- name: labs
SELECT l.lab, l.name, l.kind, l.capacity_per_hour, l.wells_since, a.name AS area_name
FROM lab.lab l LEFT JOIN registry.area a ON a.area = l.area ORDER BY l.lab;

-- name: lab
SELECT * FROM lab.lab WHERE lab = %(lab)s ORDER BY id LIMIT 1;

-- name: samples
-- A laboratory's open list, in the order in which tubes came. The plain comparison beside the pair: under
-- row-level security an index serves only what cannot leak, and the pair's comparison of texts may.
SELECT s.barcode, s.tube, s.received_at, s.sealed_at, s.condition, s.plate, p.code AS plate_code,
    s.well, s.run, s.call, s.reason, s.standing, s.standing_reason, s.next, s.proposed_by,
    s.proposed_outcome
FROM lab.sample s
LEFT JOIN lab.plate p ON p.plate = s.plate
WHERE s.lab = %(lab)s AND s.next <> 'done'
    AND s.received_at >= coalesce(%(at)s::timestamptz, '-infinity')
    AND (%(next)s::text IS NULL OR s.next = %(next)s)
    AND (%(at)s::timestamptz IS NULL OR (s.received_at, s.barcode) > (%(at)s, %(barcode)s))
ORDER BY s.received_at, s.barcode
LIMIT %(limit)s;

-- name: samples_of
-- What is known of some barcodes in a laboratory.
SELECT s.*, p.code AS plate_code, w.assay FROM lab.sample s
LEFT JOIN lab.plate p ON p.plate = s.plate
LEFT JOIN lab.well w ON w.plate = s.plate AND w.barcode = s.barcode AND w.well = s.well
WHERE s.lab = %(lab)s AND s.barcode = ANY (%(barcodes)s::text[]);

-- name: samples_of_run
-- The tubes of a run with what is to be done with each.
SELECT s.* FROM lab.call c
JOIN lab.sample s ON s.barcode = c.barcode AND s.lab = c.lab AND s.tube IS NOT DISTINCT FROM c.tube
WHERE c.run = %(run)s ORDER BY c.well;

-- name: to_release
-- What one person may release: negatives, and what stays invalid.
SELECT s.* FROM lab.sample s
WHERE s.lab = %(lab)s AND s.next = 'release'
ORDER BY s.received_at, s.barcode LIMIT %(limit)s;

-- name: plate_by_code
SELECT * FROM lab.plate WHERE lab = %(lab)s AND code = %(code)s AND discarded IS NULL
ORDER BY loaded_at DESC, plate LIMIT 1;

-- name: plate
SELECT * FROM lab.plate WHERE plate = %(plate)s;

-- name: plates
SELECT p.plate, p.code, p.lab, p.assay, p.size, p.template, p.tubes, p.loaded_at, p.loaded_by,
    p.discarded, r.run, r.imported_at, r.blocked, r.edition, r.file
FROM lab.plate p
LEFT JOIN LATERAL (SELECT x.* FROM lab.run x WHERE x.plate = p.plate
    ORDER BY x.imported_at DESC, x.run LIMIT 1) r ON true
WHERE p.lab = %(lab)s
    AND (%(at)s::timestamptz IS NULL OR (p.loaded_at, p.plate) < (%(at)s, %(plate)s::uuid))
ORDER BY p.loaded_at DESC, p.plate DESC LIMIT %(limit)s;

-- name: wells
SELECT well, barcode, tube, repeat FROM lab.well WHERE plate = %(plate)s ORDER BY well;

-- name: plates_with
-- The plates of a laboratory on which most of these barcodes stand.
SELECT w.plate, count(*)::int AS tubes FROM lab.well w
WHERE w.lab = %(lab)s AND w.barcode = ANY (%(barcodes)s::text[])
GROUP BY w.plate ORDER BY count(*) DESC, max(w.loaded_at) DESC LIMIT 2;

-- name: wells_of
-- The wells in which some barcodes stand already, on plates of one assay.
SELECT w.barcode, w.well, p.code, w.plate FROM lab.well w JOIN lab.plate p ON p.plate = w.plate
WHERE w.lab = %(lab)s AND w.assay = %(assay)s AND w.barcode = ANY (%(barcodes)s::text[]);

-- name: runs_of
SELECT * FROM lab.run WHERE plate = %(plate)s ORDER BY imported_at, run;

-- name: run
SELECT r.*, p.code AS plate_code, p.assay FROM lab.run r JOIN lab.plate p ON p.plate = r.plate
WHERE r.run = %(run)s;

-- name: readings
SELECT x ->> 'well' AS well, x ->> 'target' AS target, (x ->> 'ct_milli')::int AS ct_milli
FROM lab.run r JOIN ledger.event e ON e.id = r.importing
CROSS JOIN jsonb_array_elements(e.body -> 'readings') x
WHERE r.run = %(run)s;

-- name: earlier_calls
-- The calls of some tubes in other runs of a laboratory, in order of time.
SELECT c.barcode, c.tube, c.well, c.call, c.reason, c.blocked, c.imported_at
FROM lab.call c
WHERE c.lab = %(lab)s AND c.barcode = ANY (%(barcodes)s::text[]) AND c.run <> %(run)s
ORDER BY c.imported_at, c.run;

-- name: calls_of_run
SELECT c.well, c.barcode, c.tube, c.call, c.reason, c.standing, c.standing_reason, c.next, c.values,
    s.next AS now, s.outcome
FROM lab.call c
LEFT JOIN lab.sample s
    ON s.barcode = c.barcode AND s.lab = c.lab AND s.tube IS NOT DISTINCT FROM c.tube
WHERE c.run = %(run)s ORDER BY c.well;

-- name: edition
-- The call rules of an assay in force at a moment.
SELECT * FROM lab.edition WHERE assay = %(assay)s AND since <= %(at)s
ORDER BY since DESC, edition DESC LIMIT 1;

-- name: editions
SELECT edition, assay, name, since, adopted_at, adopted_by, rules FROM lab.edition
ORDER BY assay, since DESC, edition;

-- name: templates
SELECT template, layout, adopted_at FROM lab.template ORDER BY template;

-- name: template
SELECT layout FROM lab.template WHERE template = %(template)s LIMIT 1;

-- name: stale_runs
-- Runs with open samples that were called under another edition than the one in force.
SELECT r.run, r.lab FROM lab.run r JOIN lab.plate p ON p.plate = r.plate
WHERE r.imported_at > %(since)s AND p.discarded IS NULL
    AND r.edition <> (SELECT e.edition FROM lab.edition e
        WHERE e.assay = p.assay AND e.since <= %(at)s
        ORDER BY e.since DESC, e.edition DESC LIMIT 1)
    AND EXISTS (SELECT FROM lab.call c
        JOIN lab.sample s ON s.barcode = c.barcode AND s.lab = c.lab
            AND s.tube IS NOT DISTINCT FROM c.tube
        WHERE c.run = r.run AND s.next <> 'done')
ORDER BY r.imported_at, r.run;

-- name: proposals
-- What waits for a second person.
SELECT p.result, p.proposal, p.barcode, p.tube, p.outcome, p.lab, p.run, p.unfit, p.amends, p.rejects,
    p.proposed_by, p.proposed_at
FROM lab.proposal p
WHERE p.answer IS NULL AND (%(lab)s::text IS NULL OR p.lab = %(lab)s)
ORDER BY p.proposed_at, p.result LIMIT 1000;

-- name: proposal
SELECT p.*, r.result IS NOT NULL AS released FROM lab.proposal p
LEFT JOIN lab.result r ON r.result = p.result
WHERE p.result = %(result)s AND p.answer IS NULL ORDER BY p.proposed_at DESC LIMIT 1;

-- name: proposals_of
SELECT p.* FROM lab.proposal p
WHERE p.lab = %(lab)s AND p.barcode = ANY (%(barcodes)s::text[]) AND p.answer IS NULL;

-- name: results_of_barcodes
SELECT r.* FROM lab.result r
WHERE r.lab = %(lab)s AND r.barcode = ANY (%(barcodes)s::text[]) AND NOT r.rejected;

-- name: receptions
-- Boxes a laboratory took in, newest first, with how far their unpacking has come.
SELECT r.reception, r.code, r.lab, r.box, r.received_at, r.received_by, n.ended_at,
    (SELECT count(*)::int FROM (
        SELECT r.box UNION ALL SELECT g.bag FROM custody.bagged g WHERE g.box = r.box) x (box)
        JOIN custody.packed m ON m.box = x.box) AS expected,
    (SELECT coalesce(sum(s.scans), 0)::int FROM lab.scan s WHERE s.reception = r.reception) AS scanned,
    (SELECT count(*)::int FROM lab.discrepancy d
        WHERE d.reception = r.reception AND d.state = 'open') AS open_cases
FROM lab.reception r LEFT JOIN lab.emptied n ON n.reception = r.reception
WHERE r.lab = %(lab)s
    AND (%(at)s::timestamptz IS NULL OR (r.received_at, r.reception) < (%(at)s, %(reception)s::uuid))
ORDER BY r.received_at DESC, r.reception DESC LIMIT %(limit)s;

-- name: reception
SELECT r.reception, r.code, r.lab, r.box, b.bound_for, r.received_at, r.received_by, n.ended_at
FROM lab.reception r LEFT JOIN custody.box b ON b.box = r.box
LEFT JOIN lab.emptied n ON n.reception = r.reception WHERE r.reception = %(reception)s;

-- name: manifest
-- What a reception's box should hold.
SELECT m.barcode FROM lab.reception r
CROSS JOIN LATERAL (
    SELECT r.box UNION ALL SELECT g.bag FROM custody.bagged g WHERE g.box = r.box) x (box)
JOIN custody.packed m ON m.box = x.box
WHERE r.reception = %(reception)s ORDER BY m.barcode;

-- name: scanned
-- What was made of some barcodes in a reception.
SELECT s.barcode, s.scans, s.condition, v.tube, v.candidates, t.sealed_at,
    ARRAY(SELECT f.kind FROM lab.found f WHERE f.reception = s.reception
        AND f.barcode = s.barcode ORDER BY f.kind) AS faults
FROM lab.scan s
LEFT JOIN lab.received v ON v.barcode = s.barcode AND v.reception = s.reception
LEFT JOIN sampling.tube t ON t.tube = v.tube
WHERE s.reception = %(reception)s AND s.barcode = ANY (%(barcodes)s::text[]);

-- name: count_scanned
SELECT coalesce(sum(s.scans), 0)::int AS scanned FROM lab.scan s WHERE s.reception = %(reception)s;

-- name: discrepancies
SELECT d.discrepancy, d.reception, r.code AS box_code, d.lab, d.kind, d.barcode, d.owner, d.state,
    d.how, d.opened_at, d.resolved_by, d.resolved_at
FROM lab.discrepancy d LEFT JOIN lab.reception r ON r.reception = d.reception
WHERE (%(lab)s::text IS NULL OR d.lab = %(lab)s) AND (%(state)s::text IS NULL OR d.state = %(state)s)
    AND (%(at)s::timestamptz IS NULL OR (d.opened_at, d.discrepancy) > (%(at)s, %(case)s::uuid))
ORDER BY d.opened_at, d.discrepancy LIMIT %(limit)s;

-- name: discrepancy
SELECT * FROM lab.discrepancy WHERE discrepancy = %(discrepancy)s;

-- name: all_scanned
SELECT s.barcode, s.scans, s.condition FROM lab.scan s WHERE s.reception = %(reception)s;

-- name: faults
SELECT f.kind, f.barcode FROM lab.found f WHERE f.reception = %(reception)s ORDER BY f.kind, f.barcode;

-- name: formats
SELECT supplier, kind, pattern, "check", capacity FROM custody.format
WHERE since <= %(at)s AND NOT retired ORDER BY supplier, kind, pattern;

-- name: keep_file
-- Keep a file before it is read; what is known of it already stays. `fresh`: it was not known.
WITH kept AS (
    INSERT INTO lab.run_file (file, lab, name, sealed, size_bytes, received_at, sent_by, state,
        expires_at)
    VALUES (%(file)s, %(lab)s, %(name)s, %(sealed)s, %(size_bytes)s, %(at)s, %(by)s, 'waiting',
        %(expires_at)s)
    ON CONFLICT (file) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at,
        state = CASE run_file.state WHEN 'refused' THEN 'waiting' ELSE run_file.state END
    RETURNING state, run, xmax = 0 AS fresh)
SELECT * FROM kept;

-- name: file_waits
UPDATE lab.run_file SET state = 'waiting', slug = %(slug)s, facts = %(facts)s::jsonb,
    plate_code = %(plate)s
WHERE file = %(file)s AND state <> 'imported' RETURNING file;

-- name: file_imported
UPDATE lab.run_file SET state = 'imported', slug = NULL, facts = NULL, run = %(run)s,
    decided_by = %(by)s
WHERE file = %(file)s RETURNING file;

-- name: refuse_file
UPDATE lab.run_file SET state = 'refused', decided_by = %(by)s WHERE file = %(file)s RETURNING file;

-- name: waiting_file
SELECT * FROM lab.run_file
WHERE file = %(file)s AND lab = %(lab)s AND state = 'waiting' AND sealed IS NOT NULL;

-- name: waiting_for_plate
SELECT file FROM lab.run_file
WHERE lab = %(lab)s AND state = 'waiting' AND plate_code = %(code)s AND sealed IS NOT NULL
ORDER BY received_at;

-- name: files
SELECT encode(f.file, 'hex') AS file, f.name, f.size_bytes, f.received_at, f.sent_by, f.state,
    f.slug, f.facts, f.plate_code, f.run, f.decided_by, f.expires_at
FROM lab.run_file f
WHERE f.lab = %(lab)s AND (%(state)s::text IS NULL OR f.state = %(state)s)
    AND (%(at)s::timestamptz IS NULL OR (f.received_at, f.file) < (%(at)s, decode(%(file)s, 'hex')))
ORDER BY f.received_at DESC, f.file DESC LIMIT %(limit)s;

-- name: released
-- Released results of a laboratory by tube code, never by name: how many swabs, when taken and received,
-- and the Ct values behind them.
SELECT r.barcode, r.result, r.outcome, r.amended, r.lab, r.resulted_at, t.sealed_at AS collected_at,
    v.received_at, c.values,
    (SELECT count(*)::int FROM sampling.specimen s WHERE s.tube = t.tube) AS members
FROM lab.result r
LEFT JOIN sampling.tube t ON t.tube = r.tubes[1]
LEFT JOIN LATERAL (SELECT min(x.received_at) AS received_at FROM lab.received x
    WHERE x.barcode = r.barcode AND x.lab = r.lab) v ON true
LEFT JOIN lab.call c ON c.barcode = r.barcode AND c.run = r.run
WHERE r.lab = %(lab)s AND r.resulted_at >= %(since)s AND r.resulted_at < %(until)s
    AND NOT r.rejected AND cardinality(r.tubes) = 1
ORDER BY r.resulted_at, r.barcode LIMIT 10001;

-- name: pools_of
-- The tubes of a round in which somebody of an area is, by how many people are in them: how many of them have a
-- result, and how many of those are positive. Re-tests are of people who were positive before: they do not count.
SELECT y.size, count(*)::int AS tested, count(*) FILTER (WHERE o.outcome = 'positive')::int AS positive
FROM (
    SELECT s.tube, count(*)::int AS size
    FROM sampling.specimen s
    LEFT JOIN registry.resident r ON r.resident = s.person
    LEFT JOIN registry.span b ON b.area = r.building
    WHERE s.round = %(round)s
    GROUP BY s.tube HAVING bool_or(%(area)s = ANY (b.line))) y
JOIN sampling.tube t ON t.tube = y.tube AND t.purpose = 'round'
JOIN lab.outcome o ON o.tube = y.tube AND o.state = 'final' AND o.outcome IN ('negative', 'positive')
GROUP BY y.size ORDER BY y.size;
