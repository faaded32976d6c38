"""A tube that is not negative orders the recall of each member; one single re-test closes it."""

from tests.conftest import Play
from tests.table import Story

POOL = """
    08:20  TubeSealed      T1  members=p1,p2
    08:20  TubeSealed      T9  members=p9
    12:00  ResultReleased  r9  barcode=T9 outcome=negative
"""
POSITIVE = "12:00  ResultReleased  r1  barcode=T1 outcome=positive"


def test_a_positive_tube_recalls_each_member(play: Play):
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .then("""
            lab.recall
            tube  person  outcome   state  answer
            T1    p1      positive  open   -
            T1    p2      positive  open   -
        """)
    )


def test_so_does_an_indeterminate_one_but_not_an_invalid_one(play: Play):
    play(
        Story()
        .given(POOL)
        .given("""
            08:30  TubeSealed      T2  members=p3
            12:00  ResultReleased  r1  barcode=T1 outcome=indeterminate
            12:00  ResultReleased  r2  barcode=T2 outcome=invalid
        """)
        .then("""
            lab.recall
            tube  person  outcome        state
            T1    p1      indeterminate  open
            T1    p2      indeterminate  open
        """)
    )


def test_a_single_retest_closes_it(play: Play):
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p1
            13:01  TubeSealed      T3  purpose=recall retest_of=T1 members=p2
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .then("""
            lab.recall
            tube  person  state   answer    retest
            T1    p1      closed  released  T2
            T1    p2      open    -         -
        """)
        .given("15:30  ResultReleased  r3  barcode=T3 outcome=positive")
        .then("""
            lab.recall
            tube  person  state   answer     retest
            T1    p1      closed  released   T2
            T1    p2      closed  confirmed  T3
        """)
    )


def test_a_retest_with_two_people_or_without_an_answer_closes_nothing(play: Play):
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p1,p3
            13:01  TubeSealed      T3  purpose=recall retest_of=T1 members=p2
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
            15:00  ResultReleased  r3  barcode=T3 outcome=indeterminate
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T1    p2      open
        """)
    )


def test_another_persons_retest_closes_nothing(play: Play):
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p9
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T1    p2      open
        """)
    )


def test_a_confirmed_retest_beats_a_released_one_in_either_order(play: Play):
    retests = """
        13:00  TubeSealed  T2  purpose=recall retest_of=T1 members=p1
        13:00  TubeSealed  T3  purpose=recall retest_of=T1 members=p1
        13:00  TubeSealed  T4  purpose=recall retest_of=T1 members=p2
        13:00  TubeSealed  T5  purpose=recall retest_of=T1 members=p2
    """
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .given(retests)
        .given("15:00  ResultReleased  r2  barcode=T2 outcome=negative")
        .given("15:00  ResultReleased  r5  barcode=T5 outcome=positive")
        .given("15:30  ResultReleased  r3  barcode=T3 outcome=positive")
        .given("15:30  ResultReleased  r4  barcode=T4 outcome=negative")
        .then("""
            lab.recall
            tube  person  state   answer     retest
            T1    p1      closed  confirmed  T3
            T1    p2      closed  confirmed  T5
        """)
        .given("16:00  ResultAmended  r3  barcode=T3 outcome=negative")
        .then("""
            lab.recall
            tube  person  state   answer
            T1    p1      closed  released
            T1    p2      closed  confirmed
        """)
    )


def test_an_amended_retest_reopens_or_turns_its_recall(play: Play):
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p1
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .given("16:00  ResultAmended  r2  barcode=T2 outcome=invalid")
        .then("""
            lab.recall
            tube  person  state  answer
            T1    p1      open   -
            T1    p2      open   -
        """)
        .given("17:00  ResultAmended  r2  barcode=T2 outcome=positive")
        .then("""
            lab.recall
            tube  person  state   answer
            T1    p1      closed  confirmed
            T1    p2      open    -
        """)
        .given("18:00  ResultAmended  r2  barcode=T2 outcome=negative")
        .then("""
            lab.recall
            tube  person  state   answer
            T1    p1      closed  released
            T1    p2      open    -
        """)
    )


def test_a_positive_retest_recalls_nobody_again_whichever_result_came_first(play: Play):
    retest = "13:00  TubeSealed  T2  purpose=recall retest_of=T1 members=p1"
    play(
        Story()
        .given(POOL)
        .given(retest)
        .given("15:00  ResultReleased  r2  barcode=T2 outcome=positive")
        .then("""
            lab.recall WHERE state = 'open'
            tube  person
            T2    p1
        """)
        .given(POSITIVE)
        .then("""
            lab.recall WHERE state <> 'withdrawn'
            tube  person  state   answer
            T1    p1      closed  confirmed
            T1    p2      open    -
        """)
        .given("16:00  ResultAmended  r1  barcode=T1 outcome=negative")
        .then("""
            lab.recall WHERE state <> 'withdrawn'
            tube  person  state
            T2    p1      open
        """)
    )


def test_a_recall_whose_time_is_up_is_noted_once(play: Play):
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p1
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .later(23, due=1)  # the task of the squad
        .later(25, due=1)
        .later(26, due=0)
        .then("""
            lab.recall
            person  state   fell_due
            p1      closed  no
            p2      open    yes
        """)
    )


def test_an_edition_of_the_policy_sets_the_time(play: Play):
    play(
        Story()
        .given("07:00  PolicyAdopted  P1  name=recall_hours value=6 since=07:00")
        .given(POOL)
        .given(POSITIVE)
        .later(5, due=1)  # the task of the squad
        .later(7, due=2)
    )


def test_the_members_of_a_late_seal_are_recalled_too(play: Play):
    play(
        Story()
        .given(POOL)
        .given(POSITIVE)
        .given("08:20  TubeSealed  T1  members=p3 id=second")
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T1    p2      open
            T1    p3      open
        """)
    )


def test_tubes_that_re_test_each_other_recall_the_members_of_the_earlier(play: Play):
    play(
        Story()
        .given("""
            08:20  TubeSealed      T1  retest_of=T2 members=p1
            08:30  TubeSealed      T2  retest_of=T1 members=p1
            08:40  TubeSealed      T3  retest_of=T3 members=p3
            08:40  TubeSealed      T9  members=p9
            12:00  ResultReleased  r1  barcode=T1 outcome=positive
            12:00  ResultReleased  r2  barcode=T2 outcome=positive
            12:00  ResultReleased  r3  barcode=T3 outcome=positive
            12:00  ResultReleased  r9  barcode=T9 outcome=negative
        """)
        .then("""
            lab.recall WHERE state <> 'withdrawn'
            tube  person  state   answer
            T1    p1      closed  confirmed
            T3    p3      open    -
        """)
    )
