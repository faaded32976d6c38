-- name: call_addressees (emits: TaskIssued; touched: tube, barcode, resident, area, site, addressee)
-- Whoever is to be called and has no standing task of this tube in this place gets one, all in the
-- transaction in which the tube turned positive. A change of the tree, of a site or of the addressees
-- looks again at what is still open. A tube that nobody has spoken of yet costs a look into the index.
SELECT md5(concat_ws(' ', c.kind, c.tube, c.cause, c.role, c.addressee, 'in', c.area, 'at', c.lab,
        n.withdrawn))::uuid AS subject, c.cause,
    concat_ws(' ', c.kind, c.tube, c.role, c.addressee, 'in', c.area, 'at', c.lab, n.withdrawn)
        AS key,
    jsonb_strip_nulls(jsonb_build_object('kind', c.kind, 'role', c.role, 'area', c.area,
        'lab', c.lab, 'about', c.tube, 'tube', c.tube, 'addressee', c.addressee,
        'due_at', c.due_at)) AS body
FROM hq.called c
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE k.state = 'withdrawn') AS withdrawn,
        coalesce(bool_or(k.state <> 'withdrawn'), false) AS standing
    FROM hq.task k
    WHERE k.tube = c.tube AND k.kind = c.kind AND k.role = c.role
        AND k.addressee IS NOT DISTINCT FROM c.addressee
        AND k.area IS NOT DISTINCT FROM c.area AND k.lab IS NOT DISTINCT FROM c.lab) n
WHERE NOT n.standing AND c.tube = ANY (ARRAY(
    SELECT o.tube FROM lab.outcome o WHERE o.tube = ANY (%(tube)s::uuid[])
    UNION SELECT r.tube FROM lab.recall r WHERE r.tube = ANY (%(tube)s::uuid[])
    UNION SELECT o.tube FROM lab.outcome o WHERE o.barcode = ANY (%(barcode)s::text[])
    UNION SELECT r.tube FROM lab.recall r WHERE r.person = ANY (%(resident)s::uuid[])
    UNION SELECT t.tube FROM lab.recall r JOIN sampling.tube t ON t.retest_of = r.tube
        WHERE r.person = ANY (%(resident)s::uuid[])
    UNION SELECT r.tube FROM lab.recall r WHERE r.state = 'open'
        AND cardinality(%(area)s::uuid[] || %(site)s::uuid[] || %(addressee)s::uuid[]) > 0
    UNION SELECT k.tube FROM hq.task k WHERE k.state IN ('issued', 'acknowledged')
        AND cardinality(%(area)s::uuid[] || %(site)s::uuid[] || %(addressee)s::uuid[]) > 0));

-- name: withdraw_call (emits: TaskWithdrawn; touched: tube, barcode, resident, area, site, addressee)
-- The twin: the tube is not positive any more, everybody in it has an answer, nobody in it lives there,
-- or the addressee was not to be told.
SELECT k.task AS subject, k.issuing AS cause, k.issuing::text AS key, '{}'::jsonb AS body
FROM hq.task k
WHERE k.state IN ('issued', 'acknowledged') AND k.kind IN ('positive_tube', 'recall_overdue')
    AND (k.tube = ANY (ARRAY(
            SELECT unnest(%(tube)s::uuid[])
            UNION SELECT o.tube FROM lab.outcome o WHERE o.barcode = ANY (%(barcode)s::text[])
            UNION SELECT r.tube FROM lab.recall r WHERE r.person = ANY (%(resident)s::uuid[])
            UNION SELECT t.tube FROM lab.recall r JOIN sampling.tube t ON t.retest_of = r.tube
                WHERE r.person = ANY (%(resident)s::uuid[])))
        OR cardinality(%(area)s::uuid[] || %(site)s::uuid[] || %(addressee)s::uuid[]) > 0)
    AND NOT EXISTS (
        SELECT FROM hq.called c
        WHERE c.tube = k.tube AND c.kind = k.kind AND c.role = k.role
            AND c.addressee IS NOT DISTINCT FROM k.addressee
            AND c.area IS NOT DISTINCT FROM k.area AND c.lab IS NOT DISTINCT FROM k.lab
        OFFSET 0);

