-- name: area (key: area; touched: area; index: code; index: parent; seen: everyone)
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

-- name: span (key: area; touched: area; follower: whole; index: lo; seen: everyone)
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

-- name: unit (key: unit; touched: unit; index: area; seen: everyone)
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

-- name: denominator (key: area; touched: area; seen: everyone)
-- Every declared head count of an area, with its source and date.
SELECT e.subject AS area, e.id AS event, (e.body ->> 'people')::int AS people,
    e.body ->> 'source' AS source, (e.body ->> 'on')::date AS "on"
FROM ledger.event e
WHERE e.type = 'DenominatorDeclared' AND e.body IS NOT NULL;

-- name: policy (key: policy; touched: policy; index: name; seen: everyone)
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
    bool_and(e.body ->> 'source' <> 'roster') AS walk_in,
    bool_and(e.body ->> 'source' = 'self') AS self_listed,
    a.person AS merged_into
FROM ledger.event e
LEFT JOIN registry.alias a ON a.recorded = e.subject
WHERE e.type IN ('ResidentListed', 'ResidentMoved', 'ResidentStateChanged') AND e.body IS NOT NULL
GROUP BY e.subject, a.person;

-- name: objection (key: resident; touched: resident; index: objection)
-- What people object to, and the latest answer to each.
SELECT o.subject AS resident, o.id AS objection, o.body ->> 'about' AS about, o.at AS raised_at,
    w.id AS answered, w.body ->> 'answer' AS answer, w.at AS answered_at, w.actor AS answered_by
FROM ledger.event o
LEFT JOIN LATERAL (
    SELECT x.id, x.body, x.at, x.actor FROM ledger.event x
    WHERE x.subject = o.subject AND x.type = 'ObjectionAnswered' AND x.cause = o.id
        AND x.body IS NOT NULL
    ORDER BY x.at DESC, x.id DESC LIMIT 1) w ON true
WHERE o.type = 'ObjectionRaised' AND o.body IS NOT NULL;

-- name: objection_seen (for: objection)
-- Of oneself, and of whoever lives under one's areas.
(SELECT access.yes('everyone'))
OR resident = ANY ((SELECT access.ids('own'))::uuid[])
OR EXISTS (SELECT FROM registry.resident r WHERE r.resident = objection.resident)

-- name: household (view; seen: everyone)
-- A household is who lives in one room of one building: derived, never listed.
SELECT building, room, count(*) AS people,
    count(*) FILTER (WHERE state IN ('resident', 'temporary')) AS present
FROM registry.resident
WHERE building IS NOT NULL AND merged_into IS NULL AND state <> 'moved_away'
GROUP BY building, room;

-- name: search (key: resident; touched: resident; follower: keyed; index: building, name text_pattern_ops; index: building, pinyin text_pattern_ops; index: building, initials text_pattern_ops; index: name text_pattern_ops, resident; index: pinyin text_pattern_ops, resident; index: initials text_pattern_ops, resident)
-- Names beside the building: a prefix is looked up building by building within a small area, in the order
-- of names within a wide one; the planner chooses.
SELECT r.resident, r.building, i.name, i.pinyin, i.initials
FROM registry.resident r JOIN vault.identity i ON i.resident = r.resident
WHERE r.building IS NOT NULL AND r.merged_into IS NULL;

-- name: resident_seen (for: resident)
-- Rows about people: under one's areas, oneself, and who lives nowhere and was swabbed at one's site.
(SELECT access.yes('everyone')) OR access.sees_person(resident, 'people_areas')

-- name: alias_seen (for: alias)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas')
    OR access.sees_person(recorded, 'people_areas')

-- name: search_seen (for: search)
-- Names are searched within one's own areas only.
(SELECT access.yes('names')) OR access.sees_building(building, 'name_areas')

-- name: place (key: area; touched: area_place; seen: everyone)
-- Where areas lie and how they are bounded: the latest word on each.
SELECT DISTINCT ON (e.subject) e.subject AS area, (e.body ->> 'lon_micro')::int AS lon_micro,
    (e.body ->> 'lat_micro')::int AS lat_micro, coalesce(e.body -> 'outline', '[]') AS outline,
    e.body ->> 'source' AS source, coalesce((e.body ->> 'generated')::boolean, false) AS generated,
    e.at AS placed_at, e.actor AS placed_by
FROM ledger.event e
WHERE e.type = 'AreaPlaced' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;
