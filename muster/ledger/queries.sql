-- name: insert_events
-- Events not stored yet, numbered without a gap in the order given. Only under the door's lock.
INSERT INTO ledger.event (seq, id, type, v, subject, at, device_at, offset_ms, received_at,
    actor, device, device_seq, cause, salt, digest, body)
SELECT (SELECT coalesce(max(seq), 0) FROM ledger.event) + row_number() OVER (ORDER BY x.ordinality),
    x.id, x.type, x.v, x.subject, x.at, x.device_at, x.offset_ms, x.received_at,
    x.actor, x.device, x.device_seq, x.cause, x.salt, x.digest, x.body
FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS (id uuid, type text, v smallint,
    subject uuid, at timestamptz, device_at timestamptz, offset_ms bigint,
    received_at timestamptz, actor text, device text, device_seq bigint, cause uuid,
    salt bytea, digest bytea, body jsonb)) WITH ORDINALITY AS x
WHERE NOT EXISTS (SELECT FROM ledger.event e WHERE e.id = x.id)
RETURNING id;

-- name: insert_batch
-- Chain what this transaction added: sha256(the hash before, numbers, digests in order).
WITH head AS (
    SELECT id, last_seq, hash FROM ledger.batch ORDER BY id DESC LIMIT 1
), added AS (
    SELECT min(seq) AS first_seq, max(seq) AS last_seq,
        string_agg(digest, ''::bytea ORDER BY seq) AS digests
    FROM ledger.event WHERE seq > coalesce((SELECT last_seq FROM head), 0)
)
INSERT INTO ledger.batch (id, first_seq, last_seq, committed_at, hash)
SELECT coalesce((SELECT id FROM head), 0) + 1, first_seq, last_seq, %(now)s,
    sha256(coalesce((SELECT hash FROM head), ''::bytea)
        || int8send(coalesce((SELECT id FROM head), 0) + 1)
        || int8send(first_seq) || int8send(last_seq) || digests)
FROM added WHERE first_seq IS NOT NULL
RETURNING id, last_seq, hash;

-- name: stored
SELECT id, type, v, subject, at, device_at, offset_ms, received_at, actor, device, device_seq,
    cause, salt, digest FROM ledger.event WHERE id = ANY (%s);

-- name: stall
INSERT INTO ledger.stalled VALUES (%s, %s, %s, %s, now())
ON CONFLICT (subject, view) DO UPDATE SET event = excluded.event;
