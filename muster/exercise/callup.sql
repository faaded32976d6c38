-- name: register
SELECT staff FROM workforce.staff ORDER BY staff;

-- name: areas
-- Areas of a level, as far as there are any.
SELECT area, code FROM registry.area WHERE level = %(level)s ORDER BY code;

-- name: others
-- Whether there is another tree than the demonstration's.
SELECT name FROM registry.area WHERE parent IS NULL AND code <> %(root)s LIMIT 1;

-- name: waiting
-- Who was asked and has not been heard of.
SELECT summons FROM workforce.summons
WHERE call_up = %(call_up)s AND state = 'called' AND NOT summons = ANY (%(heard)s::uuid[]) ORDER BY summons;

-- name: came
-- Who stands at these demands.
SELECT staff FROM workforce.posting WHERE demand = ANY (%(demands)s::uuid[]) AND state = 'arrived' ORDER BY staff;

-- name: not_come
-- Who has a place and does not stand there.
SELECT posting FROM workforce.posting WHERE demand = ANY (%(demands)s::uuid[]) AND state = 'posted' ORDER BY posting;

-- name: pairs
-- Who of one shift hands over to whom of the next: place by place, role by role.
WITH standing AS (
    SELECT p.posting, p.demand = ANY (%(after)s::uuid[]) AS next, d.site, p.role,
        row_number() OVER (PARTITION BY p.demand = ANY (%(after)s::uuid[]), d.site, p.role ORDER BY p.posting) AS n
    FROM workforce.posting p JOIN workforce.demand d ON d.demand = p.demand
    WHERE p.state = 'arrived' AND p.demand = ANY (%(before)s::uuid[] || %(after)s::uuid[]))
SELECT a.posting, b.posting AS to_posting FROM standing a
JOIN standing b ON b.next AND b.site = a.site AND b.role = a.role AND b.n = a.n
WHERE NOT a.next ORDER BY a.posting;

-- name: just_left
-- Who left a post last.
SELECT staff FROM workforce.posting WHERE state = 'left' ORDER BY left_at DESC, posting LIMIT 1;

-- name: past_limits
-- Who stands or stood longer than a limit without a rest between, person by person, and whether somebody answers
-- for it by name.
WITH held AS (
    SELECT p.staff, p.posting, p.starts_at, least(p.ends_at, coalesce(p.left_at, p.ends_at)) AS ends_at, p.overridden
    FROM workforce.posting p WHERE p.state <> 'withdrawn'),
chains AS (
    SELECT h.*, sum(CASE WHEN h.starts_at >= h.before + make_interval(hours => %(rest_hours)s) THEN 1 ELSE 0 END)
        OVER (PARTITION BY h.staff ORDER BY h.starts_at, h.posting) AS chain
    FROM (SELECT h.*, lag(h.ends_at) OVER (PARTITION BY h.staff ORDER BY h.starts_at, h.posting) AS before FROM held h) h)
SELECT staff, bool_or(cardinality(overridden) > 0) AS named FROM chains
GROUP BY staff, chain
HAVING sum(extract(epoch FROM ends_at - starts_at)) > %(shift_hours)s * 3600;
