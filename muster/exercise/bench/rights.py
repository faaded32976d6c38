"""What rights cost: the door with the gate and its role beside the same door without; results asked
under row-level security, by an area's lead and by residents; signing in; a number looked up.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from muster.access.decide import Grant
from muster.access.engine.judge import Sender
from muster.access.passwords import set_password
from muster.access.queries import account_by_login
from muster.catalogue import CATALOGUE
from muster.config import DOOR_OPTIONS, DOOR_ROLE
from muster.core.clock import now
from muster.exercise.bench.figures import Figure, Report, percentile
from muster.exercise.bench.homes import HOST, Home, Homes, MeasurementFailed, Server
from muster.exercise.bench.load import not_empty, one_by_one, saturate
from muster.exercise.bench.tubes import ROOT, followed, item, listed, parts
from muster.exercise.crew import Crew
from muster.exercise.wire import Wire
from muster.instance import Instance, open_instance
from muster.intake.upload import Intake
from muster.ledger.door import Door
from muster.registry import queries as registry
from muster.sampling import decide as sampling

COST_PERCENT, RESULTS_PER_SECOND, SIGN_IN_MS, NUMBER_MS = 15, 1_500, 400, 10
RUNS, UPLOAD_TUBES, UPLOADS_AT_ONCE = 5, 100, 4
RESIDENTS, ASKING, SIGNING_IN, LOOKED_UP = 200, 64, 50, 300
PASSWORD = "seven grey herons over the mudflat"  # noqa: S105  (of accounts that live for a minute)


async def measure_rights(homes: Homes, report: Report) -> None:
    """Everything on one home with people, areas and a sampled round."""
    home, files = homes.fresh("rights"), await homes.files(report.sizes.door_people)
    async with home.database():
        await homes.areas(home, files)
        await home.run("import", "residents", files / "residents.csv")
        people = await listed(home)
        async with open_instance(home.settings) as instance:
            sampled = await _measure_door(instance, people, report)
            lead, residents, logins = await _crew(instance, sampled)
        async with home.serve() as server:
            await followed(home)
            await _measure_results(server, sampled, lead, residents, report)
            await _measure_sign_in(server, logins, report)
            await _measure_number(home, report)
    await homes.drop(home)


async def _measure_door(muster: Instance, people: Sequence[str], report: Report) -> list[str]:
    """Persons a second with and without rights, in turn; the share that they cost. Who was sampled."""
    login = "bench-rights"
    await Crew(muster).gateway(login)
    sender = Sender(device=f"{login}-system")
    bare = DOOR_OPTIONS.replace(f"-c role={DOOR_ROLE} ", "")
    mine = people[: int(len(people) / (2 * RUNS + 2))]
    rates: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * RUNS + 2):
        guarded = turn % 2 == 0
        gate = muster.door.gate if guarded else None
        options = DOOR_OPTIONS if guarded else bare
        round = await _round(muster, turn)
        async with Door(muster.conninfo, CATALOGUE, muster.vault, gate, options) as door:
            intake = Intake(door, muster.vault, muster.pool)
            rate = await _load(intake, mine, round, sender)
        if turn >= 2:  # the first of each warm up
            rates[guarded].append(rate)
    with_, without = (statistics.median(rates[guarded]) for guarded in (True, False))
    report.add(
        Figure(
            "rights_door_cost_percent", 100 * (1 - with_ / without), "%", "rights",
            most=COST_PERCENT,
            reference=f"{with_:,.0f} persons/s with, {without:,.0f} without, in one process",
        )
    )  # fmt: skip
    return list(mine)


async def _round(muster: Instance, number: int) -> str:
    async with muster.pool.connection() as conn:
        area = (await registry.area(conn, ROOT))["area"]
    at = now()
    opened = await sampling.open_round(
        muster.door, name=f"rights {number}", areas=[area], starts_at=at - timedelta(hours=6),
        ends_at=at + timedelta(hours=6), actor="bench", at=at,
    )  # fmt: skip
    return str(opened)


async def _load(intake: Intake, people: Sequence[str], round: str, sender: Sender) -> float:
    """Persons a second of uploads of 100 tubes, four at once."""
    at = now() - timedelta(hours=1)
    tubes = list(enumerate(parts(people, 10), 1))
    bodies = [
        msgspec.json.encode({"items": [item(round[-8:], n, members, round, at) for n, members in some]})
        for some in parts(tubes, UPLOAD_TUBES)
    ]  # fmt: skip
    queue = iter(bodies)
    started = time.perf_counter()

    async def work() -> None:
        for body in queue:
            for answer in await intake.take(body, received_at=now(), sender=sender):
                if answer.answer != "stored":
                    raise MeasurementFailed(what="an upload", reason=f"was {answer}")

    await asyncio.gather(*(work() for _ in range(UPLOADS_AT_ONCE)))
    return len(people) / (time.perf_counter() - started)


async def _crew(
    muster: Instance, people: Sequence[str]
) -> tuple[str, list[tuple[str, str]], list[str]]:
    """The token of a lead of the whole district; residents' tokens; logins with a password."""
    crew = Crew(muster)
    async with muster.pool.connection() as conn:
        area = (await registry.area(conn, ROOT))["area"]
    await crew.staff("bench-lead", Grant("area_lead", area=area))
    lead = await crew.device("bench-lead-phone", holder="bench-lead")
    residents: list[tuple[str, str]] = []
    for n, person in enumerate(Random(1).sample(list(people), RESIDENTS)):
        login = f"bench-resident-{n}"
        await crew.staff(login, Grant("resident", person=UUID(person)), kind="resident")
        residents.append((person, await crew.device(f"{login}-phone", holder=login)))
    logins = [f"bench-resident-{n}" for n in range(SIGNING_IN)]
    async with muster.pool.connection() as conn:
        for login in logins:
            account = (await account_by_login(conn, login))["account"]
            await set_password(conn, account, PASSWORD, at=now())
    return lead, residents, logins


