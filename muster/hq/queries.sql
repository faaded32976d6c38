-- name: tasks
-- An inbox, what is due first before the rest: the tasks for one's own account and for the roles one
-- holds where they are to be done; of a task for everywhere those who hold its role everywhere. Without
-- `mine`, every task that may be seen.
SELECT k.task, k.kind, k.state, k.due_at, k.fell_due, k.issued_at, k.role, k.login, k.lab,
    k.area, a.code AS area_code, a.name AS area_name, x.code AS site_code, x.name AS site_name,
    k.tube, t.barcode, k.about, d.name AS addressee_name,
    k.acknowledged_by, k.acknowledged_at, k.done_by, k.done_at, k.outcome
FROM hq.task k
LEFT JOIN sampling.site x ON x.site = k.site
LEFT JOIN registry.area a ON a.area = CASE WHEN k.area IS NULL THEN x.area ELSE k.area END
LEFT JOIN registry.span b ON b.area = a.area
LEFT JOIN sampling.tube t ON t.tube = k.tube
LEFT JOIN LATERAL (SELECT n.name FROM hq.addressee n
    WHERE n.addressee = k.addressee AND n.since <= k.due_at
    ORDER BY n.since DESC, n.edition LIMIT 1) d ON true
WHERE (%(task)s::uuid IS NULL OR k.task = %(task)s::uuid)
    AND k.state = ANY (%(states)s)
    AND (NOT %(mine)s OR k.login = %(login)s OR k.login IS NULL AND EXISTS (
        SELECT FROM jsonb_to_recordset(%(held)s::jsonb)
            AS h (role text, everywhere boolean, area uuid, site uuid, lab text)
        WHERE (k.role IS NULL OR k.role = h.role)
            AND (h.everywhere OR h.area = ANY (b.line) OR h.site = k.site OR h.lab = k.lab)))
    AND (%(due_at)s::timestamptz IS NULL OR (k.due_at, k.task) > (%(due_at)s, %(last)s::uuid))
ORDER BY k.due_at, k.task
LIMIT %(limit)s;

-- name: addressees
-- Every edition that was listed, newest first, and what holds where nobody is listed.
SELECT n.addressee, n.edition, n.code, n.name, n.kinds, n.role, n.reach, n.minutes, n.since,
    n.until, n.ended
FROM hq.addressee n
UNION ALL
SELECT NULL, NULL, f.code, f.name, ARRAY[f.kind], f.role, f.reach, f.minutes, NULL,
    nullif(f.until, 'infinity'), false
FROM hq.in_force f WHERE f.addressee IS NULL
ORDER BY code, since DESC NULLS LAST;

-- name: addressee
SELECT n.addressee FROM hq.addressee n WHERE n.code = %(code)s ORDER BY n.since LIMIT 1;

-- name: recalled_tube
SELECT t.tube, t.barcode, t.sealed_at, o.outcome, o.state, x.code AS site_code, x.name AS site_name
FROM sampling.tube t
LEFT JOIN lab.outcome o ON o.tube = t.tube
LEFT JOIN sampling.site x ON x.site = t.site
WHERE t.tube = %(tube)s;

-- name: members
-- The recalled members of a tube, how far each has come, where they live and how they are called.
SELECT r.person, r.recall, r.stage, r.outcome, r.ordered_at, r.reached_at, r.reached_how,
    r.reached_by, r.retested_at, r.answer, r.closed_at, r.fell_due, i.name, i.phone,
    p.building, a.code AS building_code, a.name AS building_name, p.room,
    ARRAY(SELECT w.name FROM registry.span b, unnest(b.line) WITH ORDINALITY AS l (area, n)
        JOIN registry.area w ON w.area = l.area
        WHERE b.area = p.building ORDER BY l.n) AS address
FROM lab.recall_stage r
LEFT JOIN registry.resident p ON p.resident = r.person
LEFT JOIN registry.area a ON a.area = p.building
LEFT JOIN vault.identity i ON i.resident = r.person
WHERE r.tube = %(tube)s AND r.state <> 'withdrawn'
ORDER BY a.code, p.room, r.person;

-- name: contacts
-- Whom tracing asks first. Who may be the case: of a tube's members those who were confirmed, and
-- while nobody is, all who have no answer. Around them: the other members of the pool, and who lives in
-- the same room. Of a re-test, the pool it was taken for.
WITH pool AS (
    SELECT r.tube, r.person, r.answer FROM lab.recall r
    WHERE r.state <> 'withdrawn' AND r.outcome = 'positive' AND r.tube = (
        SELECT CASE WHEN t.retest_of IS NULL THEN t.tube ELSE t.retest_of END
        FROM sampling.tube t WHERE t.tube = %(tube)s)
), suspected AS (
    SELECT p.person FROM pool p
    WHERE p.answer = 'confirmed'
        OR p.answer IS NULL AND NOT EXISTS (SELECT FROM pool q WHERE q.answer = 'confirmed')
), around AS (
    SELECT p.person, 'tube_mate' AS why, c.person AS of
    FROM pool p JOIN suspected c ON c.person <> p.person
    UNION
    SELECT h.resident, 'housemate', c.person
    FROM suspected c
    JOIN registry.resident r ON r.resident = c.person AND r.room IS NOT NULL
    JOIN registry.resident h ON h.building = r.building AND h.room = r.room
        AND h.resident <> c.person AND h.merged_into IS NULL AND h.state <> 'moved_away'
)
SELECT n.person, array_agg(DISTINCT n.why ORDER BY n.why) AS why,
    array_agg(DISTINCT n.of ORDER BY n.of) AS of, i.name, i.phone,
    a.code AS building_code, a.name AS building_name, p.room
FROM around n
LEFT JOIN registry.resident p ON p.resident = n.person
LEFT JOIN registry.area a ON a.area = p.building
LEFT JOIN vault.identity i ON i.resident = n.person
GROUP BY n.person, i.name, i.phone, a.code, a.name, p.room
ORDER BY a.code, p.room, n.person;
