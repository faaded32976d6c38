-- name: account_by_login
SELECT a.*, p.hash, n.name, t.confirmed_at IS NOT NULL AS has_code
FROM access.account a
LEFT JOIN credential.password p USING (account)
LEFT JOIN credential.person n USING (account)
LEFT JOIN credential.totp t USING (account)
WHERE a.login = %(login)s ORDER BY a.closed_at DESC NULLS FIRST LIMIT 1;

-- name: account
SELECT a.*, n.name, n.phone FROM access.account a LEFT JOIN credential.person n USING (account)
WHERE a.account = %(account)s;

-- name: accounts
-- Accounts by login, with how far each has come in signing in.
SELECT a.account, a.login, a.kind, a.starts_at, a.ends_at, a.closed_at, a.undertaking, n.name,
    n.phone, p.account IS NOT NULL AS enrolled, t.confirmed_at IS NOT NULL AS second_factor,
    (SELECT count(*)::int FROM credential.passkey k WHERE k.account = a.account) AS passkeys,
    (SELECT coalesce(array_agg(DISTINCT h.role ORDER BY h.role), '{}') FROM access.holding h
        WHERE h.account = a.account AND (h.ends_at IS NULL OR h.ends_at > %(at)s)) AS roles
FROM access.account a
LEFT JOIN credential.person n USING (account)
LEFT JOIN credential.password p USING (account)
LEFT JOIN credential.totp t USING (account)
WHERE (a.login, a.account) > (%(after)s, %(last)s)
ORDER BY a.login, a.account LIMIT %(limit)s;

-- name: holdings
-- Every role of an account, past ones too, with the names of its places.
SELECT h.*, a.code AS area_code, a.name AS area_name, s.code AS site_code, s.name AS site_name,
    s.area AS site_area
FROM access.holding h
LEFT JOIN registry.area a ON a.area = h.area
LEFT JOIN sampling.site s ON s.site = h.site
WHERE h.account = ANY (%(accounts)s::uuid[]) ORDER BY h.account, h.starts_at, h.holding;

-- name: administrators
-- How many are administrators and can sign in; without one account or holding, if one is left out.
SELECT count(DISTINCT a.account)::int AS count
FROM access.holding h JOIN access.account a USING (account)
WHERE h.role = 'administrator' AND a.closed_at IS NULL
    AND (a.ends_at IS NULL OR a.ends_at > %(at)s)
    AND h.starts_at <= %(at)s AND (h.ends_at IS NULL OR h.ends_at > %(at)s)
    AND h.holding IS DISTINCT FROM %(holding)s::uuid
    AND a.account IS DISTINCT FROM %(account)s::uuid
    AND (EXISTS (SELECT FROM credential.password p WHERE p.account = a.account)
        OR EXISTS (SELECT FROM credential.passkey k WHERE k.account = a.account)
        OR EXISTS (SELECT FROM credential.oidc_subject o WHERE o.account = a.account));

-- name: unenrolled
-- Open accounts of people who cannot sign in yet: who gets a slip.
SELECT a.account, a.login, a.kind, a.starts_at, a.ends_at, n.name
FROM access.account a LEFT JOIN credential.person n USING (account)
WHERE a.closed_at IS NULL AND (a.ends_at IS NULL OR a.ends_at > %(at)s)
    AND a.kind IN ('staff', 'aid', 'guest')
    AND NOT EXISTS (SELECT FROM credential.password p WHERE p.account = a.account)
    AND NOT EXISTS (SELECT FROM credential.passkey k WHERE k.account = a.account)
    AND NOT EXISTS (SELECT FROM credential.oidc_subject o WHERE o.account = a.account)
    AND (%(logins)s::text[] IS NULL OR a.login = ANY (%(logins)s))
ORDER BY a.login;

-- name: place_area
SELECT area FROM registry.area WHERE area::text = %(text)s OR code = %(text)s LIMIT 1;

-- name: place_site
SELECT site FROM sampling.site WHERE site::text = %(text)s OR code = %(text)s LIMIT 1;

