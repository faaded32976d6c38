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
            tube  count  min  max
            T1    10     1    10
            T9    1      1    1
        """)
    )
