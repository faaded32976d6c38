-- name: devices
-- Devices of some codes, with who had a PIN on them when, and where they were bound when.
SELECT d.code, d.device, d.kind, d.revoked_at IS NOT NULL AS revoked,
    ARRAY(SELECT jsonb_build_array(a.login, h.since, h.until)
        FROM access.device_holder h JOIN access.account a ON a.account = h.account
        WHERE h.device = d.device) AS holders,
    ARRAY(SELECT jsonb_build_array(b.area, b.site, b.lab, b.since, b.until)
        FROM access.binding b WHERE b.device = d.device) AS bindings
FROM access.device d WHERE d.code = ANY (%(codes)s);

-- name: accounts
-- Accounts of some logins, with everything they hold or held.
SELECT a.account, a.login, a.starts_at, least(a.ends_at, a.closed_at) AS ends_at, h.holding, h.role,
    h.everywhere, h.area, h.site, s.area AS site_area, h.lab, h.person, h.starts_at AS held_from,
    h.ends_at AS held_to, h.moved
FROM access.account a
LEFT JOIN access.holding h ON h.account = a.account
LEFT JOIN sampling.site s ON s.site = h.site
WHERE a.login = ANY (%(logins)s);

-- name: places
-- Where areas, sites, people, tubes, results and units are. An id may be asked for as several kinds.
SELECT 'areas' AS kind, b.area AS key, b.line, NULL::uuid AS site, NULL AS lab
FROM registry.span b WHERE b.area = ANY (%(areas)s::uuid[])
UNION ALL
SELECT 'sites', s.site, b.line, s.site, NULL
FROM sampling.site s LEFT JOIN registry.span b ON b.area = s.area
WHERE s.site = ANY (%(sites)s::uuid[])
UNION ALL
SELECT 'people', r.resident, b.line, NULL, NULL
FROM registry.resident r JOIN registry.span b ON b.area = r.building
WHERE r.resident = ANY (%(people)s::uuid[])
UNION ALL
SELECT 'tubes', t.tube, b.line, t.site, NULL
FROM sampling.tube t LEFT JOIN sampling.site s ON s.site = t.site
LEFT JOIN registry.span b ON b.area = s.area
WHERE t.tube = ANY (%(tubes)s::uuid[])
UNION ALL
SELECT 'results', r.result, NULL, NULL, r.lab FROM lab.result r WHERE r.result = ANY (%(results)s::uuid[])
UNION ALL
SELECT 'units', u.unit, b.line, NULL, NULL FROM registry.unit u JOIN registry.span b ON b.area = u.area
WHERE u.unit = ANY (%(units)s::uuid[])
UNION ALL
SELECT 'boxes', x.box, b.line, x.site, x.bound_for
FROM custody.box x LEFT JOIN sampling.site s ON s.site = x.site
LEFT JOIN registry.span b ON b.area = s.area
WHERE x.box = ANY (%(boxes)s::uuid[])
UNION ALL
SELECT 'staff', f.staff, b.line, NULL, NULL
FROM workforce.staff f JOIN registry.unit u ON u.unit = f.unit JOIN registry.span b ON b.area = u.area
WHERE f.staff = ANY (%(staff)s::uuid[]);

-- name: tasks
-- Where tasks are to be done, and who they are meant for.
SELECT k.task, b.line, k.site, k.lab, k.role, k.login
FROM hq.task k
LEFT JOIN sampling.site s ON s.site = k.site
LEFT JOIN registry.span b ON b.area = CASE WHEN k.area IS NULL THEN s.area ELSE k.area END
WHERE k.task = ANY (%(tasks)s::uuid[]);

-- name: met
-- Members of tubes: where they live, where the tube was filled.
SELECT q.tube, q.person, t.site, b.line AS here, h.line AS home
FROM unnest(%(tubes)s::uuid[], %(people)s::uuid[]) AS q (tube, person)
LEFT JOIN sampling.tube t ON t.tube = q.tube
LEFT JOIN sampling.site s ON s.site = t.site
LEFT JOIN registry.span b ON b.area = s.area
LEFT JOIN registry.resident r ON r.resident = q.person
LEFT JOIN registry.span h ON h.area = r.building;

-- name: late
INSERT INTO access.late (event, account, login, device, holding, area, site, at, received_at)
SELECT x.event, x.account, x.login, x.device, x.holding, x.area, x.site, x.at, x.received_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS x (event uuid, account uuid, login text, device text, holding uuid,
    area uuid, site uuid, at timestamptz, received_at timestamptz)
WHERE NOT EXISTS (SELECT FROM ledger.event e WHERE e.id = x.event)
ON CONFLICT (event) DO NOTHING;

-- name: stored
SELECT id FROM ledger.event WHERE id = ANY (%(ids)s);