-- name: places_exist
-- Which of the named places are not there.
SELECT (%(area)s::uuid IS NOT NULL AND NOT EXISTS (
        SELECT FROM registry.area a WHERE a.area = %(area)s)) AS area,
    (%(site)s::uuid IS NOT NULL AND NOT EXISTS (
        SELECT FROM sampling.site s WHERE s.site = %(site)s)) AS site,
    (%(person)s::uuid IS NOT NULL AND NOT EXISTS (
        SELECT FROM registry.resident r WHERE r.resident = %(person)s)) AS person;

-- name: put_person
INSERT INTO credential.person (account, name, phone) VALUES (%(account)s, %(name)s, %(phone)s)
RETURNING account;

-- name: put_phone
INSERT INTO credential.person (account, phone) VALUES (%(account)s, %(phone)s)
ON CONFLICT (account) DO UPDATE SET phone = excluded.phone RETURNING account;

-- name: set_password
INSERT INTO credential.password (account, hash, changed_at) VALUES (%(account)s, %(hash)s, %(at)s)
ON CONFLICT (account) DO UPDATE
SET hash = excluded.hash, changed_at = excluded.changed_at, must_change = false RETURNING account;

-- name: locked_until
-- Until when an attempt has to wait. At an address the login has signed in from, what was tried
-- elsewhere or by others there does not count.
SELECT max(t.locked_until) AS until FROM credential.attempt t
WHERE t.locked_until > %(at)s AND (t.key = %(pair)s
    OR t.key IN (%(login)s, %(address)s) AND NOT EXISTS (SELECT FROM credential.known_address k
        WHERE k.key = %(pair)s AND k.seen_at > %(known_since)s));

-- name: count_failure
-- In the order of the keys, so that two attempts never wait for each other in a circle. Of the
-- failures before, some are forgiven by now. A key at its limit is locked, each time for twice as
-- long.
WITH limits AS (
    SELECT l.key, l.most, l.forgiven
    FROM unnest(%(keys)s::bytea[], %(most)s::int[], %(forgiven)s::int[])
        AS l (key, most, forgiven))
INSERT INTO credential.attempt AS t (key, failures, last_at)
SELECT l.key, 1, %(at)s FROM limits l ORDER BY l.key
ON CONFLICT (key) DO UPDATE SET (failures, last_at, locked_until) = (
    SELECT c.count, %(at)s::timestamptz, CASE WHEN c.count >= l.most
        THEN %(at)s::timestamptz + make_interval(secs => least(%(longest)s::float8,
            %(lock)s::float8 * power(2.0, least(c.count - l.most, 20))::float8)) END
    FROM limits l, LATERAL (SELECT 1 + greatest(0, t.failures - floor(extract(epoch FROM
        %(at)s::timestamptz - t.last_at) / l.forgiven)::int) AS count) c
    WHERE l.key = t.key)
RETURNING key;

-- name: forget_failures
WITH gone AS (DELETE FROM credential.attempt WHERE key = %(pair)s)
INSERT INTO credential.known_address AS k (key, seen_at) VALUES (%(pair)s, %(at)s)
ON CONFLICT (key) DO UPDATE SET seen_at = excluded.seen_at RETURNING key;

-- name: pardon
DELETE FROM credential.attempt WHERE key = ANY (%(keys)s::bytea[]) RETURNING key;

-- name: open_session
-- By a password: its failures here are forgotten, and the address is known from now on. Those from
-- elsewhere stay: they may be somebody else's.
WITH gone AS (DELETE FROM credential.attempt WHERE key = %(pair)s::bytea),
    known AS (INSERT INTO credential.known_address AS k (key, seen_at)
        SELECT %(pair)s::bytea, %(at)s WHERE %(pair)s::bytea IS NOT NULL
        ON CONFLICT (key) DO UPDATE SET seen_at = excluded.seen_at)
INSERT INTO credential.session (session, token_hash, account, method, second, agent, created_at,
    proved_at, seen_at)
