-- Photos of what a site needs before it opens, as its check names them: by the hash of their bytes. They may
-- show people, so they are sealed like everything of people, stand beside the ledger, and expire.
CREATE SCHEMA IF NOT EXISTS sampling;

CREATE TABLE sampling.photo_file (
    hash         bytea PRIMARY KEY,
    sealed       bytea,                         -- none once it has expired
    size_bytes   int NOT NULL,
    received_at  timestamptz NOT NULL,
    sent_by      text NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX photo_file_expires ON sampling.photo_file (expires_at) WHERE sealed IS NOT NULL;

-- Which check names a photo: it is looked up when the photo comes.
CREATE INDEX event_photos ON ledger.event USING gin ((body -> 'photos')) WHERE type = 'SiteChecked';
