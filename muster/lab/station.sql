-- What the scanning station asks beside the lists of reception and bench.

-- name: open_counts
-- How many tubes of a laboratory wait for what, and what is to be said of them.
SELECT s.next, s.standing, count(*)::int AS tubes FROM lab.sample s
WHERE s.lab = %(lab)s AND s.next <> 'done'
GROUP BY s.next, s.standing ORDER BY s.next, s.standing;

-- name: to_sign
-- What takes two signatures, oldest first: proposals that wait for the second, then calls that wait for
-- the first. With every reading of the tube, so that whoever signs sees what they sign for.
SELECT w.*, (SELECT coalesce(jsonb_agg(jsonb_build_object('plate', p.code, 'well', c.well,
            'call', c.call, 'reason', c.reason, 'blocked', c.blocked, 'values', c.values)
        ORDER BY c.imported_at, c.run, c.well), '[]')
    FROM lab.call c JOIN lab.plate p ON p.plate = c.plate
    WHERE c.barcode = w.barcode AND c.lab = w.lab AND (w.tube IS NULL OR c.tube = w.tube)) AS readings
FROM (
    SELECT p.result, p.barcode, p.tube, p.lab, p.outcome, p.unfit, p.amends, p.rejects, p.proposed_by,
        p.proposed_at AS since
    FROM lab.proposal p
    WHERE p.lab = %(lab)s AND p.answer IS NULL
    UNION ALL
    SELECT NULL, s.barcode, s.tube, s.lab, s.standing, NULL, NULL, NULL, NULL, s.called_at
    FROM lab.sample s
    WHERE s.lab = %(lab)s AND s.next = 'propose') w
ORDER BY w.result IS NULL, w.since, w.barcode LIMIT 200;
