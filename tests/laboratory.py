"""A laboratory at work, for tests: tubes that were received, plates, and readings as run files give
them.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from muster.core.clock import now
from muster.core.ids import derived
from muster.instance import Instance
from muster.instruments.run_file import Reading, Role, RunFile
from muster.lab import loading, releasing, running
from muster.lab.deciding import Desk, deciding
from muster.lab.engine.assay import Assay, usual
from muster.lab.engine.plates import usual as usual_template
from muster.lab.events import AssayAdopted
from muster.ledger.event import Event
from tests.table import TOWN, events, named

TEMPLATE = usual_template(96)
MINUTE = timedelta(minutes=1)
# As they stand in a table of events, where a space parts two words.
ASSAY_TEXT, TEMPLATE_TEXT = (
    msgspec.json.encode(one).decode().replace(" ", "_") for one in (usual(), TEMPLATE)
)
# Four tubes of the town, received by L1 a while ago.
RECEIVED = (
    TOWN.rstrip()
    + """
    08:00  TubeSealed      T1  members=p1,p2 round=R1 barcode=B1
    08:00  TubeSealed      T2  members=p3 round=R1 barcode=B2
    08:00  TubeSealed      T3  members=p4 round=R1 barcode=B3
    08:00  TubeSealed      T4  members=p9 round=R1 barcode=B4
    08:30  LabListed       L1  wells_since=06:00
    09:00  BoxPacked       X1  code=BOX1 tubes=B1,B2,B3,B4 bound_for=L1
    10:00  BoxReceived     C1  code=BOX1
    10:01  TubesReceived   C1  scans=B1,B2,B3,B4
    10:03  ReceptionEnded  C1
"""
)


async def prepare(muster: Instance, table: str = RECEIVED, assay: Assay | None = None) -> None:
    """The events of a table, and the usual assay as A1."""
    assert set(await muster.door.append(events(table))) == {"stored"}
    await adopt(muster, assay or usual(), edition="E1")


async def adopt(muster: Instance, assay: Assay, *, edition: str) -> None:
    at = now()
    body = AssayAdopted(assay=msgspec.structs.replace(assay, code="A1"), since=at)
    one = Event(derived(edition), "AssayAdopted", named(edition), at, at, at, "tester", body)
    assert await muster.door.append([one]) == ["stored"]


@asynccontextmanager
async def desk(
    muster: Instance, actor: str = "anna", lab: str = "L1", at: datetime | None = None
) -> AsyncIterator[Desk]:
    async with deciding(muster.pool, muster.door, lab, actor=actor, at=at or now()) as one:
        yield one


async def load(muster: Instance, code: str, wells: Mapping[str, str], **more: Any) -> UUID:
    """Load a plate: well → barcode, several joined by +."""
    async with desk(muster, lab=more.pop("lab", "L1")) as one:
        return await loading.load_plate(
            one, code=code, assay="A1", template="usual-96",
            wells={well: barcodes.split("+") for well, barcodes in wells.items()}, **more,
        )  # fmt: skip


_ROLES: dict[str, Role] = {"NC": "negative_control", "PC": "positive_control"}
CONTROLS = {"H11": "NC - - 25", "H12": "PC 28 29 26"}


def run_file(
    plate: str | None, readings: Mapping[str, str], *, name: str = "run.csv", **more: Any
) -> RunFile:
    """A run: well → "sample ORF1ab N RNaseP", - where there is no curve. The controls read well unless
    they are said."""
    read = []
    for line, (well, text) in enumerate({**CONTROLS, **readings}.items(), 2):
        sample, *values = text.split()
        role = _ROLES.get(sample, "sample")
        for target, ct in zip(("ORF1ab", "N", "RNase P"), values, strict=True):
            milli = None if ct == "-" else round(float(ct) * 1000)
            read.append(
                Reading(
                    well=well, target=target, sample=sample, role=role, ct_milli=milli, line=line
                )
            )
    ended = more.pop("ended_at", None)
    return RunFile(
        name=name, format="test", plate=plate, instrument="I", serial=None, software=None,
        started_at=None, ended_at=ended, wells=96, readings=tuple(read), **more,
    )  # fmt: skip


async def run(
    muster: Instance, plate: str | None, readings: Mapping[str, str], *, content: bytes = b"",
    said: str | None = None, again: bool = False, lab: str = "L1", **more: Any,
) -> running.Imported:  # fmt: skip
    file = run_file(plate, readings, **more)
    async with desk(muster, lab=lab) as one:
        return await running.import_run(
            one, file, content or repr(file.readings).encode(), plate=said, again=again
        )


async def sign(muster: Instance, who: str, *barcodes: str, lab: str = "L1") -> releasing.Signed:
    """Sign for tubes by name; without one, for all that one person may release."""
    async with desk(muster, who, lab) as one:
        if barcodes:
            return await releasing.sign(one, barcodes)
        return await releasing.release_ready(one)


async def open_list(muster: Instance) -> dict[str, str]:
    """Barcode → what is to be done next, of everything in the laboratories."""
    async with muster.pool.connection() as conn:
        cursor = await conn.execute("SELECT barcode, next FROM lab.sample ORDER BY barcode")
        return dict(await cursor.fetchall())
