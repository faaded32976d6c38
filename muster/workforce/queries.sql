-- name: postings_known
SELECT id FROM ledger.event WHERE id = ANY (%(ids)s::uuid[]);

-- name: places_left
-- How many more each demand takes.
SELECT d.demand, d.count - (SELECT count(*) FROM workforce.posting p
    WHERE p.demand = d.demand AND p.state <> 'withdrawn') AS left
FROM workforce.demand d WHERE d.demand = ANY (%(demands)s::uuid[]);

-- name: shifts_of
-- When people stand somewhere, in a time: from the beginning of the shift, or of their coming, to its end or
-- when they left.
SELECT staff, posting, demand, least(starts_at, coalesce(arrived_at, starts_at)) AS starts_at,
    coalesce(left_at, ends_at) AS ends_at
FROM workforce.posting
WHERE staff = ANY (%(staff)s::uuid[]) AND state <> 'withdrawn'
    AND starts_at < %(until)s AND coalesce(left_at, ends_at) > %(since)s;

-- name: people_at_posts
-- What of people a post asks about, on a day.
SELECT s.staff, s.birth_year, s.fit, t.trained, EXISTS (SELECT FROM workforce.incident n
    WHERE n.staff = s.staff AND (n.clear_from IS NULL OR n.clear_from > %(on)s)) AS hurt
FROM workforce.staff s
LEFT JOIN LATERAL (
    SELECT array_agg(g.role) AS trained FROM workforce.training g
    WHERE g.staff = s.staff AND g."on" <= %(on)s::date AND (g.until IS NULL OR g.until >= %(on)s::date)) t ON true
WHERE s.staff = ANY (%(staff)s::uuid[]);

-- name: demand
SELECT d.*, a.name AS area_name, x.code AS site_code, x.name AS site_name
FROM workforce.demand d
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
WHERE d.demand = %(demand)s;

-- name: open_needs
-- What a call-up's demands still lack: places, less who has one; and who was asked and may still say yes.
SELECT d.demand, d.area, d.site, d.role, d.skill, d.proven, d.count, d.starts_at, d.ends_at, d.arrive_by,
    d.count - (SELECT count(*) FROM workforce.posting p
        WHERE p.demand = d.demand AND p.state <> 'withdrawn') AS missing,
    ARRAY(SELECT f.unit FROM workforce.summons s JOIN workforce.staff f ON f.staff = s.staff
        WHERE s.demand = d.demand AND s.state = 'called' AND s.answer_by > %(at)s) AS waiting,
    coalesce(b.line, '{}') AS line
FROM workforce.demand d
LEFT JOIN registry.span b ON b.area = d.area
WHERE d.demand = ANY (%(demands)s::uuid[])
ORDER BY d.demand;

-- name: candidates
-- Who may be asked for a time: nobody who is away, has a hardship of their own, stands somewhere then, was
-- asked in this call-up before or is asked elsewhere for that time.
SELECT s.staff, s.unit, s.birth_year, s.fit, s.skills, coalesce(b.line, '{}') AS line, k.asked_at, t.trained,
    f.proven
FROM workforce.staff s
JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN registry.span b ON b.area = coalesce(s.home, u.area)
LEFT JOIN registry.span ub ON ub.area = u.area
LEFT JOIN (
    SELECT m.staff, max(m.called_at) AS asked_at, bool_or(m.call_up = %(call_up)s) AS here,
        bool_or(m.state = 'called' AND m.answer_by > %(at)s AND d.starts_at < %(ends_at)s
            AND d.ends_at > %(starts_at)s) AS waiting
    FROM workforce.summons m LEFT JOIN workforce.demand d ON d.demand = m.demand
    GROUP BY m.staff) k ON k.staff = s.staff
LEFT JOIN (
    SELECT g.staff, array_agg(g.role) AS trained FROM workforce.training g
    WHERE g."on" <= %(starts_at)s::date AND (g.until IS NULL OR g.until >= %(starts_at)s::date)
    GROUP BY g.staff) t ON t.staff = s.staff
LEFT JOIN (
    SELECT f.staff, array_agg(f.skill) AS proven FROM workforce.proof f
    WHERE f."on" <= %(starts_at)s::date AND (f.until IS NULL OR f.until >= %(starts_at)s::date)
    GROUP BY f.staff) f ON f.staff = s.staff
