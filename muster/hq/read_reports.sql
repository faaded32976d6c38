-- name: report (key: report; touched: report; index: area; index: frozen_at; seen: everyone)
-- Frozen reports: what they are of and where their data is found. Figures only; who may read one is asked
-- where it is read.
SELECT e.subject AS report, e.body ->> 'kind' AS kind, (e.body ->> 'area')::uuid AS area,
    (e.body ->> 'round')::uuid AS round, (e.body ->> 'cut_off')::timestamptz AS cut_off,
    (e.body ->> 'seq')::bigint AS seq, e.body ->> 'head' AS head, e.body ->> 'content' AS content,
    e.body ->> 'template' AS template, (e.body ->> 'findings')::int AS findings, e.body ->> 'zone' AS zone,
    e.at AS frozen_at, e.actor AS frozen_by, e.id AS freezing
FROM ledger.event e
WHERE e.type = 'ReportFrozen' AND e.body IS NOT NULL;

-- name: signature (key: report; touched: report; seen: everyone)
-- Who answers for a report as it is: each account once, the first time.
SELECT DISTINCT ON (e.subject, e.body ->> 'account') e.subject AS report,
    (e.body ->> 'account')::uuid AS account, e.actor AS login, e.at AS signed_at
FROM ledger.event e
WHERE e.type = 'ReportSigned' AND e.body IS NOT NULL
    AND EXISTS (SELECT FROM ledger.event f WHERE f.subject = e.subject AND f.type = 'ReportFrozen'
        AND f.body ->> 'content' = e.body ->> 'content')
ORDER BY e.subject, e.body ->> 'account', e.at, e.id;
