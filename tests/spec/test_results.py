"""A result belongs to exactly one tube or waits for a decision: it never overwrites anything."""

from tests.conftest import Play
from tests.table import TOWN, Story

SEALED = """
    08:20  TubeSealed      T1  members=p1,p2
    08:20  TubeSealed      T9  members=p9
    12:00  ResultReleased  r9  barcode=T9 outcome=negative
"""


def test_a_result_finds_its_tube(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=negative")
        .then("""
            lab.result
            result  barcode  outcome   tubes  bound
            r1      T1       negative  T1     no
            r9      T9       negative  T9     no
        """)
        .then("""
            lab.outcome
            tube  outcome   state  resulted_at
            T1    negative  final  12:00
            T9    negative  final  12:00
        """)
        .then("""
            lab.recall
            tube  person
        """)
    )


def test_a_result_that_comes_before_its_tube_waits_and_then_works(play: Play):
    play(
        Story()
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=positive")
        .then("""
            lab.result
            result  outcome   tubes
            r1      positive  none
        """)
        .given(SEALED)
        .then("""
            lab.outcome
            tube  outcome   state
            T1    positive  final
            T9    negative  final
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T1    p2      open
        """)
    )


def test_an_open_tube_or_one_of_another_time_is_no_candidate(play: Play):
    play(
        Story()
        .given("""
            08:00    TubeOpened      T1  barcode=B7
            08:20    TubeSealed      T2  barcode=B7 members=p2
            4/08:10  TubeSealed      T3  barcode=B7 members=p3
            08:20    TubeSealed      T9  members=p9
            09:00    ResultReleased  r1  barcode=B7 outcome=negative
            4/09:10  ResultReleased  r2  barcode=B7 outcome=positive
            4/08:21  ResultReleased  r3  barcode=T9 outcome=positive
        """)
        .then("""
            lab.result
            result  tubes
            r1      T2
            r2      T3
            r3      none
        """)
    )


def test_the_window_is_a_policy(play: Play):
    """An edition works for tubes sealed since it holds, even when it is adopted afterwards."""
    play(
        Story()
        .given(TOWN)
        .given("""
            08:20    TubeSealed      T1  members=p1 round=R1
            08:30    TubeSealed      T9  members=p9 round=R1
            2/09:00  ResultReleased  r1  barcode=T1 outcome=positive
            2/08:00  ResultReleased  r9  barcode=T9 outcome=negative
        """)
        .then("""
            lab.recall
            person  state
            p1      open
        """)
        .given("09:00  PolicyAdopted  P1  name=result_window_hours value=24 since=08:00")
        .then("""
            lab.result
            result  tubes
            r1      none
            r9      T9
        """)
        .then("""
            lab.recall
            person  state
            p1      withdrawn
        """)
    )


