"""Files sent to be imported: kept sealed, looked at, and then waiting to be checked and fed
(muster/intake/feeding.py). A file and its faults are seen by who sent it, its figures by more.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec

from muster.config import (
    IMPORT_FILE_DAYS,
    IMPORT_FILE_LIMIT_BYTES,
    IMPORT_PART_LIMIT_BYTES,
    IMPORTS_OPEN_LIMIT,
    XLSX_MEMORY_BYTES,
)
from muster.core.ids import uuid7
from muster.core.paging import decode, encode
from muster.core.rows import row, rows
from muster.instance import Instance
from muster.intake.faults import FileProblem, Limits
from muster.intake.import_words import (
    ColumnUnfit,
    FaultCount,
    FileOver,
    Import,
    ImportElsewhere,
    ImportFileTooLarge,
    Imports,
    ImportUnknown,
    PartUnfit,
    TooManyImports,
    said,
    told,
)
from muster.intake.importing import Kind
from muster.intake.kinds import Areas, Sites, Units
from muster.intake.residents import Residents
from muster.intake.staff import Staff, Trainings
from muster.intake.survey import Looked, look, survey
from muster.registry.events import ImportKind

_HERE = "muster.intake"
LIMITS = Limits(workbook_memory_bytes=XLSX_MEMORY_BYTES)
# What a kind of file lists: who may import it is who may list that.
LISTS: dict[ImportKind, str] = {
    "areas": "AreaListed", "grids": "AreaListed", "buildings": "AreaListed", "units": "UnitListed",
    "sites": "SiteListed", "residents": "ResidentListed", "staff": "StaffListed",
    "trainings": "TrainingPassed",
}  # fmt: skip


def kind_of(name: str, muster: Instance, *, correct_names: bool = False) -> Kind:
    """The kind of table of a name."""
    match name:
        case "units":
            return Units()
        case "sites":
            return Sites()
        case "residents":
            return Residents(muster.vault, correct_names)
        case "staff":
            return Staff(muster.vault)
        case "trainings":
            return Trainings(muster.vault)
        case "grids" | "buildings":
            return Areas(name, level=name.removesuffix("s"))
        case _:
            return Areas("areas")


async def make(muster: Instance, *, name: str, size_bytes: int, by: str, at: datetime) -> Import:
    """A file that is going to be sent. Raises ImportFileTooLarge, TooManyImports."""
    if size_bytes > IMPORT_FILE_LIMIT_BYTES:
        raise ImportFileTooLarge(file=name, bytes=size_bytes, limit=IMPORT_FILE_LIMIT_BYTES)
    id_ = uuid7()
    made = await _one(
        muster, "make_import", name=name, size_bytes=size_bytes, by=by, at=at, limit=IMPORTS_OPEN_LIMIT,
        expires_at=at + timedelta(days=IMPORT_FILE_DAYS), **{"import": id_},
    )  # fmt: skip
    if made is None:
        raise TooManyImports(limit=IMPORTS_OPEN_LIMIT)
    return await show(muster, id_, by=by)


async def put_part(
    muster: Instance, id_: UUID, number: int, content: bytes, *, by: str, at: datetime
) -> Import:
    """A piece of the file; sent again it changes nothing. With the last one it is looked at. Raises
    ImportUnknown, ImportElsewhere, PartUnfit."""
    found = await own(muster, id_, by)
    if found["state"] != "receiving":
        if found["hash"] is not None:  # the last piece, sent again because its answer was lost
            return _shown(found, by)
        raise ImportElsewhere(state=found["state"])
    size, start = found["size_bytes"], number * IMPORT_PART_LIMIT_BYTES
    expected = max(0, min(IMPORT_PART_LIMIT_BYTES, size - start))
    if len(content) != expected or not content:
        raise PartUnfit(number=number, expected=expected, found=len(content))
    sealed = await asyncio.to_thread(muster.vault.seal, content)
    await _one(
        muster, "put_part", part=uuid7(), number=number, size_bytes=len(content), sealed=sealed,
        **{"import": id_},
    )  # fmt: skip
    found = await own(muster, id_, by)
    if found["received_bytes"] == size:
        await _receive(muster, found, at)
        found = await own(muster, id_, by)
    return _shown(found, by)


async def look_at(
    muster: Instance, id_: UUID, allowed: Iterable[ImportKind], *, by: str,
    kind: ImportKind | None = None,
) -> Looked:  # fmt: skip
    """The columns of a file that is here, as the kind it is or seems to be. Raises ImportUnknown,
    ImportElsewhere, FileOver, and what is wrong with the whole file."""
    found = await own(muster, id_, by)
    if found["hash"] is None:
        raise ImportElsewhere(state=found["state"])
    kinds = list(allowed)
    async with opened(muster, found) as path, named(found["name"]):
        surveyed = await asyncio.to_thread(survey, path, LIMITS)
    chosen = found["columns"] if kind in (None, found["kind"]) else None
    seen = kind or found["kind"] or _likely(muster, surveyed, kinds)
    return look(surveyed, kind_of(seen, muster).columns, chosen)


async def choose(
    muster: Instance, id_: UUID, *, kind: ImportKind, columns: Mapping[str, str | None] | None,
    correct_names: bool, by: str,
) -> Import:  # fmt: skip
    """What kind of table it is and which header is which field. Raises ImportUnknown, ColumnUnfit,
    ImportElsewhere."""
    found = await own(muster, id_, by)
    known = {one.name for one in kind_of(kind, muster).columns}
    if columns is not None:
        if strange := set(columns) - known:
            raise ColumnUnfit(reason=", ".join(sorted(strange)))
        taken = [header for header in columns.values() if header]
        if len(taken) != len(set(taken)):
            raise ColumnUnfit(reason=", ".join(sorted({t for t in taken if taken.count(t) > 1})))
    chosen = msgspec.json.encode(dict(columns)).decode() if columns is not None else None
    done = await _one(
        muster, "choose", kind=kind, columns=chosen, correct_names=correct_names, **{"import": id_}
    )
    if done is None:
        raise ImportElsewhere(state=found["state"])
    return await show(muster, id_, by=by)


async def begin(
    muster: Instance, id_: UUID, what: Literal["check", "import"], *, areas: Iterable[UUID] | None,
    by: str, at: datetime,
) -> Import:  # fmt: skip
    """Let a file be checked, or, once checked, fed; what was stopped goes on. Raises ImportUnknown,
    ImportElsewhere, FileOver."""
    found = await own(muster, id_, by)
    came_from = {"check": ["received", "checked"], "import": ["checked", "stopped", "failed"]}[what]
    if found["kind"] is None or (what == "import" and found["turns"] == 0):
        raise ImportElsewhere(state=found["state"])
    if not found["numbers"]:
        raise FileOver()
    state = "check_waiting" if what == "check" else "waiting"
    done = await _one(
        muster, "begin", state=state, areas=None if areas is None else list(areas), by=by, at=at,
        **{"import": id_, "from": came_from},
    )  # fmt: skip
    if done is None:
        raise ImportElsewhere(state=found["state"])
    return await show(muster, id_, by=by)


async def stop(muster: Instance, id_: UUID, *, by: str) -> Import:
    """Stop what waits or is under way: what is in stays, and the rest can be fed later. Raises
    ImportUnknown, ImportElsewhere."""
    found = await own(muster, id_, by)
    if await _one(muster, "stop", **{"import": id_}) is None:
        raise ImportElsewhere(state=found["state"])
    return await show(muster, id_, by=by)


async def discard(muster: Instance, id_: UUID, *, by: str, at: datetime) -> None:
    """Let a file go that will not be fed. Raises ImportUnknown, ImportElsewhere."""
    found = await own(muster, id_, by)
    if await _one(muster, "discard", at=at, **{"import": id_}) is None:
        raise ImportElsewhere(state=found["state"])
    for name in ("forget_parts", "forget_faults"):
        await _one(muster, name, **{"import": id_})


async def show(muster: Instance, id_: UUID, *, by: str) -> Import:
    """One's own import. Raises ImportUnknown."""
    return _shown(await own(muster, id_, by), by)


