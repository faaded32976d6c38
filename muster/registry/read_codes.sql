-- name: personal_code (key: resident; touched: resident; follower: keyed; index: code)
-- Whose code is printed below a QR code: the first 60 bits of sha256 of the id, modulo 31^10
-- (registry/engine/personal_code.py). Two residents may share one, though hardly ever: then both are
-- shown.
SELECT r.resident, (('x' || substr(encode(sha256(uuid_send(r.resident)), 'hex'), 1, 15))::bit(60)::bigint
    % 819628286980801) AS code
FROM registry.resident r;

-- name: personal_code_keys (for: personal_code)
-- Whoever was listed.
SELECT unnest(%(resident)s::uuid[]);

-- name: personal_code_seen (for: personal_code)
(SELECT access.yes('everyone')) OR access.sees_person(resident, 'people_areas')
