-- name: round (key: round; touched: round; seen: everyone)
-- Rounds; a closed one keeps its balance sheet in its RoundClosed event.
SELECT DISTINCT ON (o.subject) o.subject AS round,
    o.body ->> 'name' AS name,
    ARRAY(SELECT x::uuid FROM jsonb_array_elements_text(o.body -> 'areas') x) AS areas,
    (o.body ->> 'starts_at')::timestamptz AS starts_at,
    (o.body ->> 'ends_at')::timestamptz AS ends_at,
    (SELECT min(c.at) FROM ledger.event c
        WHERE c.subject = o.subject AND c.type = 'RoundClosed') AS closed_at
FROM ledger.event o
WHERE o.type = 'RoundOpened' AND o.body IS NOT NULL
ORDER BY o.subject, o.at DESC, o.id DESC;

-- name: site (key: site; touched: site; index: area; seen: everyone)
-- Sites of the catalogue, and whether they and how many of their lanes work now.
SELECT l.site, l.code, l.name, l.area, l.lanes,
    coalesce((SELECT w.type = 'SiteOpened' FROM ledger.event w
        WHERE w.subject = l.site AND w.type IN ('SiteOpened', 'SiteClosed')
        ORDER BY w.at DESC, w.id DESC LIMIT 1), false) AS open,
    (SELECT count(*) FROM (
        SELECT DISTINCT ON (w.body ->> 'lane') w.type FROM ledger.event w
        WHERE w.subject = l.site AND w.type IN ('LaneOpened', 'LaneClosed')
        ORDER BY w.body ->> 'lane', w.at DESC, w.id DESC) last
        WHERE last.type = 'LaneOpened') AS lanes_open
FROM (
    SELECT DISTINCT ON (e.subject) e.subject AS site, e.body ->> 'code' AS code,
        e.body ->> 'name' AS name, (e.body ->> 'area')::uuid AS area,
        coalesce((e.body ->> 'lanes')::int, 1) AS lanes
    FROM ledger.event e WHERE e.type = 'SiteListed' AND e.body IS NOT NULL
    ORDER BY e.subject, e.at DESC, e.id DESC) l;

-- name: tube (key: tube; touched: tube; spills: barcode; index: barcode; index: round; index: retest_of; index: at, tube; index: site, at)
-- One row a tube: what its seal says, before that what its opening says. A tube sealed twice keeps
-- the earliest seal's label; both member lists count (sampling.specimen). One that was opened again and
-- sealed anew (the first seal is the cause) is not sealed twice.
SELECT DISTINCT ON (e.subject)
    e.subject AS tube,
    e.body ->> 'barcode' AS barcode,
    (e.body ->> 'round')::uuid AS round,
    (e.body ->> 'site')::uuid AS site,
    (e.body ->> 'lane')::int AS lane,
    e.body ->> 'purpose' AS purpose,
    (e.body ->> 'capacity')::int AS capacity,
    (e.body ->> 'retest_of')::uuid AS retest_of,
    e.device,
    CASE WHEN e.type = 'TubeSealed' THEN e.at END AS sealed_at,
    e.at,
    e.device_at + e.offset_ms * interval '1 millisecond'
        > e.received_at + interval '{FUTURE_TOLERANCE_MINUTES} minutes' AS future,
    jsonb_array_length(e.body -> 'members') AS sealed_members,
    count(*) FILTER (WHERE e.type = 'TubeSealed' AND NOT EXISTS (
        SELECT FROM ledger.event z WHERE z.id = e.cause AND z.subject = e.subject
            AND z.type = 'TubeSealed')) OVER (PARTITION BY e.subject) AS seals
FROM ledger.event e
WHERE e.type IN ('TubeOpened', 'TubeSealed') AND e.body IS NOT NULL
ORDER BY e.subject, (e.type = 'TubeSealed') DESC, e.at, e.id;

-- name: specimen (key: tube; touched: tube; index: person, round; index: tube)
-- Who is in a tube: everyone put in (by any seal, before a seal by single swabs, by a move) less
-- everyone taken out. Counting in and out makes the order of arrival irrelevant. Who was swabbed again,
-- or is listed by a seal, after being taken out is in: a seal freezes the members as they then are.
SELECT s.tube, coalesce(a.person, s.recorded) AS person, s.recorded, s.position,
    t.round, coalesce(t.at, s.at) AS at
