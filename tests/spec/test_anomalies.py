"""Anomalies are recorded facts: stored like any other, shown, and never lost."""

from tests.conftest import Play
from tests.table import TOWN, Story


def test_an_eleventh_member(play: Play):
    play(
        Story()
        .given("""
            08:20  TubeSealed  T1  members=p1,p2,p3,p4,p5,p6,p7,p8,p10,p11,p12
            08:20  TubeSealed  T2  capacity=1 members=p3
            08:20  TubeSealed  T9  members=p9
        """)
        .then("""
            sampling.flag
            tube  flag
            T1    over_capacity
        """)
        .then("""
            sampling.specimen WHERE position = 11
            tube  person
            T1    p12
        """)
        .given("09:00  SpecimenVoided  T1  person=p12")
        .then("""
            sampling.flag
            tube  flag
        """)
    )


def test_one_person_in_two_tubes_of_a_round(play: Play):
    """Neither of two rounds nor of a re-test is made an anomaly of."""
    play(
        Story()
        .given(TOWN)
        .given("""
            07:30  RoundOpened  R2  areas=G1
            08:20  TubeSealed   T1  round=R1 members=p1,p2
            08:30  TubeSealed   T2  round=R1 members=p1
            08:40  TubeSealed   T3  round=R2 members=p2
            08:50  TubeSealed   T4  round=R1 members=p2 purpose=recall retest_of=T1
            08:50  TubeSealed   T9  round=R1 members=p9
        """)
        .then("""
            sampling.twice
            person  round  tubes
            p1      R1     T1,T2
        """)
        .given("09:00  SpecimenVoided  T2  person=p1")
        .then("""
            sampling.twice
            person  round  tubes
        """)
    )


def test_a_barcode_seen_at_two_sites(play: Play):
    play(
        Story()
        .given("""
            08:20  TubeSealed  T1  barcode=B7 site=X1 members=p1
            08:21  TubeSealed  T2  barcode=B7 site=X2 members=p2
            08:22  TubeSealed  T3  barcode=B8 site=X1 members=p3
            08:23  TubeOpened  T4  barcode=B8 site=X1
            08:24  TubeSealed  T9  barcode=B9 site=X1 members=p9
        """)
        .then("""
            sampling.barcode_twice
            barcode  tubes  sites
            B7       T1,T2  2
            B8       T3,T4  1
        """)
    )


def test_a_barcode_that_the_seal_corrects_is_no_longer_twice(play: Play):
    play(
        Story()
        .given("""
            08:00  TubeOpened  T1  barcode=B7
            08:01  TubeOpened  T2  barcode=B7
            08:02  TubeOpened  T9  barcode=B9
        """)
        .then("""
            sampling.barcode_twice
            barcode  tubes
            B7       T1,T2
        """)
        .given("08:20  TubeSealed  T2  barcode=B8 members=p2")
        .then("""
            sampling.barcode_twice
            barcode  tubes
        """)
    )


def test_a_tube_sealed_empty(play: Play):
    play(
        Story()
        .given("""
            08:20  TubeSealed  T1
            08:20  TubeSealed  T9  members=p9
        """)
        .then("""
            sampling.flag
            tube  flag
            T1    sealed_empty
        """)
    )


def test_a_tube_sealed_twice_keeps_both_member_lists(play: Play):
    play(
        Story()
        .given("""
            08:25  TubeSealed  T1  members=p2,p3
            08:20  TubeSealed  T1  members=p1,p2
            08:20  TubeSealed  T9  members=p9
        """)
        .then("""
            sampling.specimen
            tube  person  position
            T1    p1      1
            T1    p2      1
            T1    p3      2
            T9    p9      1
        """)
        .then("""
            sampling.flag
            tube  flag
            T1    sealed_twice
        """)
        .then("""
            sampling.tube
            tube  sealed_at  seals
            T1    08:20      2
            T9    08:20      1
        """)
    )


def test_a_tube_opened_again_before_it_was_handed_over_is_not_sealed_twice(play: Play):
    """The seal before is the cause; who was taken out meanwhile is out, in any order of arrival."""
    play(
        Story()
        .given("""
            08:25  TubeSealed      T1  id=second cause=first members=p1,p3
            08:20  TubeSealed      T1  id=first members=p1,p2
            08:22  SpecimenVoided  T1  person=p2 reason=wrong_person
        """)
        .then("""
            sampling.specimen
            tube  person
            T1    p1
            T1    p3
        """)
        .then("""
            sampling.flag
            tube  flag
        """)
    )


def test_a_sample_dated_in_the_future_counts_from_when_it_came(play: Play):
    """The device's time is kept; ten minutes of it are ordinary."""
    play(
        Story()
        .given("""
            2/08:20  TubeSealed  T1  received=08:30 members=p1
              08:35  TubeSealed  T9  received=08:30 members=p9
        """)
        .then("""
            sampling.flag
            tube  flag
            T1    future_dated
        """)
        .then("""
            ledger.event
            subject  device_at  at
            T1       2/08:20    08:30
            T9       08:35      08:30
        """)
    )


def test_a_swab_in_a_tube_that_nobody_opened(play: Play):
    play(
        Story()
        .given("""
            08:20  SpecimenTaken  T1  person=p1
            08:20  TubeSealed     T9  members=p9
        """)
        .then("""
            sampling.specimen
            tube  person  round  at
            T1    p1      -      08:20
            T9    p9      -      08:20
        """)
    )
