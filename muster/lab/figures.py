"""Figures of many tubes: how old those are that are on their way, how long each stage takes, and whether
what a laboratory received, ran and reported adds up.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg

from muster.config import (
    BOX_WINDOW_HOURS,
    DEFAULT_TUBE_AGE_MINUTES,
    DEFAULT_TUBE_WARNING_MINUTES,
    PAGE_LIMIT,
)
from muster.core.rows import row, rows
from muster.lab.deciding import LabUnknown

_HERE = "muster.lab"
_COUNTS = (
    "received", "wells", "wells_blocked", "results", "positive", "indeterminate", "negative",
    "invalid", "unfit", "without_well", "before_plate", "before_run_end", "without_tube", "unproven",
    "repooling",
)  # fmt: skip
Conn = psycopg.AsyncConnection[Any]
By = Literal["site", "box", "lab"]


@dataclass(frozen=True)
class Reach:
    """Of which tubes figures are shown: of everywhere, or of some sites and of those in some areas; and
    of some laboratories only, unless `labs` is None."""

    everywhere: bool = False
    sites: Collection[UUID] = ()
    areas: Collection[UUID] = ()
    labs: Collection[str] | None = None

    def parameters(self) -> dict[str, Any]:
        """As the queries read it: laboratories hold no sites, and are not asked for any."""
        return {
            "everywhere": self.everywhere, "sites": list(self.sites), "areas": list(self.areas),
            "labs": None if self.labs is None else list(self.labs),
        }  # fmt: skip


async def ages(
    conn: Conn, reach: Reach, *, at: datetime, round: UUID | None = None
) -> dict[str, Any]:
    """Tubes sealed in the last days that are at no laboratory yet, at a moment: by site how many, since
    when the oldest is sealed, how many are `near` their limit of age (warned of) or `over` it; and of
    those over it the oldest thousand, each with where it was last."""
    found = await row(
        conn, _HERE, "figures.sql:ages", **reach.parameters(), at=at, round=round,
        since=at - timedelta(hours=BOX_WINDOW_HOURS), age=DEFAULT_TUBE_AGE_MINUTES,
        warning=DEFAULT_TUBE_WARNING_MINUTES, limit=PAGE_LIMIT,
    )  # fmt: skip
    assert found is not None
    total = {name: sum(one[name] for one in found["sites"]) for name in ("tubes", "near", "over")}
    return {"at": at, "total": total, **found}


async def stages(
    conn: Conn, reach: Reach, *, by: By, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Of the tubes sealed in a time, by site, box or laboratory: how many are in each stage `now`, and
    the minutes it took to come to each stage from the one before it (sealed, packed, handed over,
    received, on a plate, run, released): the median (p50) and what nine of ten kept to (p90)."""
    found = await rows(
        conn, _HERE, "figures.sql:stages", **reach.parameters(), by=by, since=since, until=until,
        hours=BOX_WINDOW_HOURS, limit=PAGE_LIMIT,
    )  # fmt: skip
    for one in found:
        one["minutes"] = {
            stage: {"p50": took[0], "p90": took[1]}
            for stage, took in one["minutes"].items()
            if took
        }
    return found


async def reconciliation(
    conn: Conn, lab: str, *, since: datetime, until: datetime
) -> dict[str, Any]:
    """What a laboratory received, ran and reported in a time, by the hour and in all, and whether it
    adds up: `differences` names what does not, by count. Raises LabUnknown.

    An hour is over capacity by the tubes it ran; where a laboratory shows no wells, by its results.
    Results may be released together long after their runs, so they say little of one hour."""
    about = await row(conn, _HERE, "figures.sql:lab_of", lab=lab)
    if about is None:
        raise LabUnknown(lab=lab)
    window = {"lab": lab, "since": since, "until": until}
    hours = await rows(conn, _HERE, "figures.sql:hours", **window)
    cohort = {
        one["next"]: one["tubes"] for one in await rows(conn, _HERE, "figures.sql:cohort", **window)
    }
    carried = ((await row(conn, _HERE, "figures.sql:carried", **window)) or {})["results"]
    total = {name: sum(one[name] for one in hours) for name in _COUNTS}
    worked = "wells" if total["wells"] or total["wells_blocked"] else "results"
    capacity = about["capacity_per_hour"]
    for one in hours:
        done = one["wells"] + one["wells_blocked"] if worked == "wells" else one["results"]
        one["over_capacity"] = 0 < capacity < done
    differences = _differences(about, total, cohort, carried, until)
    differences["hours_over_capacity"] = sum(one["over_capacity"] for one in hours)
    differences = {name: count for name, count in differences.items() if count}
    return {
        **about, "since": since, "until": until, "hours": hours, "total": total,
        "tubes": {"received": sum(cohort.values()), "now": cohort},
        "balanced": not differences, "differences": differences,
    }  # fmt: skip


def _differences(
    about: dict[str, Any], total: dict[str, int], cohort: dict[str, int], carried: int,
    until: datetime,
) -> dict[str, int]:  # fmt: skip
    """What does not add up, by name. Where wells are not asked of a laboratory, results need none."""
    named = sum(total[one] for one in ("positive", "indeterminate", "negative", "invalid"))
    found = {
        "tubes_not_listed": cohort.get("unknown", 0),
        "results_without_tube": total["without_tube"],
        "results_before_plate": total["before_plate"],
        "results_before_run_end": total["before_run_end"],
        "results_unproven": total["unproven"],
        "outcomes_not_named": total["results"] - named,
        "repooling_refused": total["repooling"],
    }
    if about["wells_since"] and about["wells_since"] < until:
        tested = total["results"] - total["unfit"] - carried
        found["results_without_well"] = total["without_well"]
        found["more_results_than_wells"] = max(0, tested - total["wells"])
    return found
