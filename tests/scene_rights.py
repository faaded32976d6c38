"""A city of two streets for the tests of rights, and everybody who may ask there: each role in each kind
of place where it can be held, always in street A, at its site, for its laboratory, about its person.

What must not be seen is planted: names, numbers, phones, rooms, codes that occur nowhere else.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from muster.access.decide import Grant
from muster.access.engine.roles import ROLES, Role
from muster.catalogue import CATALOGUE
from muster.cli.listening import serving
from muster.config import Rates
from muster.core.clock import now
from muster.coverage import queries as coverage
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.sampling import decide
from muster.sampling.queries import round_
from tests.conftest import Play
from tests.senders import Item, changed, client, item, said, send
from tests.table import events, named

Story = Callable[[Instance, str], Awaitable[Any]]
SIDES = ("A", "B")
CITY = """
    07:00  AreaListed   C   level=city code=CITY name=CITY
"""
# {x}: the street. Tubes 1: positive, with a walk-in; 2 and 3: one person twice, and two results that
# differ; 4 and 5: one barcode, nobody in them. Person 4 refused, 5 is missing, 6 and 7 may be one,
# 8 was merged into 5.
STREET = """
    07:00  AreaListed      S{x}   level=street parent=C code=STREET-{x} name=STREET-{x}
    07:00  AreaListed      H{x}   parent=S{x} code=HOUSE-{x} name=HOUSE-{x}
    07:00  UnitListed      U{x}   area=S{x} code=UNIT-{x} name=UNIT-{x} kind=shop
    07:00  SiteListed      X{x}   area=S{x} code=SITE-{x} name=SITE-{x}
    07:00  LabListed       LAB-{x}
    07:00  RoundOpened     R{x}   areas=S{x} name=ROUND-{x}
    07:10  ResidentListed  p{x}1  building=H{x} room=R-{x}-1 name={n}庄霜一 number={x}A8000001 phone={h}00001111 id=e{x}
    07:10  ResidentListed  p{x}2  building=H{x} room=R-{x}-2 name={n}庄霜二 phone={h}00002222
    07:10  ResidentListed  p{x}3  building=H{x} room=R-{x}-3 name={n}庄霜三 phone={h}00003333
    07:10  ResidentListed  p{x}4  building=H{x} room=R-{x}-4 name={n}庄霜四 phone={h}00004444
    07:10  ResidentListed  p{x}5  building=H{x} room=R-{x}-5 name={n}庄霜五 phone={h}00005555
    07:10  ResidentListed  p{x}6  building=H{x} room=R-{x}-6 name={n}庄霜六 phone={h}00006666
    07:10  ResidentListed  p{x}7  building=H{x} room=R-{x}-6 name={n}庄霜六 phone={h}00006666
    07:10  ResidentListed  p{x}8  building=H{x} room=R-{x}-8 name={n}庄霜八
    07:10  ResidentListed  w{x}   source=walk_in name={n}庄霜九 number={x}A9000009 phone={h}00009999
    07:20  ResidentsMerged p{x}8  into=p{x}5
    08:00  RefusalRecorded p{x}4  round=R{x}
    08:00  ObjectionRaised p{x}4  about=address id=o{x}
    08:20  TubeSealed      T{x}1  members={in1} round=R{x} site=X{x} barcode=TUBE-{x}1 device=D-{x} seq=2
    08:30  TubeSealed      T{x}2  members=p{x}3 round=R{x} site=X{x} barcode=TUBE-{x}2
    08:40  TubeSealed      T{x}3  members=p{x}3 round=R{x} site=X{x} barcode=TUBE-{x}3
    08:50  TubeSealed      T{x}4  round=R{x} site=X{x} barcode=DOUBLE-{x}
    08:50  TubeSealed      T{x}5  round=R{x} site=X{x} barcode=DOUBLE-{x}
    09:00  BoxPacked       BX{x}  code=BOX-{x} tubes=TUBE-{x}1 site=X{x} bound_for=LAB-{x}
    10:00  BoxReceived     C{x}   code=BOX-{x} lab=LAB-{x}
    10:01  TubesReceived   C{x}   scans=TUBE-{x}1,TUBE-{x}2 lab=LAB-{x}
    12:00  ResultReleased  r{x}1  barcode=TUBE-{x}1 outcome=positive lab=LAB-{x}
    12:00  ResultReleased  r{x}2  barcode=TUBE-{x}2 outcome=negative lab=LAB-{x}
    12:00  ResultReleased  r{x}3  barcode=TUBE-{x}3 outcome=negative lab=LAB-{x}
    12:30  ResultReleased  r{x}4  barcode=TUBE-{x}3 outcome=indeterminate lab=LAB-{x}
    12:30  ResultReleased  r{x}5  barcode=LOST-{x} outcome=positive lab=LAB-{x}
    07:30  StaffListed     st{x}  unit=U{x} name={n}庄霜十 phone={h}00008888
    07:30  DemandRaised    dm{x}  area=S{x} count=9 starts_at=08:00 ends_at=23:00
    07:31  CallUpOpened    cu{x}  demands=dm{x} name=CALL-{x}
    07:32  StaffCalledUp   su{x}  call_up=cu{x} demand=dm{x} staff=st{x}
    07:33  StaffPosted     po{x}  staff=st{x} demand=dm{x} summons=su{x}
    07:33  StaffPosted     pa{x}  staff=st{x} demand=dm{x}
    07:33  StaffPosted     pr{x}  staff=st{x} demand=dm{x}
    07:55  ArrivedAtPost   pr{x}
    07:33  StaffPosted     ps{x}  staff=st{x} demand=dm{x}
    07:55  ArrivedAtPost   ps{x}
    07:33  StaffPosted     pw{x}  staff=st{x} demand=dm{x}
    08:30  IncidentRecorded  in{x}  staff=st{x} posting=po{x}
    07:00  PlaceLed        X{x}   staff=st{x}
    07:00  OwnerNamed      S{x}   staff=st{x}
    07:00  AidAgreed       ai{x}  host=S{x} name=AID-{x} ends_at=30/20:00
    07:00  WaveSent        wv{x}  aid=ai{x}
    07:01  WaveArrived     wv{x}  count=1
    07:02  TeamFormed      tm{x}  area=S{x} code=TEAM-{x} name=TEAM-{x} aid=ai{x} wave=wv{x} marking=red
    07:02  TeamFormed      te{x}  area=S{x} code=ENDED-{x} name=ENDED-{x}
    07:03  TeamJoined      st{x}  team=tm{x}
    12:30  HomeSamplingAsked  p{x}5  reason=bedridden
    12:30  TaskIssued      K{x}   kind=other due_at=13:00 lab=LAB-{x} tube=T{x}1