def test_two_candidates_are_a_conflict_that_releases_nobody(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:20  TubeSealed      T1  barcode=B7 members=p1 round=R1
            08:30  TubeSealed      T2  barcode=B7 members=p2 round=R1
            08:30  TubeSealed      T9  members=p9 round=R1
            12:00  ResultReleased  r1  barcode=B7 outcome=negative
            12:00  ResultReleased  r9  barcode=T9 outcome=negative
        """)
        .then("""
            lab.outcome
            tube  outcome   state
            T1    negative  conflict
            T2    negative  conflict
            T9    negative  final
        """)
        .then("""
            coverage.building WHERE sampled > 0
            building  sampled  resulted  pending
            H1        2        0         2
            H3        1        1         0
        """)
        .given("13:00  ResultBound  r1  barcode=B7 tube=T2")
        .then("""
            lab.outcome
            tube  outcome   state
            T2    negative  final
            T9    negative  final
        """)
        .then("""
            coverage.building WHERE sampled > 0
            building  sampled  resulted  pending
            H1        2        1         1
            H3        1        1         0
        """)
    )


def test_two_candidates_of_a_positive_recall_the_members_of_both(play: Play):
    play(
        Story()
        .given("""
            08:20  TubeSealed      T1  barcode=B7 members=p1
            08:30  TubeSealed      T2  barcode=B7 members=p2
            08:30  TubeSealed      T9  members=p9
            12:00  ResultReleased  r1  barcode=B7 outcome=positive
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T2    p2      open
        """)
        .given("13:00  ResultBound  r1  barcode=B7 tube=T2")
        .then("""
            lab.recall
            tube  person  state
            T1    p1      withdrawn
            T2    p2      open
        """)
        .given("14:00  ResultBound  r1  barcode=B7 tube=T1")
        .then("""
            lab.recall WHERE state = 'open'
            tube  person
            T1    p1
        """)
    )


def test_a_bulk_file_of_negatives_cannot_turn_a_positive(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=positive")
        .given("""
            18:00  ResultReleased  f1  barcode=T1 outcome=negative lab=L2
            18:00  ResultReleased  f9  barcode=T9 outcome=negative lab=L2
        """)
        .then("""
            lab.outcome
            tube  outcome   state
            T1    positive  conflict
            T9    negative  final
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T1    p2      open
        """)
        .given("19:00  ResultRejected  f1  barcode=T1 reason=wrong_file")
        .then("""
            lab.outcome
            tube  outcome   state
            T1    positive  final
            T9    negative  final
        """)
    )


def test_nor_does_a_later_positive_overwrite_a_negative(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=negative")
        .given("18:00  ResultReleased  r2  barcode=T1 outcome=positive")
        .then("""
            lab.outcome
            tube  outcome   state
            T1    positive  conflict
            T9    negative  final
        """)
    )


def test_an_invalid_run_is_followed_by_a_valid_one(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=invalid")
        .given("14:00  ResultReleased  r2  barcode=T1 outcome=negative")
        .then("""
            lab.outcome
            tube  outcome   state
            T1    negative  final
            T9    negative  final
        """)
    )


def test_an_amended_result_withdraws_its_recalls_and_a_second_one_renews_them(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=positive")
        .given("13:00  ResultAmended  r1  barcode=T1 outcome=negative")
        .then("""
            lab.recall
            tube  person  state
            T1    p1      withdrawn
            T1    p2      withdrawn
        """)
        .given("14:00  ResultAmended  r1  barcode=T1 outcome=positive")
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T1    p1      withdrawn
            T1    p2      open
            T1    p2      withdrawn
        """)
        .then("""
            lab.result
            result  first_outcome  outcome
            r1      positive       positive
            r9      negative       negative
        """)
    )


def test_an_amendment_may_name_another_barcode_or_come_first(play: Play):
    play(
        Story()
        .given("13:00  ResultAmended  r1  barcode=T9 outcome=positive")
        .given(SEALED)
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=negative")
        .then("""
            lab.outcome
            tube  outcome   state
            T1    positive  final
            T9    negative  final
        """)
        .given("14:00  ResultAmended  r9  barcode=T1 outcome=indeterminate")
        .then("""
            lab.recall
            tube  person
            T1    p1
            T1    p2
            T9    p9
        """)
    )


def test_a_rejected_result_counts_for_nothing_and_stays_on_record(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:20  TubeSealed      T1  members=p1 round=R1
            08:20  TubeSealed      T9  members=p9 round=R1
            12:00  ResultReleased  r1  barcode=T1 outcome=negative
            12:00  ResultReleased  r9  barcode=T9 outcome=negative
        """)
        .then("""
            coverage.building WHERE resulted > 0
            building
            H1
            H3
        """)
        .given("13:00  ResultRejected  r1  barcode=T1")
        .then("""
            lab.outcome
            tube  outcome
            T9    negative
        """)
        .then("""
            lab.result
            result  rejected  outcome
            r1      yes       negative
            r9      no        negative
        """)
        .then("""
            coverage.building WHERE resulted > 0
            building
            H3
        """)
    )


def test_the_laboratory_may_know_the_tube_itself(play: Play):
    """Then its label does not matter, nor when it was sealed."""
    play(
        Story()
        .given("""
            08:20    TubeSealed      T1  barcode=B7 members=p1
            08:30    TubeSealed      T2  barcode=B7 members=p2
            08:30    TubeSealed      T9  members=p9
            9/12:00  ResultReleased  r1  barcode=B8 outcome=positive tube=T1
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
        """)
        .given("9/13:00  ResultAmended  r1  barcode=B8 outcome=negative")
        .then("""
            lab.recall
            tube  person  state
            T1    p1      withdrawn
        """)
    )


def test_an_earlier_seal_that_changes_the_barcode_takes_the_result_away(play: Play):
    play(
        Story()
        .given("""
            09:00  TubeSealed      T1  barcode=B7 members=p1
            09:00  TubeSealed      T2  barcode=B7 members=p2
            09:00  TubeSealed      T9  members=p9
            12:00  ResultReleased  r1  barcode=B7 outcome=positive
        """)
        .given("08:00  TubeSealed  T1  barcode=B8 members=p1")
        .then("""
            lab.outcome
            tube  outcome   state
            T2    positive  final
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      withdrawn
            T2    p2      open
        """)
    )
