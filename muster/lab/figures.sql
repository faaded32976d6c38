-- What laboratories and command posts ask of many tubes at once. Read by Muster's own hand within the
-- caller's reach: everywhere, or the sites held and those in the areas held; and of some laboratories
-- only, where `labs` are given.

-- name: ages
-- Sealed tubes that no laboratory has scanned and no result has reached, at a moment: their ages by site,
-- and where those are that are too old. The limits are those of the editions in force when a tube was
-- sealed (as in lab.found). One answer of two lists, since finding the tubes is most of the work.
WITH awaited AS MATERIALIZED (
    SELECT t.tube, t.barcode, t.site, t.sealed_at FROM custody.awaited t
    WHERE t.sealed_at BETWEEN %(since)s AND %(at)s
        AND (%(round)s::uuid IS NULL OR t.round = %(round)s)
        AND (%(everywhere)s OR t.site IN (
            SELECT s.site FROM sampling.site s LEFT JOIN registry.span b ON b.area = s.area
            WHERE s.site = ANY (%(sites)s::uuid[]) OR b.line && %(areas)s::uuid[]))
        AND (%(labs)s::text[] IS NULL OR t.barcode IN (
            SELECT p.barcode FROM custody.packed p JOIN custody.box x ON x.box = p.box
            LEFT JOIN custody.bagged g ON g.bag = p.box
            LEFT JOIN custody.box y ON y.box = g.box
            WHERE p.packed_at BETWEEN %(since)s AND %(at)s
                AND coalesce(y.bound_for, x.bound_for) = ANY (%(labs)s::text[])))
), limits AS (
    SELECT l.name, l.minutes, l.since, coalesce(lead(l.since) OVER (
        PARTITION BY l.name ORDER BY l.since, l.policy NULLS FIRST), 'infinity') AS until
    FROM (
        SELECT p.name, p.value AS minutes, p.since, p.policy FROM registry.policy p
        WHERE p.name IN ('tube_age_minutes', 'tube_warning_minutes')
        UNION ALL SELECT 'tube_age_minutes', %(age)s, '-infinity', NULL
        UNION ALL SELECT 'tube_warning_minutes', %(warning)s, '-infinity', NULL) l
), aged AS MATERIALIZED (
    SELECT w.*, w.sealed_at + make_interval(mins => a.minutes) < %(at)s AS over,
        w.sealed_at + make_interval(mins => n.minutes) <= %(at)s AS warned
    FROM awaited w
    JOIN limits a ON a.name = 'tube_age_minutes'
        AND w.sealed_at >= a.since AND w.sealed_at < a.until
    JOIN limits n ON n.name = 'tube_warning_minutes'
        AND w.sealed_at >= n.since AND w.sealed_at < n.until
)
SELECT
    (SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY g.oldest_sealed_at, g.site), '[]') FROM (
        SELECT a.site, s.code AS site_code, s.name AS site_name, count(*) AS tubes,
            min(a.sealed_at) AS oldest_sealed_at, count(*) FILTER (WHERE a.warned AND NOT a.over)
            AS near, count(*) FILTER (WHERE a.over) AS over
        FROM aged a LEFT JOIN sampling.site s ON s.site = a.site
        GROUP BY a.site, s.code, s.name) g) AS sites,
    (SELECT coalesce(jsonb_agg(to_jsonb(o) ORDER BY o.sealed_at, o.barcode), '[]') FROM (
        SELECT a.tube, a.barcode, a.sealed_at, s.code AS site_code, p.box, x.code AS box_code,
            x.bound_for, l.taker AS "with", r.lab AS box_received_by
        FROM (SELECT * FROM aged WHERE over ORDER BY sealed_at, barcode LIMIT %(limit)s) a
        LEFT JOIN sampling.site s ON s.site = a.site
        LEFT JOIN LATERAL (
            SELECT coalesce(g.box, k.box) AS box, k.box AS packed_in FROM custody.packed k
            LEFT JOIN custody.bagged g ON g.bag = k.box
            WHERE k.barcode = a.barcode AND (k.tube = a.tube OR k.tube IS NULL
                AND k.packed_at BETWEEN a.sealed_at - interval '1 hour' AND %(at)s)
            ORDER BY k.packed_at DESC, k.box LIMIT 1) p ON true
        LEFT JOIN custody.box x ON x.box = p.box
        LEFT JOIN LATERAL (
            SELECT y.taker FROM custody.leg y WHERE y.box IN (p.box, p.packed_in)
            ORDER BY coalesce(y.taken_at, y.given_at) DESC, y.n DESC LIMIT 1) l ON true
        LEFT JOIN LATERAL (
            SELECT y.lab FROM lab.reception y WHERE y.box IN (p.box, p.packed_in)
            ORDER BY y.received_at DESC, y.reception LIMIT 1) r ON true) o) AS over;

