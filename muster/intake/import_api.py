"""HTTP for importing a file: send it in pieces, look at its columns, check it, let it be fed, and take
back the rows that were not taken.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.access.engine.roles import ROLES
from muster.access.engine.scope import Holding
from muster.core.clock import now
from muster.core.problems import Problem
from muster.guarding import Forbidden, principal
from muster.intake import imports
from muster.intake.faults import Fault
from muster.intake.feeding import KeptFault
from muster.intake.import_words import Import, Imports, said
from muster.intake.rejects import Rejects
from muster.intake.survey import Looked
from muster.registry.events import ImportKind
from muster.web import CSV, XLSX, After, Ask, Label, Limit, muster


class NewImport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that is going to be sent."""

    name: Label
    size_bytes: Annotated[int, Meta(ge=1)]


class Matching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What kind of table a file is, and the header of each field; without `columns` they are found by
    their names. `correct_names`: a row may give another name to a document that is listed."""

    kind: ImportKind
    columns: dict[str, str | None] | None = None
    correct_names: bool = False


class FoundFault(msgspec.Struct, frozen=True):
    """What is wrong in a row: the line of the file where it starts, the column, the reason in both
    languages, and the row as it stood."""

    line: int
    header: str | None
    slug: str
    en: str
    zh: str
    raw: list[str]


class FoundFaults(msgspec.Struct, frozen=True):
    """Faults in the order of the file, under the file's headers; `next` is the following page."""

    headers: list[str]
    items: list[FoundFault]
    next: int | None


class ImportRules(msgspec.Struct, frozen=True):
    """What the caller may import, and how large a file and each piece of it may be."""

    kinds: list[ImportKind]
    file_bytes: int
    part_bytes: int


@get("/v1/import-rules", right="imports")
async def show_import_rules(request: Ask) -> ImportRules:
    """What one may import oneself, and the limits."""
    return ImportRules(allowed(request), imports.IMPORT_FILE_LIMIT_BYTES,
                       imports.IMPORT_PART_LIMIT_BYTES)  # fmt: skip


@get("/v1/imports", right="imports")
async def list_imports(request: Ask, after: After = None, limit: Limit = 100) -> Imports:
    """Files that were imported or are on their way, newest first: who sent them, their hash and
    figures; one's own, and those that were fed under one's areas."""
    areas = [one.area for one in _giving(request) if one.area]
    return await imports.history(
        muster(request), by=_me(request), whole=any(one.everywhere for one in _giving(request)),
        areas=areas, after=after, limit=limit,
    )  # fmt: skip


@post("/v1/imports", right="imports")
async def make_import(request: Ask, data: JSONBody[NewImport]) -> Import:
    """Announce a file. It is then sent in pieces of `part_bytes`, in any order; what arrived is not
    sent again."""
    return await imports.make(
        muster(request), name=data.name, size_bytes=data.size_bytes, by=_me(request), at=now()
    )


@get("/v1/imports/{import_:uuid}", right="imports")
async def show_import(request: Ask, import_: FromPath[UUID]) -> Import:
    """A file of one's own and how far it came."""
    return await imports.show(muster(request), import_, by=_me(request))


@post("/v1/imports/{import_:uuid}/parts/{number:int}", status_code=200, right="imports")
async def send_part(request: Ask, import_: FromPath[UUID], number: FromPath[int]) -> Import:
    """A piece of the file, counted from 0: the body is its bytes. Sent again it changes nothing."""
    return await imports.put_part(
        muster(request), import_, number, await request.body(), by=_me(request), at=now()
    )


@get("/v1/imports/{import_:uuid}/columns", right="imports")
async def show_columns(
    request: Ask, import_: FromPath[UUID], kind: FromQuery[ImportKind | None] = None
) -> Looked:
    """How the file is written and which of its columns are which fields, with examples; as another
    kind of table if that is asked."""
    return await imports.look_at(
        muster(request), import_, allowed(request), by=_me(request), kind=kind
    )


@post("/v1/imports/{import_:uuid}/columns", status_code=200, right="imports")
async def choose_columns(request: Ask, import_: FromPath[UUID], data: JSONBody[Matching]) -> Import:
    """Say what kind of table it is and which column is which field. It has to be checked then."""
    _may(request, data.kind)
    return await imports.choose(
        muster(request), import_, kind=data.kind, columns=data.columns,
        correct_names=data.correct_names, by=_me(request),
    )  # fmt: skip


@post("/v1/imports/{import_:uuid}/check", status_code=200, right="imports")
async def check_import(request: Ask, import_: FromPath[UUID]) -> Import:
    """Let the whole file be read without storing anything: every fault with its row and reason."""
    return await _begin(request, import_, "check")


