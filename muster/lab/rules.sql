-- name: open_discrepancy (emits: DiscrepancyOpened; touched: scanned)
-- Whatever is wrong with a box opens a case, owned by whoever took the box in. One that was withdrawn
-- is opened again when its ground comes back.
SELECT md5(concat(f.reception, f.kind, f.barcode))::uuid AS subject, f.cause,
    concat(f.reception, f.kind, f.barcode, (
        SELECT w.id FROM ledger.event w
        WHERE w.subject = md5(concat(f.reception, f.kind, f.barcode))::uuid
            AND w.type = 'DiscrepancyWithdrawn'
        ORDER BY w.seq DESC LIMIT 1)) AS key,
    jsonb_strip_nulls(jsonb_build_object('reception', f.reception, 'lab', f.lab, 'kind', f.kind,
        'barcode', f.barcode, 'owner', f.owner)) AS body
FROM lab.found f
WHERE f.reception = ANY (%(scanned)s::uuid[])
    AND NOT EXISTS (
        SELECT FROM lab.discrepancy d
        WHERE d.discrepancy = md5(concat(f.reception, f.kind, f.barcode))::uuid
            AND d.state <> 'withdrawn');

-- name: withdraw_discrepancy (emits: DiscrepancyWithdrawn; touched: scanned)
-- The twin: the manifest came late, the tube turned up elsewhere, the scan was undone.
SELECT d.discrepancy AS subject, d.opening AS cause, d.opening::text AS key, '{}'::jsonb AS body
FROM lab.discrepancy d
WHERE d.reception = ANY (%(scanned)s::uuid[]) AND d.state = 'open'
    AND NOT EXISTS (
        SELECT FROM lab.found f
        WHERE f.reception = d.reception AND f.kind = d.kind
            AND f.barcode IS NOT DISTINCT FROM d.barcode);

-- name: recall_members (emits: RecallOrdered; touched: tube, barcode, person)
-- A positive or indeterminate tube recalls each member who has no standing recall of that tube: in a
-- conflict of tubes the members of all of them. A re-test that answers a recall recalls nobody; it is
-- later than what it re-tests, so that no two tubes can answer each other.
SELECT DISTINCT ON (s.tube, s.recorded) s.tube AS subject, o.cause, concat(s.tube, s.recorded, (
        SELECT w.id FROM ledger.event w
        WHERE w.subject = s.tube AND w.type = 'RecallWithdrawn'
            AND w.body ->> 'person' = s.recorded::text
        ORDER BY w.seq DESC LIMIT 1)) AS key,
    jsonb_build_object('person', s.recorded, 'outcome', o.outcome) AS body
FROM lab.outcome o
JOIN sampling.tube t ON t.tube = o.tube
JOIN sampling.specimen s ON s.tube = o.tube
WHERE (o.tube = ANY (%(tube)s::uuid[]) OR o.barcode = ANY (%(barcode)s::text[])
        OR o.tube = ANY (ARRAY(
            SELECT x.tube FROM sampling.tube x WHERE x.retest_of = ANY (%(tube)s::uuid[]))))
    AND o.outcome IN ('positive', 'indeterminate')
    AND NOT EXISTS (
        SELECT FROM lab.recall r
        WHERE r.tube = s.tube AND r.recorded = s.recorded AND r.state <> 'withdrawn')
    AND NOT EXISTS (
        SELECT FROM lab.recall r JOIN sampling.tube f ON f.tube = r.tube
        WHERE r.tube = t.retest_of AND r.person = s.person AND r.state <> 'withdrawn'
            AND (f.at, f.tube) < (t.at, t.tube))
ORDER BY s.tube, s.recorded, o.outcome DESC, o.cause;

-- name: withdraw_recall (emits: RecallWithdrawn; touched: tube, barcode, person)
-- The twin: no ground is left, since the outcome is now another, the member was not in the tube, or
-- the tube turns out to be the re-test that answers another recall.
SELECT r.tube AS subject, r.recall AS cause, r.recall::text AS key,
    jsonb_build_object('person', r.recorded, 'recall', r.recall) AS body
