"""What a laboratory's work rests on: which laboratories take part, call rules, layouts of plates. Each
is a dated decision; what was done before keeps the edition it was done under.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from muster.core.ids import derived, uuid7
from muster.core.problems import Problem
from muster.lab.engine.assay import Assay
from muster.lab.engine.plates import Template
from muster.lab.events import AssayAdopted, LabListed, TemplateAdopted
from muster.ledger.door import Door
from muster.ledger.event import Body, Event

Kind = Literal["fixed", "mobile", "external"]


class EditionInThePast(Problem):
    """Call rules cannot hold from {since}, which has passed: what was called is judged by the edition of
    its time. Let them hold from now on."""

    zh = "判读规则不能从已过去的时间 {since} 起生效，请设为从现在起。"


async def list_lab(
    door: Door, *, code: str, name: str, kind: Kind, capacity_per_hour: int, area: UUID | None,
    actor: str, at: datetime,
) -> UUID:  # fmt: skip
    """List a laboratory, or change its listing. Our own ones (fixed, mobile) must show a well and a raw
    value for each negative from now on; another city's answer for theirs themselves."""
    lab = derived("lab", code)
    body = LabListed(
        code=code, name=name, kind=kind, capacity_per_hour=capacity_per_hour, area=area,
        wells_since=None if kind == "external" else at,
    )  # fmt: skip
    await _append(door, body, lab, actor=actor, at=at)
    return lab


async def adopt_assay(
    door: Door, assay: Assay, *, since: datetime | None, actor: str, at: datetime
) -> UUID:
    """Adopt an edition of call rules, from now or later on. Raises EditionInThePast."""
    if since is not None and since < at:
        raise EditionInThePast(since=since.isoformat(timespec="minutes"))
    edition = uuid7()
    await _append(door, AssayAdopted(assay, since or at), edition, actor=actor, at=at)
    return edition


async def adopt_template(door: Door, template: Template, *, actor: str, at: datetime) -> UUID:
    """Adopt a layout of plates; plates that are loaded keep theirs."""
    id_ = derived("plate template", template.code)
    await _append(door, TemplateAdopted(template), id_, actor=actor, at=at)
    return id_


async def _append(door: Door, body: Body, subject: UUID, *, actor: str, at: datetime) -> None:
    await door.append([Event(uuid7(), type(body).__name__, subject, at, at, at, actor, body)])
