"""How far the swabs of a round have come: persons where they live, tubes where they were filled."""

from itertools import permutations

from tests.conftest import Play
from tests.table import TOWN, Story, named

HEAD = "building expected sampled sealed in_transit received on_plate called released recalled"
BUILDING = f"coverage.building\n{HEAD}\n"
TUBE = "coverage.progress\ntube stage swabs persons\n"
SITE, LAB = '{"site":"6d757374-6572-5000-8000-0000000000aa"}', '{"lab":"L1"}'
WELLS = f'[{{"well":"A01","barcode":"B1","tube":"{named("T1")}"}}]'
CALL = (
    f'[{{"barcode":"B1","tube":"{named("T1")}","well":"A01","call":"positive","reason":"curve",'
    '"standing":"positive","standing_reason":"curve","next":"propose"}]'
)
EMPTY = "\nH2 1 0 0 0 0 0 0 0 0\nH3 2 0 0 0 0 0 0 0 0"
OPENED = (
    Story()
    .given(TOWN)
    .given("""
        07:40  LabListed      L1
        08:00  TubeOpened     T1  barcode=B1 round=R1
        08:01  SpecimenTaken  T1  person=p1
    """)
)


def test_persons_and_tubes_go_from_stage_to_stage(play: Play):
    play(
        OPENED.then(TUBE + "T1 1 1 1")
        .then(BUILDING + "H1 2 1 0 0 0 0 0 0 0" + EMPTY)
        .given("08:10  TubeSealed  T1  members=p1,p2 round=R1 barcode=B1")
        .then(TUBE + "T1 2 2 2")
        .then(BUILDING + "H1 2 2 2 0 0 0 0 0 0" + EMPTY)
        .given("09:00  BoxPacked  X1  code=BOX1 tubes=B1 bound_for=L1")
        .then(TUBE + "T1 2 2 2")
        .given(f"09:30  BoxHandedOver  X1  side=gives giver={SITE} taker={LAB}")
        .then(BUILDING + "H1 2 2 2 2 0 0 0 0 0" + EMPTY)
        .given("10:00  BoxReceived  C1  code=BOX1")
        .then(TUBE + "T1 3 2 2")
        .given("10:01  TubesReceived  C1  scans=B1")
        .then(BUILDING + "H1 2 2 2 2 2 0 0 0 0" + EMPTY)
        .given(f"10:30  PlateLoaded  Q1  wells={WELLS}")
        .then(BUILDING + "H1 2 2 2 2 2 2 0 0 0" + EMPTY)
        .given("12:00  RunImported  U1  plate=Q1")
        .given(f"12:05  RunCalled  U1  plate=Q1 calls={CALL}")
        .then(BUILDING + "H1 2 2 2 2 2 2 2 0 0" + EMPTY)
        .given("13:00  ResultReleased  r1  barcode=B1 tube=T1 outcome=positive")
        .then(BUILDING + "H1 2 2 2 2 2 2 2 2 2" + EMPTY)
        .then(TUBE + "T1 7 2 2")
    )


def test_a_stage_that_nobody_scanned_is_passed_by_what_comes_after(play: Play):
    play(
        OPENED.given("08:10  TubeSealed  T1  members=p1 round=R1 barcode=B1")
        .given("13:00  ResultReleased  r1  barcode=B1 tube=T1 outcome=negative")
        .then(TUBE + "T1 7 1 1")
        .then(BUILDING + "H1 2 1 1 1 1 1 1 1 0" + EMPTY)
    )


def test_a_person_in_two_tubes_is_one_person_and_two_swabs(play: Play):
    play(
        OPENED.given("08:10  TubeSealed  T1  members=p1 round=R1 barcode=B1")
        .given("09:10  TubeSealed  T2  members=p1,p2 round=R1 barcode=B2")
        .then(TUBE + "T1 2 1 1\nT2 2 2 1")
        .given("08:05  TubeSealed  T3  members=p1 round=R1 barcode=B3")
        .then(TUBE + "T1 2 1 0\nT2 2 2 1\nT3 2 1 1")
        .then("coverage.building WHERE swabs > 0\nbuilding sampled swabs\nH1 2 4")
    )


