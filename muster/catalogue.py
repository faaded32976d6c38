"""THE CONTENTS PAGE: what can happen, what is seen of it, and what follows from it. Data only.

Events are declared in `<domain>/events.py`, views in `<domain>/read.sql`, rules in
`<domain>/rules.sql`; the order here is the order in which views are refreshed and rules run.
"""

import muster.lab.events
import muster.registry.events
import muster.sampling.events  # noqa: F401  (importing declares the event types)
from muster.ledger.projection import Catalogue, Widening, projections, rules

CATALOGUE = Catalogue(
    projections=projections(
        # refreshed inside the door's transaction, in this order
        "registry.area",
        "registry.unit",
        "registry.denominator",
        "registry.policy",
        "registry.alias",
        "registry.resident",
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
        # followers: right after commit, each from its own cursor, shown with its "as of"
        "registry.span",
        "vault.search",
        "coverage.building",
        # plain views
        "registry.household",
    ),
    rules=(
        *rules("registry", "document_differs", "same_document"),
        *rules("lab", "withdraw_recall", "recall_members", "reopen_recall", "close_recall"),
        *rules("lab", "recall_due"),
    ),
    widenings=(
        # A merge changes whose swabs they are: every tube and recall of both ids.
        Widening(
            "alias",
            "tube",
            "SELECT tube FROM sampling.specimen WHERE person = ANY (%(resident)s::uuid[])"
            " UNION SELECT tube FROM lab.recall WHERE person = ANY (%(resident)s::uuid[])",
        ),
    ),
)