async def history(
    muster: Instance, *, by: str, whole: bool, areas: Iterable[UUID], after: str | None, limit: int
) -> Imports:
    """Imports, newest first: all of them, or one's own and those under one's areas."""
    made_at, last = decode(after, datetime, UUID) or (None, None)
    async with muster.pool.connection() as conn:
        found = await rows(
            conn, _HERE, "imports", by=by, whole=whole, areas=list(areas), made_at=made_at, last=last,
            limit=limit + 1,
        )  # fmt: skip
    more = found[limit - 1] if len(found) > limit else None
    following = encode([more["made_at"], more["import"]]) if more else None
    return Imports([_shown(one, by) for one in found[:limit]], following)


async def own(muster: Instance, id_: UUID, by: str) -> dict[str, Any]:
    """The row of one's own import. Raises ImportUnknown."""
    found = await _one(muster, "import", **{"import": id_})
    if found is None or found["made_by"] != by:
        raise ImportUnknown(id=id_)
    return found


async def fault_pages(muster: Instance, id_: UUID, number: int, limit: int) -> list[bytes]:
    """Pages of faults from a number on, as they were kept."""
    async with muster.pool.connection() as conn:
        found = await rows(conn, _HERE, "faults", number=number, limit=limit, **{"import": id_})
    return await asyncio.to_thread(lambda: [muster.vault.open(bytes(p["sealed"])) for p in found])


