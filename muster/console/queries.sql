-- name: health
-- How large the database is, how far the ledger has come and how far the slowest follower is behind it.
SELECT pg_database_size(current_database()) AS database_bytes,
    b.last_seq AS head_seq, b.at AS head_at, f.name AS slowest,
    greatest(b.last_seq - f.seq, 0) AS behind_events,
    (SELECT count(*)::int FROM ledger.stalled) AS stalled
FROM (SELECT coalesce(max(last_seq), 0) AS last_seq, max(committed_at) AS at FROM ledger.batch) b
CROSS JOIN (SELECT name, seq FROM ledger.follower ORDER BY seq, name LIMIT 1) f;
