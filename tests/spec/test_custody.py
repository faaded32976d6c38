"""From the sealed tube to the laboratory's door: bags, boxes, hand-overs scanned by both sides,
temperatures. Whatever order the scans arrive in, the rows are the same.
"""

from itertools import permutations

import pytest

from tests.conftest import Play
from tests.table import TOWN, Story

SITE, VAN, VAN2, LAB = (
    '{"site":"6d757374-6572-5000-8000-0000000000aa"}', '{"vehicle":"VAN1"}', '{"vehicle":"VAN2"}',
    '{"lab":"L1"}',
)  # fmt: skip
FROM_SITE = "site:6d757374-6572-5000-8000-0000000000aa"
TUBES = """
    08:00  TubeSealed  T1  members=p1 round=R1 barcode=B1
    08:00  TubeSealed  T2  members=p2 round=R1 barcode=B2
    08:00  TubeSealed  T3  members=p3 round=R1 barcode=B3
"""
PACKED = "09:00  BoxPacked  X1  code=BOX1 tubes=B1,B2,B3 bound_for=L1"
SIDES = "custody.leg\ngiver taker n given_at taken_at\n"


def gives(at: str, giver: str, taker: str, said: str = "") -> str:
    return f"{at}  BoxHandedOver  X1  side=gives giver={giver} taker={taker} {said}"


def takes(at: str, giver: str, taker: str, said: str = "") -> str:
    return f"{at}  BoxHandedOver  X1  side=takes giver={giver} taker={taker} {said}"


def story(*lines: str) -> Story:
    return Story().given(TOWN.rstrip() + TUBES).given("\n".join((PACKED, *lines)))


def test_both_sides_of_a_hand_over_stand_side_by_side(play: Play):
    play(
        story(
            gives("09:30", SITE, VAN, "count=3 seal=S1 temperature_decidegrees=40"),
            takes("09:31", SITE, VAN, "count=3 seal=S1 temperature_decidegrees=55"),
        )
        .then(f"{SIDES}{FROM_SITE} vehicle:VAN1 1 09:30 09:31")
        .then("""
            custody.leg
            given_count  taken_count  given_seal  taken_seal  given_decidegrees  taken_decidegrees  differs
            3            3            S1          S1          40                 55                 none
        """)
        .then("""
            custody.temperature
            at     decidegrees
            09:30  40
            09:31  55
        """)
    )


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (gives("09:30", SITE, VAN), f"{FROM_SITE} vehicle:VAN1 1 09:30 -"),
        (takes("09:31", SITE, VAN), f"{FROM_SITE} vehicle:VAN1 1 - 09:31"),
    ],
)
def test_one_side_alone_leaves_the_hand_over_open(play: Play, line: str, row: str):
    play(story(line).then(SIDES + row))


@pytest.mark.parametrize(
    ("given", "taken", "differs"),
    [
        ("count=3", "count=2", "count"),
        ("seal=S1", "seal=S2", "seal"),
        ("seal=S1", "seal=S1 seal_intact=false", "seal_broken"),
        ("temperature_decidegrees=40", "temperature_decidegrees=61", "temperature"),
        ("temperature_decidegrees=40", "temperature_decidegrees=60", "none"),
        ("count=3", "", "none"),
        ("count=3 seal=S1", "count=4 seal=S2", "count,seal"),
    ],
)
def test_in_what_the_two_sides_differ(play: Play, given: str, taken: str, differs: str):
    play(
        story(gives("09:30", SITE, VAN, given), takes("09:31", SITE, VAN, taken))
        .then(f"custody.leg\ndiffers\n{differs}")
    )  # fmt: skip


def test_two_vehicles_in_a_row_and_the_reception_as_the_last_taking(play: Play):
    play(
        story(
            gives("09:30", SITE, VAN),
            takes("09:31", SITE, VAN),
            gives("09:40", VAN, VAN2),
            takes("09:41", VAN, VAN2),
            gives("09:58", VAN2, LAB),
            "10:00  BoxReceived  C1  code=BOX1 count=3 temperature_decidegrees=52",
        )
        .then(f"""
            custody.leg
            giver         taker         n  given_at  taken_at  taken_count
            {FROM_SITE}   vehicle:VAN1  1  09:30     09:31     -
            vehicle:VAN1  vehicle:VAN2  1  09:40     09:41     -
            vehicle:VAN2  lab:L1        1  09:58     10:00     3
        """)
        .then("custody.temperature\nat decidegrees\n10:00 52")
    )


def test_a_box_that_went_the_same_way_twice_has_two_hand_overs(play: Play):
    play(
        story(
            gives("09:30", SITE, VAN), takes("09:31", SITE, VAN),
            gives("09:40", VAN, SITE), takes("09:41", VAN, SITE),
            gives("09:50", SITE, VAN),
        ).then(f"""
            custody.leg
            giver         taker         n  given_at  taken_at
            {FROM_SITE}   vehicle:VAN1  1  09:30     09:31
            {FROM_SITE}   vehicle:VAN1  2  09:50     -
            vehicle:VAN1  {FROM_SITE}   1  09:40     09:41
        """)
    )  # fmt: skip


