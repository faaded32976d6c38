-- Who changed what, when: the ledger's own words about one thing.

-- name: of_subject
-- The events of reference data about one subject, in the order of time. What concerns one person or one
-- tube is not reference data and is asked for elsewhere.
SELECT e.id AS event, e.type, e.at, e.received_at, e.actor, e.device, e.body - 'balance' AS body
FROM ledger.event e
WHERE e.subject = %(subject)s AND e.type IN ('AreaListed', 'SiteListed', 'UnitListed', 'LabListed',
    'DenominatorDeclared', 'PolicyAdopted', 'BarcodeFormatAdopted', 'RoundOpened', 'RoundClosed',
    'SiteOpened', 'SiteClosed', 'LaneOpened', 'LaneClosed', 'AddresseeListed', 'AssayAdopted',
    'TemplateAdopted')
ORDER BY e.at, e.seq LIMIT 2000;

-- name: of_person
-- The same of a resident, under every id that counts for them.
SELECT e.id AS event, e.type, e.at, e.received_at, e.actor, e.device, e.body
FROM ledger.event e
WHERE e.subject IN (
        SELECT %(person)s::uuid
        UNION SELECT a.recorded FROM registry.alias a WHERE a.person = %(person)s)
    AND e.type IN ('ResidentListed', 'ResidentMoved', 'ResidentStateChanged', 'ResidentsMerged',
        'ResidentsUnmerged')
ORDER BY e.at, e.seq LIMIT 2000;

-- name: of_policies
-- Every edition of every policy number is a subject of its own: all of one name.
SELECT e.id AS event, e.type, e.at, e.received_at, e.actor, e.device, e.body
FROM ledger.event e JOIN registry.policy p ON p.policy = e.subject
WHERE e.type = 'PolicyAdopted' AND (%(name)s::text IS NULL OR p.name = %(name)s)
ORDER BY e.at, e.seq LIMIT 2000;

-- name: event
-- An event of a listing, and the one of its kind and subject that stood before it.
SELECT e.id, e.type, e.subject, b.body AS before,
    NOT EXISTS (SELECT FROM ledger.event n WHERE n.subject = e.subject AND n.type = e.type
        AND (n.at, n.seq) > (e.at, e.seq)) AS latest
FROM ledger.event e
LEFT JOIN LATERAL (SELECT x.body FROM ledger.event x
    WHERE x.subject = e.subject AND x.type = e.type AND (x.at, x.seq) < (e.at, e.seq)
        AND x.body IS NOT NULL
    ORDER BY x.at DESC, x.seq DESC LIMIT 1) b ON true
WHERE e.id = %(event)s AND e.body IS NOT NULL;

-- name: names
-- What ids in a history stand for.
SELECT a.area AS id, a.name FROM registry.area a WHERE a.area = ANY (%(ids)s::uuid[])
UNION ALL SELECT s.site, s.name FROM sampling.site s WHERE s.site = ANY (%(ids)s::uuid[])
UNION ALL SELECT r.round, r.name FROM sampling.round r WHERE r.round = ANY (%(ids)s::uuid[]);

-- name: unit
SELECT u.unit, u.code, u.name, u.kind, u.area, u.headcount FROM registry.unit u
WHERE u.code = %(text)s OR u.unit::text = %(text)s LIMIT 1;

-- name: area_of
-- The area that a listed thing lies in, of an area itself.
SELECT a.area FROM registry.area a WHERE a.area = %(subject)s
UNION ALL SELECT s.area FROM sampling.site s WHERE s.site = %(subject)s
UNION ALL SELECT u.area FROM registry.unit u WHERE u.unit = %(subject)s LIMIT 1;
