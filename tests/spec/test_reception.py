"""What a laboratory finds when it opens a box: everything that does not agree opens a case."""

import pytest

from tests.conftest import Play
from tests.table import TOWN, Story

BOXES = """
    08:00  TubeSealed  T1  members=p1 round=R1 barcode=B1
    08:00  TubeSealed  T2  members=p2 round=R1 barcode=B2
    08:00  TubeSealed  T3  members=p3 round=R1 barcode=B3
    08:00  TubeSealed  T4  members=p4 round=R1 barcode=B4
    09:00  BoxPacked   X1  code=BOX1 tubes=B1,B2,B3 bound_for=L1 seal=S1 count=3
    09:00  BoxPacked   X2  code=BOX2 tubes=B4 bound_for=L2
"""
CASES = "lab.discrepancy\nkind barcode state owner\n"


def test_a_box_that_agrees_with_its_manifest_opens_no_case(play: Play):
    play(
        Story()
        .given(TOWN.rstrip() + BOXES)
        .given("""
            10:00  BoxReceived     C1  code=BOX1 seal=S1 count=3
            10:01  TubesReceived   C1  scans=B1,B2
            10:02  TubesReceived   C1  scans=B3
            10:03  ReceptionEnded  C1
        """)
        .then(CASES)
        .then("""
            lab.sample
            tube  lab  received_at  next
            T1    L1   10:01        load
            T2    L1   10:01        load
            T3    L1   10:02        load
        """)
    )


@pytest.mark.parametrize(
    ("scans", "cases"),
    [
        ("B1,B2", "missing B3 open tester"),
        ("B1,B2,B3,B4", "wrong_lab B4 open tester"),
        ("B1,B2,B3,B9", "unknown B9 open tester"),
        ("B1,B2,B3,B3", "duplicate B3 open tester"),
        ("B1,B2,B3:leaking", "leaking B3 open tester"),
        ("B1,B2,B3:empty,B9,B9", "empty B3 open tester\nunknown B9 open tester\n"
                                 "duplicate B9 open tester"),
    ],
)  # fmt: skip
def test_each_fault_opens_its_case(play: Play, scans: str, cases: str):
    play(
        Story()
        .given(TOWN.rstrip() + BOXES)
        .given(f"""
            10:00  BoxReceived     C1  code=BOX1
            10:01  TubesReceived   C1  scans={scans}
            10:03  ReceptionEnded  C1
        """)
        .then(CASES + cases)
    )


def test_faults_of_the_box_itself(play: Play):
    play(
        Story()
        .given(TOWN.rstrip() + BOXES)
        .given("""
            12:30  BoxReceived     C2  code=BOX2 seal=S9 count=2 temperature_decidegrees=121
            12:31  TubesReceived   C2  scans=B4
            12:30  BoxReceived     C1  code=BOX1 seal=S9 seal_intact=false lab=L1
            12:31  TubesReceived   C1  scans=B1,B2,B3
            12:31  BoxReceived     C3  code=BOX7
            12:32  ReceptionEnded  C3
        """)
        .then(
            CASES + "too_old B1 open tester\ntoo_old B2 open tester\ntoo_old B3 open tester\n"
            "too_old B4 open tester\nwrong_lab - open tester\nwarm - open tester\n"
            "count_differs - open tester\nseal_broken - open tester\nseal_differs - open tester\n"
            "no_manifest - open tester"
        )
    )


def test_what_arrives_late_withdraws_the_case(play: Play):
    """The phone that sealed a tube was offline; a missing tube turns up in another box."""
    play(
        Story()
        .given(TOWN.rstrip() + BOXES)
        .given("""
            10:00  BoxReceived     C1  code=BOX1
            10:01  TubesReceived   C1  scans=B1,B2,B5
            10:03  ReceptionEnded  C1
        """)
        .then(CASES + "missing B3 open tester\nunknown B5 open tester")
        .given("08:00  TubeSealed  T5  members=p9 round=R1 barcode=B5")
        .then(CASES + "missing B3 open tester\nunknown B5 withdrawn tester\nextra B5 open tester")
        .given("""
            11:00  BoxReceived     C2  code=BOX2 lab=L2
            11:01  TubesReceived   C2  scans=B3,B4 lab=L2
        """)
        .then(
            CASES + "missing B3 withdrawn tester\nunknown B5 withdrawn tester\n"
            "extra B5 open tester\nwrong_lab B3 open tester"
        )
    )


def test_a_late_manifest_and_an_undone_scan(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            10:00  BoxReceived     C1  code=BOX1
            10:01  TubesReceived   C1  scans=B1,B1
            10:03  ReceptionEnded  C1
        """)
        .then(CASES + "unknown B1 open tester\nduplicate B1 open tester\nno_manifest - open tester")
        .given("10:04  ScanUndone  C1  barcode=B1")
        .given(BOXES)
        .then(
            CASES + "unknown B1 withdrawn tester\nduplicate B1 withdrawn tester\n"
            "no_manifest - withdrawn tester\nmissing B2 open tester\nmissing B3 open tester"
        )
    )


def test_bags_in_a_box_are_part_of_its_manifest(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  TubeSealed      T1  members=p1 round=R1 barcode=B1
            08:00  TubeSealed      T2  members=p2 round=R1 barcode=B2
            10:00  BoxReceived     C1  code=BOX1
            10:01  TubesReceived   C1  scans=B1
            10:03  ReceptionEnded  C1
            09:01  BoxPacked       X1  code=BOX1 bags=G1
            09:00  BoxPacked       G1  code=BAG1 kind=bag tubes=B1,B2
        """)
        .then(CASES + "missing B2 open tester")
    )


def test_of_two_tubes_with_one_barcode_the_manifest_decides(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  TubeSealed      T1  members=p1 round=R1 barcode=B1
            08:10  TubeSealed      T2  members=p2 round=R1 barcode=B1
            10:00  BoxReceived     C1  code=BOX1
            10:01  TubesReceived   C1  scans=B1
        """)
        .then("lab.discrepancy\nkind barcode state\nambiguous B1 open\n")
        .given("""
            09:00  BoxPacked  X1  code=BOX1 tubes=B1
        """)
        .then("lab.discrepancy\nkind barcode state\nambiguous B1 open")
        .then("lab.received\nbarcode candidates tube\nB1 2 -")
    )