VALUES (%(session)s, %(hash)s, %(account)s, %(method)s, %(second)s, %(agent)s, %(at)s, %(at)s,
    %(at)s) RETURNING session;

-- name: resolve
-- A session in use, with what limits it. One row by the token's hash, the rest by primary keys.
SELECT s.session, s.account, a.login, a.kind, a.undertaking, s.method, s.second, s.created_at,
    s.proved_at, s.seen_at, coalesce(p.must_change, false) AS must_change,
    EXISTS (SELECT FROM access.holding h WHERE h.account = s.account
        AND h.role = ANY (%(careful)s::text[]) AND h.starts_at <= %(at)s
        AND (h.ends_at IS NULL OR h.ends_at > %(at)s)) AS careful,
    EXISTS (SELECT FROM credential.totp t
        WHERE t.account = s.account AND t.confirmed_at IS NOT NULL) AS has_code,
    EXISTS (SELECT FROM credential.passkey k WHERE k.account = s.account) AS has_passkey
FROM credential.session s
JOIN access.account a USING (account)
LEFT JOIN credential.password p USING (account)
WHERE s.token_hash = %(hash)s AND s.ended_at IS NULL AND s.created_at > %(born)s
    AND s.seen_at > %(idle)s AND a.closed_at IS NULL AND a.starts_at <= %(at)s
    AND (a.ends_at IS NULL OR a.ends_at > %(at)s);

-- name: seen
UPDATE credential.session SET seen_at = %(at)s WHERE session = %(session)s AND seen_at < %(at)s
RETURNING session;

-- name: renew_session
-- Another token for the same session; the old one is worth nothing from now on.
UPDATE credential.session SET token_hash = %(hash)s, second = second OR %(second)s,
    proved_at = CASE WHEN %(proved)s THEN %(at)s ELSE proved_at END, seen_at = %(at)s
WHERE session = %(session)s AND ended_at IS NULL RETURNING session;

-- name: end_session
UPDATE credential.session SET ended_at = %(at)s
WHERE session = %(session)s AND account = %(account)s AND ended_at IS NULL RETURNING session;

-- name: end_sessions
UPDATE credential.session SET ended_at = %(at)s
WHERE account = %(account)s AND ended_at IS NULL AND session IS DISTINCT FROM %(but)s::uuid
RETURNING session;

-- name: sessions
SELECT session, method, second, agent, created_at, seen_at FROM credential.session
WHERE account = %(account)s AND ended_at IS NULL AND created_at > %(born)s AND seen_at > %(idle)s
ORDER BY created_at DESC;

-- name: keep_code
-- A new enrolment code; older ones of the account, or of the first administrator, are void.
WITH voided AS (
    UPDATE credential.enrolment SET voided_at = %(at)s
    WHERE account IS NOT DISTINCT FROM %(account)s::uuid AND used_at IS NULL
        AND voided_at IS NULL)
INSERT INTO credential.enrolment (code_hash, account, made_by, created_at, expires_at, reset_factors)
VALUES (%(hash)s, %(account)s, %(made_by)s, %(at)s, %(expires_at)s, %(reset_factors)s)
RETURNING code_hash;

-- name: code
SELECT e.account, e.reset_factors, e.made_by, a.login, a.closed_at, a.ends_at
FROM credential.enrolment e LEFT JOIN access.account a USING (account)
WHERE e.code_hash = %(hash)s AND e.used_at IS NULL AND e.voided_at IS NULL
    AND e.expires_at > %(at)s;

-- name: use_code
UPDATE credential.enrolment SET used_at = %(at)s
WHERE code_hash = %(hash)s AND used_at IS NULL AND voided_at IS NULL AND expires_at > %(at)s
RETURNING account, reset_factors;

-- name: reset_factors
WITH codes AS (DELETE FROM credential.recovery WHERE account = %(account)s),
    keys AS (DELETE FROM credential.passkey WHERE account = %(account)s)
DELETE FROM credential.totp WHERE account = %(account)s RETURNING account;

