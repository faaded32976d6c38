-- name: withdraw_summons (emits: SummonsWithdrawn; touched: demand, call_up)
-- Whoever was asked and has not answered is told that they are not needed: the demand has all it needs, or
-- the call-up is over. No twin: where a place comes free again, people are asked anew.
SELECT s.summons AS subject, s.asking AS cause, s.asking::text AS key, '{}'::jsonb AS body
FROM workforce.summons s
JOIN workforce.demand d ON d.demand = s.demand
LEFT JOIN workforce.call_up c ON c.call_up = s.call_up
WHERE s.state = 'called' AND (s.demand = ANY (%(demand)s::uuid[]) OR s.call_up = ANY (%(call_up)s::uuid[]))
    AND (c.closed_at IS NOT NULL OR d.count <= (
        SELECT count(*) FROM workforce.posting p WHERE p.demand = d.demand AND p.state <> 'withdrawn'));
