"""Boxes, laboratories and couriers of an exercise: tubes are packed, carried, taken in, loaded on plates,
measured and signed for, each by somebody with a role and a device of their own, through HTTP only.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from muster.core.ids import derived
from muster.exercise.device import Device, Item, Tube
from muster.exercise.wire import Wire

BOX_TUBES, PLATE_TUBES = 50, 94
ASSAY = "sars-cov-2"
_CONTROLS = ("H11", "H12")
_WELLS = [
    well
    for column in range(1, 13)
    for well in (f"{row}{column:02}" for row in "ABCDEFGH")
    if well not in _CONTROLS
]
_HEAD = "孔位,样品名称,靶标,Ct值\n"


@dataclass
class Laboratory:
    """A laboratory with its people's devices: who takes in, who runs plates, two who sign."""

    code: str
    receiver: Device
    operator: Device
    signers: tuple[Device, Device]
    plates: int = 0
    runs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Carried:
    """What came of carrying and testing: boxes, plates, released and proposed results."""

    boxes: int
    plates: int
    released: int
    proposed: int


async def carry_and_test(
    host: str, port: int, tubes: Sequence[Tube], *, packer: Device, courier: Device,
    labs: Sequence[Laboratory], positive: frozenset[str], seed: int, tour: str, site: str,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Carried:  # fmt: skip
    """Everything between seal and result for these tubes; boxes go to the laboratories in turn."""
    random = Random(f"{seed} {tour}")
    ordered = sorted(tubes, key=lambda one: (one.sealed_at, one.tube))
    boxes = [ordered[at : at + BOX_TUBES] for at in range(0, len(ordered), BOX_TUBES)]
    shares: list[list[Tube]] = [[] for _ in labs]
    twice = _barcodes_twice(ordered)
    for number, box in enumerate(boxes):
        lab = number % len(labs)
        # Two tubes of one barcode cannot be told apart by a scan: they go to different places.
        box = [one for one in box if one.barcode not in twice or twice[one.barcode] == one.tube]
        await _carry(host, port, tour, number, box, packer, courier, labs[lab], site)
        shares[lab] += box
    rest = [one for one in ordered if one.barcode in twice and twice[one.barcode] != one.tube]
    if rest:
        held = next(n for n, share in enumerate(shares)
                    if not {one.barcode for one in rest} & {one.barcode for one in share})  # fmt: skip
        await _carry(host, port, tour, len(boxes), rest, packer, courier, labs[held], site)
        shares[held] += rest
    total, done = sum(-(-len(share) // PLATE_TUBES) for share in shares), 0

    async def work(lab: Laboratory, share: list[Tube]) -> tuple[int, int]:
        nonlocal done
        signed = (0, 0)
        for at in range(0, len(share), PLATE_TUBES):
            one = await _test(host, port, lab, share[at : at + PLATE_TUBES], positive, random)
            signed = (signed[0] + one[0], signed[1] + one[1])
            done += 1
            on_progress(done, total)
        return signed

    signed = await asyncio.gather(
        *(work(lab, share) for lab, share in zip(labs, shares, strict=True))
    )
    return Carried(
        len(boxes) + bool(rest), total, sum(one[0] for one in signed), sum(one[1] for one in signed)
    )


def _barcodes_twice(tubes: Sequence[Tube]) -> dict[str, str]:
    """Barcodes that several tubes bear, with the tube that was sealed first."""
    seen: dict[str, str] = {}
    twice = {}
    for one in tubes:
        if one.barcode in seen:
            twice[one.barcode] = seen[one.barcode]
        seen.setdefault(one.barcode, one.tube)
    return twice


async def _carry(
    host: str, port: int, tour: str, number: int, tubes: Sequence[Tube], packer: Device,
    courier: Device, lab: Laboratory, site: str,
) -> None:  # fmt: skip
    """One box: packed at the site, handed to the courier and to the laboratory, each scanned by both
    sides, and emptied there."""
    box, reception = derived("box", tour, number), derived("reception", tour, number)
    code = f"X{number:04d}"
    closed = max(one.sealed_at for one in tubes) + timedelta(minutes=5)
    vehicle, seal = {"vehicle": f"CAR-{number % 7}"}, f"S{box.int % 10**8:08d}"
    minutes = [closed + timedelta(minutes=m) for m in (5, 6, 45, 46, 50)]
    said = {"count": len(tubes), "seal": seal, "temperature_decidegrees": 45}
    from_site = {"giver": {"site": site}, "taker": vehicle}
    to_lab = {"giver": vehicle, "taker": {"lab": lab.code}}
    await _send(host, port, packer, [
        packer.event("BoxPacked", box, closed, {
            "code": code, "bound_for": lab.code, "count": len(tubes), "seal": seal,
            "tubes": [{"barcode": one.barcode, "tube": one.tube} for one in tubes],
        }),
        packer.event("BoxHandedOver", box, minutes[0], {"side": "gives", **from_site, **said}),
    ])  # fmt: skip
    await _send(host, port, courier, [
        courier.event("BoxHandedOver", box, minutes[1], {"side": "takes", **from_site, **said}),
        courier.event("BoxHandedOver", box, minutes[2], {"side": "gives", **to_lab, **said}),
    ])  # fmt: skip
    here = lab.receiver
    await _send(host, port, here, [
        here.event("BoxReceived", reception, minutes[3],
                   {"code": code, "lab": lab.code, "box": str(box), "giver": vehicle, **said}),
        here.event("TubesReceived", reception, minutes[4],
                   {"lab": lab.code, "scans": [{"barcode": one.barcode} for one in tubes]}),
        here.event("ReceptionEnded", reception, minutes[4] + timedelta(minutes=1),
                   {"lab": lab.code}),
    ])  # fmt: skip


async def _test(
    host: str, port: int, lab: Laboratory, tubes: Sequence[Tube], positive: frozenset[str],
    random: Random,
) -> tuple[int, int]:  # fmt: skip
    """One plate: loaded, measured, called; negatives signed by one, positives by two."""
    lab.plates += 1
    plate = f"{lab.code}-P{lab.plates:04d}"
    bench = Wire(host, port, lab.operator.token)
    await bench.post(
        f"/v1/labs/{lab.code}/plates",
        {"code": plate, "assay": ASSAY, "tubes": [one.barcode for one in tubes]},
    )
    content = _run_file(tubes, positive, random)
    taken = await bench.post(f"/v1/labs/{lab.code}/files?name={plate}.csv&plate={plate}", content)
    await bench.close()
    if taken["problem"]:
        raise RuntimeError(taken["problem"])
    lab.runs.append(taken["run"])
    first, second = (Wire(host, port, one.token) for one in lab.signers)
    path = f"/v1/labs/{lab.code}/release"
    signed = await first.post(path, {"run": taken["run"]})
    found = [one.barcode for one in tubes if one.tube in positive]
    if found:
        await first.post(path, {"barcodes": found})
        await second.post(path, {"barcodes": found})
    await first.close()
    await second.close()
    return signed["released"] + len(found), len(found)


def _run_file(tubes: Sequence[Tube], positive: frozenset[str], random: Random) -> bytes:
    """An instrument's export as common domestic machines write it: Ct of two genes and the internal
    control, no value where there is no curve."""
    lines = []
    for well, one in zip(_WELLS, tubes, strict=False):
        hit = one.tube in positive
        ct = random.uniform(22, 33)
        values = (f"{ct:.2f}", f"{ct + random.uniform(-1, 1):.2f}") if hit else ("NoCt", "NoCt")
        found = (*values, f"{random.uniform(24, 30):.2f}")
        lines += _rows(well, one.barcode, found)
    lines += _rows("H11", "阴性对照", ("NoCt", "NoCt", "26.10"))
    lines += _rows("H12", "阳性对照", ("27.31", "28.02", "25.87"))
    return (_HEAD + "".join(lines)).encode("gb18030")


def _rows(well: str, sample: str, values: Sequence[str]) -> list[str]:
    targets = ("ORF1ab", "N", "内标")
    return [f"{well},{sample},{name},{ct}\n" for name, ct in zip(targets, values, strict=True)]


async def _send(host: str, port: int, device: Device, items: list[Item]) -> None:
    wire = Wire(host, port, device.token)
    answer = await wire.post("/v1/events", {"device": device.name, "items": items})
    await wire.close()
    if held := [one for one in answer["answers"] if one["answer"] == "held"]:
        raise RuntimeError(f"held: {held[0]}")


def tubes_of(sealed: dict[str, tuple[str, datetime]]) -> list[Tube]:
    """The tubes of a played round."""
    return [Tube(str(UUID(tube)), barcode, at) for tube, (barcode, at) in sealed.items()]