FROM lab.recall r
WHERE r.tube = ANY (ARRAY(
        SELECT unnest(%(tube)s::uuid[])
        UNION SELECT x.tube FROM sampling.tube x WHERE x.retest_of = ANY (%(tube)s::uuid[])
        UNION SELECT o.tube FROM lab.outcome o WHERE o.barcode = ANY (%(barcode)s::text[])))
    AND r.state <> 'withdrawn'
    AND (NOT EXISTS (
            SELECT FROM lab.outcome o
            JOIN sampling.specimen s ON s.tube = o.tube AND s.recorded = r.recorded
            WHERE o.tube = r.tube AND o.outcome IN ('positive', 'indeterminate'))
        OR EXISTS (
            SELECT FROM sampling.tube t JOIN sampling.tube f ON f.tube = t.retest_of
            JOIN lab.recall x ON x.tube = f.tube AND x.person = r.person
            WHERE t.tube = r.tube AND x.state <> 'withdrawn'
                AND (f.at, f.tube) < (t.at, t.tube)));

-- name: close_recall (emits: RecallClosed; touched: tube, barcode, person)
-- A final single re-test answers an open recall: negative releases, positive confirms, even one
-- that another re-test has released.
SELECT r.tube AS subject, o.cause, concat(r.recall, t.tube, (
        SELECT u.id FROM ledger.event u
        WHERE u.subject = r.tube AND u.type = 'RecallReopened'
            AND (u.body ->> 'recall')::uuid = r.recall
        ORDER BY u.seq DESC LIMIT 1)) AS key,
    jsonb_build_object('person', r.recorded, 'recall', r.recall, 'retest', t.tube, 'outcome',
        CASE o.outcome WHEN 'negative' THEN 'released' ELSE 'confirmed' END) AS body
FROM lab.recall r
JOIN sampling.tube t ON t.retest_of = r.tube AND t.tube <> r.tube
JOIN sampling.specimen s ON s.tube = t.tube AND s.person = r.person
JOIN lab.outcome o ON o.tube = t.tube
WHERE r.tube = ANY (ARRAY(
        SELECT unnest(%(tube)s::uuid[])
        UNION SELECT x.retest_of FROM sampling.tube x
        WHERE x.retest_of IS NOT NULL AND x.tube = ANY (ARRAY(
            SELECT unnest(%(tube)s::uuid[])
            UNION SELECT o.tube FROM lab.outcome o WHERE o.barcode = ANY (%(barcode)s::text[])))))
    AND o.state = 'final' AND (r.state = 'open' AND o.outcome IN ('negative', 'positive')
        OR r.state = 'closed' AND r.answer = 'released' AND o.outcome = 'positive')
    AND (SELECT count(*) FROM sampling.specimen m WHERE m.tube = t.tube) = 1;

-- name: reopen_recall (emits: RecallReopened; touched: tube, barcode, person)
-- The twin: the re-test that closed a recall no longer says what it said.
SELECT r.tube AS subject, r.closing AS cause, r.closing::text AS key,
    jsonb_build_object('person', r.recorded, 'recall', r.recall, 'closing', r.closing) AS body
FROM lab.recall r
WHERE r.tube = ANY (ARRAY(
        SELECT unnest(%(tube)s::uuid[])
        UNION SELECT c.tube FROM lab.recall c WHERE c.retest = ANY (ARRAY(
            SELECT unnest(%(tube)s::uuid[])
            UNION SELECT o.tube FROM lab.outcome o WHERE o.barcode = ANY (%(barcode)s::text[])))))
    AND r.state = 'closed'
    AND NOT EXISTS (
        SELECT FROM sampling.tube t
        JOIN sampling.specimen s ON s.tube = t.tube AND s.person = r.person
        JOIN lab.outcome o ON o.tube = t.tube
        WHERE t.tube = r.retest AND t.retest_of = r.tube AND o.state = 'final'
            AND o.outcome = CASE r.answer WHEN 'released' THEN 'negative' ELSE 'positive' END
            AND (SELECT count(*) FROM sampling.specimen m WHERE m.tube = t.tube) = 1);

-- name: recall_due (emits: RecallFellDue; clock: tick)
-- An open recall whose time is up is noted once; closing the recall ends it, so it needs no twin.
SELECT r.tube AS subject, r.recall AS cause, r.recall::text AS key,
    jsonb_build_object('person', r.recorded, 'recall', r.recall) AS body
FROM lab.recall r
WHERE r.state = 'open' AND NOT r.fell_due
    AND r.ordered_at < %(now)s - make_interval(hours => coalesce((
        SELECT p.value FROM registry.policy p
        WHERE p.name = 'recall_hours' AND p.since <= r.ordered_at
        ORDER BY p.since DESC, p.policy DESC LIMIT 1), {DEFAULT_RECALL_HOURS}));
