"""Measures the field client in real Chromium, as it is built, over HTTP from a Muster of its own with 20,000
residents in one site's slice: what is fetched, the start, searching, sealing, scanning, sending, memory. `make phone`
runs it; it takes some minutes and leaves nothing behind.

Each figure stands beside its goal. The phone's network runs through a line (phone_line.py) that counts bytes and can
cut; times of acts end with the painted frame (phone_in_hand.py).
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from build_console import FIELD
from camera_frames import frames
from phone_in_hand import AWAY, FREE, PASSWORD, SLOW, Phone, phone_at
from phone_line import Line, line_to
from queued_tubes import build_engine, fill
from rich.console import Console

from muster.access import devices, passwords
from muster.access.decide import Grant
from muster.access.devices import Where
from muster.cli.grid import grid, plain
from muster.core.clock import now
from muster.desk.decide import list_site
from muster.exercise.bench import BUSY_PERCENT
from muster.exercise.bench.figures import Figure, percentile
from muster.exercise.bench.homes import Home, Homes, MeasurementFailed
from muster.exercise.bench.machine import busy_share, describe_machine
from muster.exercise.bench.tubes import ROOT, open_round
from muster.exercise.crew import Crew
from muster.instance import open_instance
from muster.registry import queries as registry
from muster.registry.engine import personal_code
from muster.sampling.events import SiteListed

PEOPLE, TUBE = 20_000, 10
SHIFT_HOURS, TUBES_AN_HOUR = 12, 10
QUEUED = 5_000
STARTS, ASKED, FRAMES = 5, 25, 41
SLOWER = 4  # than this machine: a cheap phone's processor
LOGIN, DEVICE = "nurse", "PH-1"
KB, MB = 1_000, 1_000_000
TABLE_WIDTH = 120  # where it goes into a file
COLUMNS = ("name", "value", "unit", "goal", "ok", "reference")

# Frames go the way of CameraScan.vue: drawn to 960 pixels, handed to the worker, which says what it read.
SCAN = """
async ([worker, frames]) => {
  const reader = new Worker(worker, { type: "module" })
  const canvas = document.createElement("canvas")
  const drawing = canvas.getContext("2d", { willReadFrequently: true })
  const found = []
  for (const [kind, packed] of frames) {
    const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0))
    const frame = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }))
    const began = performance.now()
    const scale = 960 / Math.max(frame.width, frame.height)
    canvas.width = frame.width * scale
    canvas.height = frame.height * scale
    drawing.drawImage(frame, 0, 0, canvas.width, canvas.height)
    const picture = drawing.getImageData(0, 0, canvas.width, canvas.height)
    const said = await new Promise((done) => {
      reader.onmessage = (event) => done(event.data.text)
      reader.postMessage({ picture }, [picture.data.buffer])
    })
    found.push([kind, said, performance.now() - began])
  }
  reader.terminate()
  return found
}
"""
SEALS = """
SELECT id::text, device_seq FROM ledger.event WHERE type = 'TubeSealed' AND device = %s ORDER BY device_seq
"""


@dataclass
class Scene:
    """Who measures what, where."""

    phone: Phone
    line: Line
    homes: Homes
    home: Home
    round: str
    site: str
    code: str  # of the enrolment
    people: list[dict[str, Any]] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    stored: int = 0

    def add(
        self, name: str, value: float, unit: str, most: float | None = None, reference: str = ""
    ) -> None:
        row = Figure(name, value, unit, most=most, reference=reference or None).row()
        self.rows.append(row)
        sys.stderr.write(f"{name} {row['value']} {unit}\n")

    def add_times(self, name: str, times: Sequence[float], most: float | None = None) -> None:
        """Of many, the time that 95 in a hundred do not exceed."""
        said = f"p95 of {len(times)}; median {percentile(times, 0.5):.0f}, worst {max(times):.0f}"
        self.add(name, percentile(times, 0.95), "ms", most, said)


async def measure_install(scene: Scene) -> None:
    """All that an enrolled phone has fetched before its first work: the application, then its slice."""
    phone, came = scene.phone, scene.line.came
    await phone.page.goto(f"{phone.address}/field/")
    await phone.until("() => !!navigator.serviceWorker.controller", wait_s=60)
    await _quiet(scene.line)
    app, files = sum(came.values()), len(came)
    scene.add("field_install_kb", app / KB, "kB", 500, f"{files} files, their heads with them")
    await phone.fresh()
    async with phone.page.expect_response(lambda one: "/v1/slice" in one.url) as answered:
        await phone.enrol(scene.code, LOGIN)
    slice = await (await answered.value).json()
    scene.people = [
        dict(zip(slice["people"]["columns"], row, strict=True)) for row in slice["people"]["rows"]
    ]
    scene.areas = [area[3] for area in slice["areas"]]
    if not PEOPLE * 0.9 < len(scene.people) < PEOPLE * 1.1:
        raise MeasurementFailed(what="the slice", reason=f"holds {len(scene.people)} people")
    scene.add("field_slice_mb", came["/v1/slice"] / MB, "MB", 3, f"{len(scene.people)} people")


async def measure_scanner(scene: Scene) -> None:
    """The camera's frames, from the picture to what was read in it."""
    page = scene.phone.page
    (worker,) = FIELD.glob("assets/reader.worker-*.js")
    code = personal_code.PREFIX + personal_code.code_of(UUID(scene.people[0]["id"]))
    texts = {"QR": code, "DataMatrix": code, "Code128": "T0000001234", "empty": None}
    shown = [list(one) for one in frames(texts, each=FRAMES, seed=1)]
    found = await page.evaluate(SCAN, [f"/field/assets/{worker.name}", shown])
    for kind, text in texts.items():
        # The first of each kind waits for the program to be read and made fast.
        mine = [one for one in found if one[0] == kind][1:]
        right = sum(said == text for _, said, _ in mine)
        if right < len(mine) * 0.9:
            raise MeasurementFailed(
                what="the scanner", reason=f"reads {right} of {len(mine)} {kind}"
            )
        scene.add_times(f"field_scan_{kind.lower()}_ms", [one[2] for one in mine], 100)
    scanner = sum(size for path, size in scene.line.came.items() if path.endswith(".wasm"))
    scene.add("field_scanner_kb", scanner / KB, "kB", 450, "fetched once")


