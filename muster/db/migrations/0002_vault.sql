-- Who the residents are. Numbers and phones are encrypted with a key the database does not hold and
-- found by keyed hash; names are searchable, within one's area, through vault.search.
CREATE SCHEMA vault;

CREATE TABLE vault.identity (
    resident    uuid PRIMARY KEY,
    name        text NOT NULL,
    pinyin      text NOT NULL,
    initials    text NOT NULL,
    birth_date  date,
    kind        text,                        -- of document, NULL where the person has none
    number      bytea,                       -- sealed
    number_hash bytea,                       -- keyed; with the kind
    phone       bytea,                       -- sealed
    phone_hash  bytea,                       -- keyed
    print       bytea                        -- keyed hash of name, birth date, building and room,
                                             -- for who has no document
);
CREATE INDEX identity_number ON vault.identity (number_hash) WHERE number_hash IS NOT NULL;
CREATE INDEX identity_print ON vault.identity (print) WHERE print IS NOT NULL;

-- Free text that came with an event: personal data until shown otherwise.
CREATE TABLE vault.note (
    event      uuid PRIMARY KEY,
    sealed     bytea NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Which key sealed this database: a wrong key file is noticed at the start, not at the first read.
CREATE TABLE vault.key (
    id     smallint PRIMARY KEY,
    check_ bytea NOT NULL
);