def test_a_reception_that_nobody_gave_has_one_side(play: Play):
    play(
        story("10:00  BoxReceived  C1  code=BOX1")
        .then(f"{SIDES}- lab:L1 1 - 10:00")
        .given(gives("09:58", VAN, LAB))
        .then(f"{SIDES}vehicle:VAN1 lab:L1 1 09:58 10:00")
    )  # fmt: skip


def test_taking_a_box_and_scanning_it_in_again_is_one_hand_over(play: Play):
    play(
        story(
            gives("09:58", VAN, LAB), takes("09:59", VAN, LAB),
            "10:00  BoxReceived  C1  code=BOX1",
            "10:30  BoxReceived  C2  code=BOX1",
        ).then(f"{SIDES}vehicle:VAN1 lab:L1 1 09:58 09:59")
    )  # fmt: skip


def test_each_reception_is_the_taking_of_the_giving_next_to_it(play: Play):
    """Sent back by the laboratory, and brought again by another vehicle."""
    play(
        story(
            gives("09:58", VAN, LAB), "10:00  BoxReceived  C1  code=BOX1",
            gives("10:30", LAB, VAN2), takes("10:31", LAB, VAN2),
            gives("11:00", VAN2, LAB), "11:02  BoxReceived  C2  code=BOX1",
        ).then(f"""
            {SIDES.strip()}
            vehicle:VAN1 lab:L1 1 09:58 10:00
            lab:L1 vehicle:VAN2 1 10:30 10:31
            vehicle:VAN2 lab:L1 1 11:00 11:02
        """)
    )  # fmt: skip


def test_temperatures_are_read_on_the_way_too(play: Play):
    play(
        story("09:45  TemperatureRead  X1  temperature_decidegrees=91 logger=LOG7")
        .then("custody.temperature\nat decidegrees source\n09:45 91 LOG7")
    )  # fmt: skip


def test_a_box_is_as_it_was_packed_last_and_goes_where_it_was_routed_last(play: Play):
    play(
        story("09:10  BoxPacked  X1  code=BOX1 tubes=B1,B2 bound_for=L2 seal=S2 count=2")
        .then("custody.box\nbox tubes count seal bound_for packed_at\nX1 2 2 S2 L2 09:10")
        .then("custody.packed\nbox barcode\nX1 B1\nX1 B2")
        .given("09:05  BoxRouted  X1  bound_for=L3")
        .given("09:20  BoxRouted  X1  bound_for=L1")
        .then("custody.box\nbox bound_for\nX1 L1")
        .given("09:15  BoxPacked  X2  code=BOX2 tubes=B3,B3")
        .then("custody.packed\nbox barcode listed\nX1 B1 1\nX1 B2 1\nX2 B3 2")
    )


def test_bags_stand_in_boxes(play: Play):
    play(
        Story()
        .given(TOWN.rstrip() + TUBES)
        .given("""
            09:10  BoxPacked  X1  code=BOX1 bags=G1,G2 tubes=B3
            09:00  BoxPacked  G1  code=BAG1 kind=bag tubes=B1
            09:00  BoxPacked  G2  code=BAG2 kind=bag tubes=B2
        """)
        .then("custody.box\nbox kind tubes bags\nG1 bag 1 0\nG2 bag 1 0\nX1 box 1 2")
        .then("custody.bagged\nbox bag\nX1 G1\nX1 G2")
        .then("custody.packed\nbox barcode\nG1 B1\nG2 B2\nX1 B3")
    )


DAY = (
    PACKED, gives("09:30", SITE, VAN, "count=3"), takes("09:31", SITE, VAN, "count=2"),
    gives("09:58", VAN, LAB), "10:00  BoxReceived  C1  code=BOX1",
)  # fmt: skip


def test_the_rows_do_not_depend_on_the_order_of_arrival(play: Play):
    """Every order of five scans, each order of another box; the n-th scans of all come together."""
    orders = [
        [line.replace("X1", f"X{n}").replace("BOX1", f"BOX{n}").replace("C1", f"C{n}")
         for line in order]
        for n, order in enumerate(permutations(DAY))
    ]  # fmt: skip
    told = Story().given(TOWN.rstrip() + TUBES)
    for lines in zip(*orders, strict=True):
        told = told.given("\n".join(lines))
    rows = [
        f"X{n} {FROM_SITE} vehicle:VAN1 09:30 09:31 count\nX{n} vehicle:VAN1 lab:L1 09:58 10:00 none"
        for n in range(len(orders))
    ]
    play(told.then("custody.leg\nbox giver taker given_at taken_at differs\n" + "\n".join(rows)))
