-- The chain of one person, from the list to the released result. Read by Muster's own hand once the
-- person has been seen through the caller's scope; other people are shown as far as the caller may see
-- them.

-- name: person
-- Who is asked about, under the id that counts, with the round that concerns them where none is named.
SELECT r.resident, r.state, r.building, r.room, i.name,
    (SELECT min(e.at) FROM ledger.event e
        WHERE e.subject = r.resident AND e.type = 'ResidentListed') AS listed_at
FROM (SELECT CASE WHEN a.person IS NULL THEN q.asked ELSE a.person END AS resident
    FROM (SELECT %(person)s::uuid AS asked) q
    LEFT JOIN registry.alias a ON a.recorded = q.asked) p
JOIN registry.resident r ON r.resident = p.resident
LEFT JOIN vault.identity i ON i.resident = r.resident;

-- name: round_of
-- The newest round that covers a building; where it lies in none, the newest of all.
SELECT r.round, r.name, r.starts_at, r.ends_at, r.closed_at
FROM sampling.round r
LEFT JOIN registry.span b ON b.area = %(building)s::uuid
ORDER BY coalesce(r.areas && b.line, false) DESC, r.starts_at DESC, r.round LIMIT 1;

-- name: swabs
-- Every swab of a person, newest first, with where its tube is and what is known of it. The innermost
-- look-ups are by index, for a handful of tubes.
SELECT s.tube, t.barcode, s.at, s.round, t.purpose, x.code AS site_code, x.name AS site_name, t.device,
    t.sealed_at, b.box, b.code AS box_code, k.packed_at, l.taker AS "with", l.handed_at,
    c.received_at AS box_received_at, w.lab, n.name AS lab_name, w.received_at, w.condition, w.plate,
    p.code AS plate_code, w.loaded_at,
    CASE WHEN w.called_at >= w.loaded_at THEN w.called_at END AS called_at,
    CASE WHEN w.blocked THEN coalesce(q.blocked, 'blocked') END AS blocked, w.call, w.next,
    w.proposed_by, o.outcome, o.state, o.resulted_at,
    t.sealed_at IS NULL AND (EXISTS (
            SELECT FROM access.device d JOIN access.device_token y ON y.device = d.device
            WHERE d.code = t.device AND y.unsent > 0)
        OR coalesce((SELECT max(e.device_seq) > count(DISTINCT e.device_seq) FROM ledger.event e
            WHERE e.device = t.device AND e.device_seq IS NOT NULL), false)) AS unsent,
    CASE WHEN r.answer = 'confirmed' THEN 'confirmed' WHEN r.answer = 'released' THEN 'negative'
        WHEN r.state = 'open' THEN 'recalled'
        WHEN o.outcome IS NULL OR o.state <> 'final' THEN 'pending'
        WHEN o.outcome = 'invalid' THEN 'sample_again' ELSE o.outcome END AS told
FROM sampling.specimen s
JOIN sampling.tube t ON t.tube = s.tube
LEFT JOIN sampling.site x ON x.site = t.site
LEFT JOIN LATERAL (SELECT y.* FROM lab.outcome y
    WHERE y.tube = s.tube ORDER BY y.resulted_at DESC LIMIT 1) o ON true
LEFT JOIN lab.recall r ON r.tube = s.tube AND r.person = s.person AND r.state <> 'withdrawn'
LEFT JOIN LATERAL (
    SELECT CASE WHEN g.box IS NULL THEN y.box ELSE g.box END AS box, y.packed_at
    FROM custody.packed y LEFT JOIN custody.bagged g ON g.bag = y.box
    WHERE y.barcode = t.barcode AND (y.tube = t.tube OR y.tube IS NULL
        AND y.packed_at BETWEEN t.sealed_at - interval '1 hour'
            AND t.sealed_at + make_interval(hours => %(hours)s))
    ORDER BY y.packed_at DESC, y.box LIMIT 1) k ON true
