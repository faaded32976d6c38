"""HTTP for the work at the bench: open lists, plates, files, runs and release."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.paging import Page
from muster.guarding import check_lab, principal, reading
from muster.lab import loading, queries, releasing
from muster.lab.deciding import deciding
from muster.lab.events import Unfit
from muster.lab.files import Taken, plate_arrived, refuse_file, take_again, take_file
from muster.lab.loading import PlateUnknown
from muster.lab.receiving import all_checked, checked
from muster.lab.releasing import Signed
from muster.showing import looking
from muster.web import After, Ask, BytesOperation, Code, Format, Limit, language, muster

Scanned = Annotated[str, Meta(min_length=1, max_length=256)]
Waits = Literal["identify", "load", "run", "repeat", "propose", "confirm", "release", "unfit"]


class NewPlate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plate: `wells` as scanned (well → the barcode, or the barcodes, in it), or `tubes` that are
    placed by themselves. `repeats`: barcodes that are meant to be tested again."""

    code: Scanned
    assay: Code
    template: Code = "usual-96"
    wells: Annotated[dict[str, str | list[str]], Meta(max_length=384)] | None = None
    tubes: Annotated[list[Scanned], Meta(max_length=384)] = []
    order: Literal["columns", "rows"] = "columns"
    repeats: Annotated[list[Scanned], Meta(max_length=384)] = []


class Loaded(msgspec.Struct, frozen=True):
    """The plate, and the files that waited for it."""

    plate: UUID
    files: list[Taken]


class Discarding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a plate will not be run."""

    reason: loading.Discard


class Signing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed for: tubes by name; or, with neither, all that one person may release, in one run
    or in the whole laboratory."""

    run: UUID | None = None
    barcodes: Annotated[list[Scanned], Meta(max_length=1_000)] | None = None


class Declining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the second person does not agree."""

    reason: releasing.Decline


class Rejecting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a tube cannot be tested."""

    reason: Unfit


