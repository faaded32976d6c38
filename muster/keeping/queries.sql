-- name: set_cursor
-- A follower stands at a seq, as of the batch that brought it.
INSERT INTO ledger.follower VALUES (%(name)s, %(seq)s, coalesce((
    SELECT committed_at FROM ledger.batch WHERE last_seq >= %(seq)s ORDER BY last_seq LIMIT 1), now()))
ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, as_of = excluded.as_of;

-- name: areas_changed
SELECT EXISTS (SELECT FROM ledger.event WHERE seq > %s AND seq <= %s AND type = 'AreaListed');

-- name: events_after
SELECT seq, type, subject, body::text FROM ledger.event WHERE seq > %s ORDER BY seq LIMIT %s;
