"""Why there is no result for a person: what is known, gathered for the engine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.config import BOX_WINDOW_HOURS
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.desk.engine.why import Chain, Other, Swab, Verdict, why

_HERE = "muster.desk"
Conn = psycopg.AsyncConnection[Any]


class NobodyThere(Problem):
    """Nobody of that id is on the list."""

    zh = "名单中没有此人。"
    status = 404


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who was asked about, in which round, and the answer. `as_of`: when it was looked at."""

    person: UUID
    name: str | None
    room: str | None
    round: UUID | None
    round_name: str | None
    as_of: datetime
    answer: Verdict


async def why_no_result(
    own: Conn, seen: Conn, person: UUID, *, round: dict[str, Any] | None, at: datetime
) -> Asked:
    """Why there is no result for a person in a round, or in the newest that concerns them. `own` reads
    the chain; other people are named as far as `seen`, the caller's connection, sees them. Raises
    NobodyThere."""
    who = await row(own, _HERE, "chain.sql:person", person=person)
    if who is None:
        raise NobodyThere()
    round = round or await row(own, _HERE, "chain.sql:round_of", building=who["building"])
    about = {
        "person": who["resident"], "round": round and round["round"], "building": who["building"],
        "room": who["room"], "hours": BOX_WINDOW_HOURS,
    }  # fmt: skip
    chain = await _chain(own, seen, who, about)
    return Asked(
        person=who["resident"], name=who["name"], room=who["room"], round=about["round"],
        round_name=round["name"] if round else None, as_of=at, answer=why(chain),
    )  # fmt: skip


async def _chain(own: Conn, seen: Conn, who: dict[str, Any], about: dict[str, Any]) -> Chain:
    swabs = _swabs(await rows(own, _HERE, "chain.sql:swabs", **about))
    here = [one for one in swabs if one.round == about["round"]]
    # A swab taken again for a recall answers for the round's, whatever round it names.
    started = min((one.at for one in here), default=None)
    again = [one for one in swabs if one.purpose == "recall" and started and one.at >= started]
    here = list({one.tube: one for one in (*here, *again)}.values())
    chain = Chain(
        listed_at=who["listed_at"], state=who["state"], swabs=here,
        elsewhere=[one for one in swabs if one not in here],
    )  # fmt: skip
    if here:
        return chain
    stance = await row(own, _HERE, "chain.sql:stance", **about)
    found = await rows(own, _HERE, "chain.sql:others", **about)
    found += await rows(own, _HERE, "chain.sql:twice_beside", **about)
    silent = await rows(own, _HERE, "chain.sql:silent", **about)
    return msgspec.structs.replace(
        chain, stance=stance and stance["kind"], others=await _seen(seen, found),
        taken_out=_swabs(await rows(own, _HERE, "chain.sql:taken_out", **about)),
        silent=[one["code"] for one in silent],
    )  # fmt: skip


def _swabs(found: Sequence[dict[str, Any]]) -> list[Swab]:
    return msgspec.convert(found, list[Swab])


async def _seen(seen: Conn, found: list[dict[str, Any]]) -> list[Other]:
    """Of other people those whom the caller may see."""
    people = list({one["person"] for one in found})
    may = {one["p"] for one in await rows(seen, _HERE, "chain.sql:seen", people=people)}
    return [msgspec.convert(one, Other) for one in found if one["person"] in may]
