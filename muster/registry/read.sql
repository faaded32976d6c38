-- name: area (key: area; touched: area; index: code; index: parent)
-- The latest listing of each area; where it stands in the tree is in registry.span.
SELECT DISTINCT ON (e.subject)
    e.subject AS area,
    e.body ->> 'code' AS code,
    e.body ->> 'level' AS level,
    e.body ->> 'name' AS name,
    (e.body ->> 'parent')::uuid AS parent,
    e.body ->> 'kind' AS kind,
    (e.body ->> 'floors')::int AS floors,
    (e.body ->> 'lift')::boolean AS lift
FROM ledger.event e
WHERE e.type = 'AreaListed' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: span (key: area; touched: area; follower: whole; index: lo)
-- Depth-first numbers: an area holds exactly the areas whose lo lies in its lo..hi, so a street is
-- one range and no tree is walked at question time. Only this table holds the numbers.
WITH RECURSIVE tree AS (
    SELECT area, ARRAY[code] AS path, ARRAY[area] AS line, 0 AS depth
    FROM registry.area WHERE parent IS NULL
    UNION ALL
    SELECT a.area, t.path || a.code, t.line || a.area, t.depth + 1
    FROM registry.area a JOIN tree t ON a.parent = t.area
    WHERE a.area <> ALL (t.line) AND t.depth < 20
), sizes AS (
    SELECT above AS area, count(*) AS size
    FROM tree, unnest(line) AS above GROUP BY above
), numbered AS (
    SELECT area, row_number() OVER (ORDER BY path) AS lo, depth, line FROM tree
)
SELECT n.area, n.lo, n.lo + s.size - 1 AS hi, n.depth, n.line
FROM numbered n JOIN sizes s USING (area);

-- name: unit (key: unit; touched: unit; index: area)
-- Enterprises, schools, hotels: the latest listing.
SELECT DISTINCT ON (e.subject)
    e.subject AS unit,
    e.body ->> 'code' AS code,
    e.body ->> 'name' AS name,
    e.body ->> 'kind' AS kind,
    (e.body ->> 'area')::uuid AS area,
    coalesce((e.body ->> 'headcount')::int, 0) AS headcount
FROM ledger.event e
WHERE e.type = 'UnitListed' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: denominator (key: area; touched: area)
-- Every declared head count of an area, with its source and date.
SELECT e.subject AS area, e.id AS event, (e.body ->> 'people')::int AS people,
    e.body ->> 'source' AS source, (e.body ->> 'on')::date AS "on"
FROM ledger.event e
WHERE e.type = 'DenominatorDeclared' AND e.body IS NOT NULL;

-- name: policy (key: policy; touched: policy; index: name)
-- Dated editions of policy numbers.
SELECT DISTINCT ON (e.subject)
    e.subject AS policy,
    e.body ->> 'name' AS name,
    (e.body ->> 'value')::int AS value,
    (e.body ->> 'since')::timestamptz AS since,
    (e.body ->> 'area')::uuid AS area,
    e.body ->> 'group' AS "group",
    coalesce((e.body ->> 'household')::boolean, false) AS household
FROM ledger.event e
WHERE e.type = 'PolicyAdopted' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: alias (key: recorded; touched: alias; index: person)
-- A merge in force: what was recorded under one id counts for another. Merges form stars (a rule and
-- the decision code both merge into the root), so one look-up is enough.
SELECT DISTINCT ON (m.subject)
    m.subject AS recorded,
    (m.body ->> 'into')::uuid AS person,
    m.body ->> 'reason' AS reason,
    m.id AS event
FROM ledger.event m
WHERE m.type = 'ResidentsMerged' AND m.body IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM ledger.event u
        WHERE u.subject = m.subject AND u.type = 'ResidentsUnmerged' AND u.cause = m.id)
ORDER BY m.subject, m.at DESC, m.id DESC;

-- name: resident (key: resident; touched: resident; index: building)
-- For each field the latest event that speaks of it; a merged id stays, marked.
SELECT e.subject AS resident,
    ((array_agg(e.body ->> 'building' ORDER BY e.at DESC, e.id DESC)
        FILTER (WHERE e.body ? 'building'))[1])::uuid AS building,
    (array_agg(e.body ->> 'room' ORDER BY e.at DESC, e.id DESC)
        FILTER (WHERE e.body ? 'building'))[1] AS room,
    coalesce((array_agg(e.body ->> 'state' ORDER BY e.at DESC, e.id DESC)
        FILTER (WHERE e.type = 'ResidentStateChanged' OR e.type = 'ResidentListed'))[1],
        'resident') AS state,
    ((array_agg(e.body ->> 'birth_year' ORDER BY e.at DESC, e.id DESC)
        FILTER (WHERE e.body ? 'birth_year'))[1])::int AS birth_year,
    (array_agg(e.body ->> 'sex' ORDER BY e.at DESC, e.id DESC)
        FILTER (WHERE e.body ? 'sex'))[1] AS sex,
    (array_agg(e.body ->> 'registered_area' ORDER BY e.at DESC, e.id DESC)
        FILTER (WHERE e.body ? 'registered_area'))[1] AS registered_area,
    (array_agg(e.body ->> 'group' ORDER BY e.at DESC, e.id DESC)
        FILTER (WHERE e.type = 'ResidentListed'))[1] AS "group",
    bool_and(e.body ->> 'source' = 'walk_in') AS walk_in,
    a.person AS merged_into
FROM ledger.event e
LEFT JOIN registry.alias a ON a.recorded = e.subject
WHERE e.type IN ('ResidentListed', 'ResidentMoved', 'ResidentStateChanged') AND e.body IS NOT NULL
GROUP BY e.subject, a.person;

-- name: household (view)
-- A household is who lives in one room of one building: derived, never listed.
SELECT building, room, count(*) AS people,
    count(*) FILTER (WHERE state IN ('resident', 'temporary')) AS present
FROM registry.resident
WHERE building IS NOT NULL AND merged_into IS NULL AND state <> 'moved_away'
GROUP BY building, room;

-- name: search (key: resident; touched: resident; follower: keyed; index: building, name text_pattern_ops; index: building, pinyin text_pattern_ops; index: building, initials text_pattern_ops)
-- Names beside the building, so that a prefix is looked up building by building within one's area.
SELECT r.resident, r.building, i.name, i.pinyin, i.initials
FROM registry.resident r JOIN vault.identity i ON i.resident = r.resident
WHERE r.building IS NOT NULL AND r.merged_into IS NULL;
