"""HTTP for taking boxes in, and for the cases of what did not agree."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.config import SCANS_LIMIT
from muster.core.clock import now
from muster.core.paging import Page
from muster.custody.events import Count, Decidegrees, Party
from muster.guarding import check_lab, principal, reading
from muster.lab import queries, receiving
from muster.lab.events import Scan
from muster.lab.receiving import Answer, Conn, Progress
from muster.showing import looking
from muster.web import After, Ask, Code, Format, Limit, muster

Scanned = Annotated[str, Meta(min_length=1, max_length=256)]  # as a scanner gave it: tidied here


class NewReception(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A box by its label; what the receiver counted and read on it. `box` where several bear the code."""

    code: Scanned
    box: UUID | None = None
    giver: Party | None = None
    count: Count | None = None
    seal: Code | None = None
    seal_intact: bool = True
    temperature_decidegrees: Decidegrees | None = None


class OneScan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tube's label as scanned, and how the tube looks."""

    barcode: Scanned
    condition: Literal["ok", "leaking", "damaged", "empty", "unlabelled"] = "ok"


class Scans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tubes out of the box, in the order of scanning."""

    scans: Annotated[list[OneScan], Meta(min_length=1, max_length=SCANS_LIMIT)]


class Undoing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The barcode whose last scan was a slip."""

    barcode: Scanned


class Assigning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose case it is from now on: a login."""

    owner: Code


class Resolving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of it."""

    how: receiving.How


@get("/v1/labs/{lab:str}/receptions", right="reception")
async def list_receptions(
    request: Ask, lab: FromPath[str], after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Boxes the laboratory took in, newest first, with how far each has been emptied."""
    check_lab(request, lab)
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.receptions(look.conn, lab, after=a, limit=n),
            after=after, limit=limit, format=format, name="receptions", personal=False,
        )  # fmt: skip


@post("/v1/labs/{lab:str}/receptions", right="reception")
async def begin_reception(
    request: Ask, lab: FromPath[str], data: JSONBody[NewReception]
) -> Progress:
    """Take a box in; what its manifest expects."""
    check_lab(request, lab)
    async with muster(request).pool.connection() as conn:
        return await receiving.begin(
            conn, muster(request).door, lab, data.code, box=data.box, giver=data.giver,
            count=data.count, seal=data.seal, seal_intact=data.seal_intact,
            decidegrees=data.temperature_decidegrees, actor=principal(request).login, at=now(),
        )  # fmt: skip


@get("/v1/receptions/{reception:uuid}", right="reception")
async def show_reception(request: Ask, reception: FromPath[UUID]) -> Progress:
    """How far a box has been emptied: what is expected, scanned, left, and wrong."""
    async with reading(request) as conn:
        return await receiving.progress(conn, reception)


@post("/v1/receptions/{reception:uuid}/scans", status_code=200, right="reception")
async def scan_tubes(
    request: Ask, reception: FromPath[UUID], data: JSONBody[Scans]
) -> list[Answer]:
    """Scan tubes out of the box; the verdict on each, in order."""
    scans = [Scan(one.barcode, one.condition) for one in data.scans]
    async with muster(request).pool.connection() as conn:
        await _mine(request, conn, reception)
        return await receiving.scan(
            conn, muster(request).door, reception, scans, actor=principal(request).login, at=now()
        )


@post("/v1/receptions/{reception:uuid}/undo", status_code=204, right="reception")
async def undo_scan(request: Ask, reception: FromPath[UUID], data: JSONBody[Undoing]) -> None:
    """Take one scan of a barcode back."""
    async with muster(request).pool.connection() as conn:
        await _mine(request, conn, reception)
        await receiving.undo(
            conn, muster(request).door, reception, data.barcode, actor=principal(request).login,
            at=now(),
        )  # fmt: skip


@post("/v1/receptions/{reception:uuid}/emptied", status_code=200, right="reception")
async def end_reception(request: Ask, reception: FromPath[UUID]) -> Progress:
    """The box is empty: what was not scanned is missing, and opens a case."""
    async with muster(request).pool.connection() as conn:
        await _mine(request, conn, reception)
        return await receiving.end(
            conn, muster(request).door, reception, actor=principal(request).login, at=now()
        )


@get("/v1/discrepancies", right="discrepancies")
async def list_discrepancies(
    request: Ask,
    lab: FromQuery[str | None] = None,
    case_state: FromQuery[Literal["open", "resolved", "withdrawn"] | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """What did not agree between boxes and their manifests, with its owner, oldest first."""
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.discrepancies(
                look.conn, lab=lab, state=case_state, after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="discrepancies", personal=False,
        )  # fmt: skip


@post("/v1/discrepancies/{discrepancy:uuid}/assign", status_code=204, right="discrepancies")
async def assign_discrepancy(
    request: Ask, discrepancy: FromPath[UUID], data: JSONBody[Assigning]
) -> None:
    """Give a case to somebody else."""
    async with reading(request) as conn:  # who sees the case may give it away
        await receiving.assign(
            conn, muster(request).door, discrepancy, data.owner, actor=principal(request).login,
            at=now(),
        )  # fmt: skip


@post("/v1/discrepancies/{discrepancy:uuid}/resolve", status_code=204, right="discrepancies")
async def resolve_discrepancy(
    request: Ask, discrepancy: FromPath[UUID], data: JSONBody[Resolving]
) -> None:
    """Say what became of a case."""
    async with reading(request) as conn:
        await receiving.resolve(
            conn, muster(request).door, discrepancy, data.how, actor=principal(request).login,
            at=now(),
        )  # fmt: skip


async def _mine(request: Ask, conn: Conn, reception: UUID) -> None:
    """The reception is one of a laboratory its caller works for. Raises ReceptionUnknown, OutsideYourLab."""
    check_lab(request, await receiving.lab_of(conn, reception))


HANDLERS = [
    list_receptions, begin_reception, show_reception, scan_tubes, undo_scan, end_reception,
    list_discrepancies, assign_discrepancy, resolve_discrepancy,
]  # fmt: skip
