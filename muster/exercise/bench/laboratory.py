"""How fast laboratories are served: a box scanned in, a run file read and called, a night's negatives
released while phones go on sending, an open list looked at.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from muster.core.clock import now
from muster.core.ids import uuid7
from muster.custody.events import BoxReceived
from muster.exercise.bench.figures import Figure, Report, percentile
from muster.exercise.bench.homes import HOST, Homes, MeasurementFailed, Server
from muster.exercise.bench.load import trickle
from muster.exercise.bench.tubes import all_stored, followed, parts
from muster.exercise.crew import Crew
from muster.exercise.laboratory import ASSAY, Laboratory
from muster.exercise.wire import Wire
from muster.instance import Instance, open_instance
from muster.lab.adopting import adopt_assay, list_lab
from muster.lab.engine.assay import usual
from muster.lab.engine.plates import Template, free
from muster.lab.engine.plates import usual as usual_template
from muster.lab.events import Scan, TubesReceived
from muster.ledger.event import Event
from muster.sampling.events import Member, TubeSealed

LAB, OTHER = "BENCH", "FULL"
RECEPTION_S, RUN_MS, RELEASE_S, DOOR_MS, LIST_MS = 3, 300, 15, 500, 50
BOX, PLATE, SCANS, STATIONS, ASKED = 100, 380, 100, 4, 300
UPLOADS_PER_SECOND, MEMBERS = 20, 10
SEALED_AT_ONCE = 2_000


@dataclass(frozen=True)
class _Scene:
    """A laboratory at work, and the tubes it is to take in."""

    server: Server
    lab: Laboratory
    layout: Template

    def wire(self, device: int = 0) -> Wire:
        devices = (self.lab.receiver, self.lab.operator, *self.lab.signers)
        return Wire(HOST, self.server.port, devices[device].token)


async def measure_laboratory(homes: Homes, report: Report) -> None:
    """Everything on one home; tubes hold ten people each, as in a round."""
    home, sizes = homes.fresh("laboratory"), report.sizes
    async with home.database():
        async with open_instance(home.settings) as instance:
            lab = await _prepare(instance)
            received = await _seal(instance, sizes.reception_tubes, members=MEMBERS)
            released = await _seal(instance, sizes.released_tubes, members=MEMBERS)
            opened = await _seal(instance, sizes.open_tubes, members=1)
            await _take_in(instance, LAB, released)
            await _take_in(instance, OTHER, opened)
        async with home.serve() as server:
            await followed(home)
            scene = _Scene(server, lab, usual_template(384))
            await _measure_reception(scene, received, report)
            await _measure_list(scene, len(opened), report)
            await _measure_runs(scene, released, report)
            await _measure_release(scene, len(released), report)
    await homes.drop(home)


async def _prepare(muster: Instance) -> Laboratory:
    at = now()
    for code in (LAB, OTHER):
        await list_lab(
            muster.door, code=code, name=code, kind="fixed", capacity_per_hour=0, area=None,
            actor="bench", at=at,
        )  # fmt: skip
    await adopt_assay(muster.door, usual(), since=None, actor="bench", at=at)
    crew = Crew(muster)
    await crew.laboratory(OTHER)
    return await crew.laboratory(LAB)


async def _seal(muster: Instance, tubes: int, *, members: int) -> list[str]:
    """Seal so many tubes of people who live nowhere; their barcodes."""
    at = now() - timedelta(hours=1)
    barcodes = [f"BN{uuid7().hex[:20]}" for _ in range(tubes)]
    for some in parts(barcodes, SEALED_AT_ONCE):
        events = [
            Event(
                uuid7(), "TubeSealed", uuid7(), at, at, at, "bench",
                TubeSealed(
                    barcode=one, purpose="ad_hoc", capacity=members,
                    members=[Member(uuid7(), n + 1) for n in range(members)],
                ),
            )
            for one in some
        ]  # fmt: skip
        await muster.door.append(events)
    return barcodes


async def _take_in(muster: Instance, lab: str, barcodes: Sequence[str]) -> None:
    """Put tubes on a laboratory's open list."""
    at = now()
    for some in parts(barcodes, 500):
        reception = uuid7()
        await muster.door.append([
            Event(uuid7(), "BoxReceived", reception, at, at, at, "bench",
                  BoxReceived(code=reception.hex[-12:], lab=lab)),
            Event(uuid7(), "TubesReceived", reception, at, at, at, "bench",
                  TubesReceived(lab, [Scan(one) for one in some])),
        ])  # fmt: skip


