-- name: hashing
SELECT key, next, done FROM vault.hashing WHERE one;

-- name: begin
-- From here every new row is hashed under the next key too.
UPDATE vault.hashing SET next = %(next)s, done = false WHERE one AND next IS NULL AND key <> %(next)s;

-- name: end
UPDATE vault.hashing SET done = true WHERE one AND next IS NULL;

-- name: unfilled
-- Rows sealed with another key than the current one, or not hashed under the next. Whoever is being
-- written at this moment is left to the next look.
SELECT i.resident, i.kind, i.name, i.birth_date, i.number, i.phone, i.event, i.print
FROM vault.identity i
WHERE i.resident > %(after)s AND (
    substring(i.number FOR 1) <> %(seal)s OR substring(i.phone FOR 1) <> %(seal)s
    OR %(hashing)s AND (i.number IS NOT NULL AND i.number_next IS NULL
        OR i.phone IS NOT NULL AND i.phone_next IS NULL
        OR i.number IS NULL AND i.print_next IS NULL))
ORDER BY i.resident LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- name: homes
-- Where identities without a document were said to live: part of what they are known again by.
SELECT e.subject, e.id, (e.body ->> 'building')::uuid AS building, e.body ->> 'room' AS room
FROM ledger.event e
WHERE e.subject = ANY (%(residents)s::uuid[]) AND e.type = 'ResidentListed' AND e.body IS NOT NULL
ORDER BY e.at DESC, e.id DESC;

-- name: fill
UPDATE vault.identity i SET number = x.number, phone = x.phone,
    number_next = CASE WHEN %(hashing)s THEN x.number_next END,
    phone_next = CASE WHEN %(hashing)s THEN x.phone_next END,
    print_next = CASE WHEN %(hashing)s THEN x.print_next END
FROM jsonb_to_recordset(%(rows)s) AS x (resident uuid, number bytea, phone bytea,
    number_next bytea, phone_next bytea, print_next bytea)
WHERE i.resident = x.resident;

-- name: any_unfilled
-- Under the door's lock: the condition is that of the index identity_unfilled.
SELECT EXISTS (SELECT FROM vault.identity i
    WHERE i.number IS NOT NULL AND i.number_next IS NULL
        OR i.phone IS NOT NULL AND i.phone_next IS NULL
        OR i.number IS NULL AND i.print_next IS NULL);

-- name: unhashed
-- Written by a server that had not yet seen the new key when it became the one that counts.
SELECT i.resident, i.kind, i.name, i.birth_date, i.number, i.phone, i.event, i.print
FROM vault.identity i
WHERE i.number IS NOT NULL AND i.number_hash IS NULL OR i.phone IS NOT NULL AND i.phone_hash IS NULL
    OR i.number IS NULL AND i.print IS NULL
ORDER BY i.resident LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- name: hash
UPDATE vault.identity i SET number = x.number, phone = x.phone, number_hash = x.number_next,
    phone_hash = x.phone_next, print = x.print_next
FROM jsonb_to_recordset(%(rows)s) AS x (resident uuid, number bytea, phone bytea,
    number_next bytea, phone_next bytea, print_next bytea)
WHERE i.resident = x.resident;

-- name: inbox
SELECT id, sealed FROM ledger.inbox
WHERE sealed IS NOT NULL AND substring(sealed FOR 1) <> %(seal)s AND id > %(after)s
ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- name: fill_inbox
-- The same bytes may have come again meanwhile, and are held under the new key already.
UPDATE ledger.inbox SET sealed = %(sealed)s, digest = CASE
    WHEN EXISTS (SELECT FROM ledger.inbox o WHERE o.digest = %(digest)s) THEN digest
    ELSE %(digest)s END
WHERE id = %(id)s;

-- name: forget_digests
-- Of what is no longer held the digest cannot be made anew, and with the old key it would confirm a
-- guess.
UPDATE ledger.inbox SET digest = decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
WHERE sealed IS NULL;

-- name: check
SELECT check_ FROM vault.key WHERE id = 1;

-- name: set_check
UPDATE vault.key SET check_ = %(check)s WHERE id = 1;
