"""HTTP for labels: ranges issued to sites, with their history, and sheets to print."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, Parameter
from msgspec import Meta

from muster.config import LABEL_SHEET_LIMIT, LABELS_LIMIT
from muster.core.clock import now
from muster.custody import decide, queries
from muster.custody.engine.labels import labels as numbered
from muster.custody.engine.labels import number
from muster.guarding import check_reach, principal, reading
from muster.papers.layouts import LAYOUTS, LayoutName, sheets
from muster.papers.templates import Choice, template
from muster.papers.typesetting import Form, press, set_paper
from muster.sampling import queries as sampling
from muster.web import After, Ask, Limit, language, muster


class NewLabels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Labels for a site (code or id): how many of a format, from a running number on, or from the first
    that was never issued."""

    format: UUID
    site: str
    count: Annotated[int, Meta(ge=1, le=LABELS_LIMIT)]
    first: Annotated[int, Meta(ge=0, le=10**15)] | None = None


class TakenBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a range is no longer a site's."""

    reason: Literal["mistake", "returned", "destroyed"]


class LabelsLine(msgspec.Struct, frozen=True, kw_only=True):
    """A range of labels that was issued. `elsewhere`: tubes that were sealed with one of them at another
    site."""

    labels: UUID
    kind: str
    format: UUID
    supplier: str | None
    pattern: str | None
    first: str
    last: str
    count: int
    site: UUID
    site_code: str | None
    site_name: str | None
    issued_at: datetime
    issued_by: str
    taken_back_at: datetime | None
    elsewhere: int = 0


class LabelsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some ranges, latest first; `next` is the cursor of the following page."""

    items: list[LabelsLine]
    next: str | None


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """The range that was issued."""

    labels: UUID
    first: str
    last: str


@get("/v1/labels", right="boxes")
async def list_labels(
    request: Ask, site: FromQuery[str | None] = None, after: After = None, limit: Limit = 100
) -> LabelsPage:
    """Ranges of labels issued to sites of one's own areas, or to one site, latest first."""
    scope = principal(request).scope("boxes")
    async with muster(request).pool.connection() as conn:
        where = (await sampling.site(conn, site))["site"] if site else None
        found = await queries.labels_issued(
            conn, site=where, whole=scope.figures, areas=scope.figure_areas, sites=scope.sites,
            after=after, limit=limit,
        )  # fmt: skip
    return LabelsPage(
        items=[msgspec.convert(one, LabelsLine) for one in found.items], next=found.next
    )


@post("/v1/labels", right="issue_labels")
async def issue_labels(request: Ask, data: JSONBody[NewLabels]) -> Issued:
    """Give a range of labels to a site. A range of which some were issued already is refused."""
    async with reading(request) as conn:
        site = await sampling.site(conn, data.site)
        await check_reach(request, conn, [site["area"]])
    async with muster(request).pool.connection() as conn:
        labels = await decide.issue_labels(
            conn, muster(request).door, format=data.format, site=site["site"], first=data.first,
            count=data.count, actor=principal(request).login, at=now(),
        )  # fmt: skip
        found = await queries.labels_issue(conn, labels)
    assert found is not None
    return Issued(labels=labels, first=found["first"], last=found["last"])


@post("/v1/labels/{labels:uuid}/take-back", right="issue_labels", status_code=204)
async def take_labels_back(request: Ask, labels: FromPath[UUID], data: JSONBody[TakenBack]) -> None:
    """Take a range back: it warns no longer, and its numbers may be issued again when asked for."""
    async with muster(request).pool.connection() as conn:
        await _issue(request, conn, labels)
        await decide.take_back(
            conn, muster(request).door, labels, reason=data.reason, actor=principal(request).login,
            at=now(),
        )  # fmt: skip


@get("/v1/labels/{labels:uuid}/file", right="boxes")
async def print_labels(
    request: Ask, labels: FromPath[UUID], layout: FromQuery[LayoutName] = "a4-65",
    skip: Annotated[int, Parameter(ge=0, le=64)] = 0,
    start: Annotated[int, Parameter(ge=0, le=LABELS_LIMIT)] = 0,
    copies: Annotated[int, Parameter(ge=1, le=4)] = 1,
    limit: Annotated[int, Parameter(ge=1, le=LABEL_SHEET_LIMIT)] = 1_000,
    form: FromQuery[Choice] = "ours",
    as_: Annotated[Form, Parameter(query="format", description="png: the first page")] = "pdf",
) -> Response[bytes]:  # fmt: skip
    """Sheets of an issued range's labels as a PDF: `limit` of them from the `start`-th on, the first
    `skip` places of the first sheet left free, each label `copies` times."""
    here = muster(request)
    async with here.pool.connection() as conn:
        found = await _issue(request, conn, labels)
        form_ = queries.as_format(await queries.format_of(conn, found["format"]))
    made = numbered(form_, number(form_, found["first"]), found["count"])[start : start + limit]
    what = f"{found['site_code']} {found['site_name'] or ''}".strip()
    told = [{"bars": one, "what": what} for one in made for _ in range(copies)]
    sheet = LAYOUTS[layout]
    data = {
        "language": language(request), "layout": msgspec.to_builtins(sheet),
        "sheets": sheets(told, sheet, skip=skip),
    }  # fmt: skip
    paper = await set_paper(
        press(here.settings.home, here.settings.fonts),
        template("labels", here.settings.home / "templates", choice=form), data, moment=now(),
        form=as_,
    )  # fmt: skip
    name = f"labels-{found['first']}.{as_}"
    headers = {"content-disposition": f'inline; filename="{name}"', "cache-control": "no-store"}
    return Response(
        paper.content,
        media_type="application/pdf" if as_ == "pdf" else "image/png",
        headers=headers,
    )


async def _issue(request: Ask, conn: Any, labels: UUID) -> dict[str, Any]:
    """An issue to a site within the caller's reach. Raises LabelsUnknown, OutsideYourArea."""
    found = await queries.labels_issue(conn, labels)
    if found is None:
        raise decide.LabelsUnknown(labels=labels)
    if found["site"] not in principal(request).scope("boxes").sites:
        await check_reach(request, conn, [found["area"]])
    return found


HANDLERS = [list_labels, issue_labels, take_labels_back, print_labels]
