"""A person met outside the roster: sampled at once, linked by document number when it is known, and
unlinked when that was wrong. What was recorded stays recorded under the id it was recorded with.
"""

from tests.conftest import Play
from tests.table import TOWN, Story

NUMBER = "11010519491231002X"
LISTED = f"07:10  ResidentListed  p5  building=H2 name=张三 number={NUMBER}"
MET = f"""
    08:00  ResidentListed  w1  source=walk_in name=张三 number={NUMBER.lower()}
    08:20  TubeSealed      T1  members=w1,p1 round=R1
    08:20  TubeSealed      T9  members=p9 round=R1
"""
LINKED = """
    sampling.specimen
    tube  person  recorded
    T1    p1      p1
    T1    p5      w1
    T9    p9      p9
"""


def test_a_walk_in_is_somebody_before_anybody_knows_who(play: Play):
    play(
        Story()
        .given(TOWN)
        .given(MET)
        .then("""
            registry.resident WHERE building IS NULL
            resident  walk_in  merged_into
            w1        yes      -
        """)
        .then("""
            sampling.specimen
            tube  person  recorded
            T1    p1      p1
            T1    w1      w1
            T9    p9      p9
        """)
        .then("""
            coverage.building
            building  expected  sampled
            H1        2         1
            H2        1         0
            H3        2         1
        """)
    )


def test_a_walk_in_with_a_number_of_the_roster_is_that_resident(play: Play):
    play(
        Story()
        .given(TOWN)
        .given(LISTED)
        .given(MET)
        .then("""
            registry.alias
            recorded  person  reason
            w1        p5      same_document
        """)
        .then("""
            registry.resident WHERE merged_into IS NOT NULL
            resident  merged_into
            w1        p5
        """)
        .then(LINKED)
        .then("""
            coverage.building
            building  expected  sampled
            H1        2         1
            H2        2         1
            H3        2         1
        """)
    )


def test_also_if_the_roster_comes_afterwards(play: Play):
    play(
        Story()
        .given(TOWN)
        .given(MET)
        .given(LISTED)
        .then(LINKED)
        .then("""
            coverage.building
            building  sampled
            H1        1
            H2        1
            H3        1
        """)
    )


def test_two_meetings_are_one_person_and_the_roster_is_the_better_root(play: Play):
    play(
        Story()
        .given(TOWN)
        .given(MET)
        .given(f"""
            09:00  ResidentListed  w2  source=walk_in name=张三 number={NUMBER}
            09:20  TubeSealed      T2  members=w2 round=R1
        """)
        .then("""
            sampling.twice
            round  tubes
            R1     T1,T2
        """)
        .given(LISTED)
        .then("""
            registry.alias
            recorded  person
            w1        p5
            w2        p5
        """)
        .then("""
            sampling.twice
            person  tubes
            p5      T1,T2
        """)
    )


def test_another_number_links_nobody(play: Play):
    play(
        Story()
        .given(LISTED)
        .given("08:00  ResidentListed  w1  source=walk_in name=张三 number=34052419800101001X")
        .given("08:00  ResidentListed  w2  source=walk_in name=张三")
        .then("""
            registry.alias
            recorded  person
        """)
    )


def test_a_link_is_undone_and_stays_undone(play: Play):
    play(
        Story()
        .given(TOWN)
        .given(LISTED)
        .given(MET)
        .call("merge", "SELECT event FROM registry.alias")
        .given("10:00  ResidentsUnmerged  w1  into=p5 keep_apart=true cause=merge")
        .given(f"11:00  ResidentListed  w1  source=walk_in name=张三 number={NUMBER}")
        .then("""
            registry.alias
            recorded  person
        """)
        .then("""
            sampling.specimen
            tube  person  recorded
            T1    p1      p1
            T1    w1      w1
            T9    p9      p9
        """)
        .then("""
            coverage.building
            building  sampled
            H1        1
            H2        0
            H3        1
        """)
    )


def test_a_corrected_number_undoes_the_link_it_made(play: Play):
    play(
        Story()
        .given(LISTED)
        .given(MET)
        .given("10:00  ResidentListed  w1  source=walk_in name=张三 number=34052419800101001X")
        .then("""
            registry.alias
            recorded  person
        """)
        .then("""
            sampling.specimen
            tube  person
            T1    p1
            T1    w1
            T9    p9
        """)
    )


def test_a_reviewer_links_people_without_a_document_and_may_think_again(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  ResidentListed   w1  source=walk_in
            08:20  TubeSealed       T1  members=w1 round=R1
            08:30  TubeSealed       T2  members=p1 round=R1
            08:40  TubeSealed       T9  members=p9 round=R1
            09:00  ResidentsMerged  w1  into=p1
        """)
        .then("""
            sampling.twice
            person  tubes
            p1      T1,T2
        """)
        .given("10:00  ResidentsMerged  w1  into=p4 id=second")
        .then("""
            sampling.twice
            person  tubes
        """)
        .then("""
            coverage.building
            building  expected  sampled  swabs
            H1        2         1        1
            H2        1         0        0
            H3        2         2        2
        """)
        .given("11:00  ResidentsUnmerged  w1  into=p4 cause=second")
        .then("""
            sampling.specimen
            tube  person
            T1    p1
            T2    p1
            T9    p9
        """)
    )


def test_a_walk_in_sampled_again_under_the_old_id_is_seen_twice(play: Play):
    play(
        Story()
        .given(TOWN)
        .given(LISTED)
        .given(MET)
        .given("09:00  TubeSealed  T2  members=p5 round=R1")
        .then("""
            sampling.twice
            person  tubes
            p5      T1,T2
        """)
        .given("09:30  TubeSealed  T3  members=w1 round=R1")
        .then("""
            sampling.twice
            person  tubes
            p5      T1,T2,T3
        """)
    )


def test_recalls_and_re_tests_follow_the_person_whatever_the_id(play: Play):
    play(
        Story()
        .given(LISTED)
        .given(MET)
        .given("""
            12:00  ResultReleased  r1  barcode=T1 outcome=positive
            13:00  TubeSealed      T2  members=p5 purpose=recall retest_of=T1
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .then("""
            lab.recall
            tube  person  recorded  state   answer
            T1    p1      p1        open    -
            T1    p5      w1        closed  released
        """)
    )
