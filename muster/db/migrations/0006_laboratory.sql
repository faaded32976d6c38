-- Custody and laboratory: who sees a box, and the files of instruments.
CREATE SCHEMA IF NOT EXISTS custody;
CREATE SCHEMA IF NOT EXISTS lab;

-- A box: where it was packed, and the laboratories that took it in or that it was handed to. Like the
-- other functions of policies it runs as the owner and always wants the index.
CREATE FUNCTION access.box_here(box_ uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE COST 20000 SECURITY DEFINER SET search_path = pg_catalog
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    labs text[] := access.codes('labs');
    areas uuid[] := access.ids('people_areas') || access.ids('figure_areas');
BEGIN
    RETURN cardinality(labs) > 0 AND (
            EXISTS (SELECT FROM lab.reception r WHERE r.box = box_ AND r.lab = ANY (labs))
            OR EXISTS (SELECT FROM custody.leg l WHERE l.box = box_ AND EXISTS (
                SELECT FROM unnest(labs) x WHERE 'lab:' || x IN (l.giver, l.taker))))
        OR cardinality(areas) > 0 AND EXISTS (
            SELECT FROM custody.box b JOIN sampling.site s ON s.site = b.site
            JOIN registry.span h ON h.area = s.area
            WHERE b.box = box_ AND h.line && areas);
END $$;

-- Files of instruments and messages of other systems, encrypted: what was imported is kept for a while
-- as the raw evidence, what waits for its plate until somebody decides.
CREATE TABLE lab.run_file (
    file        bytea PRIMARY KEY,             -- sha256 of laboratory and bytes
    lab         text NOT NULL,
    name        text NOT NULL,
    sealed      bytea,
    size_bytes  int NOT NULL,
    received_at timestamptz NOT NULL,
    sent_by     text NOT NULL,
    state       text NOT NULL,                 -- waiting, imported or refused
    slug        text,                          -- the problem, while it waits
    facts       jsonb,
    plate_code  text,                          -- that it waits for
    run         uuid,
    decided_by  text,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX run_file_lab ON lab.run_file (lab, received_at);
CREATE INDEX run_file_waiting ON lab.run_file (lab, plate_code) WHERE state = 'waiting';
