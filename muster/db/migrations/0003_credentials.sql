-- How people prove who they are. None of it is in the ledger; nothing here is readable as it stands:
-- passwords are argon2id hashes, tokens and codes are hashes, names and secrets are sealed with the
-- vault's key. Accounts themselves and what they may do are events (access.account, access.holding).
CREATE SCHEMA IF NOT EXISTS credential;

-- What the holder of an account is called: personal data, sealed.
CREATE TABLE credential.person (
    account uuid PRIMARY KEY,
    name    bytea NOT NULL
);

CREATE TABLE credential.password (
    account     uuid PRIMARY KEY,
    hash        text NOT NULL,               -- argon2id, with its parameters
    changed_at  timestamptz NOT NULL,
    must_change boolean NOT NULL DEFAULT false
);

-- Who is signed in. A session is used while it is seen often enough, is young enough, has not been
-- ended, and its account is in force.
CREATE TABLE credential.session (
    session    uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    account    uuid NOT NULL,
    method     text NOT NULL,                -- password, passkey, oidc, enrolment
    second     boolean NOT NULL,             -- whether a second factor was passed
    agent      text NOT NULL,                -- the browser's word for itself, so that one is known again
    created_at timestamptz NOT NULL,
    proved_at  timestamptz NOT NULL,         -- when the holder last proved who they are
    seen_at    timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE INDEX session_account ON credential.session (account) WHERE ended_at IS NULL;
CREATE INDEX session_created ON credential.session (created_at);

-- Codes on printed slips and first-run links. Without an account: for the administrator to be made.
CREATE TABLE credential.enrolment (
    code_hash     bytea PRIMARY KEY,
    account       uuid,
    made_by       text NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    reset_factors boolean NOT NULL DEFAULT false,
    used_at       timestamptz,
    voided_at     timestamptz
);
CREATE INDEX enrolment_account ON credential.enrolment (account) WHERE used_at IS NULL;

CREATE TABLE credential.totp (
    account      uuid PRIMARY KEY,
    secret       bytea,                      -- sealed; NULL until its first code came
    pending      bytea,                      -- sealed: being set up; the secret in use stays till then
    confirmed_at timestamptz,
    last_step    bigint NOT NULL DEFAULT 0   -- of the clock: a code serves once
);

CREATE TABLE credential.recovery (
    account   uuid NOT NULL,
    code_hash bytea NOT NULL,
    used_at   timestamptz,
    PRIMARY KEY (account, code_hash)
);

CREATE TABLE credential.passkey (
    credential bytea PRIMARY KEY,            -- the id its authenticator gave it
    account    uuid NOT NULL,
    site       text NOT NULL,                -- the host it was made for
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    label      text NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX passkey_account ON credential.passkey (account);

-- What a ceremony must answer: a passkey's challenge, an identity provider's state. Taken once.
CREATE TABLE credential.ceremony (
    hash       bytea PRIMARY KEY,
    purpose    text NOT NULL,                -- register, sign_in, oidc
    account    uuid,
    facts      bytea NOT NULL DEFAULT '',    -- sealed: nonce and verifier
    expires_at timestamptz NOT NULL
);
CREATE INDEX ceremony_expires ON credential.ceremony (expires_at);

-- Who somebody is at the city's own identity provider, once linked.
CREATE TABLE credential.oidc_subject (
    issuer    text NOT NULL,
    subject   text NOT NULL,
    account   uuid NOT NULL,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- Failed attempts to sign in, by keyed hashes of login, address or both.
CREATE TABLE credential.attempt (
    key          bytea PRIMARY KEY,
    failures     integer NOT NULL,
    last_at      timestamptz NOT NULL,
    locked_until timestamptz
);
CREATE INDEX attempt_last ON credential.attempt (last_at);

-- Where an account has signed in from (keyed hashes): what strangers do elsewhere does not lock it
-- out there.
CREATE TABLE credential.known_address (
    key     bytea PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
