-- The desk: what a device says it still keeps, and the look-ups behind "why is there no result?".

-- What a device said, with its last upload, that it has not sent yet: telemetry, of no event.
ALTER TABLE access.device_token ADD COLUMN unsent int;
ALTER TABLE access.device_token ADD COLUMN unsent_at timestamptz;

-- Another id of the same person is looked for by the spelling of the name with birth date or phone, and
-- by the phone alone.
CREATE INDEX identity_pinyin ON vault.identity (pinyin, birth_date);
CREATE INDEX identity_phone ON vault.identity (phone_hash) WHERE phone_hash IS NOT NULL;

-- Who was taken out of which tube: rare events.
CREATE INDEX event_voided ON ledger.event ((body ->> 'person')) WHERE type = 'SpecimenVoided';