-- name: stages
-- How long the tubes sealed in a time took from stage to stage, in minutes (the middle one and the one of
-- ten that took longest but one), and in which stage they are, by site, box or laboratory.
WITH handed AS (
    SELECT l.box, min(coalesce(l.given_at, l.taken_at)) AS at FROM custody.leg l GROUP BY l.box
), way AS (
    SELECT DISTINCT ON (t.tube) t.tube, t.site, t.sealed_at, coalesce(g.box, p.box) AS box,
        p.packed_at, h.at AS handed_at, s.lab, s.received_at, s.loaded_at,
        CASE WHEN s.called_at >= s.loaded_at THEN s.called_at END AS run_at,
        CASE WHEN s.lab IS NULL OR s.next = 'done'
            THEN coalesce(s.released_at, o.resulted_at) END AS released_at
    FROM sampling.tube t
    LEFT JOIN custody.packed p ON p.barcode = t.barcode AND (p.tube = t.tube OR p.tube IS NULL
        AND p.packed_at BETWEEN t.sealed_at - interval '1 hour'
            AND t.sealed_at + make_interval(hours => %(hours)s))
    LEFT JOIN custody.bagged g ON g.bag = p.box
    LEFT JOIN handed h ON h.box = coalesce(g.box, p.box)
    LEFT JOIN lab.sample s ON s.tube = t.tube
        AND (%(labs)s::text[] IS NULL OR s.lab = ANY (%(labs)s))
    LEFT JOIN lab.outcome o ON o.tube = t.tube AND o.state = 'final'
    WHERE t.sealed_at >= %(since)s AND t.sealed_at < %(until)s
        AND (%(everywhere)s OR t.site IN (
            SELECT s.site FROM sampling.site s LEFT JOIN registry.span b ON b.area = s.area
            WHERE s.site = ANY (%(sites)s::uuid[]) OR b.line && %(areas)s::uuid[]))
        AND (%(labs)s::text[] IS NULL OR s.lab IS NOT NULL)
    ORDER BY t.tube, p.packed_at, s.received_at, s.lab
), staged AS (
    SELECT CASE %(by)s WHEN 'site' THEN w.site::text WHEN 'box' THEN w.box::text ELSE w.lab END AS key,
        CASE WHEN w.released_at IS NOT NULL THEN 'released' WHEN w.run_at IS NOT NULL THEN 'run'
            WHEN w.loaded_at IS NOT NULL THEN 'on_plate' WHEN w.received_at IS NOT NULL THEN 'received'
            WHEN w.handed_at IS NOT NULL THEN 'handed_over'
            WHEN w.packed_at IS NOT NULL THEN 'packed' ELSE 'sealed' END AS stage,
        (extract(epoch FROM w.packed_at - w.sealed_at) / 60)::int AS packed,
        (extract(epoch FROM w.handed_at - w.packed_at) / 60)::int AS handed_over,
        (extract(epoch FROM w.received_at - w.handed_at) / 60)::int AS received,
        (extract(epoch FROM w.loaded_at - w.received_at) / 60)::int AS on_plate,
        (extract(epoch FROM w.run_at - w.loaded_at) / 60)::int AS run,
        (extract(epoch FROM w.released_at - w.run_at) / 60)::int AS released
    FROM way w
), summed AS (
    SELECT s.key, count(*)::int AS tubes,
        jsonb_build_object('sealed', count(*) FILTER (WHERE s.stage = 'sealed'),
            'packed', count(*) FILTER (WHERE s.stage = 'packed'),
            'handed_over', count(*) FILTER (WHERE s.stage = 'handed_over'),
            'received', count(*) FILTER (WHERE s.stage = 'received'),
            'on_plate', count(*) FILTER (WHERE s.stage = 'on_plate'),
            'run', count(*) FILTER (WHERE s.stage = 'run'),
            'released', count(*) FILTER (WHERE s.stage = 'released')) AS now,
        jsonb_build_object(
            'packed', percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.packed),
            'handed_over', percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.handed_over),
            'received', percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.received),
            'on_plate', percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.on_plate),
            'run', percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.run),
            'released', percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.released))
            AS minutes
    FROM staged s GROUP BY s.key
)
SELECT k.key, CASE %(by)s WHEN 'site' THEN a.code WHEN 'box' THEN b.code ELSE k.key END AS code,
    a.name, k.tubes, k.now, k.minutes
FROM summed k
LEFT JOIN sampling.site a ON %(by)s = 'site' AND a.site::text = k.key
LEFT JOIN custody.box b ON %(by)s = 'box' AND b.box::text = k.key
ORDER BY code NULLS LAST, k.key LIMIT %(limit)s;