WHERE (cardinality(%(units)s::uuid[]) = 0 OR s.units && %(units)s::uuid[])
    AND (cardinality(%(areas)s::uuid[]) = 0 OR ub.line && %(areas)s::uuid[])
    AND k.here IS NOT TRUE AND k.waiting IS NOT TRUE
    AND NOT EXISTS (SELECT FROM workforce.hardship h WHERE h.staff = s.staff)
    AND NOT EXISTS (SELECT FROM workforce.incident n
        WHERE n.staff = s.staff AND (n.clear_from IS NULL OR n.clear_from > %(starts_at)s))
    AND NOT EXISTS (SELECT FROM workforce.away y
        WHERE y.staff = s.staff AND y.starts_at < %(ends_at)s AND y.ends_at > %(starts_at)s)
    AND NOT EXISTS (SELECT FROM workforce.posting p
        WHERE p.staff = s.staff AND p.state <> 'withdrawn'
            AND p.starts_at < %(ends_at)s + make_interval(hours => %(rest_hours)s)
            AND coalesce(p.left_at, p.ends_at) > %(starts_at)s - make_interval(hours => %(rest_hours)s));

-- name: rates
-- How often a unit's people said yes: of those who answered, or whose time was up.
SELECT f.unit, count(*) AS asked, count(*) FILTER (WHERE s.state = 'accepted') AS accepted
FROM workforce.summons s JOIN workforce.staff f ON f.staff = s.staff
WHERE s.state IN ('accepted', 'declined') OR s.state = 'called' AND s.answer_by <= %(at)s
GROUP BY f.unit;

-- name: summons
-- One summons with all that its page says.
SELECT s.*, c.name AS call_up_name, c.closed_at, d.area, d.site, d.role, d.starts_at, d.ends_at, d.arrive_by,
    d.count, a.name AS area_name, x.code AS site_code, x.name AS site_name, i.name AS staff_name,
    p.posting, p.state AS posting_state, p.arrived_at, p.left_at,
    EXISTS (SELECT FROM workforce.rest t WHERE t.posting = p.posting AND t.ended_at IS NULL) AS resting,
    EXISTS (SELECT FROM workforce.relief v WHERE v.posting = p.posting) AS relief
FROM workforce.summons s
JOIN workforce.demand d ON d.demand = s.demand
LEFT JOIN workforce.call_up c ON c.call_up = s.call_up
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN vault.identity i ON i.resident = s.staff
LEFT JOIN LATERAL (
    SELECT p.posting, p.state, p.arrived_at, p.left_at FROM workforce.posting p
    WHERE p.summons = s.summons ORDER BY p.state = 'withdrawn', p.posted_at DESC LIMIT 1) p ON true
WHERE s.summons = %(summons)s;

-- name: call_up
SELECT * FROM workforce.call_up
WHERE call_up::text = %(text)s OR name = %(text)s
ORDER BY opened_at DESC LIMIT 1;

-- name: open_call_ups
SELECT c.*, (SELECT max(d.ends_at) FROM workforce.demand d WHERE d.demand = ANY (c.demands)) AS last_end
FROM workforce.call_up c WHERE c.closed_at IS NULL ORDER BY c.opened_at, c.call_up;

-- name: call_ups
SELECT c.call_up, c.name, c.opened_at, c.opened_by, c.closed_at, c.closed_why,
    (SELECT sum(d.count) FROM workforce.demand d WHERE d.demand = ANY (c.demands)) AS needed,
    (SELECT count(*) FROM workforce.posting p
        WHERE p.demand = ANY (c.demands) AND p.state <> 'withdrawn') AS placed,
    (SELECT count(*) FROM workforce.posting p
        WHERE p.demand = ANY (c.demands) AND p.state IN ('arrived', 'left')) AS arrived
FROM workforce.call_up c
WHERE %(after)s::timestamptz IS NULL OR (c.opened_at, c.call_up) < (%(after)s, %(last)s::uuid)
ORDER BY c.opened_at DESC, c.call_up DESC LIMIT %(limit)s;

-- name: board
-- A call-up, demand by demand: how many are needed, were asked, said yes or no, are still to answer, stayed
-- silent, have a place, came, rest there now, have left again. Who said yes is not who stands there.
SELECT d.demand, d.area, a.name AS area_name, d.site, x.code AS site_code, x.name AS site_name, d.role,
    d.starts_at, d.ends_at, d.arrive_by, d.count AS needed,
    coalesce(s.asked, 0) AS asked, coalesce(s.accepted, 0) AS accepted, coalesce(s.declined, 0) AS declined,
    coalesce(s.waiting, 0) AS waiting, coalesce(s.silent, 0) AS silent, coalesce(s.withdrawn, 0) AS withdrawn,
    coalesce(p.placed, 0) AS placed, coalesce(p.arrived, 0) AS arrived, coalesce(p.gone, 0) AS gone,
    coalesce(p.resting, 0) AS resting, p.last_arrival
