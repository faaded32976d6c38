-- name: area_by_code
SELECT a.*, s.lo, s.hi, s.depth FROM registry.area a LEFT JOIN registry.span s USING (area)
WHERE a.code = %(code)s;

-- name: area_by_id
SELECT a.*, s.lo, s.hi, s.depth FROM registry.area a LEFT JOIN registry.span s USING (area)
WHERE a.area = %(area)s;

-- name: areas_by_name
-- Areas are also asked for by name; several may bear it.
SELECT a.*, s.lo, s.hi, s.depth FROM registry.area a LEFT JOIN registry.span s USING (area)
WHERE a.name = %(name)s AND a.level NOT IN ('grid', 'building') ORDER BY a.code LIMIT 20;

-- name: roots
SELECT a.*, s.lo, s.hi, s.depth FROM registry.area a LEFT JOIN registry.span s USING (area)
WHERE a.parent IS NULL ORDER BY a.code;

-- name: children
SELECT a.*, s.lo, s.hi, s.depth FROM registry.area a LEFT JOIN registry.span s USING (area)
WHERE a.parent = %(area)s AND a.code > %(after)s ORDER BY a.code LIMIT %(limit)s;

-- name: area_counts
SELECT level, count(*)::int AS count, count(*) FILTER (WHERE kind = 'exclusive')::int AS exclusive
FROM registry.area GROUP BY level ORDER BY level;

-- name: search
-- The first people of an area whose {column} (name, pinyin or initials: written in) lies between two
-- texts, after the cursor's. Only they are joined to the rest: many bear a common name. `~>=~` and its
-- like are what a text_pattern_ops index serves, whatever the database's collation.
SELECT p.resident, p.building, a.name AS building_name, p.name, p.pinyin, p.initials, r.room,
    r.birth_year, r.sex, r.state
FROM (
    SELECT s.* FROM vault.search s
    JOIN registry.span b ON b.area = s.building AND b.lo BETWEEN %(lo)s AND %(hi)s
    WHERE s.{column} ~>=~ %(from)s AND s.{column} ~<~ %(beyond)s
        AND (%(after)s::uuid IS NULL OR s.{column} ~>~ %(from)s OR s.resident > %(after)s::uuid)
    ORDER BY s.{column} USING ~<~, s.resident LIMIT %(limit)s
) p
JOIN registry.resident r ON r.resident = p.resident
JOIN registry.area a ON a.area = p.building
ORDER BY p.{column} USING ~<~, p.resident;

-- name: search_from
-- Where a page goes on after its last person, and where an area's numbers end.
SELECT s.lo, s.hi, (
    SELECT l.{column} FROM vault.search l WHERE l.resident = %(after)s::uuid) AS "from"
FROM registry.span s WHERE s.area = %(area)s;

-- name: person
SELECT r.*, a.code AS building_code, a.name AS building_name, i.name, i.kind, i.number, i.phone,
    i.birth_date
FROM registry.resident r
LEFT JOIN registry.area a ON a.area = r.building
LEFT JOIN vault.identity i ON i.resident = r.resident
WHERE r.resident = %(resident)s;

-- name: known
SELECT count(*)::int AS count FROM registry.resident WHERE resident = ANY (%(people)s::uuid[]);

-- name: by_number
-- Under every live key: which of the hashes counts is the database's to say. Who can also be called up has
-- another id as such: the resident is meant.
SELECT coalesce(a.person, i.resident) AS resident
FROM vault.identity i
LEFT JOIN registry.alias a ON a.recorded = i.resident
LEFT JOIN registry.resident r ON r.resident = i.resident
WHERE i.number_hash = ANY (%(hashes)s)
ORDER BY r.resident IS NULL, a.person NULLS FIRST LIMIT 1;

-- name: by_phone
-- Everybody who gave one phone: a household often has one for all.
SELECT r.resident, r.building, a.name AS building_name, i.name, r.room, r.birth_year, r.sex, r.state
FROM vault.identity i
JOIN registry.resident r ON r.resident = i.resident
LEFT JOIN registry.area a ON a.area = r.building
WHERE i.phone_hash = ANY (%(hashes)s::bytea[]) AND r.merged_into IS NULL
ORDER BY i.name, i.resident LIMIT 50;

-- name: units
SELECT u.*, a.code AS area_code, a.name AS area_name
FROM registry.unit u LEFT JOIN registry.area a USING (area)
LEFT JOIN registry.span b USING (area)
WHERE u.code > %(after)s
    AND (%(q)s::text IS NULL OR u.code ^@ %(q)s OR position(%(q)s IN u.name) > 0)
    AND (%(kind)s::text IS NULL OR u.kind = %(kind)s)
    AND (%(area)s::uuid IS NULL OR %(area)s = ANY (b.line))
ORDER BY u.code LIMIT %(limit)s;

-- name: likely_duplicates
-- Pairs that may be one person, for a person to decide: one pinyin and birth date, or one phone and
-- pinyin, and not already joined or kept apart. The evidence is scored where it is judged.
SELECT l.resident AS one, r.resident AS other,
    l.name AS one_name, r.name AS other_name,
    l.birth_date IS NOT NULL AND l.birth_date = r.birth_date AS same_birth_date,
    l.phone_hash IS NOT NULL AND l.phone_hash = r.phone_hash AS same_phone,
    lr.building = rr.building AS same_building, lr.room = rr.room AS same_room,
    lr.sex IS NOT DISTINCT FROM rr.sex AS same_sex,
    l.number_hash IS NOT NULL AND r.number_hash IS NOT NULL AS both_documents
FROM vault.identity l
JOIN vault.identity r ON r.pinyin = l.pinyin AND r.resident > l.resident
    AND (r.birth_date = l.birth_date OR r.phone_hash = l.phone_hash)
JOIN registry.resident lr ON lr.resident = l.resident AND lr.merged_into IS NULL
JOIN registry.resident rr ON rr.resident = r.resident AND rr.merged_into IS NULL
WHERE NOT EXISTS (SELECT FROM ledger.event u
    WHERE u.type = 'ResidentsUnmerged' AND (u.body ->> 'keep_apart')::boolean
        AND (u.subject, (u.body ->> 'into')::uuid) IN
            ((l.resident, r.resident), (r.resident, l.resident)));
