-- Work lists: what waits for a person's word, each with since when and whose turn it is. Every statement
-- gives key, code, since, owner, detail, tube, lab, oldest first; `total` counts all of the kind. Read
-- through the caller's connection.

-- name: conflicts
-- Tubes whose results contradict each other, and results that several tubes may claim.
SELECT o.tube::text AS key, o.barcode AS code, o.resulted_at AS since, NULL AS owner,
    CASE WHEN EXISTS (SELECT FROM lab.result r WHERE r.barcode = o.barcode AND NOT r.rejected
            AND cardinality(r.tubes) > 1) THEN 'several_tubes' ELSE 'several_outcomes' END AS detail,
    o.tube, (SELECT min(r.lab) FROM lab.result r WHERE r.barcode = o.barcode AND NOT r.rejected) AS lab,
    count(*) OVER ()::int AS total
FROM lab.outcome o WHERE o.state = 'conflict' ORDER BY o.resulted_at, o.tube LIMIT %(limit)s;

-- name: unproven
-- Results that show neither well nor raw value.
SELECT o.tube::text AS key, o.barcode AS code, o.resulted_at AS since, NULL AS owner,
    o.outcome AS detail, o.tube,
    (SELECT min(r.lab) FROM lab.result r WHERE r.barcode = o.barcode AND NOT r.rejected) AS lab,
    count(*) OVER ()::int AS total
FROM lab.outcome o WHERE o.state = 'unproven' ORDER BY o.resulted_at, o.tube LIMIT %(limit)s;

-- name: waiting
-- Results whose tube nobody knows, the gravest first.
SELECT r.result::text AS key, r.barcode AS code, r.resulted_at AS since, NULL AS owner,
    r.outcome AS detail, NULL::uuid AS tube, r.lab, count(*) OVER ()::int AS total
FROM lab.result r WHERE NOT r.rejected AND cardinality(r.tubes) = 0
    -- Of no tube, it is nobody's but the laboratory's and of who sees everything: others need not look.
    AND ((SELECT access.yes('everyone')) OR cardinality((SELECT access.codes('labs'))) > 0)
ORDER BY r.outcome NOT IN ('positive', 'indeterminate'), r.resulted_at, r.result LIMIT %(limit)s;

-- name: nobody
-- Sealed tubes that list nobody. The first question is what the devices of their site still keep.
SELECT f.tube::text AS key, t.barcode AS code, t.sealed_at AS since, t.device AS owner,
    s.name AS detail, f.tube, NULL AS lab, count(*) OVER ()::int AS total
FROM sampling.flag f JOIN sampling.tube t ON t.tube = f.tube
LEFT JOIN sampling.site s ON s.site = t.site
WHERE f.flag = 'sealed_empty' AND NOT EXISTS (
    SELECT FROM sampling.specimen m WHERE m.tube = f.tube)
ORDER BY t.sealed_at, f.tube LIMIT %(limit)s;

-- name: cases
-- What did not agree when boxes were taken in.
SELECT d.discrepancy::text AS key, coalesce(d.barcode, r.code) AS code, d.opened_at AS since, d.owner,
    d.kind AS detail, NULL::uuid AS tube, d.lab, count(*) OVER ()::int AS total
FROM lab.discrepancy d LEFT JOIN lab.reception r ON r.reception = d.reception
WHERE d.state = 'open' ORDER BY d.opened_at, d.discrepancy LIMIT %(limit)s;

-- name: home
-- Who asks to be swabbed at home and was not swabbed since. Where, not who: the list of them names people.
SELECT x.request::text AS key, a.name AS code, x.asked_at AS since, NULL AS owner, x.reason AS detail,
    NULL::uuid AS tube, NULL AS lab, count(*) OVER ()::int AS total
FROM sampling.home_request x
JOIN registry.resident r ON r.resident = x.person
LEFT JOIN registry.area a ON a.area = r.building
WHERE x.outcome IS NULL
    AND NOT EXISTS (SELECT FROM sampling.specimen s WHERE s.person = x.person AND s.at > x.asked_at)
ORDER BY x.asked_at, x.request LIMIT %(limit)s;

-- name: inbox
-- What could not be read or may not be recorded, kept until somebody says what becomes of it.
SELECT i.id::text AS key, i.slug AS code, i.received_at AS since, coalesce(i.sender, i.owner) AS owner,
    i.slug AS detail, NULL::uuid AS tube, NULL AS lab, count(*) OVER ()::int AS total
FROM ledger.inbox i
WHERE i.applied_at IS NULL AND i.refused_at IS NULL AND i.sealed IS NOT NULL
ORDER BY i.received_at, i.id LIMIT %(limit)s;

-- name: stalled
-- Subjects whose rows could not be refreshed; what was recorded of them is kept.
SELECT s.subject::text || s.view AS key, s.view AS code, s.since, NULL AS owner, s.error AS detail,
    NULL::uuid AS tube, NULL AS lab, count(*) OVER ()::int AS total
FROM ledger.stalled s ORDER BY s.since, s.subject, s.view LIMIT %(limit)s;
