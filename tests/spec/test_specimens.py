"""A member taken out of a tube, put back, or moved to another: the trail stays in the ledger."""

from tests.conftest import Play
from tests.table import Story

SEALED = """
    08:20  TubeSealed  T1  members=p1,p2
    08:21  TubeSealed  T2  members=p3
    08:22  TubeSealed  T9  members=p9
"""


def test_a_member_is_taken_out_and_put_back(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("08:30  SpecimenVoided  T1  person=p1 reason=not_swabbed id=v1")
        .then("""
            sampling.specimen
            tube  person
            T1    p2
            T2    p3
            T9    p9
        """)
        .given("08:35  SpecimenRestored  T1  person=p1 cause=v1")
        .then("""
            sampling.specimen
            tube  person  position
            T1    p1      1
            T1    p2      2
            T2    p3      1
            T9    p9      1
        """)
        .then("""
            ledger.event WHERE subject = (SELECT subject FROM ledger.event WHERE seq = 1)
            type              body->>'reason'  cause
            SpecimenRestored  -                v1
            SpecimenVoided    not_swabbed      -
            TubeSealed        -                -
        """)
    )


def test_taken_out_then_swabbed_again_and_sealed_is_in(play: Play):
    play(
        Story()
        .given("""
            08:00  TubeOpened       T1
            08:01  SpecimenTaken    T1  person=p1 position=1
            08:02  SpecimenVoided   T1  person=p1 reason=spoiled
            08:03  SpecimenTaken    T1  person=p1 position=1
            08:02  SpecimenVoided   T2  person=p3 reason=left
            08:20  TubeSealed       T1  members=p1,p2
            08:21  TubeSealed       T2  members=p3
            08:30  SpecimenVoided   T1  person=p2 reason=wrong_person
            08:22  TubeSealed       T9  members=p9
            12:00  ResultReleased   r1  barcode=T1 outcome=positive
        """)
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
        """)
        .then("""
            sampling.specimen
            tube  person
            T1    p1
            T2    p3
            T9    p9
        """)
    )


def test_a_restoring_without_its_cause_restores_nobody(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("""
            08:30  SpecimenVoided    T1  person=p1 id=v1
            08:35  SpecimenRestored  T1  person=p1
        """)
        .then("""
            sampling.specimen
            tube  person
            T1    p2
            T2    p3
            T9    p9
        """)
    )


def test_a_member_is_moved_and_moved_back(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("08:30  SpecimenMoved  T1  person=p1 to=T2 position=2")
        .then("""
            sampling.specimen
            tube  person  position
            T1    p2      2
            T2    p1      2
            T2    p3      1
            T9    p9      1
        """)
        .given("08:35  SpecimenMoved  T2  person=p1 to=T1 position=1")
        .then("""
            sampling.specimen
            tube  person  position
            T1    p1      1
            T1    p2      2
            T2    p3      1
            T9    p9      1
        """)
        .then("""
            ledger.event
            type           subject  body->>'reason'
            SpecimenMoved  T1       wrong_tube
            SpecimenMoved  T2       wrong_tube
            TubeSealed     T1       -
            TubeSealed     T2       -
            TubeSealed     T9       -
        """)
    )


def test_a_move_may_arrive_before_either_tube(play: Play):
    play(
        Story()
        .given("08:30  SpecimenMoved  T1  person=p1 to=T2 position=2")
        .given(SEALED)
        .then("""
            sampling.specimen
            tube  person  position
            T1    p2      2
            T2    p1      2
            T2    p3      1
            T9    p9      1
        """)
    )


def test_who_is_moved_out_of_a_positive_tube_is_not_recalled_and_who_is_moved_in_is(play: Play):
    play(
        Story()
        .given(SEALED)
        .given("12:00  ResultReleased  r1  barcode=T1 outcome=positive")
        .then("""
            lab.recall
            tube  person  state
            T1    p1      open
            T1    p2      open
        """)
        .given("12:30  SpecimenMoved  T1  person=p1 to=T2 position=2")
        .given("12:31  SpecimenMoved  T2  person=p3 to=T1 position=3")
        .then("""
            lab.recall
            tube  person  state
            T1    p1      withdrawn
            T1    p2      open
            T1    p3      open
        """)
        .given("12:40  SpecimenMoved  T2  person=p1 to=T1 position=1")
        .then("""
            lab.recall WHERE state = 'open'
            tube  person
            T1    p1
            T1    p2
            T1    p3
        """)
    )
