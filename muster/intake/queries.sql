-- name: head
-- The end of the chain: what a receipt names.
SELECT id AS batch, last_seq AS seq, encode(hash, 'hex') AS hash
FROM ledger.batch ORDER BY id DESC LIMIT 1;

-- name: areas
SELECT a.area, a.code, a.level, a.name, p.code AS parent, a.kind, a.floors, a.lift
FROM registry.area a LEFT JOIN registry.area p ON p.area = a.parent;

-- name: units
SELECT unit AS id, code, name, kind, area, headcount FROM registry.unit;

-- name: sites
SELECT site AS id, code, name, area, lanes FROM sampling.site;

-- name: people_known
-- Who of a chunk is known already: by document or, without one, by what a person is known again by.
-- Of several ids the one that stands for itself counts. Where a review has merged the only one, its
-- row still speaks of that id: it is one of the two records of the person, and no third is made.
SELECT DISTINCT ON (k.hash) k.hash, r.resident, r.building, r.room, r.state, r.birth_year, r.sex,
    r.registered_area, r."group", r.walk_in, i.name, i.birth_date, i.phone_hash, i.phone
FROM (
    SELECT number_hash AS hash, resident FROM vault.identity
    WHERE number_hash = ANY (%(numbers)s)
    UNION ALL
    SELECT print, resident FROM vault.identity WHERE print = ANY (%(prints)s)
) k
JOIN registry.resident r ON r.resident = k.resident
JOIN vault.identity i ON i.resident = k.resident
ORDER BY k.hash, r.merged_into NULLS FIRST, r.resident;

-- name: held
-- With whether it came from whoever asks, or from a device they have a PIN on.
SELECT received_at, owner, offset_ms, sealed, slug, sender,
    coalesce(sender = 'login:' || %(by)s, false) OR EXISTS (
        SELECT FROM access.device d JOIN access.device_holder h ON h.device = d.device
        JOIN access.account a ON a.account = h.account
        WHERE 'device:' || d.code = inbox.sender AND a.login = %(by)s) AS own
FROM ledger.inbox
WHERE id = %(inbox)s AND sealed IS NOT NULL AND applied_at IS NULL AND refused_at IS NULL;

-- name: accepted
UPDATE ledger.inbox SET applied_at = %(at)s, decided_by = %(by)s, sealed = NULL
WHERE id = %(inbox)s RETURNING id;

-- name: refused
UPDATE ledger.inbox SET refused_at = %(at)s, decided_by = %(by)s WHERE id = %(inbox)s RETURNING id;
