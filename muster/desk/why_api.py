"""HTTP for the results desk: the chain behind one person's missing result."""

from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery

from muster.core.clock import now
from muster.desk import chain
from muster.desk.chain import Asked
from muster.guarding import check_people
from muster.registry.engine.masking import masked_name
from muster.sampling import queries as sampling
from muster.showing import Why, looking
from muster.web import Ask, muster


@get("/v1/people/{person:uuid}/why", right="results")
async def show_why(
    request: Ask, person: FromPath[UUID], round: FromQuery[str | None] = None, reason: Why = None
) -> Asked:
    """Why there is no result for a person in a round (the newest that concerns them): the chain, the
    first link that does not hold, what shows it, and whose turn it is. Names masked unless a reason is
    given."""
    async with looking(request, reason) as look, muster(request).pool.connection() as own:
        await check_people(look.conn, [person])
        which = await sampling.round_(look.conn, round) if round else None
        found = await chain.why_no_result(own, look.conn, person, round=which, at=now())
        look.people |= {found.person, *(one.person for one in found.answer.others)}
        return found if reason else _masked(found)


def _masked(found: Asked) -> Asked:
    others = [
        msgspec.structs.replace(one, name=one.name and masked_name(one.name))
        for one in found.answer.others
    ]
    return msgspec.structs.replace(
        found, name=found.name and masked_name(found.name),
        answer=msgspec.structs.replace(found.answer, others=others),
    )  # fmt: skip


HANDLERS = [show_why]