async def _measure_reception(scene: _Scene, barcodes: list[str], report: Report) -> None:
    """Boxes of a hundred, scanned in at four stations: three tubes missing, two too many, one twice."""
    boxes = parts(barcodes, BOX)
    phone = scene.server.wire()
    at = now() - timedelta(minutes=30)
    missing, extra = [boxes[n][0] for n in range(3)], [boxes[n][1] for n in (4, 5)]
    for number, box in enumerate(boxes):
        packed = [one for one in box if one not in extra]
        body = {
            "code": f"BX{number}",
            "bound_for": LAB,
            "tubes": [{"barcode": one} for one in packed],
        }
        event = {"id": uuid7(), "type": "BoxPacked", "subject": uuid7(), "device_at": at,
                 "actor": "bench", "body": body}  # fmt: skip
        await phone.post("/v1/events", {"items": [{"event": event}]})
    await phone.close()
    scanned = [[one for one in box if one not in missing] for box in boxes]
    scanned[6] = [*scanned[6], scanned[6][5]]
    queue = iter(enumerate(scanned))

    async def station() -> None:
        wire = scene.wire()
        for number, box in queue:
            begun = await wire.post(f"/v1/labs/{LAB}/receptions", {"code": f"BX{number}"})
            path = f"/v1/receptions/{begun['reception']}"
            for some in parts(box, SCANS):
                await wire.post(f"{path}/scans", {"scans": [{"barcode": one} for one in some]})
            await wire.post(f"{path}/emptied", {})
        await wire.close()

    started = time.perf_counter()
    await asyncio.gather(*(station() for _ in range(STATIONS)))
    seconds = time.perf_counter() - started
    wire = scene.wire()
    found = await wire.get("/v1/discrepancies", lab=LAB, case_state="open", limit=1000)
    await wire.close()
    kinds = sorted(one["kind"] for one in found["items"])
    if kinds != ["duplicate", "extra", "extra", "missing", "missing", "missing"]:
        raise MeasurementFailed(what="the reception", reason=f"found {kinds}")
    report.add(
        Figure(
            "lab_reception_s", seconds, "s", "laboratory",
            most=RECEPTION_S * len(barcodes) / 10_000,
            reference=f"{len(barcodes):,} tubes, {STATIONS} stations; all six faults found",
        )
    )  # fmt: skip


async def _measure_list(scene: _Scene, waiting: int, report: Report) -> None:
    """Pages of a hundred of the open list, one after the other, with so many tubes on it."""
    async with open_instance(scene.server.home.settings) as instance:
        operator = (await Crew(instance).laboratory(OTHER)).operator
    wire = Wire(HOST, scene.server.port, operator.token)
    latencies, after = [], None
    for _ in range(ASKED):
        started = time.perf_counter()
        page = await wire.get(
            f"/v1/labs/{OTHER}/samples", limit=100, **({"after": after} if after else {})
        )
        latencies.append((time.perf_counter() - started) * 1000)
        after = page["next"]
    await wire.close()
    report.add(
        Figure(
            "lab_open_list_p99_ms", percentile(latencies, 0.99), "ms", "laboratory", most=LIST_MS,
            reference=f"{waiting:,} tubes on it, median {percentile(latencies, 0.5):.1f} ms",
        )
    )  # fmt: skip


