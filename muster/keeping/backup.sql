-- name: tables
-- What a backup holds: every table but those that are computed from others. Found, not listed, so that
-- nobody forgets a new one.
SELECT format('%%I.%%I', n.nspname, c.relname) AS name,
    array_agg(quote_ident(a.attname) ORDER BY a.attnum) AS columns
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated = ''
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^pg_|^information_schema$|__new$'
    AND NOT EXISTS (SELECT FROM ledger.read_table r WHERE r.name = n.nspname || '.' || c.relname)
    AND n.nspname || '.' || c.relname <> ALL (%(left_out)s)
GROUP BY 1
ORDER BY 1;

-- name: hidden
-- Tables of which row-level security might hide something from who makes the backup.
SELECT count(*) AS count FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles u ON u.rolname = current_user
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information_schema$' AND c.relowner <> u.oid
    AND NOT u.rolsuper AND NOT u.rolbypassrls;

-- name: head
-- The chain's end, and its first hash, by which a ledger is known.
SELECT b.id AS batch, b.last_seq AS seq, encode(b.hash, 'hex') AS hash,
    (SELECT encode(f.hash, 'hex') FROM ledger.batch f WHERE f.id = 1) AS ledger
FROM ledger.batch b ORDER BY b.id DESC LIMIT 1;

-- name: relations
-- Whatever anybody has made in this database.
SELECT count(*) AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_|^information_schema$';

-- name: counters
-- Columns that number their rows.
SELECT format('%%I.%%I', n.nspname, c.relname) AS name, quote_ident(a.attname) AS column,
    pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), a.attname) AS sequence
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|^information_schema$'
    AND pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), a.attname) IS NOT NULL;

-- name: erased_accounts
-- Accounts that erased residents were given to ask about themselves. From the ledger: the read tables
-- are not built yet.
SELECT DISTINCT g.subject AS account FROM ledger.event g
JOIN ledger.event o ON o.subject = g.subject AND o.type = 'AccountOpened'
    AND o.body ->> 'kind' = 'resident'
WHERE g.type = 'RoleGranted'
    AND (g.body ->> 'person')::uuid IN (SELECT e.resident FROM vault.erased e);
