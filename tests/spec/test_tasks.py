"""A positive tube calls the squad, the communities and whoever else is listed, at once; each task has its
time, its answer, and goes when its ground goes.
"""

from tests.conftest import Play
from tests.table import Story

# A district of two communities; the site stands in the first. Nobody of T9 is ever called for.
CITY = """
    07:00  AreaListed      D1  level=district
    07:00  AreaListed      C1  level=community parent=D1
    07:00  AreaListed      C2  level=community parent=D1
    07:00  AreaListed      G1  level=grid parent=C1
    07:00  AreaListed      H1  parent=G1
    07:00  AreaListed      H2  parent=C2
    07:00  SiteListed      X1  area=C1
    07:00  ResidentListed  p1  building=H1 room=101
    07:00  ResidentListed  p2  building=H2
    07:00  ResidentListed  p3  building=H2
    07:00  ResidentListed  p9  building=H2
"""
POOL = """
    08:20  TubeSealed      T1  members=p1,p2,p3 site=X1
    08:20  TubeSealed      T9  members=p9 site=X1
    12:00  ResultReleased  r9  barcode=T9 outcome=negative
"""
POSITIVE = "12:00  ResultReleased  r1  barcode=T1 outcome=positive"
STANDING = "hq.task WHERE state <> 'withdrawn'"
CALLED = f"""
    {STANDING}
    kind           tube  about  role       area  state   due_at  addressee
    positive_tube  T1    T1     area_lead  C1    issued  12:30   -
    positive_tube  T1    T1     area_lead  C2    issued  12:30   -
    positive_tube  T1    T1     squad      C1    issued  12:30   -
"""
POLICE = """
    A1  code=police name=Police kinds=["positive_tube"] role=tracer reach=everywhere minutes=15
"""


def listed(at: str, *said: str) -> str:
    return " ".join([at, "AddresseeListed", POLICE.strip(), *said])


def scene() -> Story:
    return Story().given(CITY).given(POOL)


def test_a_positive_tube_calls_the_squad_and_each_community_at_once(play: Play):
    play(scene().given(POSITIVE).then(CALLED))


def test_in_any_order_of_arrival(play: Play):
    play(Story().given(POSITIVE).given(POOL).given(CITY).then(CALLED))


def test_no_other_outcome_calls_anybody(play: Play):
    play(
        scene()
        .given("""
            08:30  TubeSealed      T2  members=p1 site=X1
            08:30  TubeSealed      T3  members=p1 site=X1
            12:00  ResultReleased  r1  barcode=T1 outcome=indeterminate
            12:00  ResultReleased  r2  barcode=T2 outcome=negative
            12:00  ResultReleased  r3  barcode=T3 outcome=invalid
        """)
        .then("hq.task\n task")
    )


def test_a_second_positive_result_doubles_nothing(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .given("13:00  ResultReleased  r2  barcode=T1 outcome=positive")
        .then(CALLED)
    )


def test_amended_away_the_tasks_are_withdrawn_and_amended_back_they_are_new(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .given("13:00  ResultAmended  r1  barcode=T1 outcome=negative")
        .then("""
            hq.task
            role       area  state
            area_lead  C1    withdrawn
            area_lead  C2    withdrawn
            squad      C1    withdrawn
        """)
        .given("14:00  ResultAmended  r1  barcode=T1 outcome=positive")
        .then(f"""
            {STANDING}
            role       area  state   due_at
            area_lead  C1    issued  14:30
            area_lead  C2    issued  14:30
            squad      C1    issued  14:30
        """)
    )


def test_a_member_who_moved_calls_the_other_community_and_doubles_none(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .given("13:00  ResidentMoved  p1  building=H2")
        .then("""
            hq.task
            role       area  state
            area_lead  C1    withdrawn
            area_lead  C2    issued
            squad      C1    issued
        """)
        .given("14:00  ResidentMoved  p1  building=H1")
        .then(f"""
            {STANDING}
            role       area  state
            area_lead  C1    issued
            area_lead  C2    issued
            squad      C1    issued
        """)
    )


def test_two_ids_that_are_one_person_call_once(play: Play):
    play(
        scene()
        .given("08:10  ResidentListed  w1  source=walk_in")
        .given("08:30  TubeSealed      T2  members=w1 site=X1")
        .given("12:00  ResultReleased  r2  barcode=T2 outcome=positive")
        .given("13:00  ResidentsMerged  w1  into=p2")
        .then(f"""
            {STANDING}
            tube  role       area
            T2    area_lead  C2
            T2    squad      C1
        """)
    )