@post("/v1/imports/{import_:uuid}/start", status_code=200, right="imports")
async def start_import(request: Ask, import_: FromPath[UUID]) -> Import:
    """Let a checked file be fed, or one go on that was stopped. The good rows are stored, the others
    handed back."""
    return await _begin(request, import_, "import")


@post("/v1/imports/{import_:uuid}/stop", status_code=200, right="imports")
async def stop_import(request: Ask, import_: FromPath[UUID]) -> Import:
    """Stop what is under way. What is stored stays; the rest can be fed later."""
    return await imports.stop(muster(request), import_, by=_me(request))


@post("/v1/imports/{import_:uuid}/discard", status_code=204, right="imports")
async def discard_import(request: Ask, import_: FromPath[UUID]) -> None:
    """Let a file go that will not be fed; its bytes are deleted."""
    await imports.discard(muster(request), import_, by=_me(request), at=now())


@get("/v1/imports/{import_:uuid}/faults", right="imports")
async def list_faults(
    request: Ask, import_: FromPath[UUID], page: FromQuery[int] = 0
) -> FoundFaults:
    """What is wrong with its rows, in the order of the file, some hundreds a page."""
    found = await imports.own(muster(request), import_, _me(request))
    pages = await imports.fault_pages(muster(request), import_, page, 2)
    items = []
    for one in msgspec.msgpack.decode(pages[0], type=list[KeptFault]) if pages else []:
        words = said(one.slug, one.facts)
        items.append(FoundFault(one.line, one.header, one.slug, words.en, words.zh, one.raw))
    following = page + 1 if len(pages) > 1 else None
    return FoundFaults(found["headers"] or [], items, following)


@get("/v1/imports/{import_:uuid}/rejects", right="imports", media_type=CSV)
async def take_rejects(
    request: Ask, import_: FromPath[UUID], format: FromQuery[Literal["csv", "xlsx"]] = "csv"
) -> Response[bytes]:
    """The rows that were not taken, as a file to be corrected and fed again."""
    found = await imports.own(muster(request), import_, _me(request))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rejected.{format}"
        with Rejects(path, found["headers"] or []) as rejects:
            number = 0
            while pages := await imports.fault_pages(muster(request), import_, number, 20):
                await asyncio.to_thread(_hand_back, rejects, pages)
                number += len(pages)
        content = await asyncio.to_thread(path.read_bytes) if path.exists() else b""
    name = f'attachment; filename="rejected.{format}"'
    return Response(
        content, media_type=CSV if format == "csv" else XLSX, headers={"content-disposition": name}
    )


def _hand_back(rejects: Rejects, pages: list[bytes]) -> None:
    for page in pages:
        for one in msgspec.msgpack.decode(page, type=list[KeptFault]):
            problem = Problem.catalogue[one.slug](**one.facts)
            rejects.add(Fault(one.line, one.header, problem, one.raw))


async def _begin(request: Ask, id_: UUID, what: Literal["check", "import"]) -> Import:
    found = await imports.own(muster(request), id_, _me(request))
    areas = _may(request, found["kind"]) if found["kind"] else None
    return await imports.begin(muster(request), id_, what, areas=areas, by=_me(request), at=now())


def allowed(request: Ask) -> list[ImportKind]:
    """The kinds of table that the caller may import somewhere."""
    return [kind for kind in imports.LISTS if _listing(request, kind)]


def _may(request: Ask, kind: ImportKind) -> list[UUID] | None:
    """Under which areas the caller may import it; None is everywhere. Raises Forbidden."""
    holdings = _listing(request, kind)
    if not holdings:
        raise Forbidden(right="imports")
    if any(one.everywhere for one in holdings):
        return None
    return [one.area for one in holdings if one.area]


def _listing(request: Ask, kind: ImportKind) -> list[Holding]:
    return [
        one for one in _giving(request) if imports.LISTS[kind] in ROLES[one.role].events
    ]  # fmt: skip


def _giving(request: Ask) -> list[Holding]:
    return [
        one for one in principal(request).holdings
        if "imports" in ROLES[one.role].rights and (one.everywhere or one.area)
    ]  # fmt: skip


def _me(request: Ask) -> str:
    return principal(request).login


HANDLERS: list[Any] = [
    show_import_rules, list_imports, make_import, show_import, send_part, show_columns,
    choose_columns, check_import, start_import, stop_import, discard_import, list_faults, take_rejects,
]  # fmt: skip