class ReadAgain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which plate a waiting file is of; `again`: the plate was measured a second time."""

    plate: Code | None = None
    again: bool = False


@get("/v1/labs/{lab:str}/samples", right="samples")
async def list_samples(
    request: Ask, lab: FromPath[str], next: FromQuery[Waits | None] = None, after: After = None,
    limit: Limit = 100, format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """The open list: every tube that is not done, in the order in which they came, and what is to be
    done with it next."""
    check_lab(request, lab)
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.samples(look.conn, lab, next=next, after=a, limit=n),
            after=after, limit=limit, format=format, name="samples", personal=False,
        )  # fmt: skip


@get("/v1/labs/{lab:str}/plates", right="plates")
async def list_plates(
    request: Ask, lab: FromPath[str], after: After = None, limit: Limit = 100
) -> Page:
    """Plates, newest first, with their last run."""
    check_lab(request, lab)
    async with reading(request) as conn:
        return await queries.plates(conn, lab, after=after, limit=limit)


@post("/v1/labs/{lab:str}/plates", right="plates")
async def load_plate(request: Ask, lab: FromPath[str], data: JSONBody[NewPlate]) -> Loaded:
    """Load a plate, well by well or by itself; files that waited for it are read at once."""
    async with _desk(request, lab) as desk:
        at, conn = desk.at, desk.conn
        code = await checked(conn, data.code, "plate", at)
        wells: dict[str, list[str]] | None = None
        if data.wells is not None:
            said = [(w, one) for w, codes in data.wells.items() for one in _each(codes)]
            labels = await all_checked(conn, [one for _, one in said], "tube", at)
            wells = {}
            for (well, _), label in zip(said, labels, strict=True):
                wells.setdefault(well, []).append(label)
        plate = await loading.load_plate(
            desk, code=code, assay=data.assay, template=data.template, wells=wells,
            tubes=await all_checked(conn, data.tubes, "tube", at),
            order=data.order, repeats=await all_checked(conn, data.repeats, "tube", at),
        )  # fmt: skip
    files = await plate_arrived(
        muster(request), lab, code, actor=principal(request).login, at=now()
    )
    return Loaded(plate, files)


@get("/v1/labs/{lab:str}/plates/{code:str}", right="plates")
async def show_plate(request: Ask, lab: FromPath[str], code: FromPath[str]) -> dict[str, Any]:
    """A plate by its code: its wells, its runs and their calls."""
    check_lab(request, lab)
    async with reading(request) as conn:
        found = await loading.plate_called(conn, lab, code)
        shown = await queries.plate(conn, found["plate"])
    if shown is None:
        raise PlateUnknown(lab=lab, code=code)
    return shown


@post("/v1/labs/{lab:str}/plates/{code:str}/discard", status_code=204, right="plates")
async def discard_plate(
    request: Ask, lab: FromPath[str], code: FromPath[str], data: JSONBody[Discarding]
) -> None:
    """Say that a plate will not be run: its tubes wait for another."""
    async with _desk(request, lab) as desk:
        await loading.discard_plate(desk, code, data.reason)


@get("/v1/labs/{lab:str}/files", right="plates")
async def list_files(
    request: Ask, lab: FromPath[str],
    file_state: FromQuery[Literal["imported", "waiting", "refused"] | None] = None,
    after: After = None, limit: Limit = 100,
) -> Page:  # fmt: skip
    """Files of the laboratory, newest first; of those that wait, why."""
    check_lab(request, lab)
    async with reading(request) as conn:
        return await queries.files(conn, lab, state=file_state, after=after, limit=limit)


@post("/v1/labs/{lab:str}/files", status_code=200, right="plates", operation_class=BytesOperation)
async def upload_file(
    request: Ask, lab: FromPath[str], name: FromQuery[str], plate: FromQuery[str | None] = None,
    again: FromQuery[bool] = False,
) -> Taken:  # fmt: skip
    """Take in an instrument's run file, an HL7 v2.5.1 message or a FHIR R4 bundle: the body is the file
    itself. The same file again changes nothing; what cannot be used yet waits, and says why."""
    check_lab(request, lab)
    return await take_file(
        muster(request), lab, name[:120], await request.body(), plate=plate, again=again,
        actor=principal(request).login, at=now(), language=language(request),
    )  # fmt: skip


@post("/v1/labs/{lab:str}/files/{file:str}/read", status_code=200, right="plates")
async def read_file_again(
    request: Ask, lab: FromPath[str], file: FromPath[str], data: JSONBody[ReadAgain]
) -> Taken:
    """Read a waiting file again, perhaps as that of a plate."""
    check_lab(request, lab)
    return await take_again(
        muster(request), lab, file, plate=data.plate, again=data.again,
        actor=principal(request).login, at=now(), language=language(request),
    )  # fmt: skip


@post("/v1/labs/{lab:str}/files/{file:str}/set-aside", status_code=204, right="plates")
async def refuse_waiting(request: Ask, lab: FromPath[str], file: FromPath[str]) -> None:
    """Never read a waiting file."""
    check_lab(request, lab)
    await refuse_file(muster(request), lab, file, actor=principal(request).login)


@post("/v1/labs/{lab:str}/release", status_code=200, right="release")
async def release(request: Ask, lab: FromPath[str], data: JSONBody[Signing]) -> Signed:
    """Sign: for tubes by name, or for everything that one person may release."""
    async with _desk(request, lab) as desk:
        if data.barcodes is None:
            return await releasing.release_ready(desk, data.run)
        barcodes = await all_checked(desk.conn, data.barcodes, "tube", desk.at)
        return await releasing.sign(desk, barcodes)


@get("/v1/labs/{lab:str}/proposals", right="release")
async def list_proposals(request: Ask, lab: FromPath[str]) -> list[dict[str, Any]]:
    """What a first person signed and a second one has to decide."""
    check_lab(request, lab)
    async with reading(request) as conn:
        return await queries.proposals(conn, lab)


@post("/v1/labs/{lab:str}/proposals/{result:uuid}/agree", status_code=204, right="release")
async def confirm_proposal(request: Ask, lab: FromPath[str], result: FromPath[UUID]) -> None:
    """The second person agrees: the result is released, or amended."""
    async with _desk(request, lab) as desk:
        await releasing.confirm(desk, result)


@post("/v1/labs/{lab:str}/proposals/{result:uuid}/decline", status_code=204, right="release")
async def decline_proposal(
    request: Ask, lab: FromPath[str], result: FromPath[UUID], data: JSONBody[Declining]
) -> None:
    """The second person does not agree: nothing is released."""
    async with _desk(request, lab) as desk:
        await releasing.decline(desk, result, data.reason)


@post("/v1/labs/{lab:str}/tubes/{barcode:str}/reject", status_code=200, right="release")
async def reject_tube(
    request: Ask, lab: FromPath[str], barcode: FromPath[str], data: JSONBody[Rejecting]
) -> dict[str, UUID]:
    """A received tube cannot be tested: its result is invalid, its people are sampled again."""
    async with _desk(request, lab) as desk:
        code = await checked(desk.conn, barcode, "tube", desk.at)
        return {"result": await releasing.reject_tube(desk, code, data.reason)}


def _desk(request: Ask, lab: str) -> Any:
    """The caller's turn to decide in a laboratory. Raises OutsideYourLab."""
    check_lab(request, lab)
    here = muster(request)
    return deciding(here.pool, here.door, lab, actor=principal(request).login, at=now())


def _each(said: str | list[str]) -> list[str]:
    return [said] if isinstance(said, str) else said


HANDLERS = [
    list_samples, list_plates, load_plate, show_plate, discard_plate, list_files, upload_file,
    read_file_again, refuse_waiting, release, list_proposals, confirm_proposal, decline_proposal,
    reject_tube,
]  # fmt: skip
