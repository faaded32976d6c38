"""Rounds overlap and end; specimens may belong to none; every one has its purpose."""

from tests.conftest import Play
from tests.table import TOWN, Story


def test_two_rounds_at_once_do_not_mix(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            07:40  RoundOpened  R2  areas=G1 starts_at=08:00 ends_at=2/03:00
            08:20  TubeSealed   T1  members=p1 round=R1
            08:30  TubeSealed   T2  members=p1,p2 round=R2
            08:40  TubeSealed   T9  members=p9 round=R1
        """)
        .then("""
            sampling.round
            round  areas  starts_at  ends_at  closed_at
            R1     S1     06:00      20:00    -
            R2     G1     08:00      2/03:00  -
        """)
        .then("""
            coverage.building
            round  building  expected  sampled
            R1     H1        2         1
            R1     H2        1         0
            R1     H3        2         1
            R2     H1        2         2
            R2     H2        1         0
        """)
        .then("""
            sampling.twice
            person  round
        """)
    )


def test_a_specimen_outside_any_round_has_a_purpose_of_its_own(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:20  TubeSealed      T1  members=p1 purpose=contact
            08:30  TubeSealed      T2  members=p1 purpose=quarantine
            08:40  TubeSealed      T3  members=p2 purpose=key_person capacity=5
            08:50  TubeSealed      T4  members=p3 purpose=ad_hoc
            08:50  TubeSealed      T9  members=p9 round=R1
            12:00  ResultReleased  r1  barcode=T1 outcome=positive
        """)
        .then("""
            sampling.tube
            tube  purpose     round
            T1    contact     -
            T2    quarantine  -
            T3    key_person  -
            T4    ad_hoc      -
            T9    round       R1
        """)
        .then("""
            sampling.twice
            person
        """)
        .then("""
            lab.recall
            tube  person
            T1    p1
        """)
        .then("""
            coverage.building WHERE sampled > 0
            building  sampled
            H3        1
        """)
    )


def test_a_closed_round_keeps_its_sheet_and_takes_late_tubes(play: Play):
    """Late facts are stored and shown; what was signed stays as it was."""
    play(
        Story()
        .given(TOWN)
        .given("08:20  TubeSealed  T9  members=p9 round=R1")
        .given("20:00  RoundClosed  R1  balance=[]")
        .then("""
            sampling.round
            round  closed_at
            R1     20:00
        """)
        .then("""
            coverage.building
            round
        """)
        .given("08:40  TubeSealed  T1  members=p1 round=R1 received=21:00")
        .then("""
            sampling.specimen
            tube  person  round
            T1    p1      R1
            T9    p9      R1
        """)
    )


def test_a_round_that_is_opened_again_over_other_areas(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("08:00  RoundOpened  R1  areas=G1")
        .then("""
            sampling.round
            round  areas
            R1     G1
        """)
        .then("""
            coverage.building
            round  building
            R1     H1
            R1     H2
        """)
    )


def test_refusals_and_exemptions_with_their_reasons(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  RefusalRecorded   p1  round=R1
            08:00  ExemptionGranted  p2  reason=vaccinated_48h round=R1
            08:00  ExemptionGranted  p3  reason=bedridden id=x3
        """)
        .then("""
            sampling.stance
            person  kind     reason          round
            p1      refused  -               R1
            p2      exempt   vaccinated_48h  R1
            p3      exempt   bedridden       -
        """)
        .given("09:00  StanceWithdrawn  p3  cause=x3")
        .then("""
            sampling.stance
            person  kind
            p1      refused
            p2      exempt
        """)
    )


def test_a_refusal_of_a_walk_in_is_the_residents(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  ResidentListed   w1  source=walk_in
            08:10  RefusalRecorded  w1  round=R1
            09:00  ResidentsMerged  w1  into=p1
        """)
        .then("""
            sampling.stance
            recorded  person  kind
            w1        p1      refused
        """)
        .then("""
            coverage.building
            building  expected  refused  missing
            H1        2         1        1
            H2        1         0        1
            H3        2         0        2
        """)
    )