async def _measure_results(
    server: Server, people: Sequence[str], lead: str, residents: Sequence[tuple[str, str]],
    report: Report,
) -> None:  # fmt: skip
    seconds = report.sizes.read_seconds
    asked = Random(1).choices(people, k=int(seconds * 10_000))
    wire = Wire(HOST, server.port, lead)
    by_lead = iter([wire.request("GET", f"/v1/people/{one}/results") for one in asked])
    own = cycle(
        [Wire(HOST, server.port, token).request("GET", "/v1/own/results") for _, token in residents]
    )
    for name, requests in (("lead", by_lead), ("resident", own)):
        measured = await saturate(
            server, [requests] * ASKING, seconds=seconds, warm_up_seconds=seconds / 6,
            check=not_empty,
        )  # fmt: skip
        report.add(
            Figure(
                f"rights_results_{name}_per_s", measured.per_second, "requests/s", "rights",
                least=RESULTS_PER_SECOND,
                reference=f"{ASKING} connections, 99 % within {measured.p99_ms:.0f} ms",
            )
        )  # fmt: skip


async def _measure_sign_in(server: Server, logins: Sequence[str], report: Report) -> None:
    """Fifty people at once, three times, after once to warm up."""
    latencies: list[float] = []

    async def sign_in(login: str) -> None:
        wire = Wire(HOST, server.port)
        started = time.perf_counter()
        await wire.post("/v1/session", {"login": login, "password": PASSWORD})
        latencies.append((time.perf_counter() - started) * 1000)
        await wire.close()

    for turn in range(4):
        await asyncio.gather(*(sign_in(login) for login in logins))
        if turn == 0:
            latencies.clear()
    report.add(
        Figure(
            "rights_sign_in_p99_ms", percentile(latencies, 0.99), "ms", "rights", most=SIGN_IN_MS,
            reference=f"{SIGNING_IN} at once, median {statistics.median(latencies):.0f} ms",
        )
    )  # fmt: skip


async def _measure_number(home: Home, report: Report) -> None:
    """A number looked up and its person unmasked, as asked over HTTP by who may."""
    async with open_instance(home.settings) as instance:
        found = await _numbers(instance)
        login = "bench-tracer"
        crew = Crew(instance)
        await crew.staff(login, Grant("command_post", everywhere=True))
        token = await crew.device(f"{login}-phone", holder=login)
    async with home.serve() as server:
        wire = Wire(HOST, server.port, token)
        requests = [
            wire.request(
                "POST", "/v1/people/by-number",
                msgspec.json.encode({"number": number, "reason": "tracing"}),
            )
            for number in found
        ]  # fmt: skip
        measured = await one_by_one(server, requests)
    report.add(
        Figure(
            "rights_by_number_p99_ms", measured.p99_ms, "ms", "rights", most=NUMBER_MS,
            reference=f"{report.sizes.door_people:,} people, median {measured.median_ms:.1f} ms",
        )
    )  # fmt: skip


async def _numbers(muster: Instance) -> list[str]:
    """Some of the document numbers on record."""
    sql = (
        "SELECT number FROM vault.identity WHERE number IS NOT NULL AND kind = 'resident_id'"
        " ORDER BY resident LIMIT %s"
    )
    async with muster.pool.connection() as conn:
        rows: Sequence[Any] = await (await conn.execute(sql, [LOOKED_UP])).fetchall()
    return [muster.vault.open(bytes(row[0])).decode() for row in rows]