-- name: totp
SELECT secret, pending, confirmed_at, last_step FROM credential.totp WHERE account = %(account)s;

-- name: begin_totp
-- A secret to be confirmed; one that is in use stays until then.
INSERT INTO credential.totp (account, pending) VALUES (%(account)s, %(pending)s)
ON CONFLICT (account) DO UPDATE SET pending = excluded.pending RETURNING account;

-- name: confirm_totp
UPDATE credential.totp SET secret = pending, pending = NULL, confirmed_at = %(at)s,
    last_step = %(step)s
WHERE account = %(account)s AND pending = %(pending)s RETURNING account;

-- name: use_step
-- Take a code's step of the clock: once, and never one before the last.
UPDATE credential.totp SET last_step = %(step)s
WHERE account = %(account)s AND last_step < %(step)s RETURNING account;

-- name: keep_recovery
WITH gone AS (DELETE FROM credential.recovery
    WHERE account = %(account)s AND NOT code_hash = ANY (%(hashes)s::bytea[]))
INSERT INTO credential.recovery (account, code_hash)
SELECT %(account)s, h FROM unnest(%(hashes)s::bytea[]) AS h RETURNING account;

-- name: use_recovery
UPDATE credential.recovery SET used_at = %(at)s
WHERE account = %(account)s AND code_hash = %(hash)s AND used_at IS NULL RETURNING account;

-- name: passkeys
SELECT credential, site, label, created_at, used_at FROM credential.passkey
WHERE account = %(account)s ORDER BY created_at;

-- name: passkey
SELECT k.*, a.login FROM credential.passkey k JOIN access.account a USING (account)
WHERE k.credential = %(credential)s AND k.site = %(site)s AND a.closed_at IS NULL
    AND a.starts_at <= %(at)s AND (a.ends_at IS NULL OR a.ends_at > %(at)s);

-- name: keep_passkey
INSERT INTO credential.passkey (credential, account, site, public_key, sign_count, label, created_at)
VALUES (%(credential)s, %(account)s, %(site)s, %(public_key)s, %(sign_count)s, %(label)s, %(at)s)
ON CONFLICT DO NOTHING RETURNING credential;

-- name: used_passkey
UPDATE credential.passkey SET sign_count = %(sign_count)s, used_at = %(at)s
WHERE credential = %(credential)s
    AND (sign_count < %(sign_count)s OR sign_count = 0 AND %(sign_count)s = 0)
RETURNING credential;

-- name: drop_passkey
DELETE FROM credential.passkey WHERE credential = %(credential)s AND account = %(account)s
RETURNING credential;

-- name: begin_ceremony
WITH old AS (DELETE FROM credential.ceremony WHERE expires_at < %(at)s)
INSERT INTO credential.ceremony (hash, purpose, account, facts, expires_at)
VALUES (%(hash)s, %(purpose)s, %(account)s, %(facts)s, %(expires_at)s) RETURNING hash;

-- name: take_ceremony
DELETE FROM credential.ceremony WHERE hash = %(hash)s AND purpose = %(purpose)s
    AND account IS NOT DISTINCT FROM %(account)s::uuid
RETURNING facts, expires_at > %(at)s AS in_time;

-- name: oidc_account
SELECT a.* FROM credential.oidc_subject o JOIN access.account a USING (account)
WHERE o.issuer = %(issuer)s AND o.subject = %(subject)s;

-- name: account_to_link
-- The open account of a login, unless another subject of the provider is linked to it: the claim may
-- have been given to somebody else since.
SELECT a.* FROM access.account a WHERE a.login = %(login)s AND a.closed_at IS NULL
    AND NOT EXISTS (SELECT FROM credential.oidc_subject o
        WHERE o.account = a.account AND o.issuer = %(issuer)s);

-- name: link_subject
INSERT INTO credential.oidc_subject (issuer, subject, account, linked_at)
VALUES (%(issuer)s, %(subject)s, %(account)s, %(at)s) ON CONFLICT DO NOTHING RETURNING account;
