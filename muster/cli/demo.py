"""The demonstration: a district from generated files to "who is still missing", by no back door.
Files go through the ordinary importer, devices and questions through HTTP.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.live import Live

from muster.cli.importing import GENERATED, example_areas, find_duplicates, run_import
from muster.cli.looking import FUNNEL, funnel_rows
from muster.cli.output import Out
from muster.core.clock import now
from muster.core.problems import Problem
from muster.exercise.city import generate
from muster.exercise.crew import Crew
from muster.exercise.device import Device, Tube
from muster.exercise.laboratory import Carried, Laboratory, carry_and_test, tubes_of
from muster.exercise.play import Played, Round, play_round, retest
from muster.exercise.wire import Wire
from muster.instance import Instance
from muster.lab.engine.assay import usual

ROOT = "370602"
LIVE = ("name", "expected", "sampled", "share", "pending", "resulted", "recall_open", "missing")
T = TypeVar("T")


class DemoWouldMix(Problem):
    """This database already holds other areas ({areas}). The demonstration runs on a database of its
    own: set MUSTER_HOME to a new folder."""

    zh = "数据库中已有其他区域（{areas}）。请将 MUSTER_HOME 设为新文件夹后再运行演示。"
    status = 409


async def run_demo(
    out: Out, muster: Instance, folder: Path, *, address: str, people: int, seed: int
) -> Any:
    """Everything `muster demo` does, on an open and serving Muster; the document it prints."""
    host, _, text = address.removeprefix("http://").rpartition(":")
    port = int(text)
    crew = Crew(muster)
    wire = Wire(host, port, await crew.desk())
    roots = (await wire.get("/v1/areas"))["items"]
    if others := [one["name"] for one in roots if one["code"] != ROOT]:
        raise DemoWouldMix(areas=", ".join(others))
    with out.progress("zhifu") as bar:
        generate(
            example_areas(), folder, people=people, seed=seed,
            on_progress=lambda done, total: bar(done, total, done),
        )  # fmt: skip
    for kind in GENERATED:
        await run_import(out, muster, kind, folder / f"{kind}.csv")
    duplicates = await find_duplicates(out, muster)

    round = await _open_round(wire)
    await _followed(wire, round)  # whom a phone is to ask for is listed only then
    played = await _sample(out, wire, round, crew, seed=seed)
    out.say(
        f"{len(played.tubes):,} tubes in {played.uploads:,} uploads, {played.repeated} of them "
        f"repeated, {played.late} late, all out of order",
        f"{len(played.tubes):,} 管，{played.uploads:,} 次上传，其中重复 {played.repeated} 次、"
        f"迟到 {played.late} 次，全部乱序",
    )
    labs = await _laboratories(wire, crew)
    squad = await crew.phone(ROOT, None, name="squad")
    by = _Carriers(wire, squad, await crew.courier(), labs, seed)
    carried = await _watched(out, wire, round, by.carry(tubes_of(played.tubes), played.positive))
    out.say(
        f"{carried.boxes:,} boxes and {carried.plates:,} plates in {len(labs)} laboratories; "
        f"{carried.proposed} results signed by two people",
        f"{carried.boxes:,} 箱，{len(labs)} 个实验室共 {carried.plates:,} 块板；双人复核 {carried.proposed} 份",
    )
    retested, singles, confirmed = await retest(host, port, round, squad, at=now())
    if singles:
        await by.carry(singles, confirmed, tour="retest")
    return await _conclude(out, wire, round, played, retested=retested, duplicates=duplicates)


@dataclass(frozen=True)
class _Carriers:
    """Who carries and tests the tubes of the demonstration."""

    wire: Wire
    packer: Device
    courier: Device
    labs: list[Laboratory]
    seed: int

    async def carry(
        self, tubes: list[Tube], positive: Sequence[str], tour: str = "round"
    ) -> Carried:
        site = (await self.wire.get("/v1/sites", limit=1))["items"][0]["site"]
        return await carry_and_test(
            self.wire.host, self.wire.port, tubes, packer=self.packer, courier=self.courier,
            labs=self.labs, positive=frozenset(positive), seed=self.seed, tour=tour, site=site,
        )  # fmt: skip


async def _laboratories(wire: Wire, crew: Crew) -> list[Laboratory]:
    """Two laboratories, and the rules by which they call."""
    for code, name, capacity in (
        ("CDC", "芝罘区疾控中心", 3_000),
        ("VAN-1", "移动检测车1号", 1_000),
    ):
        await wire.post("/v1/labs", {
            "code": code, "name": name, "capacity_per_hour": capacity,
            "kind": "fixed" if code == "CDC" else "mobile",
        })  # fmt: skip
    if not (await wire.get("/v1/assays"))["editions"]:
        await wire.post("/v1/assays", {"assay": usual()})
    return [await crew.laboratory(code) for code in ("CDC", "VAN-1")]


async def _open_round(wire: Wire) -> Round:
    number = len(await wire.get("/v1/rounds")) + 1
    starts_at = now() - timedelta(hours=6)
    ends_at = starts_at + timedelta(hours=12)
    opened = await wire.post(
        "/v1/rounds",
        {"name": f"第{number}轮", "areas": [ROOT], "starts_at": starts_at, "ends_at": ends_at},
    )  # fmt: skip
    return Round(opened["round"], starts_at, ends_at)


async def _sample(out: Out, wire: Wire, round: Round, crew: Crew, *, seed: int) -> Played:
    communities = []
    for street in (await wire.get("/v1/areas", parent=ROOT))["items"]:
        below = await wire.get("/v1/areas", parent=street["code"], limit=1000)
        communities += [one["code"] for one in below["items"]]
    playing = play_round(wire, round, communities, enlist=crew.phone, seed=seed)
    watching = Wire(wire.host, wire.port, wire.token)  # a connection serves one task at a time
    played = await _watched(out, watching, round, playing)
    await watching.close()
    return played


async def _watched(out: Out, wire: Wire, round: Round, work: Awaitable[T]) -> T:
    """Do the work while a table by street follows it, on a screen that can show one."""
    task = asyncio.ensure_future(work)
    if not out.json and out.screen.is_terminal:
        with Live(console=out.screen, transient=True, refresh_per_second=4) as live:
            while not task.done():
                found = await _funnel(wire, round)
                live.update(out.grid(funnel_rows(found), LIVE))
                await asyncio.wait([task], timeout=0.5)
    return await task


async def _funnel(wire: Wire, round: Round) -> dict[str, Any]:
    return await wire.get(f"/v1/rounds/{round.id}/funnel", area=ROOT)


async def _followed(wire: Wire, round: Round) -> dict[str, Any]:
    """The funnel, once the followers have come to the end of what is stored."""
    found = await _funnel(wire, round)
    while found["as_of"] is None or found["as_of"]["behind_events"]:
        await asyncio.sleep(0.2)
        found = await _funnel(wire, round)
    return found


async def _conclude(
    out: Out, wire: Wire, round: Round, played: Played, *, retested: int, duplicates: int
) -> Any:
    """Show what a command post would ask."""
    found = await _followed(wire, round)
    out.table(funnel_rows(found), FUNNEL, "funnel")
    recalls = (await wire.get("/v1/recalls", limit=1000))["items"]
    out.table(
        recalls[:12], ("barcode", "name", "building_name", "room", "state", "answer"), "recalls"
    )
    out.say(f"{len(recalls)} recalls in all", f"共 {len(recalls)} 人召回")
    alarms = await wire.get("/v1/alarms")
    out.table(alarms, ("rank", "alarm", "count"), "alarms")
    street = max(found["areas"], key=lambda one: one["missing"])
    communities = (
        await wire.get(f"/v1/rounds/{round.id}/funnel", area=street["code"], level="community")
    )["areas"]
    worst = max(communities, key=lambda one: one["missing"])
    missing = (await wire.get(f"/v1/rounds/{round.id}/missing", area=worst["code"], limit=1000))[
        "items"
    ]
    out.table(missing[:12], ("building_name", "room", "name", "birth_year", "state"), "missing")
    out.say(
        f"{worst['name']}: {len(missing)} people are still missing",
        f"{worst['name']}：还有 {len(missing)} 人未检",
    )
    await wire.close()
    _next(out, worst["code"], recalls)
    return {
        "round": round.id, "tubes": len(played.tubes), "items": played.items,
        "uploads": played.uploads, "repeated": played.repeated, "late": played.late,
        "planted": len(played.positive), "retested": retested, "duplicates": duplicates,
        "total": found["total"], "streets": found["areas"], "recalls": len(recalls),
        "alarms": alarms, "missing_community": worst["name"], "missing": len(missing),
    }  # fmt: skip


def _next(out: Out, community: str, recalls: list[dict[str, Any]]) -> None:
    tube = recalls[0]["barcode"] if recalls else "BARCODE"
    commands = (
        f"muster missing --area {community} -o missing.xlsx", f"muster tube {tube}",
        "muster anomalies", "muster round close --allow-open", "muster verify", "muster serve",
    )  # fmt: skip
    out.say("Try next:", "接下来可以试试：")
    for one in commands:
        out.say(f"  .venv/bin/{one}", f"  .venv/bin/{one}")