FROM workforce.demand d
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN LATERAL (
    SELECT count(*) AS asked, count(*) FILTER (WHERE s.state = 'accepted') AS accepted,
        count(*) FILTER (WHERE s.state = 'declined') AS declined,
        count(*) FILTER (WHERE s.state = 'called' AND s.answer_by > %(at)s) AS waiting,
        count(*) FILTER (WHERE s.state = 'called' AND s.answer_by <= %(at)s) AS silent,
        count(*) FILTER (WHERE s.state = 'withdrawn') AS withdrawn
    FROM workforce.summons s WHERE s.demand = d.demand) s ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE p.state <> 'withdrawn') AS placed,
        count(*) FILTER (WHERE p.state IN ('arrived', 'left')) AS arrived,
        count(*) FILTER (WHERE p.state = 'left') AS gone, max(p.arrived_at) AS last_arrival,
        count(*) FILTER (WHERE p.state = 'arrived' AND EXISTS (SELECT FROM workforce.rest t
            WHERE t.posting = p.posting AND t.ended_at IS NULL)) AS resting
    FROM workforce.posting p WHERE p.demand = d.demand) p ON true
WHERE d.demand = ANY (%(demands)s::uuid[])
ORDER BY a.name, x.name, d.role, d.starts_at, d.demand;

-- name: limits
-- The latest edition of each limit in force.
SELECT DISTINCT ON (name) name, value FROM registry.policy
WHERE name = ANY (%(names)s) AND since <= %(at)s AND area IS NULL AND "group" IS NULL
ORDER BY name, since DESC, policy DESC;

-- name: last_wave
SELECT coalesce(max(wave), 0) AS wave FROM workforce.summons WHERE call_up = %(call_up)s;

-- name: posting
SELECT p.*, d.area, d.site, d.arrive_by, a.name AS area_name, x.code AS site_code, x.name AS site_name,
    i.name AS staff_name
FROM workforce.posting p
JOIN workforce.demand d ON d.demand = p.demand
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN vault.identity i ON i.resident = p.staff
WHERE p.posting = %(posting)s;

-- name: postings_of_summons
SELECT posting, state FROM workforce.posting WHERE summons = %(summons)s ORDER BY posted_at, posting;

-- name: to_arrive
-- Who may arrive at a place about now, of those whose phone it is.
SELECT p.posting, p.staff, p.state, p.starts_at, p.ends_at, p.role
FROM vault.identity i
JOIN workforce.posting p ON p.staff = i.resident AND p.state <> 'withdrawn'
JOIN workforce.demand d ON d.demand = p.demand AND coalesce(d.site, d.area) = %(place)s
WHERE i.phone_hash = ANY (%(phones)s) AND p.starts_at < %(latest)s AND p.ends_at > %(at)s
ORDER BY p.starts_at, p.posting;

-- name: staff_one
SELECT s.*, u.code AS unit_code, u.name AS unit_name, u.area, i.name, i.phone, i.number, i.kind
FROM workforce.staff s
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN vault.identity i ON i.resident = s.staff
WHERE s.staff = %(staff)s;

-- name: staff_list
-- Who can be called up, by name; of a unit, trained for a role, whose name or initials begin so.
SELECT s.staff, i.name, u.code AS unit_code, u.name AS unit_name, s.skills, s.tags, s.fit, s.birth_year,
    a.name AS home_name, t.trained, coalesce(i.pinyin, '') AS pinyin
FROM workforce.staff s
LEFT JOIN vault.identity i ON i.resident = s.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN registry.area a ON a.area = s.home
LEFT JOIN LATERAL (
    SELECT array_agg(g.role ORDER BY g.role) AS trained FROM workforce.training g
    WHERE g.staff = s.staff AND (g.until IS NULL OR g.until >= %(at)s::date)) t ON true
WHERE (%(unit)s::uuid IS NULL OR %(unit)s = ANY (s.units))
    AND (%(role)s::text IS NULL OR %(role)s = ANY (t.trained))
    AND (%(q)s::text IS NULL OR starts_with(i.name, %(q)s) OR starts_with(i.pinyin, lower(%(q)s))
        OR starts_with(i.initials, lower(%(q)s)))
    AND (coalesce(i.pinyin, ''), s.staff) > (%(after)s, %(last)s::uuid)
ORDER BY coalesce(i.pinyin, ''), s.staff LIMIT %(limit)s;

-- name: telephone_list
-- Whom to ring up for a call-up: who has not answered first, by unit and name.
SELECT s.summons, s.staff, i.name, i.phone, u.name AS unit_name, s.demand, d.role, a.name AS area_name,
    x.name AS site_name, d.starts_at, d.ends_at, d.arrive_by, s.state, s.answer_by, s.wave
