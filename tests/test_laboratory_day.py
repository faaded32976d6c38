"""A day across two laboratories, played by its people's devices through HTTP: from sealed tubes through
boxes, reception with faults, plates, real-format run files, calls, release and recall to closed
re-tests, until every number agrees.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import derived
from muster.exercise.crew import Crew
from muster.exercise.device import Device
from muster.exercise.laboratory import Laboratory
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.lab.engine.assay import usual
from tests.conftest import Play
from tests.run_files import cfx_csv, chinese_csv, quantstudio_text
from tests.senders import client, command_post, visit
from tests.table import events, named

PEOPLE = [f"p{n}" for n in range(1, 41)]
TOWN = """
    00:01  AreaListed  S1  level=street
    00:01  AreaListed  G1  level=grid parent=S1
    00:01  AreaListed  H1  parent=G1
    00:01  AreaListed  H2  parent=G1
    00:01  SiteListed  X1  area=G1
"""


@dataclass
class Day:
    """Who is at work, and what they send."""

    muster: Instance
    address: str
    phone: Device
    courier: Device
    labs: dict[str, Laboratory]
    desk: httpx.AsyncClient

    def as_(self, device: Device) -> httpx.AsyncClient:
        return client(self.address, device.token)

    async def send(self, device: Device, *items: dict[str, Any]) -> None:
        async with self.as_(device) as http:
            answer = await http.post(
                "/v1/events", json={"device": device.name, "items": list(items)}
            )
        assert [one["answer"] for one in answer.json()["answers"]] == ["stored"] * len(items)

    async def ask(self, device: Device, path: str, **query: Any) -> Any:
        async with self.as_(device) as http:
            answer = await http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def do(self, device: Device, path: str, body: Any = None, *, status: int = 200) -> Any:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body or {})
        async with self.as_(device) as http:
            answer = await http.post(
                path, content=content, headers={"content-type": "application/json"}
            )
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def seal(self, barcode: str, people: list[str], at: timedelta, **more: Any) -> UUID:
        tube = derived("day", barcode)
        members = [{"person": str(named(p)), "position": n} for n, p in enumerate(people, 1)]
        body = {"barcode": barcode, "purpose": "round", "capacity": 10, "members": members,
                "round": str(named("R1")), "site": str(named("X1")), **more}  # fmt: skip
        await self.send(self.phone, self.phone.event("TubeSealed", tube, now() - at, body))
        return tube

    async def pack(
        self, code: str, barcodes: list[str], lab: str, at: timedelta, bags: int = 0
    ) -> None:
        """A box packed, perhaps in bags, and handed to the courier, who hands it to the laboratory."""
        box, site = derived("day", code), {"site": str(named("X1"))}
        share = -(-len(barcodes) // bags) if bags else 0
        packed = []
        for n in range(bags):
            bag = derived("day", code, str(n))
            tubes = [{"barcode": one} for one in barcodes[n * share : (n + 1) * share]]
            packed.append(self.phone.event("BoxPacked", bag, now() - at, {
                "code": f"{code}-{n}", "kind": "bag", "tubes": tubes, **site}))  # fmt: skip
        inside = (
            {"bags": [str(derived("day", code, str(n))) for n in range(bags)]}
            if bags
            else {"tubes": [{"barcode": one} for one in barcodes]}
        )
        said = {"seal": f"S-{code}", "count": len(barcodes)}
        car = {"vehicle": "LU-F1"}
        given = {"side": "gives", "giver": site, "taker": car, **said}
        await self.send(
            self.phone, *packed,
            self.phone.event("BoxPacked", box, now() - at,
                             {"code": code, "bound_for": lab, **inside, **said, **site}),
            self.phone.event("BoxHandedOver", box, now() - at, given),
        )  # fmt: skip
        await self.send(
            self.courier,
            self.courier.event("BoxHandedOver", box, now() - at, {**given, "side": "takes"}),
            self.courier.event(
                "BoxHandedOver", box, now() - at / 2,
                {"side": "gives", "giver": car, "taker": {"lab": lab}, **said},
            ),
        )  # fmt: skip

    async def receive(self, lab: str, code: str, scans: list[Any], *, end: bool = True) -> Any:
        """The verdicts on the scans of a box, and what is left of it."""
        at = self.labs[lab].receiver
        begun = await self.do(
            at, f"/v1/labs/{lab}/receptions",
            {"code": f" {code} ", "seal": f"S-{code}", "temperature_decidegrees": 51,
             "giver": {"vehicle": "LU-F1"}}, status=201,
        )  # fmt: skip
        path = f"/v1/receptions/{begun['reception']}"
        said = [one if isinstance(one, dict) else {"barcode": one} for one in scans]
        verdicts = [one["verdict"] for one in await self.do(at, f"{path}/scans", {"scans": said})]
        left = (await self.do(at, f"{path}/emptied"))["left"] if end else None
        return verdicts, left

    async def load(self, lab: str, plate: str, **body: Any) -> Any:
        body = {"code": plate, "assay": "sars-cov-2", **body}
        return await self.do(self.labs[lab].operator, f"/v1/labs/{lab}/plates", body, status=201)

    async def upload(self, lab: str, name: str, content: bytes, **query: str) -> Any:
        async with self.as_(self.labs[lab].operator) as http:
            answer = await http.post(
                f"/v1/labs/{lab}/files", params={"name": name, **query}, content=content
            )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def sign(self, lab: str, who: int, *barcodes: str) -> Any:
        body = {"barcodes": list(barcodes)} if barcodes else {}
        return await self.do(self.labs[lab].signers[who], f"/v1/labs/{lab}/release", body)

    async def waits(self, lab: str) -> dict[str, str]:
        found = await self.ask(self.labs[lab].operator, f"/v1/labs/{lab}/samples", limit=1000)
        return {one["barcode"]: one["next"] for one in found["items"]}

    async def cases(self, lab: str, state: str = "open") -> dict[str, str]:
        found = await self.ask(
            self.labs[lab].receiver, "/v1/discrepancies", lab=lab, case_state=state
        )
        return {f"{one['kind']} {one['barcode']}": one["discrepancy"] for one in found["items"]}

    async def resolve(self, lab: str, case: str, how: str) -> None:
        await self.do(
            self.labs[lab].receiver, f"/v1/discrepancies/{case}/resolve", {"how": how}, status=204
        )


async def follow(muster: Instance) -> None:
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)


async def begin(muster: Instance, address: str) -> Day:
    """The town, its forty people, a round, two laboratories and everybody at work."""
    residents = "\n".join(
        f"00:02  ResidentListed  {p}  building=H{1 + n % 2} room={100 + n // 4}"
        for n, p in enumerate(PEOPLE)
    )
    round_ = "00:03  RoundOpened  R1  areas=S1 starts_at=00:01 ends_at=9999/00:00"
    await muster.door.append(events(f"{TOWN}\n{residents}\n{round_}".replace("\n\n", "\n")))
    await follow(muster)  # whoever works in an area sees it once the tree is numbered
    crew = Crew(muster)
    street = named("S1")
    await crew.staff("sampler", Grant("sampler", site=named("X1")), Grant("squad", area=street),
                     Grant("area_lead", area=street))  # fmt: skip
    phone = Device("d-1", "sampler", await crew.device("d-1", holder="sampler"))
    desk = client(address, await command_post(muster))
    for code, kind in (("CITY", "fixed"), ("VAN", "mobile")):
        added = await desk.post("/v1/labs", json={"code": code, "name": code, "kind": kind})
        assert added.status_code == 201, added.text
    await desk.post("/v1/assays", json={"assay": msgspec.to_builtins(usual())})
    labs = {code: await crew.laboratory(code) for code in ("CITY", "VAN")}
    return Day(muster, address, phone, await crew.courier(), labs, desk)


def tube(n: int) -> str:
    return f"B{n:02}"


async def play_day(muster: Instance, http: httpx.AsyncClient) -> None:
    day = await begin(muster, str(http.base_url))
    hours = timedelta(hours=1)

    # Twenty tubes of two, in two boxes; one of them in bags.
    for n in range(20):
        await day.seal(tube(n + 1), PEOPLE[2 * n : 2 * n + 2], 3 * hours - n * timedelta(minutes=1))
    await day.pack("BOX1", [tube(n) for n in range(1, 11)], "CITY", 2 * hours)
    await day.pack("BOX2", [tube(n) for n in range(11, 21)], "VAN", 2 * hours, bags=2)

    # Reception with faults: B05 is not in the box; B11 of the other box is; B03 beeps twice.
    scans = ["B01", "Ｂ０２", " B03", "B03", "B04", "B06", {"barcode": "B07", "condition": "leaking"},
             "B08", "B09", "B10", "B11", "NOBODY"]  # fmt: skip
    verdicts, left = await day.receive("CITY", "BOX1", scans)
    assert verdicts == ["ok", "ok", "again", "again", "ok", "ok", "leaking", "ok", "ok", "ok",
                        "wrong_lab", "unknown"]  # fmt: skip
    assert left == ["B05"]
    cases = await day.cases("CITY")
    assert sorted(cases) == [
        "duplicate B03", "leaking B07", "missing B05", "unknown NOBODY", "wrong_lab B11"
    ]  # fmt: skip
    verdicts, left = await day.receive("VAN", "BOX2", [tube(n) for n in range(12, 21)])
    assert (set(verdicts), left) == ({"ok"}, ["B11"])
    assert await day.cases("VAN") == {}  # B11 is known to be elsewhere: it is not missing

    # B05 lay under the ice; B11 is sent on; the rest of the cases is settled by people.
    assert await day.receive("CITY", "BOX1", ["B05"], end=False) == (["ok"], None)
    assert "missing B05" not in await day.cases("CITY")
    assert (await day.receive("VAN", "BOX2", ["B11"], end=False))[0] == ["ok"]
    for case, how in (("duplicate B03", "accepted"), ("unknown NOBODY", "discarded"),
                      ("leaking B07", "resample"), ("wrong_lab B11", "sent_on")):  # fmt: skip
        await day.resolve("CITY", cases[case], how)
    assert await day.cases("CITY") == {}
    signer = day.labs["CITY"].signers[0]
    await day.do(signer, "/v1/labs/CITY/tubes/B07/reject", {"reason": "leaking"})
    await plates_and_release(day)


async def plates_and_release(day: Day) -> None:
    # Plates: one filled by itself; the other's file is there before the plate is.
    here = [tube(n) for n in (1, 2, 3, 4, 5, 6, 8, 9, 10)]
    await day.load("CITY", "PL-1", tubes=here)
    wells = dict(zip((f"{row}01" for row in "ABCDEFGH"), here, strict=False)) | {"A02": "B10"}
    readings = {well: f"{code} - - 27.10" for well, code in wells.items()}
    readings["B01"] = "B02 22.51 23.02 26.00"
    readings["C01"] = "B03 - - -"
    taken = await day.upload("CITY", "PL-1.txt", quantstudio_text("PL-1", readings))
    assert (taken["state"], taken["fresh"]) == ("imported", True)
    again = await day.upload("CITY", "again.txt", quantstudio_text("PL-1", readings))
    assert (again["state"], again["fresh"]) == ("imported", False)

    there = {f"{row}01": tube(n) for row, n in zip("ABCDEFGH", range(11, 19), strict=True)}
    there |= {"A02": "B19", "B02": "B20"}
    readings = {well: f"{code} - - 25.30" for well, code in there.items()}
    readings["C01"] = "B13 38.20 - 25.30"
    early = await day.upload("VAN", "PL-2.csv", chinese_csv("PL-2", readings))
    assert early["state"] == "waiting"
    assert "PL-2" in early["problem"]
    loaded = await day.load("VAN", "PL-2", wells=there)
    assert [one["state"] for one in loaded["files"]] == ["imported"]

    # What comes next for each tube; the bulk takes negatives only.
    waits = await day.waits("CITY")
    assert {code: what for code, what in waits.items() if what != "release"} == {
        "B02": "propose", "B03": "repeat"
    }  # fmt: skip
    assert (await day.sign("CITY", 0))["released"] == 7
    assert (await day.sign("VAN", 1))["released"] == 9
    assert await day.waits("VAN") == {"B13": "repeat"}

    # The grey one and the one without internal control are repeated from their tubes.
    await day.load("CITY", "PL-3", wells={"A01": "B03"}, repeats=["B03"])
    await day.upload("CITY", "PL-3.csv", cfx_csv({"A01": "B03 - - 26.40"}), plate="PL-3")
    await day.load("VAN", "PL-4", wells={"A01": "B13"}, repeats=["B13"])
    await day.upload("VAN", "PL-4.csv", chinese_csv("PL-4", {"A01": "B13 37.90 - 25.00"}))
    assert (await day.sign("CITY", 0))["released"] == 1
    assert await day.waits("VAN") == {"B13": "propose"}

    # Two people for each positive and indeterminate.
    assert (await day.sign("CITY", 0, "B02"))["waiting"] == ["B02"]
    refused = await day.do(
        day.labs["CITY"].signers[0], "/v1/labs/CITY/release", {"barcodes": ["B02"]}, status=409
    )
    assert refused["title"] == "needs second person"
    assert (await day.sign("CITY", 1, "B02"))["released"] == 1
    await day.sign("VAN", 0, "B13")
    await day.sign("VAN", 1, "B13")
    assert await day.waits("CITY") == {} == await day.waits("VAN")
    await recall_and_close(day)


async def recall_and_close(day: Day) -> None:
    # Four people are recalled at once, the squad and the community have their tasks.
    recalls = (await day.ask(day.phone, "/v1/recalls", recall_state="open"))["items"]
    assert {UUID(one["person"]) for one in recalls} == {
        named(p) for p in ("p3", "p4", "p25", "p26")
    }
    tasks = (await day.ask(day.phone, "/v1/tasks"))["items"]
    assert {(one["kind"], one["role"]) for one in tasks} >= {
        ("positive_tube", "squad"), ("positive_tube", "area_lead")
    }  # fmt: skip
    for one in tasks:
        await day.do(day.phone, f"/v1/tasks/{one['task']}/acknowledge", status=204)

    # Each is reached, swabbed again singly, carried, tested; one is confirmed.
    singles = {}
    for n, one in enumerate(recalls, 1):
        code = f"RT{n:02}"
        person = next(p for p in PEOPLE if str(named(p)) == one["person"])
        reached = {"person": one["person"], "recall": one["recall"], "how": "door"}
        await day.send(
            day.phone, day.phone.event("MemberReached", UUID(one["tube"]), now(), reached)
        )
        await day.seal(code, [person], timedelta(minutes=30), purpose="recall", capacity=1,
                       retest_of=one["tube"])  # fmt: skip
        singles[code] = person
    await day.pack("BOX3", list(singles), "CITY", timedelta(minutes=20))
    assert await day.receive("CITY", "BOX3", list(singles)) == (["ok"] * 4, [])
    confirmed = next(code for code, person in singles.items() if person == "p3")
    await day.load("CITY", "PL-5", tubes=list(singles))
    readings = {
        f"{row}01": f"{code} {'21.00 21.50' if code == confirmed else '- -'} 26.00"
        for row, code in zip("ABCD", singles, strict=True)
    }
    await day.upload("CITY", "PL-5.txt", quantstudio_text("PL-5", readings))
    assert (await day.sign("CITY", 1))["released"] == 3
    await day.sign("CITY", 1, confirmed)
    await day.sign("CITY", 0, confirmed)
    closed = (await day.ask(day.phone, "/v1/recalls", recall_state="closed"))["items"]
    assert sorted((one["person"] == str(named("p3")), one["answer"]) for one in closed) == [
        (False, "released"), (False, "released"), (False, "released"), (True, "confirmed")
    ]  # fmt: skip
    for one in (await day.ask(day.phone, "/v1/tasks"))["items"]:
        await day.do(day.phone, f"/v1/tasks/{one['task']}/done", {"outcome": "done"}, status=204)
    assert (await day.ask(day.phone, "/v1/tasks"))["items"] == []
    await everything_agrees(day)


async def everything_agrees(day: Day) -> None:
    """Received is released or rejected, in each laboratory; the round's funnel adds up; nothing of the
    laboratories' is an alarm."""
    for lab in ("CITY", "VAN"):
        found = await day.ask(day.labs[lab].operator, f"/v1/labs/{lab}/reconciliation")
        assert found["balanced"], found["differences"]
    assert await day.cases("CITY") == {} == await day.cases("VAN")
    await follow(day.muster)
    funnel = (await day.desk.get(f"/v1/rounds/{named('R1')}/funnel", params={"area": "S1"})).json()
    total = funnel["total"]
    assert {name: total[name] for name in ("expected", "sampled", "resulted", "invalid", "pending",
                                           "recalled", "recall_open")} == {
        "expected": 40, "sampled": 40, "resulted": 38, "invalid": 2, "pending": 0, "recalled": 4,
        "recall_open": 0,
    }  # fmt: skip
    alarms = {one["alarm"]: one["count"] for one in (await day.desk.get("/v1/alarms")).json()}
    assert not alarms.keys() & {
        "result_conflict", "result_unproven", "more_results_than_wells", "result_before_plate",
        "discrepancy_open", "run_file_waiting", "positive_without_members", "recall_overdue",
    }, alarms  # fmt: skip
    await day.desk.aclose()


def test_a_day_across_two_laboratories(play: Play):
    visit(play, play_day)
