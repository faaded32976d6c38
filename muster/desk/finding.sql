-- What the top bar's search answers: a code as it stands, a beginning of one, a name of a place.

-- name: tubes
SELECT t.tube AS id, t.barcode AS code, t.at, s.name AS place, t.sealed_at IS NOT NULL AS sealed
FROM sampling.tube t LEFT JOIN sampling.site s ON s.site = t.site
WHERE t.tube IN (
    SELECT x.tube FROM sampling.tube x WHERE x.barcode ^@ %(q)s ORDER BY x.barcode, x.at DESC LIMIT 50)
    AND (%(everywhere)s OR t.site = ANY (%(within)s::uuid[]) OR t.tube IN (
        SELECT y.tube FROM lab.sample y WHERE y.tube = t.tube AND y.lab = ANY (%(labs)s::text[])))
ORDER BY t.barcode <> %(q)s, t.at DESC, t.tube LIMIT %(limit)s;

-- name: boxes
SELECT b.box AS id, b.code, b.packed_at AS at, b.kind, s.name AS place
FROM custody.box b LEFT JOIN sampling.site s ON s.site = b.site
WHERE b.code ^@ %(q)s ORDER BY b.code <> %(q)s, b.packed_at DESC, b.box LIMIT %(limit)s;

-- name: sites
SELECT s.site AS id, s.code, s.name, a.name AS place FROM sampling.site s
LEFT JOIN registry.area a ON a.area = s.area
WHERE s.code ^@ %(q)s OR position(%(q)s IN s.name) > 0
ORDER BY s.code <> %(q)s, s.code LIMIT %(limit)s;

-- name: labs
SELECT l.id, l.lab AS code, l.name, a.name AS place FROM lab.lab l
LEFT JOIN registry.area a ON a.area = l.area
WHERE l.lab ^@ %(q)s OR position(%(q)s IN l.name) > 0 ORDER BY l.lab <> %(q)s, l.lab LIMIT %(limit)s;

-- name: areas
-- By code or by the beginning of a name; nearest to the root first.
SELECT a.area AS id, a.code, a.name, a.level, p.name AS place FROM registry.area a
LEFT JOIN registry.area p ON p.area = a.parent
LEFT JOIN registry.span s ON s.area = a.area
WHERE a.code = %(q)s OR a.name ^@ %(q)s
ORDER BY a.code <> %(q)s, s.depth, a.code LIMIT %(limit)s;

-- name: devices
SELECT d.device AS id, d.code, d.kind, s.name AS place FROM access.device d
LEFT JOIN access.binding b ON b.device = d.device AND b.until IS NULL
LEFT JOIN sampling.site s ON s.site = b.site
WHERE d.code ^@ %(q)s ORDER BY d.code <> %(q)s, d.code LIMIT %(limit)s;

-- name: rounds
SELECT r.round AS id, r.name, r.starts_at AS at FROM sampling.round r
WHERE position(%(q)s IN r.name) > 0 ORDER BY r.starts_at DESC, r.round LIMIT %(limit)s;

-- name: plates
SELECT p.plate AS id, p.code, p.lab AS place, p.loaded_at AS at FROM lab.plate p
WHERE p.code = %(q)s ORDER BY p.loaded_at DESC, p.plate LIMIT %(limit)s;

-- name: own_areas
-- The widest areas in which somebody may be searched for by name.
SELECT a.area FROM registry.area a
WHERE (%(everywhere)s AND a.parent IS NULL) OR a.area = ANY (%(areas)s::uuid[]);
