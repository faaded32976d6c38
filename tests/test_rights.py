"""EVERY ROUTE × ROLE × IN AND OUT OF SCOPE. The routes come from the application, the roles from the
table of rights; what is asked at each route stands below. A route that is not below fails.

What comes is derived: without the right `forbidden`; with it, in scope, an answer with what was
planted there; out of scope a refusal, or an answer that holds nothing of the other street.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx

from muster.access.decide import Grant
from muster.access.engine.roles import ROLES
from muster.app import make_app
from muster.cli.listening import serving
from muster.config import Rates
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.guarding import OF_EVERY_DEVICE, routes
from muster.instance import Instance
from muster.ledger.door import Door
from tests.conftest import Play
from tests.rights_table import CHANGING, TABLE, Ask, Things
from tests.scene_rights import (
    SIDES,
    Caller,
    as_sent,
    callers,
    hidden,
    leaked,
    people_of,
    places_of,
    sent,
    settled,
    slug,
)
from tests.senders import client, query, said, send
from tests.table import events, named

ROLE_MATTERS_NOT = ("public", "signed_in", *OF_EVERY_DEVICE)
LAST = "POST /v1/device/holder/leave"  # then nobody holds the device


def allowed(caller: Caller | None, right: str, needs: str = "") -> bool:
    if needs and not (caller and needs in caller.role.rights):
        return False
    if right == "public":
        return True
    return caller is not None and (
        right == "signed_in" or right in OF_EVERY_DEVICE or right in caller.role.rights
    )


def in_scope(caller: Caller, one: Ask, side: str) -> bool:
    if caller.everywhere or not one.scope:
        return True
    if one.scope == "everywhere" or side == "B":
        return one.scope == "tube" and caller.place == "lab"
    return caller.place in {
        "area": ("area", "site"), "lab": ("lab",), "tube": ("area", "site", "lab"),
        "case": ("area", "lab"),
    }[one.scope]  # fmt: skip


@dataclass
class Matrix:
    """Everybody who asks, and what is wrong with the answers."""

    door: Door
    callers: list[Caller]
    nobody: httpx.AsyncClient
    ids: dict[str, UUID]
    wrong: list[str] = field(default_factory=list)
    asked: int = 0

    @property
    def once(self) -> list[Caller]:
        return list({one.role.name: one for one in self.callers}.values())

    async def ask(self, route: str, right: str) -> None:
        method = route.partition(" ")[0]
        for one in TABLE[route]:
            both = "{x}" in json.dumps([one.path, one.params, one.body])
            for side in SIDES if both else "A" * (not one.once):
                asking = [
                    self._one(caller, method, one, right, side)
                    for caller in self._asking(one, right, side)
                ]
                if method == "GET":
                    await asyncio.gather(*asking)
                else:  # in order: what one changes, another may be refused
                    for each in asking:
                        await each
        things = Things("A", None, self.ids)
        one = TABLE[route][0]
        answer = await self._answer(self.nobody, method, one, things)
        self._check(f"nobody {route}", slug(answer) == (
            one.answer if right == "public" else "not-signed-in"), answer)  # fmt: skip

    def _asking(self, one: Ask, right: str, side: str) -> list[Caller]:
        """Each role in each place; where no place can matter, each role once."""
        if right in ROLE_MATTERS_NOT or one.answer:
            return self.once if side == "A" else []
        refused = [each for each in self.once if not allowed(each, right, one.needs)]
        given = [each for each in self.callers if allowed(each, right, one.needs)]
        return given + (refused if side == "A" else [])

    async def _answer(
        self, http: httpx.AsyncClient, method: str, one: Ask, things: Things
    ) -> httpx.Response:
        self.asked += 1
        return await http.request(
            method, things.filled(one.path), params=things.filled(one.params),
            json=things.filled(one.body),
        )  # fmt: skip

    async def _one(self, caller: Caller, method: str, one: Ask, right: str, side: str) -> None:
        things, seq = Things(side, caller, self.ids), self.door.head.seq
        answer = await self._answer(caller.http, method, one, things)
        path, problem = things.filled(one.path), slug(answer)
        what = f"{caller.login} {method} {path} {things.filled(one.params or one.body or '')}"
        if not answer.is_success:
            self._check(f"{what}: done nevertheless", self.door.head.seq == seq, answer)
        if not allowed(caller, right, one.needs):
            self._check(what, problem == "forbidden", answer)
            return
        self._check(f"{what}: server", answer.status_code < 500, answer)
        if one.answer:
            there = not one.scope or in_scope(caller, one, side)
            fits = problem == one.answer if there else self._nothing(answer, method)
            self._check(what, fits, answer)
            return
        asked_for = json.dumps(
            [path, things.filled(one.params), things.filled(one.body)], ensure_ascii=False
        )
        banned = {each for each in hidden(caller, whole=one.whole) if each not in asked_for}
        if right == "readings":  # ids, and nothing else
            banned = {each for each in banned if each.count("-") != 4}
        told_why = problem == "outside-your-area"  # with the area's id: the catalogue is no secret
        if not (one.places or told_why or caller.everywhere or caller.place == "lab"):
            banned |= {each for each in places_of("B") if each not in asked_for}
        text = answer.text + str(answer.headers)
        found = leaked(text, banned)
        self._check(f"{what} LEAKS {found}", not found, answer)
        if not in_scope(caller, one, side):
            self._check(f"{what}: out of scope", self._nothing(answer, method), answer)
            return
        led_on = right == "public" and answer.is_redirect
        self._check(what, answer.is_success or led_on, answer)
        if answer.is_success:
            self._shown(what, caller, one, things, side, answer)

    def _nothing(self, answer: httpx.Response, method: str) -> bool:
        """A refusal, or an answer that was found to hold nothing."""
        refused = answer.status_code == 404 or slug(answer) in (
            "outside-your-area", "outside-your-lab", "not-merged"
        )  # fmt: skip
        return refused or (method == "GET" and answer.is_success)

    def _shown(
        self, what: str, caller: Caller, one: Ask, things: Things, side: str, answer: httpx.Response
    ) -> None:
        here = side == "A" or caller.everywhere or one.places
        if one.never:
            self._check(f"{what} shows {one.never}", one.never not in answer.text, answer)
        if here and one.code and caller.place in one.code_for:
            code = things.filled(one.code)
            self._check(f"{what} does not show {code}", code in answer.text, answer)
        if one.person and caller.sees(side):
            person = things.filled(one.person)
            self._check(f"{what} does not show {person}", person in answer.text, answer)

    def _check(self, what: str, right: bool, answer: httpx.Response) -> None:
        if not right:
            self.wrong.append(f"{what}\n    {answer.status_code} {answer.text[:300]}")


def told(table: str) -> str:
    """A table for each who changes something, in both streets."""
    lines = []
    for who in CHANGING:
        lines += [table.strip().format(x=x, who=who) for x in SIDES]
    return "\n".join(lines)


OWN_THINGS = """
    07:30  ResidentListed  m{x}-{who}  building=H{x} name=甲
    07:30  ResidentListed  n{x}-{who}  building=H{x} name=乙
    07:30  ResidentListed  u{x}-{who}  building=H{x} name=丙
    07:31  ResidentsMerged u{x}-{who}  into=n{x}-{who}
    07:32  RoundOpened     o{x}-{who}  areas=S{x} name=close-{x}-{who}
