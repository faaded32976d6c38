"""Visits to doors and buildings called down: what of them is seen."""

from tests.conftest import Play
from tests.table import TOWN, Story


def test_the_last_visit_counts_until_it_is_taken_back(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            09:00  VisitMade  p1  outcome=not_home round=R1 again_at=18:00
            09:01  VisitMade  p2  outcome=told
            18:00  VisitMade  p1  outcome=told round=R1 id=v2
        """)
        .then("""
            visits.visit
            person  outcome  round  again_at
            p1      told     R1     -
            p2      told     -      -
        """)
        .given("18:05  VisitWithdrawn  p1  cause=v2")
        .then("""
            visits.visit
            person  outcome   round
            p1      not_home  R1
            p2      told      -
        """)
    )


def test_a_visit_to_a_walk_in_is_the_residents(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  ResidentListed   w1  source=walk_in
            08:10  VisitMade        w1  outcome=moved
            08:11  VisitMade        p2  outcome=not_home
            09:00  ResidentsMerged  w1  into=p1
        """)
        .then("""
            visits.visit
            recorded  person  outcome
            w1        p1      moved
            p2        p2      not_home
        """)
    )


def test_every_calling_of_a_building_is_kept(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  SiteListed      X1  area=G1
            09:00  BuildingCalled  H1  round=R1 to_site=X1
            10:00  BuildingCalled  H1  round=R1
            10:00  BuildingCalled  H3  round=R1
        """)
        .then("""
            visits.call
            building  round  to_site
            H1        R1     X1
            H1        R1     -
            H3        R1     -
        """)
    )


def test_a_refusal_may_have_a_reason(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  RefusalRecorded  p1  round=R1 reason=afraid
            08:00  RefusalRecorded  p2  round=R1
        """)
        .then("""
            sampling.stance
            person  kind     reason
            p1      refused  afraid
            p2      refused  -
        """)
    )
