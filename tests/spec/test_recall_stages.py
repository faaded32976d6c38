"""A recall as a flow with clocks: how far each member has come, and whom its time calls when it is up."""

from tests.conftest import Play
from tests.spec.test_tasks import POSITIVE, scene


def test_a_recall_past_its_time_calls_the_community_until_it_is_answered(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .later(23, due=3)  # the three tasks of the positive tube
        .later(25, due=3)  # the three recalls
        .then("""
            hq.task WHERE kind = 'recall_overdue'
            role       area  tube  state
            area_lead  C1    T1    issued
            area_lead  C2    T1    issued
        """)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p1
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .then("""
            hq.task WHERE kind = 'recall_overdue'
            role       area  state
            area_lead  C1    withdrawn
            area_lead  C2    issued
        """)
        .later(27, due=1)
    )


def test_how_far_each_member_has_come(play: Play):
    recalls = "SELECT recall FROM lab.recall r JOIN registry.resident p ON p.resident = r.person"
    one = f"{recalls} WHERE person = (SELECT person FROM sampling.specimen WHERE position = "
    play(
        scene()
        .given(POSITIVE)
        .call("c1", f"{one} 1 AND tube = r.tube)")
        .call("c2", f"{one} 2 AND tube = r.tube)")
        .call("c3", f"{one} 3 AND tube = r.tube)")
        .given("""
            12:10  MemberReached   T1  person=p1 recall=c1 how=phone
            12:20  MemberReached   T1  person=p1 recall=c1 how=not_found
            12:10  MemberReached   T1  person=p2 recall=c2 how=not_found
            12:30  MemberReached   T1  person=p3 recall=c3 how=door
        """)
        .then("""
            lab.recall_stage
            person  stage    reached_at  reached_how  retested_at
            p1      reached  12:10       phone        -
            p2      ordered  -           not_found    -
            p3      reached  12:30       door         -
        """)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p1
            13:10  TubeSealed      T3  purpose=recall retest_of=T1 members=p2
            13:20  TubeSealed      T4  purpose=recall retest_of=T1 members=p3,p9
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .then("""
            lab.recall_stage
            person  stage    retested_at
            p1      closed   13:00
            p2      swabbed  13:10
            p3      reached  -
        """)
        .given("15:10  ResultReleased  r3  barcode=T3 outcome=invalid")
        .then("""
            lab.recall_stage
            person  stage
            p1      closed
            p2      answered
            p3      reached
        """)
    )
