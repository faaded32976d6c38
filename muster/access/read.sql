-- name: account (key: account; touched: account; index: login)
-- Accounts: the latest opening, when it ended, which undertaking was signed last.
SELECT DISTINCT ON (o.subject) o.subject AS account,
    o.body ->> 'login' AS login,
    o.body ->> 'kind' AS kind,
    (o.body ->> 'starts_at')::timestamptz AS starts_at,
    (o.body ->> 'ends_at')::timestamptz AS ends_at,
    (SELECT min(c.at) FROM ledger.event c
        WHERE c.subject = o.subject AND c.type = 'AccountClosed') AS closed_at,
    (SELECT s.body ->> 'edition' FROM ledger.event s
        WHERE s.subject = o.subject AND s.type = 'UndertakingSigned'
        ORDER BY s.at DESC, s.id DESC LIMIT 1) AS undertaking
FROM ledger.event o
WHERE o.type = 'AccountOpened' AND o.body IS NOT NULL
ORDER BY o.subject, o.at DESC, o.id DESC;

-- name: holding (key: account; touched: account; index: holding; index: area)
-- Each role an account has or had, where, and from when until when: the earliest of its own end and of
-- every word that ended it.
SELECT g.subject AS account, g.id AS holding,
    g.body ->> 'role' AS role,
    coalesce((g.body ->> 'everywhere')::boolean, false) AS everywhere,
    (g.body ->> 'area')::uuid AS area,
    (g.body ->> 'site')::uuid AS site,
    g.body ->> 'lab' AS lab,
    (g.body ->> 'person')::uuid AS person,
    g.body ->> 'team' AS team,
    (g.body ->> 'starts_at')::timestamptz AS starts_at,
    least((g.body ->> 'ends_at')::timestamptz, e.ends_at) AS ends_at,
    e.moved AS moved
FROM ledger.event g
LEFT JOIN LATERAL (
    SELECT min((x.body ->> 'ends_at')::timestamptz) AS ends_at,
        bool_or(x.body ->> 'reason' = 'moved') AS moved
    FROM ledger.event x
    WHERE x.subject = g.subject AND x.type = 'RoleEnded'
        AND (x.body ->> 'granted')::uuid = g.id) e ON true
WHERE g.type = 'RoleGranted' AND g.body IS NOT NULL;

-- name: device (key: device; touched: device; index: code)
-- Devices and whether they are revoked now.
SELECT DISTINCT ON (d.subject) d.subject AS device,
    d.body ->> 'code' AS code,
    d.body ->> 'kind' AS kind,
    d.at AS enrolled_at,
    (SELECT CASE WHEN w.type = 'DeviceRevoked' THEN w.at END FROM ledger.event w
        WHERE w.subject = d.subject AND w.type IN ('DeviceRevoked', 'DeviceReinstated')
        ORDER BY w.at DESC, w.id DESC LIMIT 1) AS revoked_at
FROM ledger.event d
WHERE d.type = 'DeviceEnrolled' AND d.body IS NOT NULL
ORDER BY d.subject, d.at DESC, d.id DESC;

-- name: binding (key: device; touched: device; index: site; index: area)
-- Where each device works or worked: each binding until the next one.
SELECT b.subject AS device, b.id AS binding,
    (b.body ->> 'area')::uuid AS area,
    (b.body ->> 'site')::uuid AS site,
    b.body ->> 'lab' AS lab,
    (b.body ->> 'since')::timestamptz AS since,
    lead((b.body ->> 'since')::timestamptz) OVER (
        PARTITION BY b.subject ORDER BY (b.body ->> 'since')::timestamptz, b.id) AS until
FROM ledger.event b
WHERE b.type = 'DeviceBound' AND b.body IS NOT NULL;

-- name: account_seen (for: account)
(SELECT access.yes('system')) OR login = (SELECT nullif(access.word('login'), ''))

-- name: holding_seen (for: holding)
(SELECT access.yes('system'))
OR EXISTS (SELECT FROM access.account a WHERE a.account = holding.account)

-- name: device_seen (for: device)
(SELECT access.yes('system')) OR code = (SELECT nullif(access.word('device'), ''))

-- name: binding_seen (for: binding)
(SELECT access.yes('system'))
OR EXISTS (SELECT FROM access.device d WHERE d.device = binding.device)