LEFT JOIN custody.box b ON b.box = k.box
LEFT JOIN LATERAL (SELECT y.taker, coalesce(y.taken_at, y.given_at) AS handed_at FROM custody.leg y
    WHERE y.box = k.box ORDER BY coalesce(y.taken_at, y.given_at) DESC, y.n DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (SELECT y.received_at, y.lab FROM lab.reception y
    WHERE y.box = k.box ORDER BY y.received_at DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT y.* FROM lab.sample y
    WHERE y.tube = s.tube ORDER BY y.received_at DESC, y.lab LIMIT 1) w ON true
LEFT JOIN lab.lab n ON n.lab = CASE WHEN w.lab IS NULL THEN c.lab ELSE w.lab END
LEFT JOIN lab.plate p ON p.plate = w.plate
LEFT JOIN lab.run q ON q.run = w.run
WHERE s.person = %(person)s
ORDER BY s.at DESC, s.tube LIMIT 50;

-- name: taken_out
-- Tubes of the round that a person was taken out of, and those whose seal does not list the swab that was
-- recorded before. Such events and such tubes are few, and found by their own indexes.
SELECT t.tube, t.barcode, e.at, t.round, t.purpose, x.code AS site_code, x.name AS site_name,
    t.sealed_at, t.device
FROM (
    SELECT %(person)s::uuid AS recorded
    UNION SELECT a.recorded FROM registry.alias a WHERE a.person = %(person)s) i
CROSS JOIN LATERAL (
    SELECT v.subject AS tube, v.at FROM ledger.event v
    WHERE v.type = 'SpecimenVoided' AND v.body ->> 'person' = i.recorded::text
    UNION ALL
    SELECT f.tube, v.at FROM sampling.flag f
    JOIN ledger.event v ON v.subject = f.tube AND v.type = 'SpecimenTaken'
        AND v.body ->> 'person' = i.recorded::text
    WHERE f.flag = 'swab_not_in_seal') e
JOIN sampling.tube t ON t.tube = e.tube
LEFT JOIN sampling.site x ON x.site = t.site
WHERE (%(round)s::uuid IS NULL OR t.round = %(round)s) AND NOT EXISTS (
    SELECT FROM sampling.specimen s WHERE s.tube = t.tube AND s.person = %(person)s)
ORDER BY e.at DESC LIMIT 5;

-- name: stance
SELECT x.kind FROM sampling.stance x
WHERE x.person = %(person)s AND (x.round IS NULL OR x.round = %(round)s)
ORDER BY x.at DESC LIMIT 1;

-- name: others
-- Other ids that may be this person, with the tubes of the round they are in; only where such an id was
-- swabbed. By keyed hashes and the spelling of the name, each by an index.
SELECT i.resident AS person, i.name,
    CASE WHEN i.number_hash = m.number_hash THEN 'same_document'
        WHEN i.phone_hash = m.phone_hash AND i.pinyin = m.pinyin THEN 'same_phone'
        ELSE 'same_name' END AS why,
    ARRAY(SELECT t.barcode FROM sampling.specimen s JOIN sampling.tube t ON t.tube = s.tube
        WHERE s.person = i.resident AND s.round IS NOT DISTINCT FROM %(round)s::uuid
        ORDER BY t.at LIMIT 5) AS tubes
FROM vault.identity m
JOIN vault.identity i ON i.resident <> m.resident AND i.resident = ANY (ARRAY(
    SELECT x.resident FROM vault.identity x WHERE x.number_hash = m.number_hash
    UNION SELECT x.resident FROM vault.identity x
    WHERE x.pinyin = m.pinyin AND (x.birth_date = m.birth_date OR x.phone_hash = m.phone_hash)))
WHERE m.resident = %(person)s AND NOT EXISTS (
        SELECT FROM registry.alias a WHERE a.recorded = i.resident AND a.person = %(person)s)
    AND EXISTS (SELECT FROM sampling.specimen s
        WHERE s.person = i.resident AND s.round IS NOT DISTINCT FROM %(round)s::uuid)
ORDER BY why, i.resident LIMIT 5;

-- name: twice_beside
-- Who lives behind the same door and stands in two tubes of the round: one of them may be this person's,
-- swabbed on the other's code.
SELECT w.person, i.name, 'twice' AS why,
    ARRAY(SELECT t.barcode FROM sampling.tube t WHERE t.tube = ANY (w.tubes) ORDER BY t.at) AS tubes
FROM registry.resident h
JOIN sampling.twice w ON w.person = h.resident AND w.round = %(round)s
LEFT JOIN vault.identity i ON i.resident = h.resident
WHERE h.building = %(building)s AND h.room = %(room)s AND h.resident <> %(person)s
ORDER BY w.person LIMIT 5;

-- name: seen
SELECT p FROM unnest(%(people)s::uuid[]) p
WHERE current_setting('role') <> 'muster_reader' OR (SELECT access.yes('everyone'))
    OR access.sees_person(p, 'people_areas');

-- name: silent
-- Devices at sites around a building that say they still keep something, or whose numbers show a gap.
SELECT d.code FROM access.device d
JOIN access.binding b ON b.device = d.device AND b.until IS NULL
JOIN sampling.site x ON x.site = b.site
JOIN registry.span h ON h.area = x.area
JOIN registry.span m ON m.area = %(building)s
JOIN access.device_token y ON y.device = d.device
WHERE y.unsent > 0 AND m.line && h.line AND EXISTS (
    SELECT FROM registry.area a WHERE a.area = ANY (m.line) AND a.area = ANY (h.line)
        AND a.level IN ('street', 'community', 'compound', 'grid', 'building'))
ORDER BY y.unsent DESC, d.code LIMIT 5;
