"""Coverage of a building: everyone once, at home. Whatever happens, it balances:

expected = sampled + exempt + away + refused + missing, sampled = resulted + invalid + pending.
"""

from tests.conftest import Play
from tests.table import TOWN, Story

UNBALANCED = (
    "coverage.building WHERE expected <> sampled + exempt + away + refused + missing"
    " OR sampled <> resulted + invalid + pending"
)


def test_before_anything_happens_everyone_is_missing(play: Play):
    play(
        Story()
        .given(TOWN)
        .then("""
            coverage.building
            round  building  expected  sampled  missing  swabs
            R1     H1        2         0        2        0
            R1     H2        1         0        1        0
            R1     H3        2         0        2        0
        """)
    )


def test_sampled_resulted_invalid_pending_recalled(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:20  TubeSealed      T1  members=p1 round=R1
            08:20  TubeSealed      T2  members=p2 round=R1
            08:20  TubeSealed      T3  members=p3 round=R1
            08:20  TubeSealed      T9  members=p9 round=R1
            12:00  ResultReleased  r1  barcode=T1 outcome=positive
            12:00  ResultReleased  r2  barcode=T2 outcome=negative
            12:00  ResultReleased  r3  barcode=T3 outcome=invalid
        """)
        .then("""
            coverage.building
            building  expected  sampled  resulted  invalid  pending  recalled  recall_open  missing
            H1        2         2        2         0        0        1         1            0
            H2        1         1        0         1        0        0         0            0
            H3        2         1        0         0        1        0         0            1
        """)
        .given("13:00  ResultAmended  r1  barcode=T1 outcome=negative")
        .then("""
            coverage.building WHERE recalled > 0
            building
        """)
    )


def test_refused_exempt_and_away_are_not_missing_unless_sampled_after_all(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  RefusalRecorded       p1  round=R1 id=no
            08:00  ExemptionGranted      p2  reason=infant
            08:00  ResidentStateChanged  p3  state=away
            08:00  RefusalRecorded       p4  round=R7
        """)
        .then("""
            coverage.building
            building  expected  sampled  exempt  away  refused  missing
            H1        2         0        1       0     1        0
            H2        1         0        0       1     0        0
            H3        2         0        0       0     0        2
        """)
        .given("""
            08:20  TubeSealed       T1  members=p2,p3 round=R1
            09:00  StanceWithdrawn  p1  cause=no
        """)
        .then("""
            coverage.building
            building  expected  sampled  exempt  away  refused  missing
            H1        2         1        0       0     0        1
            H2        1         1        0       0     0        0
            H3        2         0        0       0     0        2
        """)
    )


def test_people_sampled_away_from_home_count_at_home(play: Play):
    """p3 and p9 are swabbed at a site in the other grid; the tube knows only its site."""
    play(
        Story()
        .given(TOWN)
        .given("""
            07:00  SiteListed  X1  area=G1
            08:20  TubeSealed  T1  members=p1,p9 round=R1 site=X1
            08:30  TubeSealed  T2  members=p3 round=R1 site=X1
        """)
        .then("""
            coverage.building
            building  expected  sampled
            H1        2         1
            H2        1         1
            H3        2         1
        """)
    )


def test_persons_are_counted_once_and_swabs_each_time(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:20  TubeSealed  T1  members=p1 round=R1
            09:20  TubeSealed  T2  members=p1,p2 round=R1
        """)
        .then("""
            coverage.building WHERE sampled > 0
            building  expected  sampled  swabs
            H1        2         2        3
        """)
    )


def test_who_moves_is_counted_where_he_lives_now(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("08:20  TubeSealed  T1  members=p1,p9 round=R1")
        .given("09:00  ResidentMoved  p1  building=H2")
        .given("09:00  ResidentStateChanged  p4  state=moved_away")
        .then("""
            coverage.building
            building  expected  sampled
            H1        1         0
            H2        2         1
            H3        1         1
        """)
    )


def test_who_is_taken_out_or_left_out_by_the_seal_is_missing_again(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  TubeOpened     T1  round=R1
            08:01  SpecimenTaken  T1  person=p1
            08:02  SpecimenTaken  T1  person=p3
            08:03  SpecimenTaken  T1  person=p9
        """)
        .then("""
            coverage.building
            building  sampled
            H1        1
            H2        1
            H3        1
        """)
        .given("08:20  TubeSealed  T1  members=p9,p3 round=R1")
        .given("08:30  SpecimenVoided  T1  person=p3")
        .then("""
            coverage.building
            building  sampled
            H1        0
            H2        0
            H3        1
        """)
    )


def test_an_area_hung_elsewhere_takes_its_people_along(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("07:40  RoundOpened  R2  areas=G2")
        .then("""
            coverage.building WHERE round = (SELECT round FROM sampling.round WHERE name = 'R2')
            building  expected
            H3        2
        """)
        .given("08:00  AreaListed  H2  parent=G2")
        .given("08:00  AreaListed  H3  parent=nowhere")
        .then("""
            coverage.building
            round  building  expected
            R1     H1        2
            R1     H2        1
            R2     H2        1
        """)
    )


def test_it_balances_whatever_happens(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  RefusalRecorded       p1  round=R1
            08:00  ExemptionGranted      p1  reason=other
            08:00  ResidentStateChanged  p1  state=away
            08:00  ResidentStateChanged  p2  state=cannot_be_tested
            08:10  TubeSealed            T1  members=p2,p4 round=R1
            08:10  TubeSealed            T2  members=p4 round=R1
            08:10  TubeSealed            T3  barcode=T1 members=p4 round=R1
            12:00  ResultReleased        r1  barcode=T1 outcome=indeterminate
            12:00  ResultReleased        r2  barcode=T2 outcome=invalid
            12:30  ResultReleased        r3  barcode=T2 outcome=negative
        """)
        .then("""
            coverage.building
            building  expected  sampled  resulted  invalid  pending  exempt  away  refused  missing
            H1        2         1        1         0        0        1       0     0        0
            H2        1         0        0         0        0        0       0     0        1
            H3        2         1        1         0        0        0       0     0        1
        """)
        .then(f"""
            {UNBALANCED}
            building
        """)
    )


def test_who_lives_nowhere_on_the_roster_is_told_apart(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  TubeOpened       T1  round=R1
            08:01  SpecimenTaken    T1  person=w1
            08:20  TubeSealed       T9  members=p9,w2 round=R1
            08:30  ResidentsMerged  w2  into=w3
        """)
        .then("""
            coverage.unplaced
            round  person
            R1     w1
            R1     w3
        """)
        .given("08:40  TubeSealed       T1  members=p1 round=R1")
        .given("08:50  ResidentsMerged  w2  into=p4 id=second")
        .then("""
            coverage.unplaced
            round  person
        """)
    )