FROM workforce.summons s
JOIN workforce.demand d ON d.demand = s.demand
JOIN workforce.staff f ON f.staff = s.staff
LEFT JOIN vault.identity i ON i.resident = s.staff
LEFT JOIN registry.unit u ON u.unit = f.unit
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
WHERE s.call_up = %(call_up)s AND (s.state, s.summons) > (%(state)s, %(last)s::uuid)
    AND s.state = ANY (%(states)s)
ORDER BY s.state, s.summons LIMIT %(limit)s;

-- name: areas_in
-- The areas of a level within an area.
SELECT a.area, a.code, a.name FROM registry.span b JOIN registry.area a ON a.area = b.area
WHERE %(area)s = ANY (b.line) AND a.level = %(level)s ORDER BY b.lo LIMIT 1000;

-- name: place
-- A site, or an area where people stand without one.
SELECT x.site AS place, x.name FROM sampling.site x WHERE x.site = %(place)s
UNION ALL SELECT a.area, a.name FROM registry.area a WHERE a.area = %(place)s;

-- name: unit
SELECT unit, code, name, area FROM registry.unit WHERE unit::text = %(text)s OR code = %(text)s LIMIT 1;

-- name: postings
-- Who has a place at a demand, and whether they stand there: who is missing first.
SELECT p.posting, p.staff, i.name, u.name AS unit_name, p.role, p.state, p.starts_at, p.ends_at, p.arrived_at,
    p.left_at, p.overridden, p.posted_by
FROM workforce.posting p
LEFT JOIN workforce.staff s ON s.staff = p.staff
LEFT JOIN vault.identity i ON i.resident = p.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
WHERE p.demand = %(demand)s AND p.state <> 'withdrawn' AND p.posting > %(last)s::uuid
ORDER BY p.posting LIMIT %(limit)s;

-- name: at_risk
-- Posts that run or begin soon and are not as they should be: places nobody has, people who should stand there
-- and do not, people who did not come to their last post. What is soonest comes first.
SELECT d.demand, d.area, a.name AS area_name, d.site, x.code AS site_code, x.name AS site_name, d.role,
    d.starts_at, d.ends_at, d.arrive_by, d.count AS needed, coalesce(p.placed, 0) AS placed,
    coalesce(p.arrived, 0) AS arrived, greatest(0, d.count - coalesce(p.placed, 0)) AS empty,
    CASE WHEN d.arrive_by <= %(at)s THEN coalesce(p.away, 0) ELSE 0 END AS late, coalesce(p.missed, 0) AS missed
FROM workforce.demand d
LEFT JOIN registry.area a ON a.area = d.area
LEFT JOIN registry.span b ON b.area = d.area
LEFT JOIN sampling.site x ON x.site = d.site
LEFT JOIN (
    SELECT p.demand, count(*) AS placed, count(*) FILTER (WHERE p.state IN ('arrived', 'left')) AS arrived,
        count(*) FILTER (WHERE p.state = 'posted') AS away,
        count(*) FILTER (WHERE p.state = 'posted' AND l.missed) AS missed
    FROM workforce.posting p
    LEFT JOIN LATERAL (
        SELECT q.state = 'posted' OR q.withdrawn_why = 'no_show' AS missed FROM workforce.posting q
        WHERE q.staff = p.staff AND q.posting <> p.posting AND q.ends_at <= %(at)s
            AND (q.state <> 'withdrawn' OR q.withdrawn_why = 'no_show')
        ORDER BY q.ends_at DESC LIMIT 1) l ON p.state = 'posted'
    WHERE p.state <> 'withdrawn' AND p.starts_at < %(until)s AND p.ends_at > %(at)s
    GROUP BY p.demand) p ON p.demand = d.demand
WHERE d.starts_at < %(until)s AND d.ends_at > %(at)s AND d.count > 0
    AND (%(area)s::uuid IS NULL OR %(area)s = ANY (b.line))
    AND (d.count > coalesce(p.placed, 0) OR p.missed > 0 OR d.arrive_by <= %(at)s AND p.away > 0)
    AND (d.arrive_by, d.demand) > (%(after)s, %(last)s::uuid)
ORDER BY d.arrive_by, d.demand LIMIT %(limit)s;

-- name: fills
-- The names of who is proposed, in the order of the proposal.
SELECT s.staff, i.name, u.name AS unit_name, a.name AS home_name
FROM unnest(%(staff)s::uuid[]) WITH ORDINALITY AS o (staff, n)
JOIN workforce.staff s ON s.staff = o.staff
LEFT JOIN vault.identity i ON i.resident = s.staff
LEFT JOIN registry.unit u ON u.unit = s.unit
LEFT JOIN registry.area a ON a.area = s.home
ORDER BY o.n;
