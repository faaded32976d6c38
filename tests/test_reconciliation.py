"""What is old, where it waits, and whether what a laboratory received, ran and reported adds up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from muster.catalogue import CATALOGUE
from muster.core.problems import Problem
from muster.coverage.queries import way_alarms
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.lab import figures
from muster.lab.deciding import LabUnknown
from muster.lab.figures import Reach
from tests.conftest import Play
from tests.table import TOWN, events, named
from tests.test_custody import DAY, visit

DAWN = datetime(2022, 7, 31, 22, tzinfo=UTC)  # 06:00 of the story
EVERYWHERE = Reach(everywhere=True)
TUBES = (
    TOWN.rstrip()
    + """
    07:00  SiteListed  XA  area=G1 code=SITE-A
    07:00  SiteListed  XB  area=G2 code=SITE-B
    07:00  LabListed   L1  wells_since=06:00 capacity_per_hour=3
    08:00  TubeSealed  T1  members=p1 round=R1 site=XA barcode=B1
    08:30  TubeSealed  T2  members=p2 round=R1 site=XA barcode=B2
    09:00  TubeSealed  T3  members=p3 round=R1 site=XB barcode=B3
    09:00  TubeSealed  T4  members=p4 round=R1 site=XB barcode=B4
    09:30  BoxPacked   X1  code=BOX1 tubes=B1,B2,B3,B4 bound_for=L1 site=XA
"""
)
RUN = """
    11:00  PlateLoaded  P1  wells=[{"well":"A01","barcode":"B1","tube":"T1"},{"well":"B01","barcode":"B2","tube":"T2"}]
    12:30  RunImported  Q1  plate=P1 ended_at=12:20
    12:30  RunCalled    Q1  plate=P1 calls=[{"barcode":"B1","tube":"T1","well":"A01","call":"negative","reason":"no-curve","standing":"negative","standing_reason":"no-curve","next":"release"},{"barcode":"B2","tube":"T2","well":"B01","call":"negative","reason":"no-curve","standing":"negative","standing_reason":"no-curve","next":"release"}]
"""  # noqa: E501
RECEIVED = """
    10:00  BoxReceived    C1  code=BOX1
    10:10  TubesReceived  C1  scans=B1,B2
