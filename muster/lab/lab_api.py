"""HTTP for what laboratories rest on - who takes part, call rules, layouts - and for their results as
other systems take them.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.guarding import area_within, check_lab, check_reach, principal, reading
from muster.lab import adopting, queries
from muster.lab.calling import call_open_again
from muster.lab.engine.assay import Assay
from muster.lab.engine.assay import usual as usual_assay
from muster.lab.engine.plates import Template, usual
from muster.lab.exporting import Standard, write_results
from muster.web import Ask, Code, Label, muster


class NewLab(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A laboratory: one of ours (fixed or mobile), or another city's."""

    code: Code
    name: Label
    kind: adopting.Kind = "fixed"
    capacity_per_hour: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    area: str | None = None


class NewAssay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An edition of call rules, from `since` (default: now)."""

    assay: Assay
    since: Annotated[datetime, Meta(tz=True)] | None = None


class NewTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A layout of plates."""

    template: Template


class SpanTooLong(Problem):
    """A file of results holds {hours} hours at most. Ask for a shorter time."""

    zh = "结果文件最多包含 {hours} 小时，请缩短时间范围。"
    status = 422


class TooManyResults(Problem):
    """More than {most} results are in this time, too many for one file ({count} or more). Ask for a
    shorter time."""

    zh = "该时段结果过多（{count} 条以上），一个文件最多 {most} 条，请缩短时间范围。"
    status = 422


_HOURS = 72
_MOST = {"hl7": 10_000, "fhir": 1_600}  # what the other side may read: 10 MB, 5,000 entries


@get("/v1/labs", right="labs")
async def list_labs(request: Ask) -> list[dict[str, Any]]:
    """The laboratories that take part."""
    async with reading(request) as conn:
        return await queries.labs(conn)


@post("/v1/labs", right="decide_labs")
async def add_lab(request: Ask, data: JSONBody[NewLab]) -> dict[str, Any]:
    """List a laboratory, or change its listing."""
    async with reading(request) as conn:
        await check_reach(request, conn, [None])  # laboratories serve whoever brings boxes
        area = (await area_within(request, conn, data.area))["area"] if data.area else None
    lab = await adopting.list_lab(
        muster(request).door, code=data.code, name=data.name, kind=data.kind,
        capacity_per_hour=data.capacity_per_hour, area=area, actor=principal(request).login,
        at=now(),
    )  # fmt: skip
    return {"lab": data.code, "id": lab}


@get("/v1/assays", right="labs")
async def list_assays(request: Ask) -> dict[str, Any]:
    """Editions of call rules, newest first for each assay; and a usual one to start from."""
    async with reading(request) as conn:
        return {"editions": await queries.editions(conn), "usual": usual_assay()}


@post("/v1/assays", right="decide_labs")
async def adopt_assay(request: Ask, data: JSONBody[NewAssay]) -> dict[str, Any]:
    """Adopt an edition of call rules. Open samples are called again under it; released ones are not."""
    async with reading(request) as conn:
        await check_reach(request, conn, [None])
    edition = await adopting.adopt_assay(
        muster(request).door, data.assay, since=data.since, actor=principal(request).login, at=now()
    )
    again = await call_open_again(muster(request), now())
    return {"edition": edition, "called_again": again}


@get("/v1/plate-templates", right="labs")
async def list_templates(request: Ask) -> dict[str, Any]:
    """Layouts of plates: the usual ones, and those adopted here."""
    async with reading(request) as conn:
        adopted = await queries.templates(conn)
    return {"usual": [usual(96), usual(384)], "adopted": adopted}


@post("/v1/plate-templates", right="decide_labs")
async def adopt_template(request: Ask, data: JSONBody[NewTemplate]) -> dict[str, Any]:
    """Adopt a layout of plates; plates that are loaded keep theirs."""
    async with reading(request) as conn:
        await check_reach(request, conn, [None])
    await adopting.adopt_template(
        muster(request).door, data.template, actor=principal(request).login, at=now()
    )
    return {"template": data.template.code}


@get("/v1/labs/{lab:str}/results", right="release")
async def export_results(
    request: Ask, lab: FromPath[str], standard: FromQuery[Literal["hl7", "fhir"]],
    since: FromQuery[datetime], until: FromQuery[datetime | None] = None,
) -> Response[bytes]:  # fmt: skip
    """Released results as an HL7 v2.5.1 ORU^R01 batch or a FHIR R4 bundle: codes of tubes, never names."""
    check_lab(request, lab)
    end = until or now()
    if end - since > timedelta(hours=_HOURS):
        raise SpanTooLong(hours=_HOURS)
    async with reading(request) as conn:
        found = await queries.released(conn, lab, since=since, until=end)
    if len(found) > _MOST[standard]:
        raise TooManyResults(count=len(found), most=_MOST[standard])
    content = write_results(found, lab, Standard(standard), at=now(), message_id=uuid7().hex[-12:])
    kind, name = (
        ("application/fhir+json", f"{lab}.json") if standard == "fhir"
        else ("x-application/hl7-v2+er7", f"{lab}.hl7")
    )  # fmt: skip
    return Response(
        content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


HANDLERS = [
    list_labs, add_lab, list_assays, adopt_assay, list_templates, adopt_template, export_results,
]  # fmt: skip
