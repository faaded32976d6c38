-- name: withdraw_opening (emits: TaskWithdrawn; touched: command)
-- The twin of the next: the command post stands no more, or somebody else leads the group.
SELECT k.task AS subject, k.issuing AS cause, k.issuing::text AS key, '{}'::jsonb AS body
FROM posture.opening o
JOIN hq.task k ON k.about = o.opening AND k.kind = 'command'
WHERE o.command = ANY (%(command)s::uuid[]) AND k.state IN ('issued', 'acknowledged')
    AND (o.stood_down_at IS NOT NULL OR k.login IS DISTINCT FROM o.login
        OR k.role IS DISTINCT FROM o.role OR k.area IS DISTINCT FROM o.area);

-- name: issue_opening (emits: TaskIssued; touched: command)
-- Whoever leads a group of a standing command post gets its tasks; what is done is not given again.
SELECT md5(concat_ws(' ', 'command', o.opening, o.login, o.role, o.area, n.withdrawn))::uuid AS subject,
    o.raising AS cause, concat_ws(' ', o.opening, o.login, o.role, o.area, n.withdrawn) AS key,
    jsonb_strip_nulls(jsonb_build_object('kind', 'command', 'login', o.login, 'role', o.role, 'area', o.area,
        'about', o.opening, 'due_at', o.due_at)) AS body
FROM posture.opening o
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE k.state = 'withdrawn') AS withdrawn,
        coalesce(bool_or(k.state = 'done' OR k.state <> 'withdrawn' AND k.login IS NOT DISTINCT FROM o.login
            AND k.role IS NOT DISTINCT FROM o.role AND k.area IS NOT DISTINCT FROM o.area), false) AS standing
    FROM hq.task k WHERE k.about = o.opening AND k.kind = 'command') n
WHERE o.command = ANY (%(command)s::uuid[]) AND o.stood_down_at IS NULL AND NOT n.standing;
