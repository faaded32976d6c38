"""HTTP for reports: looked at, frozen, signed, and taken out as PDF, workbook or table."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.problems import Problem
from muster.guarding import area_within, check_reach, principal, reading
from muster.hq import report_outlet, report_sheets, reporting
from muster.hq.events import ReportKind
from muster.hq.report_outlet import SignatureLine
from muster.hq.report_words import word
from muster.hq.reporting import Asked, Reproduced
from muster.papers.sheet import Sheet
from muster.papers.templates import Choice, template
from muster.sampling import queries as sampling
from muster.web import CSV, XLSX, After, Ask, Limit, language, muster

Language = Literal["zh", "en"]
FileFormat = Literal["pdf", "xlsx", "csv", "json"]
_TYPES = {"pdf": "application/pdf", "xlsx": XLSX, "csv": CSV, "json": "application/json"}


class ReportTooLarge(Problem):
    """The ledger is too long to compute a report again while others wait ({events} events). Use
    `muster report reproduce`."""

    zh = "账本较长（{events} 条），请用命令 muster report reproduce 重新计算。"
    status = 422


class NewReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which report to freeze: its kind, of which area (code or id) and round (id or name)."""

    kind: ReportKind
    area: str
    round: str


class Signing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many sums that do not hold the signer has seen, which are printed on the report."""

    findings: Annotated[int, Meta(ge=0, le=100_000)] = 0


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen report in a list."""

    report: UUID
    kind: ReportKind
    title: str
    area: UUID
    area_code: str
    area_name: str
    round: UUID
    round_name: str
    cut_off: datetime
    frozen_at: datetime
    frozen_by: str
    findings: int
    signatures: int
    signers: int


class ReportPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some reports, latest first; `next` is the cursor of the following page."""

    items: list[ReportLine]
    next: str | None


class ReportShown(msgspec.Struct, frozen=True, kw_only=True):
    """A report as it is read: its sheet, and, where it is frozen, on what it stands and who signed."""

    kind: ReportKind
    cut_off: datetime
    findings: int
    signers: int
    sheet: Sheet
    report: UUID | None = None
    area: UUID | None = None
    seq: int | None = None
    head: str | None = None
    content: str | None = None
    signatures: list[SignatureLine] = []
    may_sign: bool = False  # the caller may, and has not


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The report that was frozen."""

    report: UUID


@get("/v1/report-preview", right="reports")
async def preview_report(
    request: Ask, kind: FromQuery[ReportKind], area: FromQuery[str], round: FromQuery[str],
    language: FromQuery[Language | None] = None,
) -> ReportShown:  # fmt: skip
    """A report as it would be now; nothing is kept."""
    asked, at = await _asked(request, kind, area, round), now()
    async with muster(request).pool.connection() as conn:
        made = await reporting.preview(conn, asked, at=at)
    data = msgspec.json.decode(made.content)
    return ReportShown(
        kind=kind, cut_off=at, findings=made.findings, signers=report_sheets.signers(kind),
        sheet=report_sheets.sheet(data, _language(request, language)),
    )  # fmt: skip


@get("/v1/reports", right="reports")
async def list_reports(
    request: Ask, kind: FromQuery[ReportKind | None] = None, after: After = None, limit: Limit = 100
) -> ReportPage:
    """Frozen reports of one's own areas, latest first."""
    scope = principal(request).scope("reports")
    async with muster(request).pool.connection() as conn:
        found = await reporting.reports(
            conn, kind=kind, whole=scope.figures, areas=scope.figure_areas, after=after, limit=limit
        )
    lines = [
        msgspec.convert(
            one | {"title": word(one["kind"], language(request)),
                   "signers": report_sheets.signers(one["kind"])}, ReportLine)
        for one in found.items
    ]  # fmt: skip
    return ReportPage(items=lines, next=found.next)


@post("/v1/reports", right="decide_reports")
async def freeze_report(request: Ask, data: JSONBody[NewReport]) -> Made:
    """Freeze a report of all that the ledger holds now. It stays as it is."""
    asked, here = await _asked(request, data.kind, data.area, data.round), muster(request)
    form = template("report", here.settings.home / "templates")
    async with here.pool.connection() as conn:
        report = await reporting.freeze(
            conn, here.door, CATALOGUE, asked, template=form.source, edition=form.edition,
            actor=principal(request).login, at=now(),
        )  # fmt: skip
    return Made(report=report)


