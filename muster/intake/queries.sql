-- name: areas
SELECT code, level, name, parent, kind, floors, lift FROM registry.area;

-- name: units
SELECT code, name, kind, area, headcount FROM registry.unit;

-- name: sites
SELECT code, name, area, lanes FROM sampling.site;

-- name: people_known
-- Who of a chunk is known already, by document or, without one, by what a person is known again by.
SELECT k.hash, k.resident, r.building, r.room, r.state, r.birth_year, r.sex, r.registered_area,
    r."group", r.walk_in, i.name, i.birth_date, i.kind, i.phone_hash
FROM (
    SELECT DISTINCT ON (m.number_hash) m.number_hash AS hash, coalesce(a.person, m.resident) AS resident
    FROM vault.identity m LEFT JOIN registry.alias a ON a.recorded = m.resident
    WHERE m.number_hash = ANY (%(numbers)s)
    ORDER BY m.number_hash, a.person NULLS FIRST, m.resident
) k
JOIN registry.resident r ON r.resident = k.resident
JOIN vault.identity i ON i.resident = k.resident
UNION ALL
SELECT i.print, i.resident, r.building, r.room, r.state, r.birth_year, r.sex, r.registered_area,
    r."group", r.walk_in, i.name, i.birth_date, i.kind, i.phone_hash
FROM vault.identity i JOIN registry.resident r ON r.resident = i.resident
WHERE i.print = ANY (%(prints)s) AND r.merged_into IS NULL;