-- name: hours
-- A laboratory's work by the hour: tubes scanned in, wells run, results given and what is odd about them.
-- A well is a tube's, not a control's; results that a person rejected do not count.
WITH results AS (
    SELECT r.resulted_at, r.outcome, r.unfit, r.proven,
        r.unfit IS NULL AND NOT w.any AS no_well, w.any AND NOT w.before AS before_plate,
        coalesce(q.ended_at > r.resulted_at, false) AS before_end, cardinality(r.tubes) = 0 AS no_tube
    FROM lab.result r
    LEFT JOIN lab.run q ON q.run = r.run
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS any, coalesce(bool_or(x.loaded_at <= r.resulted_at), false) AS before
        FROM lab.well x WHERE x.barcode = r.barcode AND x.lab = r.lab
            AND (x.tube IS NULL OR r.tubes = '{}' OR x.tube = ANY (r.tubes))) w
    WHERE r.lab = %(lab)s AND r.resulted_at >= %(since)s AND r.resulted_at < %(until)s
        AND NOT r.rejected
)
SELECT h.hour, sum(h.received)::int AS received, sum(h.wells)::int AS wells,
    sum(h.wells_blocked)::int AS wells_blocked, sum(h.results)::int AS results,
    sum(h.positive)::int AS positive, sum(h.indeterminate)::int AS indeterminate,
    sum(h.negative)::int AS negative, sum(h.invalid)::int AS invalid, sum(h.unfit)::int AS unfit,
    sum(h.without_well)::int AS without_well, sum(h.before_plate)::int AS before_plate,
    sum(h.before_run_end)::int AS before_run_end, sum(h.without_tube)::int AS without_tube,
    sum(h.unproven)::int AS unproven, sum(h.repooling)::int AS repooling
FROM (
    SELECT date_trunc('hour', v.received_at) AS hour, count(*) AS received, 0 AS wells,
        0 AS wells_blocked, 0 AS results, 0 AS positive, 0 AS indeterminate, 0 AS negative,
        0 AS invalid, 0 AS unfit, 0 AS without_well, 0 AS before_plate, 0 AS before_run_end,
        0 AS without_tube, 0 AS unproven, 0 AS repooling
    FROM lab.reception r JOIN lab.received v ON v.reception = r.reception
    WHERE r.lab = %(lab)s AND r.received_at < %(until)s
        AND r.received_at >= %(since)s::timestamptz - interval '1 day'
        AND v.received_at >= %(since)s AND v.received_at < %(until)s
    GROUP BY 1
    UNION ALL
    SELECT date_trunc('hour', q.imported_at), 0,
        coalesce(sum(p.tubes) FILTER (WHERE q.blocked IS NULL), 0),
        coalesce(sum(p.tubes) FILTER (WHERE q.blocked IS NOT NULL), 0),
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM lab.run q JOIN lab.plate p ON p.plate = q.plate
    WHERE q.lab = %(lab)s AND q.imported_at >= %(since)s AND q.imported_at < %(until)s
    GROUP BY 1
    UNION ALL
    SELECT date_trunc('hour', r.resulted_at), 0, 0, 0, count(*),
        count(*) FILTER (WHERE r.outcome = 'positive'),
        count(*) FILTER (WHERE r.outcome = 'indeterminate'),
        count(*) FILTER (WHERE r.outcome = 'negative'),
        count(*) FILTER (WHERE r.outcome = 'invalid'), count(r.unfit),
        count(*) FILTER (WHERE r.no_well), count(*) FILTER (WHERE r.before_plate),
        count(*) FILTER (WHERE r.before_end), count(*) FILTER (WHERE r.no_tube),
        count(*) FILTER (WHERE NOT r.proven), 0
    FROM results r GROUP BY 1
    UNION ALL
    SELECT date_trunc('hour', p.at), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, count(*)
    FROM lab.repooling p
    WHERE p.lab = %(lab)s AND p.at >= %(since)s AND p.at < %(until)s GROUP BY 1) h
GROUP BY h.hour ORDER BY h.hour;

-- name: cohort
-- The tubes scanned in a time (each once, however often it was scanned), and what each waits for now:
-- nothing (done), or `unknown` where no sample of it is listed.
SELECT coalesce(s.next, 'unknown') AS next, count(*)::int AS tubes
FROM (
    SELECT DISTINCT v.barcode, v.tube FROM lab.reception r
    JOIN lab.received v ON v.reception = r.reception
    WHERE r.lab = %(lab)s AND r.received_at < %(until)s
        AND r.received_at >= %(since)s::timestamptz - interval '1 day'
        AND v.received_at >= %(since)s AND v.received_at < %(until)s) v
LEFT JOIN lab.sample s ON s.barcode = v.barcode AND s.lab = %(lab)s
    AND s.tube IS NOT DISTINCT FROM v.tube
GROUP BY 1 ORDER BY 1;

-- name: carried
-- Results of a time whose run was imported before it: their wells were counted then.
SELECT count(*)::int AS results FROM lab.result r JOIN lab.run q ON q.run = r.run
WHERE r.lab = %(lab)s AND r.resulted_at >= %(since)s AND r.resulted_at < %(until)s
    AND NOT r.rejected AND r.unfit IS NULL AND q.imported_at < %(since)s;

-- name: lab_of
SELECT lab, name, capacity_per_hour, wells_since FROM lab.lab WHERE lab = %(lab)s ORDER BY id LIMIT 1;