@get("/v1/reports/{report:uuid}", right="reports")
async def show_report(
    request: Ask, report: FromPath[UUID], language: FromQuery[Language | None] = None
) -> ReportShown:
    """A frozen report, in a language."""
    return await _shown(request, report, _language(request, language))


@get("/v1/reports/{report:uuid}/file", right="reports")
async def take_report(
    request: Ask, report: FromPath[UUID], format: FromQuery[FileFormat] = "pdf",
    language: FromQuery[Language | None] = None, form: FromQuery[Choice] = "ours",
) -> Response[bytes]:  # fmt: skip
    """A frozen report as a file: PDF with the template it was frozen with (`form=shipped`: with the one
    that came with Muster), workbook, table, or the very data its hash is of."""
    here = muster(request)
    async with here.pool.connection() as conn:
        found = await _found(request, conn, report)
        content = await report_outlet.file(
            conn,
            here.settings,
            here.vault,
            report,
            format,
            _language(request, language),
            choice=form,
        )
    name = f"{found['kind']}-{found['cut_off']:%Y%m%d-%H%M}.{format}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_TYPES[format], headers=headers)


@post("/v1/reports/{report:uuid}/sign", right="decide_reports", status_code=204)
async def sign_report(request: Ask, report: FromPath[UUID], data: JSONBody[Signing]) -> None:
    """Answer for a report with one's name."""
    here, who = muster(request), principal(request)
    async with here.pool.connection() as conn:
        await _found(request, conn, report)
        await reporting.sign(
            conn, here.door, report, account=await _account(request, conn), findings=data.findings,
            actor=who.login, at=now(),
        )  # fmt: skip


@post("/v1/reports/{report:uuid}/reproduce", right="decide_reports", status_code=200)
async def reproduce_report(request: Ask, report: FromPath[UUID]) -> Reproduced:
    """Compute a report again from the ledger as it was at its cut-off, and compare."""
    async with muster(request).pool.connection() as conn:
        found = await _found(request, conn, report)
        if found["seq"] > reporting.REPRODUCED_LIMIT_EVENTS:
            raise ReportTooLarge(events=found["seq"])
        return await reporting.reproduce(conn, CATALOGUE, report)


async def _asked(request: Ask, kind: ReportKind, area: str, round: str) -> Asked:
    async with reading(request) as conn:
        found = await sampling.round_(conn, round)
        top = await area_within(request, conn, area)
    return Asked(kind, top["area"], found["round"], muster(request).settings.timezone)


async def _found(request: Ask, conn: Any, report: UUID) -> dict[str, Any]:
    found = await reporting.report_of(conn, report)
    await check_reach(request, conn, [found["area"]])
    return found


async def _account(request: Ask, conn: Any) -> UUID | None:
    """The account of who asks: of the session, or of who holds the device."""
    who = principal(request)
    return who.account or next((one.account for one in who.holdings), None)


async def _shown(request: Ask, report: UUID, told: Language) -> ReportShown:
    here = muster(request)
    async with here.pool.connection() as conn:
        found = await _found(request, conn, report)
        sheet, signed = await report_outlet.read(conn, here.vault, found, told)
        mine = await _account(request, conn)
    may = principal(request).may("decide_reports") and mine is not None
    return ReportShown(
        kind=found["kind"], cut_off=found["cut_off"], findings=found["findings"],
        signers=report_sheets.signers(found["kind"]), report=report, area=found["area"],
        seq=found["seq"], head=found["head"], content=found["content"], signatures=signed,
        sheet=sheet, may_sign=may and mine not in [one.account for one in signed],
    )  # fmt: skip


def _language(request: Ask, wanted: Language | None) -> Language:
    return wanted or ("zh" if language(request) == "zh" else "en")


HANDLERS = [
    preview_report, list_reports, freeze_report, show_report, take_report, sign_report,
    reproduce_report,
]  # fmt: skip
