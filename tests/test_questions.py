"""What the command post asks of a round - how far, who is missing, may it be closed - over HTTP,
beside the same figures counted by hand.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.senders import Item, items, said, send, visit
from tests.table import TOWN, events, named

COMMUNITIES = {"C1": ("G1", "G2"), "C2": ("G3", "G4")}
BUILDINGS = {grid: (f"{grid}a", f"{grid}b") for grids in COMMUNITIES.values() for grid in grids}
LEVELS = ("street", "community", "grid", "building")
ABSENT = ("away", "cannot_be_tested", "moved_away")


@dataclass
class Person:
    """One resident as counted by hand."""

    name: str
    home: str
    state: str
    swabs: int = 0
    excused: set[str] = field(default_factory=set)

    @property
    def counted(self) -> bool:
        return self.state != "moved_away"

    @property
    def why(self) -> str:
        if self.swabs:
            return "sampled"
        if self.state == "cannot_be_tested" or "exempt" in self.excused:
            return "exempt"
        if self.state == "away":
            return "away"
        return "refused" if "refused" in self.excused else "missing"


def holds(area: str, home: str) -> bool:
    """Whether an area holds a building, by hand."""
    grid, community = home[:2], "C1" if home[:2] in COMMUNITIES["C1"] else "C2"
    return area in ("S1", community, grid, home)


def under(area: str, level: str) -> list[str]:
    all_: dict[str, Iterable[str]] = {
        "street": ["S1"], "community": COMMUNITIES, "grid": BUILDINGS,
        "building": [one for pair in BUILDINGS.values() for one in pair],
    }  # fmt: skip
    homes = [one for pair in BUILDINGS.values() for one in pair if holds(area, one)]
    return [
        one for one in all_[level] if {h for h in all_["building"] if holds(one, h)} <= {*homes}
    ]


def played(random: Random) -> tuple[str, dict[str, Person]]:
    """A street, its people, and what happened to them, as a table and as counted."""
    lines = ["07:00 AreaListed S1 level=street"]
    for community, grids in COMMUNITIES.items():
        lines.append(f"07:00 AreaListed {community} level=community parent=S1")
        for grid in grids:
            lines.append(f"07:00 AreaListed {grid} level=grid parent={community}")
            lines += [f"07:00 AreaListed {one} parent={grid}" for one in BUILDINGS[grid]]
    people: dict[str, Person] = {}
    for home in (one for pair in BUILDINGS.values() for one in pair):
        for n in range(random.randrange(3, 9)):
            state = random.choice(("resident", "resident", "resident", "temporary", *ABSENT))
            one = people[f"{home}{n}"] = Person(f"{home}{n}", home, state)
            lines.append(
                f"07:00 ResidentListed {one.name} building={home} room={n // 2} state={state}"
            )
    lines += ["07:30 RoundOpened R1 areas=S1", "07:30 RoundOpened R2 areas=S1"]
    names = sorted(people)
    for tube in range(12):
        members = random.sample(names, 3)
        round_ = "R2" if tube % 6 == 5 else "R1"
        lines.append(f"08:20 TubeSealed T{tube} members={','.join(members)} round={round_}")
        for member in members if round_ == "R1" else ():
            people[member].swabs += 1
    for name in random.sample(names, 12):
        kind, what = random.choice((("refused", "RefusalRecorded"), ("exempt", "ExemptionGranted")))
        reason = "" if kind == "refused" else " reason=other"
        lines.append(f"08:00 {what} {name} round=R1{reason}")
        people[name].excused.add(kind)
    return "\n".join(lines), people


def figures(people: Iterable[Person]) -> dict[str, int]:
    mine = [one for one in people if one.counted]
    counts = Counter(one.why for one in mine)
    sums = {why: counts[why] for why in ("sampled", "exempt", "away", "refused", "missing")}
    return {"expected": len(mine), **sums, "swabs": sum(one.swabs for one in mine)}


async def everyone(http: httpx.AsyncClient, area: str) -> list[Item]:
    """The whole list of who is missing, in pages of four."""
    found: list[Item] = []
    after: dict[str, str] = {}
    while True:
        page = (
            await http.get("/v1/rounds/R1/missing", params={"area": area, "limit": 4, **after})
        ).json()
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


def asked(play: Play, table: str, story: Callable[[Instance, httpx.AsyncClient], Any]) -> None:
    """A story that begins with these events stored and the followers up to date."""

    async def told(muster: Instance, http: httpx.AsyncClient) -> None:
        sent = events(table)
        assert await muster.door.append(sent) == ["stored"] * len(sent)
        await follow(muster)
        await story(muster, http)

    visit(play, told)


async def follow(muster: Instance) -> None:
    async with muster.pool.connection() as conn:
        await catch_up(conn, muster.door.catalogue)


def test_the_funnel_adds_up_at_every_level(play: Play):
    table, people = played(Random(5))

    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        for top in ("S1", "C2", "G3"):
            wanted = figures(one for one in people.values() if holds(top, one.home))
            for level in LEVELS:
                found = (
                    await http.get("/v1/rounds/R1/funnel", params={"area": top, "level": level})
                ).json()
                names = under(top, level)
                by_hand = {
                    name: figures(one for one in people.values() if holds(name, one.home))
                    for name in names
                }
                assert {
                    one["code"]: {key: one[key] for key in wanted} for one in found["areas"]
                } == by_hand
                if names:
                    assert {key: found["total"][key] for key in wanted} == wanted
                assert found["as_of"]["behind_events"] == 0

    asked(play, table, story)


def test_who_is_missing_is_who_is_missing(play: Play):
    table, people = played(Random(7))

    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        for area in ("S1", *COMMUNITIES, *BUILDINGS, "G1a", "G4b"):
            found = await everyone(http, area)
            assert sorted(one["resident"] for one in found) == sorted(
                str(named(one.name))
                for one in people.values()
                if one.counted and one.why == "missing" and holds(area, one.home)
            )
            walk = [(one["building_code"], one["room"], one["resident"]) for one in found]
            assert walk == sorted(walk)
            assert "number" not in str(found)

    asked(play, table, story)


def test_sampled_away_from_home_counts_at_home(play: Play):
    """p9 lives in G2 and is swabbed with p1 at a site in G1, under a walk-in's id."""
    table = f"""{TOWN.strip()}
        07:00  SiteListed       X1  area=G1
        07:10  ResidentListed   p9  building=H3 name=李四 number=11010519491231002X
        08:00  ResidentListed   w1  source=walk_in name=李四 number=11010519491231002X
        08:00  ResidentListed   w2  source=walk_in name=路人 number=E12345678
        08:20  TubeSealed       T1  members=p1,w1,w2 round=R1 site=X1
        09:20  TubeSealed       T2  members=p1 round=R1 site=X1
    """

    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        params = {"area": "S1", "level": "grid"}
        found = (await http.get("/v1/rounds/R1/funnel", params=params)).json()
        assert {one["code"]: (one["sampled"], one["swabs"]) for one in found["areas"]} == {
            "G1": (1, 2), "G2": (1, 1)
        }  # fmt: skip
        assert (found["total"]["sampled"], found["total"]["swabs"], found["unplaced"]) == (2, 3, 1)
        assert {one["resident"] for one in await everyone(http, "G2")} == {str(named("p4"))}

    asked(play, table, story)


