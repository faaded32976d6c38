-- How the holder of an account is called at work: the first thing needed when a phone has gone silent.
-- Personal data, sealed like the name; either may be missing.
ALTER TABLE credential.person ALTER COLUMN name DROP NOT NULL;
ALTER TABLE credential.person ADD COLUMN phone bytea;