FROM (
    SELECT tube, recorded, min(position) AS position, min(at) AS at
    FROM (
        SELECT e.subject AS tube, (m ->> 'person')::uuid AS recorded,
            min((m ->> 'position')::int) AS position, min(e.at) AS at, 1 AS n
        FROM ledger.event e, jsonb_array_elements(e.body -> 'members') m
        WHERE e.type = 'TubeSealed'
        GROUP BY e.subject, m ->> 'person'
        UNION ALL
        SELECT e.subject, (e.body ->> 'person')::uuid, min((e.body ->> 'position')::int),
            min(e.at), 1
        FROM ledger.event e
        WHERE e.type = 'SpecimenTaken' AND NOT EXISTS (
            SELECT FROM ledger.event z WHERE z.subject = e.subject AND z.type = 'TubeSealed')
        GROUP BY e.subject, e.body ->> 'person'
        UNION ALL
        SELECT (e.body ->> 'to')::uuid, (e.body ->> 'person')::uuid,
            (e.body ->> 'position')::int, e.at, 1
        FROM ledger.event e WHERE e.type = 'SpecimenMoved'
        UNION ALL
        SELECT e.subject, (e.body ->> 'person')::uuid, NULL, NULL, -1
        FROM ledger.event e
        WHERE (e.type = 'SpecimenMoved' OR e.type = 'SpecimenVoided' AND NOT EXISTS (
                SELECT FROM ledger.event r WHERE r.subject = e.subject
                    AND r.type = 'SpecimenRestored' AND r.cause = e.id))
            AND NOT EXISTS (
                SELECT FROM ledger.event z WHERE z.subject = e.subject AND z.at > e.at
                    AND (z.type = 'SpecimenTaken' AND z.body ->> 'person' = e.body ->> 'person'
                        OR z.type = 'TubeSealed' AND z.body -> 'members' @> jsonb_build_array(
                            jsonb_build_object('person', e.body ->> 'person'))))
    ) moves
    WHERE recorded IS NOT NULL
    GROUP BY tube, recorded
    HAVING sum(n) > 0
) s
LEFT JOIN sampling.tube t ON t.tube = s.tube
LEFT JOIN registry.alias a ON a.recorded = s.recorded;

-- name: flag (key: tube; touched: tube)
-- Anomalies a tube shows by itself; facts, never refused.
SELECT t.tube, f.flag
FROM sampling.tube t
CROSS JOIN LATERAL (
    SELECT 'over_capacity' AS flag WHERE t.capacity < (
        SELECT count(*) FROM sampling.specimen s WHERE s.tube = t.tube)
    UNION ALL SELECT 'sealed_empty' WHERE t.sealed_members = 0
    UNION ALL SELECT 'future_dated' WHERE t.future
    UNION ALL SELECT 'sealed_twice' WHERE t.seals > 1
    UNION ALL SELECT 'swab_not_in_seal' WHERE t.sealed_at IS NOT NULL AND EXISTS (
        SELECT FROM ledger.event e
        WHERE e.subject = t.tube AND e.type = 'SpecimenTaken' AND e.body IS NOT NULL
            AND NOT EXISTS (
            SELECT FROM sampling.specimen s
            WHERE s.tube = t.tube AND s.recorded = (e.body ->> 'person')::uuid)
            AND NOT EXISTS (
            SELECT FROM ledger.event o WHERE o.subject = t.tube
                AND o.type IN ('SpecimenVoided', 'SpecimenMoved')
                AND o.body ->> 'person' = e.body ->> 'person'))
) f;

-- name: twice (key: person; touched: person)
-- A person in two tubes of one round. Re-tests have a purpose of their own and are not counted.
SELECT s.person, s.round, array_agg(DISTINCT s.tube ORDER BY s.tube) AS tubes
FROM sampling.specimen s
WHERE s.round IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM sampling.tube t WHERE t.tube = s.tube AND t.purpose = 'recall')
GROUP BY s.person, s.round
HAVING count(DISTINCT s.tube) > 1;

-- name: barcode_twice (key: barcode; touched: barcode)
-- One barcode on several tubes: suppliers repeat them, and two phones may scan one tube.
SELECT t.barcode, array_agg(t.tube ORDER BY t.tube) AS tubes, count(DISTINCT t.site) AS sites
FROM sampling.tube t
GROUP BY t.barcode
HAVING count(*) > 1;

-- name: stance (key: recorded; touched: stance; index: person)
-- Refusals and exemptions in force.
SELECT e.subject AS recorded, coalesce(a.person, e.subject) AS person, e.id AS event,
    CASE e.type WHEN 'RefusalRecorded' THEN 'refused' ELSE 'exempt' END AS kind,
    (e.body ->> 'round')::uuid AS round, e.body ->> 'reason' AS reason, e.at
FROM ledger.event e
LEFT JOIN registry.alias a ON a.recorded = e.subject
WHERE e.type IN ('RefusalRecorded', 'ExemptionGranted') AND e.body IS NOT NULL
    AND NOT EXISTS (SELECT FROM ledger.event w
        WHERE w.subject = e.subject AND w.type = 'StanceWithdrawn' AND w.cause = e.id);

-- name: home_request (key: recorded; touched: home_request; index: person)
-- Who asked to be swabbed at home, and what became of it. Whether they were swabbed since is asked of
-- their swabs. The first word on a request counts.
SELECT e.subject AS recorded, coalesce(a.person, e.subject) AS person, e.id AS request,
    e.body ->> 'reason' AS reason, e.at AS asked_at, e.actor AS asked_by,
    c.body ->> 'outcome' AS outcome, c.at AS closed_at, c.actor AS closed_by
