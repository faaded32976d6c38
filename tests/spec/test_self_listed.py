"""Who lists themselves: one person with whoever bears the document, and the last to be believed."""

from tests.conftest import Play
from tests.table import TOWN, Story

NUMBER = "11010519491231002X"


def test_what_people_say_of_themselves_comes_last(play: Play):
    """Of the ids of a document the roster's is the person, else one whom staff met, whichever came first."""
    play(
        Story()
        .given(TOWN)
        .given(f"""
            08:00  ResidentListed  s1  source=self building=H1 name=李四 number={NUMBER}
            08:10  ResidentListed  w1  source=walk_in name=张三 number={NUMBER}
            08:20  ResidentListed  s2  source=self name=王五 number={NUMBER}
            08:30  ResidentListed  s3  source=self building=H2 name=赵六
        """)
        .then("""
            registry.resident WHERE walk_in
            resident  self_listed  merged_into
            s1        yes          w1
            s2        yes          w1
            s3        yes          -
            w1        no           -
        """)
        .given(f"09:00  ResidentListed  r1  building=H1 name=张三 number={NUMBER}")
        .then("""
            registry.alias
            recorded  person
            s1        r1
            s2        r1
            w1        r1
        """)
    )  # fmt: skip


def test_staff_who_saw_the_document_make_the_entry_theirs(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("08:00  ResidentListed  s1  source=self building=H1 name=李四")
        .given("09:00  ResidentListed  s1  source=walk_in building=H1 name=李四")
        .then(
            """
            registry.resident WHERE resident = {s1}
            resident  walk_in  self_listed
            s1        yes      no
        """.replace("WHERE resident = {s1}", "WHERE walk_in")
        )
    )


def test_a_request_for_home_stands_until_the_first_word_on_it(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  HomeSamplingAsked   p1  reason=bedridden id=a1
            08:05  HomeSamplingAsked   p2  reason=infant id=a2
            08:10  HomeSamplingClosed  p1  outcome=withdrawn cause=a1
            08:20  HomeSamplingClosed  p1  outcome=sampled cause=a1
        """)
        .then("""
            sampling.home_request
            recorded  person  reason     outcome
            p1        p1      bedridden  withdrawn
            p2        p2      infant     -
        """)
        .given("09:00  ResidentsMerged  p2  into=p3")
        .then("""
            sampling.home_request
            recorded  person
            p1        p1
            p2        p3
        """)
    )