"""
# Somebody of street B who was swabbed at the site of street A: known there by an id and nothing else.
GUEST = """
    07:15  ResidentListed  guest  building=HB room=R-B-7 name=乙庄霜七 number=BA8000007 phone=13900007777
"""
# A device that was carried from one street to the other, and sent everything; and somebody of street
# A in a tube of street B.
LATER = """
    07:16  ResidentListed  host   building=HA
    09:30  TubeSealed      TB9  members=host,pB2 round=RB site=XB barcode=SHARED
    09:30  SpecimenTaken   TB9  person=pB4 position=3
    07:50  TubeOpened      V1  site=XB barcode=VOID-1 device=D-WHOLE seq=1
    07:55  TubeOpened      V2  site=XA barcode=VOID-2 device=D-WHOLE seq=2
    07:40  RoundOpened     RC  areas=C name=ROUND-CITY
    07:40  RoundOpened     RX  areas=C name=ROUND-CLOSED
"""
NAMES, PHONES = {"A": "甲", "B": "乙"}, {"A": "138", "B": "139"}
SPELT = {"A": "jiazhuangshuang", "B": "yizhuangshuang"}
PEOPLE = "一二三四五六八九十"


@dataclass(frozen=True)
class Caller:
    """A device in the hands of somebody who holds one role in one kind of place."""

    role: Role
    place: str
    token: str
    http: httpx.AsyncClient

    @property
    def login(self) -> str:
        return login(self.role.name, self.place)

    @property
    def device(self) -> str:
        return f"{self.login}-phone"

    @property
    def everywhere(self) -> bool:
        return self.place == "everywhere"

    def sees(self, side: str) -> bool:
        """Whether people of a street may be seen by it, as ids at least."""
        here = self.everywhere or (side == "A" and self.place in ("area", "site"))
        return here and self.role.sees in ("people", "names")


def login(role: str, place: str) -> str:
    return f"{role.replace('_', '-')}.{place}"


async def settled(muster: Instance) -> None:
    """The two streets, with everything that happened there."""
    story = "\n".join(part.strip() for part in (CITY, street("A"), street("B"), GUEST, LATER))
    await muster.door.append(events(story))
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
        closed = await round_(conn, "ROUND-CLOSED")
        sheet = await coverage.balance(conn, closed["round"])
    await decide.close_round(muster.door, closed, sheet, allow_open=True, actor="tester", at=now())


def visit(play: Play, story: Story) -> None:
    """Play a story in the served city."""

    async def inside(muster: Instance) -> None:
        await settled(muster)
        async with serving(muster, rates=Rates(0, 0, 0)) as (_, address):
            await story(muster, address)

    play(inside)


def street(x: str) -> str:
    return STREET.format(
        x=x, n=NAMES[x], h=PHONES[x], in1=f"p{x}1,p{x}2,w{x}" + ",guest" * (x == "A")
    )


async def callers(muster: Instance, address: str, *only: str) -> list[Caller]:
    """Every role in every kind of place; or these logins, in this order."""
    crew, made = Crew(muster), []
    places: dict[str, dict[str, Any]] = {
        "everywhere": {"everywhere": True}, "area": {"area": named("SA")},
        "site": {"site": named("XA")}, "lab": {"lab": "LAB-A"}, "person": {"person": named("pA1")},
    }  # fmt: skip
    for role in ROLES.values():
        for place in sorted(role.places):
            if only and login(role.name, place) not in only:
                continue
            name: Any = role.name
            until = now() + timedelta(days=role.most_days - 1) if role.most_days else None
            since = now() - timedelta(hours=1) if role.most_days else None
            grant = Grant(name, **places[place], starts_at=since, ends_at=until)
            await crew.staff(login(role.name, place), grant)
            code = f"{login(role.name, place)}-phone"
            system = role.name == "gateway" or role.sees == "system"
            kind: Any = "gateway" if system else "phone"
            token = await crew.device(code, holder=login(role.name, place), kind=kind)
            made.append(Caller(role, place, token, client(address, token)))
    return sorted(made, key=lambda one: only.index(one.login)) if only else made


async def close(*clients: Caller) -> None:
    for one in clients:
        await one.http.aclose()


def people_of(x: str) -> set[str]:
    """Everything by which people of a street are known: ids, names, documents, rooms."""
    ids = {str(named(f"p{x}{n}")) for n in range(1, 9)} | {
        str(named(f"{who}{x}")) for who in ("w", "st")
    }
    rooms = {f"R-{x}-{n}" for n in range(1, 9)}
    return ids | rooms | papers(x)


def papers(x: str) -> set[str]:
    """Whole names, numbers and phones of a street: shown to who gives a reason."""
    phones = {f"{PHONES[x]}0000{n}{n}{n}{n}" for n in (1, 2, 3, 4, 5, 6, 8, 9)}
    names = {f"{NAMES[x]}庄霜{n}" for n in PEOPLE} | {SPELT[x]}
    guest = {"乙庄霜七", "BA8000007", "13900007777"} if x == "B" else set()
    return phones | names | guest | {f"{x}A8000001", f"{x}A9000009"}


def tubes_of(x: str) -> set[str]:
    """Tubes and their barcodes: what laboratories know."""
    ids = {str(named(f"T{x}{n}")) for n in range(1, 6)}
    return ids | {f"TUBE-{x}{n}" for n in range(1, 4)} | {f"DOUBLE-{x}"}


def results_of(x: str) -> set[str]:
    return {str(named(f"r{x}{n}")) for n in range(1, 6)} | {f"LOST-{x}"}


def boxes_of(x: str) -> set[str]:
    return {str(named(f"BX{x}")), f"BOX-{x}"}


def places_of(x: str) -> set[str]:
    """The catalogue of a street, which is no secret, and shows in figures whose they are."""
    codes = {f"{what}-{x}" for what in ("STREET", "HOUSE", "UNIT", "SITE", "D")}
    return codes | {str(named(f"{what}{x}")) for what in "SHUX"}


def hidden(caller: Caller, *, whole: bool) -> set[str]:
    """What no answer to this caller may hold; `whole`: one that is not masked."""
    people = {x: people_of(x) for x in SIDES}
    banned = set() if whole and caller.role.sees == "names" else papers("A") | papers("B")
    match caller.role.sees:
        case "names" | "people":
            banned |= set() if caller.everywhere else people["B"]
        case "own":
            own = {str(named("pA1")), "甲庄霜一", "R-A-1", "AA8000001", "13800001111", SPELT["A"]}
            banned = (banned | people["A"]) - (own if whole else set()) | people["B"]
        case _:
            banned |= people["A"] | people["B"]
    if caller.role.sees != "codes" and not caller.everywhere:
        banned |= tubes_of("B")
    if not caller.everywhere:
        banned |= results_of("B") | boxes_of("B")
    return banned


def as_sent(table: str, actor: str, device: str) -> list[Item]:
    """The events of a table under a sender's own name."""
    return [changed(item(one), actor=actor, device=device) for one in events(table)]


async def sent(caller: Caller, table: str) -> list[str]:
    """What becomes of events that a caller sends."""
    return said(await send(caller.http, as_sent(table, caller.login, caller.device)))


def slug(answer: httpx.Response) -> str:
    """The problem of an answer, its status where it is none, or nothing."""
    if answer.status_code < 400:
        return ""
    if answer.headers["content-type"] != "application/problem+json":
        return str(answer.status_code)
    return answer.json()["type"].rpartition(":")[2]


def leaked(text: str, banned: Iterable[str]) -> list[str]:
    return sorted(one for one in banned if one in text)