def test_when_everybody_has_an_answer_nothing_is_left_to_do(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p2
            13:00  TubeSealed      T3  purpose=recall retest_of=T1 members=p3
            15:00  ResultReleased  r2  barcode=T2 outcome=negative
        """)
        .then(CALLED)
        .given("15:30  ResultReleased  r3  barcode=T3 outcome=negative")
        .then(f"""
            {STANDING}
            role       area  state
            area_lead  C1    issued
            squad      C1    issued
        """)
    )


def test_a_positive_retest_calls_them_too(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .given("""
            13:00  TubeSealed      T2  purpose=recall retest_of=T1 members=p2 site=X1
            15:00  ResultReleased  r2  barcode=T2 outcome=positive
        """)
        .then(f"""
            {STANDING} AND tube <> (SELECT tube FROM sampling.tube WHERE barcode = 'T1')
            tube  role       area  due_at
            T2    area_lead  C2    15:30
            T2    squad      C1    15:30
        """)
    )


def test_a_tube_of_no_known_site_calls_the_squad_to_its_members_communities(play: Play):
    play(
        Story()
        .given(CITY)
        .given("08:20  TubeSealed  T1  members=p1,p2")
        .given(POSITIVE)
        .then(f"""
            {STANDING}
            role       area
            area_lead  C1
            area_lead  C2
            squad      C1
            squad      C2
        """)
    )


def test_who_else_is_listed_is_told_beside_the_two(play: Play):
    play(
        scene()
        .given(listed("11:00", "since=11:00"))
        .given(POSITIVE)
        .then(f"""
            {STANDING}
            role       area  due_at  addressee
            area_lead  C1    12:30   -
            area_lead  C2    12:30   -
            squad      C1    12:30   -
            tracer     -     12:15   A1
        """)
    )


def test_an_edition_counts_from_its_date_until_the_next(play: Play):
    play(
        scene()
        .given(listed("09:00", "since=10:00 ended=false"))
        .given(listed("09:00", "since=13:00 ended=true"))
        .given(listed("09:00", "since=2/10:00 id=again"))
        .given("""
            08:30  TubeSealed      T2  members=p1 site=X1
            08:40  TubeSealed      T3  members=p1 site=X1
            08:50  TubeSealed      T4  members=p1 site=X1
            09:30  ResultReleased  r2  barcode=T2 outcome=positive
            12:30  ResultReleased  r3  barcode=T3 outcome=positive
            14:00  ResultReleased  r4  barcode=T4 outcome=positive
        """)
        .then("""
            hq.task WHERE role = 'tracer'
            tube  due_at
            T3    12:45
        """)
    )


def test_listed_late_it_is_told_of_what_is_still_open_and_ended_late_no_more(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .given(listed("13:00", "since=11:00"))
        .then("""
            hq.task WHERE role = 'tracer'
            tube  state   due_at
            T1    issued  12:15
        """)
        .given(listed("14:00", "since=11:30 ended=true"))
        .then("""
            hq.task WHERE role = 'tracer'
            tube  state
            T1    withdrawn
        """)
    )


def test_another_squad_replaces_the_one_that_is_built_in(play: Play):
    other = 'code=s2 name=S kinds=["positive_tube"] role=squad reach=lab minutes=10'
    play(
        scene()
        .given(f"11:00  AddresseeListed  A2  {other} since=11:00")
        .given(POSITIVE)
        .then(f"""
            {STANDING} AND role = 'squad'
            role   area  lab  due_at  addressee
            squad  -     L1   12:10   A2
        """)
    )


SQUAD = "SELECT task FROM hq.task WHERE role = 'squad'"


def test_answers_and_the_first_who_gave_them(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .call("squad", SQUAD)
        .given("12:10  TaskAcknowledged  squad")
        .given("12:05  TaskAcknowledged  squad")
        .then("""
            hq.task WHERE role = 'squad'
            state         acknowledged_by  acknowledged_at  done_by
            acknowledged  tester           12:05            -
        """)
        .given("12:25  TaskDone  squad  outcome=not_possible")
        .given("12:26  TaskDone  squad")
        .then("""
            hq.task WHERE role = 'squad'
            state  done_by  done_at  outcome
            done   tester   12:25    not_possible
        """)
    )


def test_what_is_done_stays_done_and_is_not_asked_for_again(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .call("squad", SQUAD)
        .given("12:25  TaskDone  squad")
        .given("13:00  ResultAmended  r1  barcode=T1 outcome=negative")
        .given("14:00  ResultAmended  r1  barcode=T1 outcome=positive")
        .then("hq.task WHERE role = 'squad'\n state\n done")
    )


def test_done_while_away_counts_although_it_was_withdrawn_meanwhile(play: Play):
    play(
        scene()
        .given(POSITIVE)
        .call("squad", SQUAD)
        .given("13:00  ResultAmended  r1  barcode=T1 outcome=negative")
        .given("12:25  TaskDone  squad received=15:00")
        .then("hq.task WHERE role = 'squad'\n state\n done")
    )


ISSUED = """
    12:00  TaskIssued        K1  kind=other due_at=12:30 role=squad area=C1
    12:00  TaskIssued        K2  kind=other due_at=12:30 role=squad area=C1
    12:00  TaskIssued        K3  kind=other due_at=12:30 role=squad area=C1
    12:00  TaskIssued        K4  kind=result_amended due_at=12:30 login=worker
    12:00  TaskIssued        K5  kind=result_amended due_at=12:30 login=other
    12:10  TaskAcknowledged  K2
    12:10  TaskDone          K3
    12:10  TaskAcknowledged  K4
"""


def test_a_task_falls_due_once_unless_it_is_done_and_news_unless_they_were_seen(play: Play):
    play(
        Story()
        .given(ISSUED)
        .later(0, due=3)
        .later(1, due=0)
        .then("""
            hq.task
            task  state         fell_due
            K1    issued        yes
            K2    acknowledged  yes
            K3    done          no
            K4    acknowledged  no
            K5    issued        yes
        """)
    )