"""


def told(table: str) -> list[Any]:
    """Events of a table whose lists name tubes."""
    for name in ("T1", "T2", "T3", "T4"):
        table = table.replace(f'"{name}"', f'"{named(name)}"')
    return events(table)


def at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return DAWN + timedelta(hours=int(hours) - 6, minutes=int(minutes))


def asks(play: Play, table: str, question: Any) -> Any:
    """The answer to a question after these events."""

    async def story(muster: Instance) -> Any:
        assert set(await muster.door.append(told(table))) == {"stored"}
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
            return await question(conn)

    return play(story)


@pytest.mark.parametrize(
    ("clock", "more", "lines"),
    [
        # site, tubes, near its limit, over it
        ("10:30", "", {"SITE-A": (2, 0, 0), "SITE-B": (2, 0, 0)}),
        ("11:00", "", {"SITE-A": (2, 1, 0), "SITE-B": (2, 0, 0)}),
        ("12:01", "", {"SITE-A": (2, 1, 1), "SITE-B": (2, 2, 0)}),
        ("13:30", "", {"SITE-A": (2, 0, 2), "SITE-B": (2, 0, 2)}),
        ("13:30", RECEIVED, {"SITE-B": (2, 0, 2)}),
        ("13:30", "12:00 ResultReleased r1 barcode=B3 outcome=negative lab=L2",
         {"SITE-A": (2, 0, 2), "SITE-B": (1, 0, 1)}),
        ("13:30", "07:00 PolicyAdopted H name=tube_age_minutes value=600 since=08:30",
         {"SITE-A": (2, 1, 1), "SITE-B": (2, 2, 0)}),
        ("3/10:30", "", {}),
    ],
)  # fmt: skip
def test_how_old_tubes_on_their_way_are(
    play: Play, clock: str, more: str, lines: dict[str, tuple[int, int, int]]
):
    """Three hours after its seal a tube is near its limit, after four over it, unless an edition of
    the policy that was in force at its seal says otherwise."""
    days, _, hour = clock.rpartition("/")
    moment = at(hour) + timedelta(days=4 if days else 0)
    found = asks(
        play, TUBES.rstrip() + "\n    " + more.strip(),
        lambda conn: figures.ages(conn, EVERYWHERE, at=moment),
    )  # fmt: skip
    assert {
        one["site_code"]: (one["tubes"], one["near"], one["over"]) for one in found["sites"]
    } == lines
    assert found["total"]["over"] == len(found["over"])


def test_where_tubes_are_that_are_too_old(play: Play):
    way = """
        09:40  BoxHandedOver  X1  side=gives giver={"vehicle":"VAN1"} taker={"vehicle":"VAN2"}
    """
    found = asks(play, TUBES + way.strip(), lambda c: figures.ages(c, EVERYWHERE, at=at("12:31")))
    assert [(one["barcode"], one["box_code"], one["with"]) for one in found["over"]] == [
        ("B1", "BOX1", "vehicle:VAN2"), ("B2", "BOX1", "vehicle:VAN2")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reach", "tubes"),
    [
        (Reach(sites=[named("XA")]), 2),
        (Reach(areas=[named("G2")]), 2),
        (Reach(areas=[named("S1")]), 4),
        (Reach(), 0),
        (Reach(everywhere=True, labs=["L1"]), 4),
        (Reach(everywhere=True, labs=["L2"]), 0),
        (Reach(sites=[named("XA")], labs=["L1"]), 2),
    ],
)
def test_ages_are_of_what_the_caller_reaches(play: Play, reach: Reach, tubes: int):
    async def ask(conn: Any) -> Any:
        await catch_up(conn, CATALOGUE)
        return await figures.ages(conn, reach, at=at("11:00"))

    assert asks(play, TUBES, ask)["total"]["tubes"] == tubes


def test_how_long_each_stage_takes_and_where_tubes_are_now(play: Play):
    table = TUBES + RECEIVED.strip("\n") + RUN.rstrip() + """
    09:40  BoxHandedOver   X1  side=gives giver={"vehicle":"VAN1"} taker={"lab":"L1"}
    13:00  ResultReleased  r1  barcode=B1 tube=T1 outcome=negative run=Q1
    """.rstrip()  # fmt: skip

    def ask(by: Any) -> Any:
        return lambda conn: figures.stages(
            conn, EVERYWHERE, by=by, since=at("06:00"), until=at("20:00")
        )

    async def all_three(conn: Any) -> Any:
        return [await ask(by)(conn) for by in ("site", "box", "lab")]

    sites, boxes, labs = asks(play, table, all_three)
    assert [(one["code"], one["tubes"]) for one in sites] == [("SITE-A", 2), ("SITE-B", 2)]
    assert {stage: n for stage, n in sites[0]["now"].items() if n} == {"released": 1, "run": 1}
    assert {stage: n for stage, n in sites[1]["now"].items() if n} == {"handed_over": 2}
    assert sites[0]["minutes"] == {
        "packed": {"p50": 60, "p90": 90}, "handed_over": {"p50": 10, "p90": 10},
        "received": {"p50": 30, "p90": 30}, "on_plate": {"p50": 50, "p90": 50},
        "run": {"p50": 90, "p90": 90}, "released": {"p50": 30, "p90": 30},
    }  # fmt: skip
    assert [(one["code"], one["tubes"]) for one in boxes] == [("BOX1", 4)]
    assert [(one["code"], one["tubes"]) for one in labs] == [("L1", 2), (None, 2)]


GOOD = "13:00 ResultReleased r{n} barcode=B{n} tube=T{n} outcome=negative run=Q1"
BALANCES: list[tuple[str, str, dict[str, int]]] = [
    ("all adds up", GOOD.format(n=1), {}),
    ("a result of a tube without a well", "13:00 ResultReleased r3 barcode=B3 tube=T3 outcome=positive",
     {"results_without_well": 1, "results_unproven": 1}),
    ("a negative of one",
     "13:00 ResultReleased r3 barcode=B3 tube=T3 outcome=negative",
     {"results_without_well": 1, "results_unproven": 1}),
    ("more results than wells",
     "\n".join([GOOD.format(n=1), GOOD.format(n=2),
                "13:01 ResultReleased r5 barcode=B1 tube=T1 outcome=negative run=Q1"]),
     {"more_results_than_wells": 1}),
    ("a result before its plate", GOOD.format(n=1).replace("13:00", "10:30"),
     {"results_before_plate": 1, "results_before_run_end": 1}),
    ("a result before its run's end", GOOD.format(n=1).replace("13:00", "12:00"),
     {"results_before_run_end": 1}),
    ("a result of no known tube", "13:00 ResultReleased r9 barcode=B9 outcome=positive",
     {"results_without_tube": 1, "results_without_well": 1, "results_unproven": 1}),
    ("a tube that could not be tested needs no well",
     "13:00 ResultReleased r3 barcode=B3 tube=T3 outcome=invalid unfit=leaking", {}),
    ("a rejected result does not count",
     "13:00 ResultReleased r3 barcode=B3 tube=T3 outcome=positive\n13:05 ResultRejected r3 barcode=B3",
     {}),
    ("tubes put together",
     '13:00 RepoolingRefused P1 lab=L1 well=A01 barcodes=["B1","B2"] found_in=loading',
     {"repooling_refused": 1}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "lines", "differences"), BALANCES, ids=[one[0] for one in BALANCES]
)
def test_what_does_not_add_up_is_named(
    play: Play, said: str, lines: str, differences: dict[str, int]
):
    table = TUBES + RECEIVED.strip("\n") + RUN.rstrip() + "\n" + lines
    found = asks(
        play, table,
        lambda c: figures.reconciliation(c, "L1", since=at("06:00"), until=at("20:00")),
    )  # fmt: skip
    assert (found["differences"], found["balanced"]) == (differences, not differences)
    for name in ("received", "wells", "results"):
        assert found["total"][name] == sum(one[name] for one in found["hours"])
    assert found["tubes"]["received"] == sum(found["tubes"]["now"].values()) == 2
    assert found["total"]["wells"] == 2


def test_hours_of_a_laboratory(play: Play):
    table = TUBES + RECEIVED.strip("\n") + RUN.rstrip() + "\n" + GOOD.format(n=1)
    found = asks(
        play, table,
        lambda c: figures.reconciliation(c, "L1", since=at("06:00"), until=at("20:00")),
    )  # fmt: skip
    assert [
        (one["hour"], one["received"], one["wells"], one["results"], one["over_capacity"])
        for one in found["hours"]
    ] == [
        (at("10:00"), 2, 0, 0, False), (at("12:00"), 0, 2, 0, False), (at("13:00"), 0, 0, 1, False)
    ]  # fmt: skip
    assert found["tubes"]["now"] == {"done": 1, "release": 1}


def test_a_window_does_not_blame_results_whose_wells_came_before_it(play: Play):
    table = TUBES + RECEIVED.strip("\n") + RUN.rstrip() + "\n" + GOOD.format(n=1)
    found = asks(
        play, table,
        lambda c: figures.reconciliation(c, "L1", since=at("12:45"), until=at("20:00")),
    )  # fmt: skip
    assert (found["total"]["results"], found["total"]["wells"], found["balanced"]) == (1, 0, True)


def test_a_blocked_plate_has_no_wells_to_report_from(play: Play):
    blocked = RUN.replace("RunCalled    Q1", "RunCalled    Q1  blocked=controls")
    table = TUBES + RECEIVED.strip("\n") + blocked.rstrip() + "\n" + GOOD.format(n=1)
    found = asks(
        play, table,
        lambda c: figures.reconciliation(c, "L1", since=at("06:00"), until=at("20:00")),
    )  # fmt: skip
    assert (found["total"]["wells"], found["total"]["wells_blocked"]) == (0, 2)
    assert found["differences"] == {"results_unproven": 1, "more_results_than_wells": 1}


def test_no_such_laboratory(play: Play):
    async def ask(conn: Any) -> None:
        with pytest.raises(Problem) as caught:
            await figures.reconciliation(conn, "L9", since=at("06:00"), until=at("20:00"))
        assert isinstance(caught.value, LabUnknown)

    asks(play, TUBES, ask)


COLD, WARM = "temperature_decidegrees=-5", "temperature_decidegrees=81"
ALARMS: dict[str, tuple[str, str]] = {
    "more_results_than_wells": ("13:30", RUN.strip("\n") + "\n" + BALANCES[3][1]),
    "result_before_plate": ("13:30", RUN.strip("\n") + "\n" + BALANCES[4][1]),
    "throughput_over_capacity": (
        "13:30",
        "\n".join(
            f"13:0{n} ResultReleased r{n} barcode=B9{n} outcome=positive lab=L1" for n in range(4)
        ),
    ),
    "result_unproven": ("13:30", RUN.strip("\n") + "\n" + BALANCES[2][1]),
    "repooling_refused": ("13:30", BALANCES[9][1]),
    "tube_too_old": ("12:01", ""),
    "tube_near_limit": ("11:00", ""),
    "hand_over_open": (
        "10:30",
        '09:40  BoxHandedOver  X1  side=gives giver={"vehicle":"V1"} taker={"vehicle":"V2"}',
    ),
    "hand_over_differs": (
        "10:30",
        '09:40  BoxHandedOver  X1  side=gives giver={"vehicle":"V1"} taker={"vehicle":"V2"} count=4\n'
        '09:41  BoxHandedOver  X1  side=takes giver={"vehicle":"V1"} taker={"vehicle":"V2"} count=3',
    ),
    "box_too_warm": ("10:30", f"09:40  TemperatureRead  X1  {WARM}"),
    "box_too_cold": ("10:30", f"09:40  TemperatureRead  X1  {COLD}"),
    "discrepancy_open": ("10:30", RECEIVED.strip("\n") + "\n10:20 TubesReceived C1 scans=B77"),
}


@pytest.mark.parametrize("alarm", ALARMS)
def test_each_alarm_is_raised_once_there_is_reason(play: Play, alarm: str):
    clock, lines = ALARMS[alarm]

    async def story(muster: Instance) -> None:
        await muster.door.append(told(TUBES))
        async with muster.pool.connection() as conn:
            assert alarm not in {one["alarm"] for one in await way_alarms(conn, at("10:30"))}
            if lines:
                assert set(await muster.door.append(told(lines))) == {"stored"}
            await catch_up(conn, CATALOGUE)
            raised = {one["alarm"]: one["count"] for one in await way_alarms(conn, at(clock))}
            assert raised[alarm] == 1
            assert alarm in {"result_unproven", "discrepancy_open"} or alarm not in {
                one["alarm"] for one in await way_alarms(conn, at(clock) + timedelta(days=5))
            }

    play(story)


def test_a_received_box_is_no_longer_too_warm_and_its_tubes_not_too_old(play: Play):
    lines = (
        f"09:40  TemperatureRead  X1  {WARM}" + RECEIVED.replace("B1,B2", "B1,B2,B3,B4").rstrip()
    )
    (alarm,) = asks(play, TUBES + lines, lambda c: way_alarms(c, at("12:45")))
    # Nobody scanned that they gave it.
    assert (alarm["rank"], alarm["alarm"], alarm["count"]) == (4, "hand_over_open", 1)


def test_a_file_that_waits_for_its_plate(play: Play):
    async def story(muster: Instance) -> None:
        async with muster.pool.connection() as conn:
            await conn.execute(
                "INSERT INTO lab.run_file (file, lab, name, size_bytes, received_at, sent_by, state,"
                " expires_at) VALUES ('\\\\x01', 'L1', 'run.csv', 1, now(), 'anna', 'waiting', now())"
            )
            assert [one["alarm"] for one in await way_alarms(conn, at("10:00"))] == [
                "run_file_waiting"
            ]
            assert await way_alarms(conn, at("10:00"), whole=False) == []

    play(story)


def test_who_may_ask_for_figures(play: Play):
    """A laboratory its own; an area lead their sites'; nobody without the right."""

    async def asked(muster: Instance, http: dict[str, httpx.AsyncClient]) -> None:
        day = {"since": "2022-08-01T00:00:00+08:00", "until": "2022-08-02T00:00:00+08:00"}
        for login, one, other in (
            ("chief", 200, 200), ("lab-one", 200, 403), ("lab-two", 403, 200), ("lead", 403, 403),
            ("courier", 403, 403),
        ):  # fmt: skip
            for lab, status in (("L1", one), ("L2", other)):
                path = f"/v1/labs/{lab}/reconciliation"
                assert (await http[login].get(path, params=day)).status_code == status, login
        for login, sites in {
            "chief": {"SITE-A", "SITE-B"}, "lead": {"SITE-B"}, "lab-one": {"SITE-A"},
            "lab-two": set(),
        }.items():  # fmt: skip
            answer = await http[login].get("/v1/stages", params={"by": "site", **day})
            assert {each["code"] for each in answer.json()} == sites, login
        assert (await http["sampler"].get("/v1/stages")).status_code == 403
        assert (await http["courier"].get("/v1/tubes/ages")).status_code == 403
        assert (
            await http["lab-one"].get("/v1/tubes/ages", params={"lab": "L2"})
        ).status_code == 403
        answer = await http["lead"].get("/v1/tubes/ages", params={"round": "R1"})
        assert answer.json()["total"] == {"tubes": 0, "near": 0, "over": 0}  # the day is long past
        wrong = {"since": "2022-08-03T00:00:00+08:00", "until": "2022-08-02T00:00:00+08:00"}
        answer = await http["chief"].get("/v1/stages", params=wrong)
        assert answer.json()["type"] == "urn:muster:problem:no-such-time"

    visit(play, asked)


def test_an_area_lead_is_alarmed_of_their_own_sites(play: Play):
    places: list[dict[str, Any]] = [{}, {"whole": False, "areas": [named("S2")]}, {"whole": False}]

    async def ask(conn: Any) -> Any:
        await catch_up(conn, CATALOGUE)
        return [
            {one["alarm"]: one["count"] for one in await way_alarms(conn, at("12:31"), **where)}
            for where in places
        ]

    everywhere, lead, nowhere = asks(play, DAY, ask)
    assert everywhere == {"tube_too_old": 1, "hand_over_open": 1, "hand_over_differs": 1,
                          "discrepancy_open": 1}  # fmt: skip
    assert lead == {"tube_too_old": 1, "hand_over_open": 1}
    assert nowhere == {}