FROM ledger.event e
LEFT JOIN registry.alias a ON a.recorded = e.subject
LEFT JOIN LATERAL (
    SELECT x.body, x.at, x.actor FROM ledger.event x
    WHERE x.subject = e.subject AND x.type = 'HomeSamplingClosed' AND x.cause = e.id
        AND x.body IS NOT NULL
    ORDER BY x.at, x.id LIMIT 1) c ON true
WHERE e.type = 'HomeSamplingAsked' AND e.body IS NOT NULL;

-- name: home_request_seen (for: home_request)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas')

-- name: tube_seen (for: tube)
-- A tube is seen by its site, by who may see one of its members, and by laboratories: it names nobody.
(SELECT access.yes('everyone')) OR cardinality((SELECT access.codes('labs'))) > 0 OR access.sees_tube(tube)

-- name: specimen_seen (for: specimen)
-- Who is in which tube: never for laboratories.
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas') OR access.tube_here(tube)

-- name: flag_seen (for: flag)
(SELECT access.yes('everyone')) OR (SELECT access.yes('figures')) OR access.sees_tube(tube)
    OR access.tube_under(tube, 'figure_areas')

-- name: twice_seen (for: twice)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas')

-- name: barcode_twice_seen (for: barcode_twice)
(SELECT access.yes('everyone')) OR (SELECT access.yes('figures'))
    OR (SELECT bool_or(access.sees_tube(t) OR access.tube_under(t, 'figure_areas')) FROM unnest(tubes) t)

-- name: stance_seen (for: stance)
(SELECT access.yes('everyone')) OR access.sees_person(person, 'people_areas')

-- name: place (key: site; touched: site_place; seen: everyone)
-- Where sites stand: the latest word on each.
SELECT DISTINCT ON (e.subject) e.subject AS site, (e.body ->> 'lon_micro')::int AS lon_micro,
    (e.body ->> 'lat_micro')::int AS lat_micro, e.body ->> 'source' AS source,
    coalesce((e.body ->> 'generated')::boolean, false) AS generated, e.at AS placed_at,
    e.actor AS placed_by
FROM ledger.event e
WHERE e.type = 'SitePlaced' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: queue (key: site; follower: keyed; seen: everyone)
-- How many waited at each site as counted last, by lane where lanes are counted (0: the whole site).
SELECT DISTINCT ON (e.subject, coalesce((e.body ->> 'lane')::int, 0)) e.subject AS site,
    coalesce((e.body ->> 'lane')::int, 0) AS lane, (e.body ->> 'waiting')::int AS waiting,
    (e.body ->> 'wait_minutes')::int AS wait_minutes, e.at, e.actor AS counted_by
FROM ledger.event e
WHERE e.type = 'QueueCounted' AND e.body IS NOT NULL
ORDER BY e.subject, coalesce((e.body ->> 'lane')::int, 0), e.at DESC, e.id DESC;

-- name: queue_keys (for: queue)
SELECT unnest(%(queue)s::uuid[]) AS site;

-- name: supply (key: site; follower: keyed; seen: everyone)
-- What a site was short of by the latest word on each thing; left out where more was brought.
SELECT * FROM (
    SELECT DISTINCT ON (e.subject, e.body ->> 'item') e.subject AS site, e.body ->> 'item' AS item,
        (e.body ->> 'left')::int AS remaining, coalesce((e.body ->> 'enough')::boolean, false) AS enough,
        e.at, e.actor AS said_by
    FROM ledger.event e
    WHERE e.type = 'SupplyLow' AND e.body IS NOT NULL
    ORDER BY e.subject, e.body ->> 'item', e.at DESC, e.id DESC) latest
WHERE NOT enough;

-- name: supply_keys (for: supply)
SELECT unnest(%(needs)s::uuid[]) AS site;

-- name: readiness (key: site; follower: keyed; seen: everyone)
-- The latest word on what each site needs before it opens: what was looked at, and what was not in order.
SELECT DISTINCT ON (e.subject) e.subject AS site, e.id AS event,
    jsonb_array_length(e.body -> 'items') AS looked_at,
    ARRAY(SELECT one ->> 'item' FROM jsonb_array_elements(e.body -> 'items') one
        WHERE NOT (one ->> 'ok')::boolean) AS faults,
    coalesce(e.body -> 'photos', '[]') AS photos, e.at, e.actor AS checked_by
FROM ledger.event e
WHERE e.type = 'SiteChecked' AND e.body IS NOT NULL
ORDER BY e.subject, e.at DESC, e.id DESC;

-- name: readiness_keys (for: readiness)
SELECT unnest(%(needs)s::uuid[]) AS site;