@asynccontextmanager
async def opened(muster: Instance, found: Mapping[str, Any]) -> AsyncIterator[Path]:
    """The file of an import, readable until the end of the block and nameless on the disk: whatever ends
    the process, nothing of it is left. Raises FileOver."""
    with tempfile.TemporaryFile() as file:
        async with muster.pool.connection() as conn:
            parts = await rows(conn, _HERE, "parts", **{"import": found["import"]})
            for one in parts:
                sealed = await row(conn, _HERE, "part", part=one["part"])
                if sealed is None:
                    raise FileOver()
                await asyncio.to_thread(
                    lambda held=sealed["sealed"]: file.write(muster.vault.open(bytes(held)))
                )
        file.flush()
        if not parts or file.tell() != found["size_bytes"]:
            raise FileOver()
        yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")


@asynccontextmanager
async def named(name: str) -> AsyncIterator[None]:
    """What is wrong with a whole file is told under the name it was sent with."""
    try:
        yield
    except FileProblem as error:
        if "file" in error.facts:
            error.facts["file"] = name
        raise


async def _receive(muster: Instance, found: dict[str, Any], at: datetime) -> None:
    """All bytes are here: their hash, and what kind of table it seems to be, or why it is none."""
    problem, kind = None, None
    async with opened(muster, found) as path:
        digest = await asyncio.to_thread(_digest, path)
        try:
            async with named(found["name"]):
                surveyed = await asyncio.to_thread(survey, path, LIMITS)
            kind = _likely(muster, surveyed, list(LISTS))
        except FileProblem as error:
            problem = error
    await _one(
        muster, "whole", state="failed" if problem else "received", hash=digest, kind=kind,
        ended_at=at if problem else None, **told(problem), **{"import": found["import"]},
    )  # fmt: skip


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _likely(muster: Instance, surveyed: Any, kinds: list[ImportKind]) -> ImportKind:
    """The kind whose fields the file has most of. The three kinds of areas differ little: by a column
    for levels, or by what the headers speak of."""
    looked = {kind: look(surveyed, kind_of(kind, muster).columns) for kind in kinds}
    best = max(kinds, key=lambda kind: looked[kind].fits)
    if LISTS[best] != "AreaListed":
        return best
    headers = {one.field: one.header or "" for one in looked[best].fields}
    if headers["level"]:
        return "areas"
    said = " ".join(filter(None, headers.values()))
    if headers["floors"] or headers["lift"] or "楼" in said:
        return "buildings"
    return "grids" if headers["kind"] or "网格" in said else "areas"


def _shown(found: Mapping[str, Any], by: str) -> Import:
    known = {name: found[name] for name in Import.__struct_fields__ if name in found}
    counts = [
        FaultCount(one["header"], one["slug"], one["en"], one["zh"], one["rows"])
        for one in found["summary"] or ()
    ]
    return Import(
        **known | {
            "id": found["import"], "parts": found["numbers"], "part_bytes": IMPORT_PART_LIMIT_BYTES,
            "hash": bytes(found["hash"]).hex() if found["hash"] else None,
            "mine": found["made_by"] == by,
            "problem": said(found["slug"], found["facts"]) if found["slug"] else None,
            "unused": found["unused"] or [], "summary": counts,
            "has_rejects": found["has_faults"] and found["made_by"] == by,
        }
    )  # fmt: skip


async def _one(muster: Instance, query: str, /, **values: Any) -> dict[str, Any] | None:
    async with muster.pool.connection() as conn:
        return await row(conn, _HERE, query, **values)