def test_what_no_longer_holds_is_taken_back(play: Play):
    play(
        OPENED.given(f"""
            08:10  TubeSealed     T1  members=p1 round=R1 barcode=B1
            09:00  BoxPacked      X1  code=BOX1 tubes=B1
            09:30  BoxHandedOver  X1  side=gives giver={SITE} taker={LAB}
        """)
        .then(TUBE + "T1 3 1 1")
        .given("09:40  BoxPacked  X1  code=BOX1 tubes=B9")
        .then(TUBE + "T1 2 1 1")
        .given("10:00  BoxReceived  C1  code=BOX1\n10:01  TubesReceived  C1  scans=B1")
        .then(TUBE + "T1 4 1 1")
        .given(f"10:30  PlateLoaded  Q1  wells={WELLS}")
        .then(TUBE + "T1 5 1 1")
        .given("10:40  PlateDiscarded  Q1")
        .then(TUBE + "T1 4 1 1")
        .given("10:50  ScanUndone  C1  barcode=B1")
        .then(TUBE + "T1 2 1 1")
        .given("13:00  ResultReleased  r1  barcode=B1 tube=T1 outcome=negative")
        .given("13:10  ResultRejected  r1  barcode=B1")
        .then(TUBE + "T1 2 1 1")
        .then(BUILDING + "H1 2 1 1 0 0 0 0 0 0" + EMPTY)
    )


def test_bags_go_with_their_box(play: Play):
    play(
        OPENED.given(f"""
            08:10  TubeSealed     T1  members=p1 round=R1 barcode=B1
            09:00  BoxPacked      G1b  code=BAG1 kind=bag tubes=B1
            09:10  BoxPacked      X1  code=BOX1 bags=G1b
            09:30  BoxHandedOver  X1  side=gives giver={SITE} taker={LAB}
        """)
        .then(TUBE + "T1 3 1 1")
        .given("09:40  BoxPacked  G1b  code=BAG1 kind=bag tubes=B8")
        .then(TUBE + "T1 2 1 1")
    )


def test_a_merged_id_is_one_person_again(play: Play):
    play(
        OPENED.given("""
            08:10  TubeSealed         T1  members=p1 round=R1 barcode=B1
            09:10  TubeSealed         T2  members=p2 round=R1 barcode=B2
            10:00  ResidentsMerged    p2  into=p1 id=m1
        """)
        .then(TUBE + "T1 2 1 1\nT2 2 1 0")
        .given("10:30  ResidentsUnmerged  p2  into=p1 cause=m1")
        .then(TUBE + "T1 2 1 1\nT2 2 1 1")
    )


SCANS = (
    "08:10  TubeSealed  T1  members=p1 round=R1 barcode=B1",
    "09:00  BoxPacked  X1  code=BOX1 tubes=B1",
    "10:00  BoxReceived  C1  code=BOX1",
    "10:01  TubesReceived  C1  scans=B1",
)


def test_stages_do_not_depend_on_the_order_of_arrival(play: Play):
    """Every order of four scans, each order of another tube and box."""
    told = Story().given(TOWN)
    orders = [
        [
            line.replace("T1", f"T{n}").replace("B1", f"B{n}").replace("X1", f"X{n}")
            .replace("BOX1", f"BOX{n}").replace("C1", f"C{n}")
            for line in order
        ]
        for n, order in enumerate(permutations(SCANS), 100)
    ]  # fmt: skip
    for lines in zip(*orders, strict=True):
        told = told.given("\n".join(lines)).then("registry.span WHERE depth > 9\narea")
    play(told.then("coverage.progress WHERE stage <> 4\ntube"))