async def _measure_runs(scene: _Scene, barcodes: list[str], report: Report) -> None:
    """Every tube onto plates of 384 and measured: the time of a file, uploaded, called and stored."""
    wire, took = scene.wire(1), list[float]()
    for number, tubes in enumerate(parts(barcodes, PLATE)):
        plate = f"BP{number}"
        await wire.post(
            f"/v1/labs/{LAB}/plates",
            {"code": plate, "assay": ASSAY, "template": scene.layout.code, "tubes": tubes},
        )
        content = _run_file(scene.layout, plate, tubes)
        started = time.perf_counter()
        taken = await wire.post(f"/v1/labs/{LAB}/files?name={plate}.csv", content)
        took.append((time.perf_counter() - started) * 1000)
        if taken["problem"]:
            raise MeasurementFailed(what="a run file", reason=taken["problem"])
    await wire.close()
    report.add(
        Figure(
            "lab_run_file_ms", percentile(took, 0.5), "ms", "laboratory", most=RUN_MS,
            reference=f"{len(took)} files of 384 wells and three targets, slowest {max(took):.0f} ms",
        )
    )  # fmt: skip


def _run_file(layout: Template, plate: str, tubes: Sequence[str]) -> bytes:
    lines = ["板号,孔位,样本编号,样本类型,靶标,Ct值"]
    for well, one in zip(free(layout), tubes, strict=False):
        lines += [f"{plate},{well},{one},样本,{target},{ct}"
                  for target, ct in (("ORF1ab", "NoCt"), ("N", "NoCt"), ("内标", "26.71"))]  # fmt: skip
    for well, role in layout.controls.items():
        hit = role == "positive_control"
        name, ct = ("阳性对照", "27.40") if hit else ("阴性对照", "NoCt")
        lines += [f"{plate},{well},{name},{name},{target},{value}"
                  for target, value in (("ORF1ab", ct), ("N", ct), ("内标", "26.00"))]  # fmt: skip
    return "\n".join(lines).encode("gb18030")


async def _measure_release(scene: _Scene, tubes: int, report: Report) -> None:
    """One signature for every negative, while phones send small uploads at a fixed rate."""
    over = asyncio.Event()
    phones = asyncio.create_task(
        trickle(
            scene.server, _small_uploads(scene.server), per_second=UPLOADS_PER_SECOND,
            check=all_stored, until=over,
        )
    )  # fmt: skip
    wire = scene.wire(2)
    started = time.perf_counter()
    signed = await wire.post(f"/v1/labs/{LAB}/release", {})
    seconds = time.perf_counter() - started
    over.set()
    measured = await phones
    await wire.close()
    if signed["released"] != tubes:
        raise MeasurementFailed(what="the release", reason=f"released {signed['released']}")
    report.add(
        Figure(
            "lab_release_s", seconds, "s", "laboratory", most=RELEASE_S * tubes / 20_000,
            reference=f"{tubes:,} negative tubes of {MEMBERS} people",
        ),
        Figure(
            "lab_release_door_p99_ms", measured.p99_ms, "ms", "laboratory", most=DOOR_MS,
            reference=f"{len(measured.latencies_ms)} uploads meanwhile, "
            f"median {measured.median_ms:.0f} ms",
        ),
    )  # fmt: skip


def _small_uploads(server: Server) -> Iterator[bytes]:
    wire = server.wire()
    while True:
        at = now()
        event: dict[str, Any] = {
            "id": uuid7(), "type": "TubeSealed", "subject": uuid7(), "device_at": at,
            "actor": "bench",
            "body": {
                "barcode": f"PH{uuid7().hex[:20]}", "purpose": "ad_hoc", "capacity": MEMBERS,
                "members": [{"person": uuid7(), "position": n + 1} for n in range(MEMBERS)],
            },
        }  # fmt: skip
        yield wire.request("POST", "/v1/events", msgspec.json.encode({"items": [{"event": event}]}))