async def measure_search(scene: Scene) -> None:
    """At the table, from the last key to the painted list."""
    phone, chance = scene.phone, Random(2)  # noqa: S311  (the same people each time)
    await _to_table(phone)
    some = chance.sample([one for one in scene.people if one["phone_tail"]], ASKED)
    asked = {
        "name": [one["name"] for one in some], "initials": [one["initials"] for one in some],
        "phone": [one["phone_tail"] for one in some],
        "building": [scene.areas[one["building"]] for one in some],
        "first": [one["name"][0] for one in some],
    }  # fmt: skip
    scene.add(
        "field_first_search_ms", await phone.write("王", ".found li"), "ms", None, "with its index"
    )
    for kind, words in asked.items():
        times = []
        for word in words:
            await phone.write("", ".places")
            times.append(await phone.write(word, ".found li"))
        scene.add_times(f"field_search_{kind}_ms", times, 50)
    await phone.write("", ".places")


async def measure_shift(scene: Scene) -> None:
    """Twelve hours of ten tubes, every other hour without a network; each hour begins with a look at the home page
    and what is new there."""
    phone, people = scene.phone, iter(scene.people)
    await phone.page.reload()
    await phone.unlock()
    before = await phone.heap_bytes()
    swabs, seals = list[float](), list[float]()
    for hour in range(SHIFT_HOURS):
        await phone.network(AWAY if hour % 2 else FREE)
        await phone.home()
        await phone.tap("main .small", "nav.tiles")
        await _to_table(phone)
        for tube in range(TUBES_AN_HOUR):
            label = f"T1{hour:03}{tube:03}"
            await phone.scan(label, ".tube-head .code", label)
            for n in range(TUBE):
                code = personal_code.code_of(UUID(next(people)["id"]))
                swabs.append(await phone.scan(f"P:{code}", ".count b", str(n + 1)))
            seals.append(await phone.tap(".thumb button:last-child", ".good-note", label))
    await phone.network(FREE)
    scene.stored = SHIFT_HOURS * TUBES_AN_HOUR
    await phone.counted(wait_s=60, saved=0, sent=0, stored=scene.stored)
    await phone.home()
    grown = await phone.heap_bytes() - before
    scene.add_times("field_seal_ms", seals, 50)
    scene.add_times("field_swab_ms", swabs)
    scene.add("field_shift_mb", grown / MB, "MB", 20, f"before it {before / MB:.0f} MB")


async def measure_start(scene: Scene) -> None:
    """Without a network, on a slow processor: a new page until the PIN can be entered, and from its OK to work."""
    starts, unlocks = list[float](), list[float]()
    scene.line.away = True
    for _ in range(STARTS):
        await scene.phone.tools.send("ServiceWorker.enable")
        await scene.phone.tools.send("ServiceWorker.stopAllWorkers")
        await scene.phone.fresh()
        await scene.phone.network(AWAY)
        await scene.phone.slowed(SLOWER)
        starts.append(await scene.phone.opened())
        unlocks.append(await scene.phone.unlock())
    scene.line.away = False
    scene.add_times("field_cold_start_ms", starts, 1_500)
    scene.add_times("field_unlock_ms", unlocks)


