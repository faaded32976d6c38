"""Tubes: opened, filled, and sealed in one event that carries all members with their positions."""

from tests.conftest import Play
from tests.table import TOWN, Story


def test_a_tube_is_opened_filled_and_sealed(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  TubeOpened     T1  round=R1 site=X1 lane=2 barcode=B7
            08:01  SpecimenTaken  T1  person=p1
            08:02  TubeOpened     T9  round=R1
        """)
        .then("""
            sampling.tube
            tube  barcode  purpose  capacity  round  site  lane  sealed_at  seals
            T1    B7       round    10        R1     X1    2     -          0
            T9    T9       round    10        R1     -     -     -          0
        """)
        .then("""
            sampling.specimen
            tube  person  position  round
            T1    p1      1         R1
        """)
        .given("08:20  TubeSealed  T1  round=R1 site=X1 lane=2 barcode=B7 members=p1,p2")
        .then("""
            sampling.tube
            tube  barcode  site  sealed_at  sealed_members  seals
            T1    B7       X1    08:20      2               1
            T9    T9       -     -          -               0
        """)
        .then("""
            sampling.specimen
            tube  person  recorded  position  round  at
            T1    p1      p1        1         R1     08:20
            T1    p2      p2        2         R1     08:20
        """)
        .then("""
            sampling.flag
            tube  flag
        """)
    )


def test_ten_people_are_one_message(play: Play):
    play(
        Story()
        .given("""
            08:20  TubeSealed  T1  members=p1,p2,p3,p4,p5,p6,p7,p8,p10,p11
            08:20  TubeSealed  T9  members=p9
        """)
        .then("""
            sampling.specimen GROUP BY tube
            tube  count(*)  min(position)  max(position)
            T1    10        1              10
            T9    1         1              1
        """)
        .then("""
            ledger.event
            type        subject
            TubeSealed  T1
            TubeSealed  T9
        """)
    )


def test_the_seal_says_who_is_in_it_whatever_was_taken_before(play: Play):
    """A swab that the seal does not list is not a member, and is shown."""
    play(
        Story()
        .given("""
            08:00  TubeOpened     T1
            08:01  SpecimenTaken  T1  person=p1
            08:02  SpecimenTaken  T1  person=p2 position=2
            08:09  TubeSealed     T1  members=p1
            08:09  TubeSealed     T9  members=p9
        """)
        .then("""
            sampling.specimen
            tube  person
            T1    p1
            T9    p9
        """)
        .then("""
            sampling.flag
            tube  flag
            T1    swab_not_in_seal
        """)
    )


def test_the_seal_may_arrive_before_the_opening(play: Play):
    play(
        Story()
        .given("08:20  TubeSealed     T1  barcode=B7 members=p1,p2")
        .given("08:20  TubeSealed     T9  members=p9")
        .given("08:02  SpecimenTaken  T1  person=p2 position=2")
        .given("08:01  SpecimenTaken  T1  person=p1 position=1")
        .given("08:00  TubeOpened     T1  barcode=B7")
        .then("""
            sampling.tube
            tube  barcode  sealed_at  sealed_members
            T1    B7       08:20      2
            T9    T9       08:20      1
        """)
        .then("""
            sampling.specimen
            tube  person  position
            T1    p1      1
            T1    p2      2
            T9    p9      1
        """)
    )


def test_the_code_is_not_the_tube(play: Play):
    """Two tubes may carry one barcode; each keeps its own members."""
    play(
        Story()
        .given("""
            08:20  TubeSealed  T1  barcode=B7 members=p1
            08:21  TubeSealed  T2  barcode=B7 members=p2
            08:22  TubeSealed  T9  barcode=B9 members=p9
        """)
        .then("""
            sampling.tube t JOIN sampling.specimen s USING (tube)
            barcode  tube  person
            B7       T1    p1
            B7       T2    p2
            B9       T9    p9
        """)
    )


def test_sites_and_lanes_as_they_run(play: Play):
    play(
        Story()
        .given("""
            07:00  SiteListed  X1  area=G1 lanes=3
            07:00  SiteListed  X9  area=G2
            07:50  SiteOpened  X1
            07:51  LaneOpened  X1  lane=1
            07:51  LaneOpened  X1  lane=2
            11:00  LaneClosed  X1  lane=2
        """)
        .then("""
            sampling.site
            code  area  lanes  open  lanes_open
            X1    G1    3      yes   1
            X9    G2    1      no    0
        """)
        .given("12:00  SiteClosed  X1")
        .then("""
            sampling.site
            site  open
            X1    no
            X9    no
        """)
    )
