"""Who can be called, who is asked, who has a place: what is seen of it."""

from tests.conftest import Play
from tests.table import STREET_UNITS, Story

STAFF = (
    STREET_UNITS
    + """
    07:01  StaffListed  w1  unit=U1 home=H1 birth_year=1980
    07:01  StaffListed  w2  unit=U1 home=H3
    07:01  StaffListed  w3  unit=U2 home=H3 fit=false
"""
)
CALLED = (
    STAFF
    + """
    07:10  DemandRaised   D1  area=G1 count=1
    07:10  DemandRaised   D2  area=G2 count=2
    07:20  CallUpOpened   C1  demands=D1,D2
    07:21  StaffCalledUp  k1  call_up=C1 demand=D1 staff=w1
    07:21  StaffCalledUp  k2  call_up=C1 demand=D1 staff=w2
    07:21  StaffCalledUp  k3  call_up=C1 demand=D2 staff=w3
"""
)


def test_one_person_of_many_units_is_one(play: Play):
    play(
        Story()
        .given(STAFF)
        .given("""
            07:02  StaffListed    w1  unit=U2 skills=driving tags=youth_league
            07:03  StaffListed    w1  unit=U1 home=H2 birth_year=1981 skills=swabbing
            07:04  StaffDelisted  w2  unit=U1
        """)
        .then("""
            workforce.staff
            staff  unit  units  skills            tags          home  birth_year  fit
            w1     U1    U1,U2  driving,swabbing  youth_league  H2    1981        yes
            w3     U2    U2     none              none          H3    -           no
        """)
        .given("07:05  StaffDelisted  w1  unit=U1")
        .then("""
            workforce.staff
            staff  unit  units
            w1     U2    U2
            w3     U2    U2
        """)
    )


def test_training_absence_and_hardship(play: Play):
    play(
        Story()
        .given(STAFF)
        .given("""
            08:00  TrainingPassed   w1  role=sampler on=2022-07-01 until=2022-08-31
            08:00  TrainingPassed   w1  role=sampler on=2022-06-01
            08:00  TrainingPassed   w2  role=registrar on=2022-07-01
            08:00  StaffAway        w1  starts_at=10:00 ends_at=12:00 id=a1
            08:00  StaffAway        w2  starts_at=10:00 ends_at=12:00
            08:01  StaffBack        w1  cause=a1
            08:00  HardshipFlagged  w2
            08:00  HardshipFlagged  w3
            08:01  HardshipFlagged  w3  lifted=true
        """)
        .then("""
            workforce.training
            staff  role       until
            w1     sampler    2022-08-31
            w2     registrar  -
        """)
        .then("""
            workforce.away
            staff  starts_at  ends_at
            w2     10:00      12:00
        """)
        .then("""
            workforce.hardship
            staff
            w2
        """)
    )


def test_whoever_is_not_needed_any_more_is_told(play: Play):
    play(
        Story()
        .given(CALLED)
        .given("""
            07:30  StaffPosted   q1  staff=w1 demand=D1 summons=k1
            07:30  CallAnswered  k1  answer=accepted
        """)
        .then("""
            workforce.summons
            summons  state
            k1       accepted
            k2       withdrawn
            k3       called
        """)
        .given("07:40  CallUpClosed  C1  why=stopped")
        .then("""
            workforce.summons
            summons  state
            k1       accepted
            k2       withdrawn
            k3       withdrawn
        """)
    )


def test_a_demand_that_shrinks_tells_those_who_were_asked(play: Play):
    play(
        Story()
        .given(CALLED)
        .given("07:30  DemandRaised  D2  area=G2 count=0")
        .then("""
            workforce.summons
            summons  state
            k1       called
            k2       called
            k3       withdrawn
        """)
    )


def test_the_last_word_on_a_summons_counts(play: Play):
    play(
        Story()
        .given(CALLED)
        .given("""
            07:30  CallAnswered  k1  answer=accepted
            07:32  CallAnswered  k1  answer=declined how=telephone
            07:30  CallAnswered  k3  answer=declined
            07:31  CallAnswered  k3  answer=accepted
        """)
        .then("""
            workforce.summons
            summons  state     how
            k1       declined  telephone
            k2       called    -
            k3       accepted  link
        """)
    )


def test_a_place_from_the_word_to_the_relief(play: Play):
    play(
        Story()
        .given(CALLED)
        .given("""
            07:30  StaffPosted       q1  staff=w1 demand=D1
            07:30  StaffPosted       q2  staff=w2 demand=D2
            07:30  StaffPosted       q3  staff=w3 demand=D2
            07:31  PostingWithdrawn  q2  why=declined
            07:55  ArrivedAtPost     q3
            07:56  ArrivedAtPost     q3  how=desk
            12:10  Relieved          q3  by=q1
        """)
        .then("""
            workforce.posting
            posting  staff  state      arrived_at  left_at  relieved_by
            q1       w1     posted     -           -        -
            q2       w2     withdrawn  -           -        -
            q3       w3     left       07:55       12:10    q1
        """)
    )


def test_who_stood_there_did_whatever_was_said_before(play: Play):
    play(
        Story()
        .given(CALLED)
        .given("""
            07:30  StaffPosted       q1  staff=w1 demand=D1
            08:20  PostingWithdrawn  q1  why=no_show
            08:30  ArrivedAtPost     q1
        """)
        .then("""
            workforce.posting
            posting  state    withdrawn_why
            q1       arrived  no_show
        """)
    )