async def measure_sync(scene: Scene, *, cut: bool) -> None:
    """From the network's return to the last receipt."""
    phone, line = scene.phone, scene.line
    sealed = await _queue(scene, "C" if cut else "B")
    await phone.fresh()
    await phone.network(AWAY)
    await phone.opened()
    await phone.unlock()
    await phone.waiting(QUEUED, wait_s=60)
    await _quiet(line)
    went, came = line.went["/v1/events"], line.came["/v1/events"]
    if cut:
        line.cut_from_now_on(seed=3)
    clock = asyncio.get_running_loop().time
    began = clock()
    await phone.network(SLOW)
    scene.stored += QUEUED
    await phone.counted(wait_s=300, saved=0, sent=0, stored=scene.stored, held=0)
    took = clock() - began
    line.cut_no_more()
    await phone.network(FREE)
    went, came = line.went["/v1/events"] - went, line.came["/v1/events"] - came
    said = f"{went / KB:.0f} kB up, {came / KB:.0f} kB down"
    if cut:
        scene.add("field_sync_cut_s", took, "s", 60, f"{said}; {line.cuts} connections cut")
    else:
        scene.add("field_sync_s", took, "s", 20, said)
    await _check_ledger(scene, sealed)


async def _queue(scene: Scene, letter: str) -> set[str]:
    """Tubes wait to be sent, more than a phone fills in a month; the ids of their seals."""
    engine = scene.homes.folder / "engine"
    if not engine.exists():
        await build_engine(engine)
    facts = {
        "capacity": TUBE, "purpose": "round", "household": False, "round": scene.round,
        "site": scene.site, "lane": 1,
    }  # fmt: skip
    people = [one["id"] for one in scene.people]
    sender = {"actor": LOGIN, "device": DEVICE}
    return await fill(scene.phone, engine, people, facts, sender, tubes=QUEUED, letter=letter)


async def _check_ledger(scene: Scene, sealed: set[str]) -> None:
    """Nothing is lost, nothing doubled. Raises MeasurementFailed."""
    async with scene.home.database() as url, await psycopg.AsyncConnection.connect(url) as conn:
        rows = await (await conn.execute(SEALS, [DEVICE])).fetchall()
    found, numbers = [row[0] for row in rows], [row[1] for row in rows]
    if len(sealed) != QUEUED or not sealed <= set(found):
        raise MeasurementFailed(what="sending", reason=f"{len(sealed - set(found))} seals are lost")
    if len(found) != scene.stored or numbers != list(range(1, scene.stored + 1)):
        raise MeasurementFailed(what="sending", reason=f"{len(found)} seals of {scene.stored}")


async def _to_table(phone: Phone) -> None:
    await phone.home()
    await phone.tap("a.tile[href$='/tube']", ".tube-head")


async def _quiet(line: Line) -> None:
    """Nothing has come over the line for a second."""
    before = -1
    while before != (before := line.came.total()):
        await asyncio.sleep(1)


async def _staff(home: Home) -> tuple[str, str]:
    """A site for the whole district, a sampler, her phone; the site's id and the phone's enrolment code."""
    async with open_instance(home.settings) as muster, muster.pool.connection() as conn:
        area = (await registry.area(conn, ROOT))["area"]
        listed = SiteListed(code="X1", name="东门", area=area, lanes=1)
        site = await list_site(muster.door, listed, site=None, actor="measuring", at=now())
        nurse = await Crew(muster).staff(LOGIN, Grant("sampler", site=site), name="李护士")
        await passwords.set_password(conn, nurse, PASSWORD, at=now())
        _, code = await devices.enrol(
            conn, muster.door, code=DEVICE, kind="phone", where=Where(site=site), by="measuring",
            at=now(),
        )  # fmt: skip
    return str(site), code


async def measure(homes: Homes) -> list[dict[str, Any]]:
    home, files = homes.fresh("phone"), await homes.files(PEOPLE)
    async with home.database():
        await homes.areas(home, files)
        await home.run("import", "residents", files / "residents.csv")
        site, code = await _staff(home)
        async with home.serve() as server:
            round = await open_round(server, "phone")
            profile = homes.folder / "profile"
            async with line_to(server.port) as (line, address), phone_at(address, profile) as phone:
                scene = Scene(phone, line, homes, home, round, site, code)
                await measure_install(scene)
                await measure_scanner(scene)
                await measure_search(scene)
                await measure_shift(scene)
                await measure_start(scene)
                await measure_sync(scene, cut=False)
                await measure_sync(scene, cut=True)
                return scene.rows


async def main() -> None:
    machine = [
        Figure("machine", describe_machine()).row(),
        Figure("machine_busy_percent", 100 * await busy_share(), "%", most=BUSY_PERCENT).row(),
    ]
    async with Homes() as homes:
        rows = machine + await measure(homes)
    cells = [[plain(row[name], "UTC", None) for name in COLUMNS] for row in rows]
    screen = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
    screen.print(grid(cells, list(COLUMNS), title="", width=screen.width))
    if any(row["ok"] is False for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main())