"""


async def prepared(muster: Instance, everybody: list[Caller]) -> dict[str, UUID]:
    """What each changing caller has to change; the ids of what is held for them."""
    await muster.door.append(events(told(OWN_THINGS)))
    (admin,) = [one for one in everybody if one.role.name == "administrator"]
    (worker,) = [one for one in everybody if one.role.name == "grid_worker"]
    for x in SIDES:
        answer = await admin.http.post(
            "/v1/devices", json={"code": f"spare-{x}", "area": f"STREET-{x}"}
        )
        assert answer.is_success, answer.text
    body = {"login": "spare-account", "roles": [{"role": "sampler", "site": "SITE-A"}] * 2}
    ids = {"spare": UUID((await admin.http.post("/v1/accounts", json=body)).json()["account"])}
    rows = await query(
        muster, "SELECT holding FROM access.holding WHERE account = %s", ids["spare"]
    )
    ids |= zip(("moved", "ended"), rows, strict=True)
    crew = Crew(muster)
    for x in SIDES:  # whoever was sent home yesterday hands in what was recorded before
        ends = now() - timedelta(days=1)
        await crew.staff(f"gone-{x}", Grant("grid_worker", area=named(f"S{x}"), ends_at=ends))
        token = await crew.device(f"gone-{x}-phone", holder=f"gone-{x}")
        line = f"09:00 ResidentStateChanged p{x}3 state=resident id=late{x}"
        async with client(str(admin.http.base_url), token) as http:
            late = as_sent(line, f"gone-{x}".lower(), f"gone-{x}-phone")
            assert said(await send(http, late)) == ["stored"]
    found = await query(muster, "SELECT lab, discrepancy FROM lab.discrepancy WHERE kind = 'extra'")
    ids |= {f"case{lab[-1]}": case for lab, case in found}
    names = [
        f"{what}-{x}-{who}" for what in ("accept", "refuse") for x in SIDES for who in CHANGING
    ]
    for name in names:  # a grid worker lists a resident of the other street
        (answer,) = await sent(worker, f"09:00 ResidentListed {name} building=HB id={name}")
        assert answer == "outside-scope"
    boxes = dict(await query(muster, "SELECT event, id FROM ledger.inbox"))
    return ids | {name: boxes[named(name)] for name in names}


def test_every_route_names_a_right_and_stands_in_the_table(play: Play):
    async def story(muster: Instance) -> None:
        served = {f"{method} {path}" for method, path, _ in routes(make_app(muster))}
        assert sorted(served - set(TABLE)) == []
        assert sorted(set(TABLE) - served) == []

    play(story)


def test_every_route_role_and_scope(play: Play):
    async def story(muster: Instance) -> None:
        await settled(muster)
        rights = {f"{method} {path}": right for method, path, right in routes(make_app(muster))}
        async with serving(muster, rates=Rates(0, 0, 0)) as (_, address):
            everybody = await callers(muster, address)
            ids = await prepared(muster, everybody)
            matrix = Matrix(muster.door, everybody, client(address), ids)
            for route in in_order(set(rights) & set(TABLE)):
                await matrix.ask(route, rights[route])
            for one in everybody:
                await one.http.aclose()
            await matrix.nobody.aclose()
        assert matrix.wrong == [], "\n".join(matrix.wrong)
        assert matrix.asked > 1_500

    play(story)


def in_order(served: set[str]) -> Iterator[str]:
    """Questions first, then changes in the order of the table."""
    for method in ("GET", "POST", "DELETE"):
        for route in TABLE:
            if route in served and route.startswith(method) and route != LAST:
                yield route
    yield LAST


def test_the_table_of_roles_covers_the_rights():
    """Each right is given by a role, but those of everybody; each role has some."""
    given = set().union(*(role.rights for role in ROLES.values()))
    assert all(role.rights for role in ROLES.values())
    assert given & {"public", "signed_in"} == set()
    assert people_of("A").isdisjoint(people_of("B"))
