"""THE CONTENTS PAGE: what can happen, what is seen of it, and what follows from it. Data only.

Events are declared in `<domain>/events.py`, views in `<domain>/read.sql`, rules in
`<domain>/rules.sql`; the order here is the order in which views are refreshed and rules run.
"""

import muster.access.events
import muster.lab.events
import muster.registry.events
import muster.sampling.events  # noqa: F401  (importing declares the event types)
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
        "sampling.round",
        "sampling.site",
        "sampling.tube",
        "sampling.specimen",
        "sampling.flag",
        "sampling.twice",
        "sampling.barcode_twice",
        "sampling.stance",
        "lab.result",
        "lab.outcome",
        "lab.recall",
        "access.account",
        "access.holding",
        "access.device",
        "access.binding",
        # followers: right after commit, each from its own cursor, shown with its "as of"
        "registry.span",
        "vault.search",
        "coverage.building",
        "coverage.unplaced",
        # plain views
        "registry.household",
    ),
    rules=(
        *rules("registry", "document_differs", "same_document"),
        *rules("lab", "withdraw_recall", "recall_members", "reopen_recall", "close_recall"),
        *rules("lab", "recall_due"),
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
