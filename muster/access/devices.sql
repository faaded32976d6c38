-- name: by_code
SELECT d.* FROM access.device d WHERE d.code = %(code)s;

-- name: by_id
SELECT d.* FROM access.device d WHERE d.device = %(device)s;

-- name: devices
-- Every device: where it works, who held it last, when it was last heard of.
SELECT d.device, d.code, d.kind, d.enrolled_at, d.revoked_at, t.seen_at, a.login AS holder,
    b.area, r.code AS area_code, r.name AS area_name, b.site, s.code AS site_code,
    s.name AS site_name, b.lab, b.since AS bound_since,
    (SELECT count(*)::int FROM ledger.inbox i WHERE i.sender = 'device:' || d.code
        AND i.applied_at IS NULL AND i.refused_at IS NULL AND i.sealed IS NOT NULL) AS held
FROM access.device d
LEFT JOIN access.device_token t USING (device)
LEFT JOIN access.account a ON a.account = t.holder
LEFT JOIN access.binding b ON b.device = d.device AND b.since <= %(at)s
    AND (b.until IS NULL OR b.until > %(at)s)
LEFT JOIN registry.area r ON r.area = b.area
LEFT JOIN sampling.site s ON s.site = b.site
WHERE d.code > %(after)s ORDER BY d.code LIMIT %(limit)s;

-- name: put_code
INSERT INTO access.device_code (code, device, expires_at) VALUES (%(code)s, %(device)s, %(until)s)
RETURNING device;

-- name: use_code
-- A code serves once.
UPDATE access.device_code SET used_at = %(at)s
WHERE code = %(code)s AND used_at IS NULL AND expires_at > %(at)s RETURNING device;

-- name: put_token
INSERT INTO access.device_token (device, token, expires_at, refresh, holder, holder_since)
VALUES (%(device)s, %(token)s, %(until)s, %(refresh)s, %(holder)s, %(at)s)
ON CONFLICT (device) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at,
    refresh = excluded.refresh, earlier = NULL, used_at = NULL, holder = excluded.holder,
    holder_since = excluded.holder_since
RETURNING device;

-- name: by_refresh
-- The device of a refresh token, the present one or the one before it.
SELECT t.device, t.refresh = %(refresh)s AS present, t.used_at IS NOT NULL AS used, d.code,
    d.revoked_at
FROM access.device_token t JOIN access.device d USING (device)
WHERE t.refresh = %(refresh)s OR t.earlier = %(refresh)s;

-- name: rotate
-- A new pair. The refresh token just used is remembered until the new access token has been seen: an
-- answer may be lost on its way.
UPDATE access.device_token SET token = %(token)s, expires_at = %(until)s, refresh = %(fresh)s,
    earlier = %(refresh)s, used_at = NULL
WHERE device = %(device)s RETURNING device;

-- name: by_token
-- Who asks with a device's token: the device, where it works now, who holds it, and what they hold.
SELECT d.device, d.code, d.kind, d.revoked_at IS NOT NULL AS revoked, t.expires_at,
    t.used_at IS NULL OR t.seen_at < %(at)s - interval '1 minute' AS unseen,
    x.login AS holder, b.area AS bound_area, b.site AS bound_site, b.lab AS bound_lab,
    bs.area AS bound_site_area, w.line AS bound_line, a.account, a.login, a.undertaking,
    h.holding, h.role, h.everywhere, h.area, h.site, s.area AS site_area, h.lab,
    coalesce((SELECT m.person FROM registry.alias m WHERE m.recorded = h.person), h.person) AS person,
    h.starts_at AS held_from, h.ends_at AS held_to, h.moved
FROM access.device_token t
JOIN access.device d USING (device)
LEFT JOIN access.binding b ON b.device = d.device AND b.since <= %(at)s
    AND (b.until IS NULL OR b.until > %(at)s)
