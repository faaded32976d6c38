"""THE CONTENTS PAGE: what can happen, what is seen of it, and what follows from it. Data only.

Events are declared in `<domain>/events.py`, views in `<domain>/read.sql`, rules in
`<domain>/rules.sql`; the order here is the order in which views are refreshed and rules run.
"""

import muster.access.events
import muster.coverage.events
import muster.custody.events
import muster.hq.events
import muster.lab.events
import muster.posture.events
import muster.registry.events
import muster.sampling.events
import muster.teams.events
import muster.visits.events
import muster.workforce.events  # noqa: F401  (importing declares the event types)
from muster.ledger.projection import Catalogue, Widening, guards, projections, rules

CATALOGUE = Catalogue(
    projections=projections(
        # refreshed inside the door's transaction, in this order
        "registry.area",
        "registry.unit",
        "registry.denominator",
        "registry.policy",
        "registry.alias",
        "registry.resident",
        "registry.objection",
        "registry.place",
        "sampling.round",
        "sampling.site",
        "sampling.tube",
        "sampling.specimen",
        "sampling.flag",
        "sampling.twice",
        "sampling.barcode_twice",
        "sampling.stance",
        "sampling.home_request",
        "sampling.place",
        "custody.format",
        "custody.box",
        "custody.packed",
        "custody.bagged",
        "lab.lab",
        "lab.reception",
        "custody.leg",
        "custody.temperature",
        "lab.emptied",
        "lab.scan",
        "lab.received",
        "lab.found",
        "lab.discrepancy",
        "lab.plate",
        "lab.well",
        "lab.repooling",
        "lab.run",
        "lab.call",
        "lab.edition",
        "lab.template",
        "lab.proposal",
        "lab.result",
        "lab.outcome",
        "lab.sample",
        "lab.recall",
        "access.account",
        "access.holding",
        "access.device",
        "access.binding",
        "lab.reached",
        "visits.visit",
        "visits.call",
        "workforce.staff",
        "workforce.training",
        "workforce.away",
        "workforce.hardship",
        "workforce.demand",
        "workforce.call_up",
        "workforce.summons",
        "workforce.posting",
        "workforce.proof",
        "workforce.rest",
        "workforce.relief",
        "workforce.passed",
        "workforce.handover",
        "workforce.work",
        "workforce.incident",
        "workforce.lead",
        "workforce.owner",
        "workforce.heat",
        "teams.team",
        "teams.member",
        "teams.aid",
        "teams.wave",
        "teams.carried",
        "teams.lodging",
        "hq.addressee",
        "hq.task",
        "posture.template",
        "posture.command",
        "posture.working_group",
        "coverage.briefing",
        "hq.report",
        "hq.signature",
        "custody.labels",
        # followers: right after commit, each from its own cursor, shown with its "as of"
        "registry.span",
        "vault.search",
        "registry.personal_code",
        "custody.awaited",
        "coverage.progress",
        "custody.foreign_label",
        "coverage.building",
        "coverage.unplaced",
        "sampling.queue",
        "sampling.supply",
        "sampling.readiness",
        # plain views
        "registry.household",
        "lab.recall_stage",
        "hq.in_force",
        "hq.called",
        "hq.reader",
        "workforce.to_tell",
        "posture.opening",
    ),
    rules=(
        *rules("registry", "document_differs", "same_document"),
        *rules("lab", "open_discrepancy", "withdraw_discrepancy"),
        *rules("lab", "withdraw_recall", "recall_members", "reopen_recall", "close_recall"),
        *rules("lab", "recall_due"),
        *rules("hq", "withdraw_call", "call_addressees", "tell_readers", "tell_late_readers"),
        *rules("hq", "task_due", "posts_seen_to", "tell_of_posts"),
        *rules("workforce", "withdraw_summons"),
        *rules("posture", "withdraw_opening", "issue_opening"),
    ),
    guards=guards("muster.access", "guards.sql"),
    widenings=(
        # A merge changes whose swabs they are: every tube and recall of both ids, and of the id
        # into which the first was merged until now.
        Widening(
            "alias",
            "resident",
            b"SELECT person FROM registry.alias WHERE recorded = ANY (%(alias)s::uuid[])",
        ),
        Widening(
            "alias",
            "tube",
            b"SELECT tube FROM sampling.specimen WHERE person = ANY (%(resident)s::uuid[])"
            b" UNION SELECT tube FROM lab.recall WHERE person = ANY (%(resident)s::uuid[])",
        ),
        # Who is in two tubes: whoever was in the tube until now, and whom a merged id stands for.
        Widening(
            "tube",
            "person",
            b"SELECT person FROM sampling.specimen WHERE tube = ANY (%(tube)s::uuid[])"
            b" UNION SELECT person FROM registry.alias WHERE recorded = ANY (%(person)s::uuid[])",
        ),
        # A decision about a result may name another barcode than the result does.
        Widening(
            "result",
            "barcode",
            b"SELECT barcode FROM lab.result WHERE result = ANY (%(result)s::uuid[])",
        ),
        # A manifest or a box's code decides what a reception is of; its scans are then seen anew. The
        # box's hand-overs end with it.
        Widening(
            "box_code",
            "carried",
            b"SELECT box FROM custody.box WHERE code = ANY (%(box_code)s::text[])",
        ),
        Widening(
            "box_code",
            "reception",
            b"SELECT reception FROM lab.reception WHERE code = ANY (%(box_code)s::text[])",
        ),
        Widening(
            "box",
            "reception",
            b"SELECT reception FROM lab.reception WHERE box = ANY (%(box)s::uuid[])"
            b" UNION SELECT r.reception FROM custody.bagged g JOIN lab.reception r ON r.box = g.box"
            b" WHERE g.bag = ANY (%(box)s::uuid[])",
        ),
        Widening(
            "box",
            "received",
            b"SELECT p.barcode FROM ledger.event e"
            b" CROSS JOIN jsonb_array_elements_text(e.body -> 'bags') g"
            b" JOIN custody.packed p ON p.box = g::uuid"
            b" WHERE e.subject = ANY (%(box)s::uuid[]) AND e.type = 'BoxPacked'",
        ),
        Widening("reception", "scanned", b"SELECT unnest(%(reception)s::uuid[])"),
        Widening(
            "reception",
            "received",
            b"SELECT barcode FROM lab.scan WHERE reception = ANY (%(reception)s::uuid[])",
        ),
        Widening(
            "discrepancy",
            "sample",
            b"SELECT barcode FROM lab.discrepancy WHERE discrepancy = ANY (%(discrepancy)s::uuid[])"
            b" AND barcode IS NOT NULL",
        ),
        # A tube that is sealed late settles what was scanned before. What was scanned, or stands in a
        # manifest, matters to its sample, and to every box that lists it or held it.
        Widening(
            "tube",
            "received",
            b"SELECT s.barcode FROM ledger.event e JOIN lab.scan s ON s.barcode = e.body ->> 'barcode'"
            b" WHERE e.subject = ANY (%(tube)s::uuid[]) AND e.type IN ('TubeOpened', 'TubeSealed')",
        ),
        Widening("received", "sample", b"SELECT unnest(%(received)s::text[])"),
        Widening(
            "received",
            "scanned",
            b"SELECT s.reception FROM lab.scan s WHERE s.barcode = ANY (%(received)s::text[])"
            b" UNION SELECT r.reception FROM custody.packed p JOIN lab.reception r ON r.box = p.box"
            b" WHERE p.barcode = ANY (%(received)s::text[])"
            b" UNION SELECT r.reception FROM custody.packed p JOIN custody.bagged g ON g.bag = p.box"
            b" JOIN lab.reception r ON r.box = g.box WHERE p.barcode = ANY (%(received)s::text[])",
        ),
        # What a laboratory did with a tube matters to results that are there already, and a result to
        # the laboratories where its tube was scanned or loaded.
        Widening(
            "sample",
            "barcode",
            b"SELECT barcode FROM lab.result WHERE barcode = ANY (%(sample)s::text[])",
        ),
        Widening(
            "barcode",
            "sample",
            b"SELECT barcode FROM lab.scan WHERE barcode = ANY (%(barcode)s::text[])"
            b" UNION SELECT barcode FROM lab.well WHERE barcode = ANY (%(barcode)s::text[])",
        ),
        # Another limit of age or temperature: the receptions since it holds.
        Widening(
            "policy",
            "scanned",
            b"SELECT r.reception FROM lab.reception r, ("
            b" SELECT min((e.body ->> 'since')::timestamptz) AS since FROM ledger.event e"
            b" WHERE e.subject = ANY (%(policy)s::uuid[]) AND e.type = 'PolicyAdopted'"
            b" AND e.body ->> 'name' IN"
            b" ('tube_age_minutes', 'box_least_decidegrees', 'box_most_decidegrees')) p"
            b" WHERE p.since IS NOT NULL AND r.received_at >= p.since",
        ),
        # From when on a laboratory's negatives need a well: its results since then.
        Widening(
            "lab",
            "barcode",
            b"SELECT r.barcode FROM ledger.event e JOIN lab.result r ON r.lab = e.body ->> 'code'"
            b" AND r.resulted_at >= (e.body ->> 'wells_since')::timestamptz"
            b" WHERE e.subject = ANY (%(lab)s::uuid[]) AND e.type = 'LabListed'",
        ),
        # Another window: the results of every tube sealed since it holds.
        Widening(
            "policy",
            "barcode",
            b"SELECT t.barcode FROM sampling.tube t, ("
            b" SELECT min((e.body ->> 'since')::timestamptz) AS since FROM ledger.event e"
            b" WHERE e.subject = ANY (%(policy)s::uuid[]) AND e.type = 'PolicyAdopted'"
            b" AND e.body ->> 'name' = 'result_window_hours') p"
            b" WHERE p.since IS NOT NULL AND t.sealed_at >= p.since",
        ),
    ),
)
