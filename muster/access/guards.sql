-- name: event (table: ledger.event; door: SELECT, INSERT)
-- Raw events: one's own, what concerns everybody, and what belongs to a row that may be seen. The door
-- can add events and neither change nor remove one.
(SELECT access.yes('everyone'))
OR actor = (SELECT nullif(access.word('login'), ''))
OR device = (SELECT nullif(access.word('device'), ''))
OR type IN ('AreaListed', 'UnitListed', 'SiteListed', 'PolicyAdopted', 'DenominatorDeclared',
    'RoundOpened', 'RoundClosed', 'SiteOpened', 'SiteClosed', 'LaneOpened', 'LaneClosed',
    'QueueCounted', 'SupplyLow', 'SiteChecked', 'BuildingCalled', 'SitePlaced', 'AreaPlaced',
    'FiguresReported')
OR cardinality((SELECT access.codes('labs'))) > 0 AND body ->> 'lab' = ANY ((SELECT access.codes('labs'))::text[])
OR type LIKE 'Result%' AND EXISTS (SELECT FROM lab.result r WHERE r.result = event.subject)
OR cardinality((SELECT access.codes('labs'))) = 0 AND (access.sees_tube(subject)
    OR access.sees_person(subject, 'people_areas'))

-- name: batch (table: ledger.batch; door: SELECT, INSERT)
-- The chain: numbers, times and hashes.
true

-- name: inbox (table: ledger.inbox; door: SELECT, INSERT, UPDATE)
-- What could not be read: its sender's, and who decides about it.
(SELECT access.yes('everyone')) OR (SELECT access.yes('system'))
OR sender = 'device:' || (SELECT nullif(access.word('device'), ''))
OR sender = 'login:' || (SELECT nullif(access.word('login'), ''))

-- name: stalled (table: ledger.stalled; door: SELECT, INSERT, UPDATE, DELETE)
(SELECT access.yes('everyone')) OR (SELECT access.yes('system'))

-- name: follower (table: ledger.follower; door: SELECT)
true

-- name: identity (table: vault.identity; door: SELECT, INSERT, UPDATE)
-- Who people are: only where names may be seen, and only of rows that may be seen; of those who can be called
-- up, where their unit may be seen.
(SELECT access.yes('names')) OR access.sees_person(resident, 'name_areas')
OR cardinality((SELECT access.ids('name_areas'))) > 0
    AND EXISTS (SELECT FROM workforce.staff s WHERE s.staff = identity.resident)

-- name: note (table: vault.note; door: SELECT, INSERT)
-- Free text: opened one by one, by who decides about it.
(SELECT access.yes('names'))

-- name: key (table: vault.key; door: SELECT)
false

-- name: late (table: access.late; door: SELECT, INSERT)
-- What came after its sender was moved: the sender's, and whoever now holds the place.
(SELECT access.yes('everyone')) OR (SELECT access.yes('system'))
OR account = (SELECT a.account FROM access.account a
    WHERE a.login = access.word('login') LIMIT 1)
OR site = ANY ((SELECT access.ids('sites'))::uuid[])
OR EXISTS (SELECT FROM registry.span b
    WHERE b.area = late.area AND b.line && (SELECT access.ids('people_areas')))

-- name: device_holder (table: access.device_holder; door: SELECT)
-- PINs are nobody's to read; the door asks who held a device when.
false

-- name: device_token (table: access.device_token; door: SELECT)
false

-- name: hashing (table: vault.hashing; door: SELECT)
-- Under which key the hashes stand: a number.
true

-- name: erased (table: vault.erased; door: SELECT)
-- Who was erased: the door asks, so that nobody comes back.
false

-- name: reading (table: access.reading; door: SELECT)
-- Who looked at whom: auditors and administrators see ids, people what concerns themselves.
(SELECT access.yes('system')) OR people && (SELECT access.ids('own'))::uuid[]

-- name: run_file (table: lab.run_file; door: SELECT, INSERT, UPDATE, DELETE)
-- A laboratory's own files; they hold codes of tubes.
(SELECT access.yes('everyone')) OR lab = ANY ((SELECT access.codes('labs'))::text[])

-- name: photo_file (table: sampling.photo_file; door: SELECT)
-- Photos are asked for through Muster's own hand, which checks the site's place.
false

-- name: erasure (table: access.erasure; door: SELECT)
-- Requests to erase and their proofs.
(SELECT access.yes('system'))

-- name: import (table: registry.import; door: SELECT)
-- Imports are asked for through Muster's own hand, which checks whose they are.
false

-- name: import_part (table: registry.import_part; door: SELECT)
false

-- name: import_fault (table: registry.import_fault; door: SELECT)
false