LEFT JOIN sampling.site bs ON bs.site = b.site
LEFT JOIN registry.span w ON w.area = coalesce(b.area, bs.area)
LEFT JOIN access.account x ON x.account = t.holder
LEFT JOIN access.device_holder k ON k.device = d.device AND k.account = t.holder AND k.until IS NULL
LEFT JOIN access.account a ON a.account = k.account AND a.starts_at <= %(at)s
    AND (a.ends_at IS NULL OR a.ends_at > %(at)s) AND a.closed_at IS NULL
LEFT JOIN access.holding h ON h.account = a.account AND h.starts_at <= %(at)s
    AND (h.ends_at IS NULL OR h.ends_at > %(at)s)
LEFT JOIN sampling.site s ON s.site = h.site
WHERE t.token = %(token)s;

-- name: author
-- The device whose token this is, run out or not: what it wrote does not run out.
SELECT d.code FROM access.device_token t JOIN access.device d USING (device) WHERE t.token = %(token)s;

-- name: token_seen
UPDATE access.device_token SET used_at = coalesce(used_at, %(at)s), seen_at = %(at)s
WHERE token = %(token)s RETURNING device;

-- name: put_holder
-- Somebody has a PIN on a device from now on, or another PIN.
INSERT INTO access.device_holder (device, account, pin, since)
VALUES (%(device)s, %(account)s, %(pin)s, %(at)s)
ON CONFLICT (device, account) DO UPDATE SET pin = excluded.pin, until = NULL, wrong = 0,
    since = CASE WHEN device_holder.until IS NULL THEN device_holder.since ELSE excluded.since END
RETURNING device;

-- name: holder
SELECT k.account, k.pin, k.wrong, a.login FROM access.device_holder k
JOIN access.account a USING (account)
WHERE k.device = %(device)s AND a.login = %(login)s AND k.until IS NULL
    AND a.closed_at IS NULL AND (a.ends_at IS NULL OR a.ends_at > %(at)s);

-- name: wrong_pin
UPDATE access.device_holder SET wrong = wrong + 1,
    until = CASE WHEN wrong + 1 >= %(most)s THEN %(at)s::timestamptz END
WHERE device = %(device)s AND account = %(account)s RETURNING until;

-- name: take_over
WITH right_pin AS (UPDATE access.device_holder SET wrong = 0
    WHERE device = %(device)s AND account = %(account)s)
UPDATE access.device_token SET holder = %(account)s, holder_since = %(at)s
WHERE device = %(device)s RETURNING device;

-- name: put_down
UPDATE access.device_token SET holder = NULL, holder_since = NULL
WHERE device = %(device)s RETURNING device;

-- name: drop_holder
UPDATE access.device_holder SET until = %(at)s
WHERE device = %(device)s AND account = %(account)s AND until IS NULL RETURNING device;

-- name: holders
SELECT a.login, k.since, k.until, k.wrong FROM access.device_holder k
JOIN access.account a USING (account) WHERE k.device = %(device)s ORDER BY a.login;

-- name: holdings_of
SELECT h.holding, h.account, h.role, h.everywhere, h.area, h.site, s.area AS site_area, h.lab,
    coalesce((SELECT m.person FROM registry.alias m WHERE m.recorded = h.person), h.person) AS person,
    h.starts_at AS held_from, h.ends_at AS held_to, h.moved
FROM access.holding h LEFT JOIN sampling.site s ON s.site = h.site
WHERE h.account = %(account)s AND h.starts_at <= %(at)s
    AND (h.ends_at IS NULL OR h.ends_at > %(at)s);

-- name: late
-- What came after its sender had been moved, newest first, with whose it was.
SELECT l.event, e.type, e.subject, l.at, l.received_at, l.login, l.device, l.area, r.name AS area_name, l.site,
    s.name AS site_name
FROM access.late l
LEFT JOIN ledger.event e ON e.id = l.event
LEFT JOIN registry.area r ON r.area = l.area
LEFT JOIN sampling.site s ON s.site = l.site
WHERE %(received_at)s::timestamptz IS NULL
    OR (l.received_at, l.event) < (%(received_at)s, %(event)s::uuid)
ORDER BY l.received_at DESC, l.event DESC LIMIT %(limit)s;