async def close(http: httpx.AsyncClient, round_: str, **facts: Any) -> httpx.Response:
    return await http.post(f"/v1/rounds/{round_}/close", json=facts)


def test_a_round_is_closed_on_a_sheet_that_stays(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        sealed = items("08:20  TubeSealed  T1  members=p1,p2 round=R1")
        assert said(await send(http, sealed)) == ["stored"]
        refused = await close(http, "R1")
        assert refused.json()["facts"] == {"missing": "3", "pending": "2"}
        closed = await close(http, "R1", allow_open=True)
        (line,) = closed.json()
        assert (line["expected"], line["sampled"], line["pending"], line["missing"]) == (5, 2, 2, 3)
        sheet = (await http.get("/v1/rounds/R1/balance")).json()
        assert [{key: one[key] for key in line} for one in sheet] == [line]
        late = items("""
            08:30  TubeSealed      T2  members=p3 round=R1
            12:00  ResultReleased  r1  barcode=T1 outcome=negative
        """)
        assert said(await send(http, late)) == ["stored", "stored"]
        await follow(muster)
        assert (await http.get("/v1/rounds/R1/balance")).json() == sheet
        told = (await http.get(f"/v1/people/{named('p1')}/results")).json()
        assert [one["told"] for one in told] == ["negative"]
        again = "23:00  RoundClosed  R1  balance=[]"
        assert await muster.door.append(events(again)) == ["stored"]
        assert said(await send(http, items(again.replace("23:", "22:")))) == ["not-entitled"]
        assert (await http.get("/v1/rounds/R1/balance")).json() == sheet
        assert (await close(http, "R1", allow_open=True)).status_code == 409

    asked(play, TOWN, story)


def test_a_round_is_closed_when_nobody_is_left(play: Play):
    table = f"""{TOWN.strip()}
        08:00  RefusalRecorded       p1  round=R1
        08:00  ExemptionGranted      p2  reason=infant
        08:00  ResidentStateChanged  p3  state=away
        08:20  TubeSealed            T1  members=p4,p9 round=R1
        12:00  ResultReleased        r1  barcode=T1 outcome=negative
    """

    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        (line,) = (await close(http, "R1")).json()
        wanted = {"expected": 5, "sampled": 2, "resulted": 2, "invalid": 0, "pending": 0,
                  "exempt": 1, "away": 1, "refused": 1, "missing": 0}  # fmt: skip
        assert {key: line[key] for key in wanted} == wanted

    asked(play, table, story)


def test_a_round_over_grids_or_areas_within_each_other_counts_each_once(play: Play):
    table = f"""{TOWN.strip()}
        07:40  RoundOpened  R2  areas=G1
        07:40  RoundOpened  R3  areas=H3,G1
        07:40  RoundOpened  R4  areas=S1,G1,S1
    """

    async def story(_muster: Instance, http: httpx.AsyncClient) -> None:
        found = {}
        for round_ in ("R2", "R3", "R4"):
            assert (await close(http, round_)).json()["type"].endswith("round-still-open")
            lines = (await close(http, round_, allow_open=True)).json()
            found[round_] = {one["area"]: one["missing"] for one in lines}
        s1, g1, h3 = (str(named(name)) for name in ("S1", "G1", "H3"))
        assert found == {"R2": {g1: 3}, "R3": {g1: 3, h3: 2}, "R4": {s1: 5, g1: 3}}

    asked(play, table, story)