-- name: tell_readers (emits: TaskIssued; touched: result)
-- Whoever was shown what has been amended is told, in the transaction of the amendment. No twin: that a
-- result was amended stays true.
SELECT md5(concat_ws(' ', 'told', x.amendment, x.who))::uuid AS subject, x.amendment AS cause,
    concat_ws(' ', x.amendment, x.who) AS key,
    jsonb_build_object('kind', 'result_amended', 'login', x.who, 'about', x.result,
        'tube', x.tube, 'due_at', x.due_at) AS body
FROM hq.reader x
WHERE x.result = ANY (%(result)s::uuid[])
    AND NOT EXISTS (SELECT FROM hq.task k WHERE k.login = x.who AND k.cause = x.amendment);

-- name: tell_late_readers (emits: TaskIssued; clock: tick)
-- An answer that was on its way during the amendment is noted a moment after it.
SELECT md5(concat_ws(' ', 'told', x.amendment, x.who))::uuid AS subject, x.amendment AS cause,
    concat_ws(' ', x.amendment, x.who) AS key,
    jsonb_build_object('kind', 'result_amended', 'login', x.who, 'about', x.result,
        'tube', x.tube, 'due_at', x.due_at) AS body
FROM hq.reader x
WHERE x.amended_at > %(now)s - interval '1 day'
    AND NOT EXISTS (SELECT FROM hq.task k WHERE k.login = x.who AND k.cause = x.amendment);

-- name: task_due (emits: TaskFellDue; clock: tick)
-- A task whose time is up and that is neither done nor withdrawn is noted once, also one that was
-- acknowledged and left at that; of news it is enough to have seen them.
SELECT k.task AS subject, k.issuing AS cause, k.issuing::text AS key, '{}'::jsonb AS body
FROM hq.task k
WHERE k.state IN ('issued', 'acknowledged') AND NOT k.fell_due AND k.due_at <= %(now)s
    AND (k.kind <> 'result_amended' OR k.state = 'issued');

-- name: tell_of_posts (emits: TaskIssued; touched: posting, incident, heat)
-- Who leads the area is told of limits passed at its posts, of who asks to be relieved or was hurt, of heat:
-- once for what is known by then; again for what comes after it was seen to.
SELECT md5(concat_ws(' ', t.kind, t.cause))::uuid AS subject, t.cause,
    concat_ws(' ', t.kind, t.cause) AS key,
    jsonb_build_object('kind', t.kind, 'role', 'area_lead', 'area', t.area, 'about', t.about,
        'due_at', t.at + interval '{POSTS_TOLD_MINUTES} minutes') AS body
FROM workforce.to_tell t
WHERE t.about = ANY (ARRAY(
        SELECT p.demand FROM workforce.posting p WHERE p.posting = ANY (%(posting)s::uuid[])
        UNION SELECT unnest(%(posting)s::uuid[] || %(incident)s::uuid[] || %(heat)s::uuid[])))
    AND NOT EXISTS (SELECT FROM hq.task k
        WHERE k.about = t.about AND k.kind = t.kind
            AND (k.state IN ('issued', 'acknowledged') OR k.done_at >= t.at OR k.cause = t.cause));

-- name: posts_seen_to (emits: TaskWithdrawn; touched: posting, incident, heat)
-- The twin: nobody there is past the limit any more, who asked was relieved, who was hurt is cleared, it has
-- cooled down.
SELECT k.task AS subject, k.issuing AS cause, k.issuing::text AS key, '{}'::jsonb AS body
FROM hq.task k
WHERE k.state IN ('issued', 'acknowledged')
    AND k.kind IN ('duty_watch', 'duty_limit', 'duty_grave', 'duty_suit', 'relief_asked', 'incident', 'heat')
    AND k.about = ANY (ARRAY(
        SELECT p.demand FROM workforce.posting p WHERE p.posting = ANY (%(posting)s::uuid[])
        UNION SELECT unnest(%(posting)s::uuid[] || %(incident)s::uuid[] || %(heat)s::uuid[])))
    AND NOT EXISTS (SELECT FROM workforce.to_tell t WHERE t.about = k.about AND t.kind = k.kind);
