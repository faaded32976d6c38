-- name: labels (key: labels; touched: labels; index: site; index: first; seen: everyone)
-- Ranges of labels that were given to sites, and which were taken back.
SELECT DISTINCT ON (e.subject) e.subject AS labels, e.body ->> 'kind' AS kind,
    (e.body ->> 'format')::uuid AS format, e.body ->> 'first' AS first, e.body ->> 'last' AS last,
    (e.body ->> 'count')::int AS count, (e.body ->> 'site')::uuid AS site,
    e.at AS issued_at, e.actor AS issued_by,
    (SELECT min(b.at) FROM ledger.event b WHERE b.subject = e.subject
        AND b.type = 'LabelsTakenBack' AND b.body IS NOT NULL) AS taken_back_at
FROM ledger.event e
WHERE e.type = 'LabelsIssued' AND e.body IS NOT NULL
ORDER BY e.subject, e.at, e.id;

-- name: foreign_label (key: tube; follower: keyed)
-- A tube that was sealed at a site with a label that was given to another one and not to this: supplies
-- went astray, or somebody sealed in the wrong site's name. Warned of, never refused.
SELECT DISTINCT ON (t.tube) t.tube, t.barcode, t.site, t.round, t.sealed_at, l.labels, l.site AS issued_to
FROM sampling.tube t
JOIN custody.labels l ON l.kind = 'tube' AND l.taken_back_at IS NULL AND l.site <> t.site
    AND length(l.first) = length(t.barcode)
    AND t.barcode BETWEEN l.first AND l.last
WHERE t.sealed_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM custody.labels o
    WHERE o.kind = 'tube' AND o.taken_back_at IS NULL AND o.site = t.site
        AND length(o.first) = length(t.barcode)
        AND t.barcode BETWEEN o.first AND o.last)
ORDER BY t.tube, l.issued_at DESC, l.labels;

-- name: foreign_label_keys (for: foreign_label)
-- The tubes touched, and those whose barcodes lie in a touched range.
SELECT unnest(%(tube)s::uuid[])
UNION SELECT t.tube FROM custody.labels l
JOIN sampling.tube t ON t.barcode >= l.first AND t.barcode <= l.last
WHERE l.labels = ANY (%(labels)s::uuid[]);

-- name: foreign_label_seen (for: foreign_label)
(SELECT access.yes('everyone')) OR access.sees_tube(tube)
