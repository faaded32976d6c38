-- name: same_document (emits: ResidentsMerged; touched: resident)
-- Two ids with one document are one person: the later id is merged into the root, which is the one
-- on the roster, else one whom staff met, else the first minted: what people say of themselves comes last. A person's decision to keep them apart stands.
WITH shared AS (
    SELECT DISTINCT t.number_hash
    FROM vault.identity t
    JOIN vault.identity o ON o.number_hash = t.number_hash AND o.resident <> t.resident
    WHERE t.resident = ANY (%(resident)s::uuid[])
)
SELECT mine.resident AS subject, coalesce(last.id, heard.id) AS cause,
    concat(mine.resident, root.resident) AS key,
    jsonb_build_object('into', root.resident, 'reason', 'same_document') AS body
FROM shared
JOIN vault.identity mine ON mine.number_hash = shared.number_hash
CROSS JOIN LATERAL (
    SELECT i.resident FROM vault.identity i JOIN registry.resident r USING (resident)
    WHERE i.number_hash = shared.number_hash ORDER BY r.walk_in, r.self_listed, i.resident LIMIT 1) root
CROSS JOIN LATERAL (
    SELECT e.id FROM ledger.event e
    WHERE e.subject = mine.resident AND e.type = 'ResidentListed' ORDER BY e.seq DESC LIMIT 1) heard
LEFT JOIN LATERAL (
    SELECT e.id FROM ledger.event e
    WHERE e.subject = mine.resident AND e.type = 'ResidentsUnmerged'
    ORDER BY e.seq DESC LIMIT 1) last ON true
WHERE root.resident <> mine.resident
    AND NOT EXISTS (SELECT FROM registry.alias a WHERE a.recorded = mine.resident)
    AND NOT EXISTS (
        SELECT FROM ledger.event u
        WHERE u.subject = mine.resident AND u.type = 'ResidentsUnmerged'
            AND (u.body ->> 'keep_apart')::boolean
            AND (u.body ->> 'into')::uuid = root.resident);

-- name: document_differs (emits: ResidentsUnmerged; touched: resident)
-- The twin: a merge by document is undone when the documents differ after a correction, or when a
-- better root has come.
SELECT a.recorded AS subject, a.event AS cause, concat(a.recorded, a.person) AS key,
    jsonb_build_object('into', a.person, 'reason', 'document_changed') AS body
FROM registry.alias a
JOIN vault.identity mine ON mine.resident = a.recorded
WHERE a.recorded IN (
        SELECT b.recorded FROM registry.alias b
        WHERE b.recorded = ANY (%(resident)s::uuid[]) OR b.person = ANY (%(resident)s::uuid[])
        UNION ALL
        SELECT o.resident FROM vault.identity t
        JOIN vault.identity o ON o.number_hash = t.number_hash AND o.resident <> t.resident
        WHERE t.resident = ANY (%(resident)s::uuid[]))
    AND a.reason = 'same_document'
    AND a.person IS DISTINCT FROM (
        SELECT i.resident FROM vault.identity i JOIN registry.resident r USING (resident)
        WHERE i.number_hash = mine.number_hash ORDER BY r.walk_in, r.self_listed, i.resident LIMIT 1);
