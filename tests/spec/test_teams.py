"""Who works in which team, what was agreed with whom, who came and went: what is seen of it."""

from tests.conftest import Play
from tests.table import STREET_UNITS, Story

PEOPLE = (
    STREET_UNITS
    + """
    07:01  StaffListed  w1  unit=U1 home=H1
    07:01  StaffListed  w2  unit=U1 home=H3
    07:01  StaffListed  w9  unit=U2 home=H3
"""
)


def test_a_team_is_what_was_said_of_it_last(play: Play):
    play(
        Story()
        .given(PEOPLE)
        .given("""
            09:00  TeamFormed  t1  area=G1 leader=w2 marking=blue
            08:00  TeamFormed  t1  area=G1 leader=w1 vehicle=V1 marking=red
            08:00  TeamFormed  t2  area=G2 kind=commando parent=t1
            10:00  TeamFormed  t2  area=G2 kind=commando dissolved=true
        """)
        .then("""
            teams.team
            team  kind      area  leader  marking  vehicle  parent  dissolved
            t1    group     G1    w2      blue     -        -       no
            t2    commando  G2    -       -        -        -       yes
        """)
    )


def test_somebody_works_in_one_team_of_a_kind(play: Play):
    """Whoever joined another has left the first; a word about the first afterwards changes nothing."""
    play(
        Story()
        .given(PEOPLE)
        .given("""
            09:00  TeamJoined  w1  team=t2
            08:00  TeamJoined  w1  team=t1
            08:00  TeamJoined  w1  team=t3 kind=commando
            10:00  TeamLeft    w1  team=t1
            08:00  TeamJoined  w2  team=t1
            10:00  TeamLeft    w2  team=t1
            08:00  TeamJoined  w9  team=t1
            07:30  TeamLeft    w9  team=t1
        """)
        .then("""
            teams.member
            staff  kind      team  joined_at
            w1     commando  t3    08:00
            w1     group     t2    09:00
            w9     group     t1    08:00
        """)
    )


def test_whoever_left_may_come_back(play: Play):
    play(
        Story()
        .given(PEOPLE)
        .given("""
            08:00  TeamJoined  w1  team=t1
            09:00  TeamLeft    w1  team=t1
            10:00  TeamJoined  w1  team=t1
        """)
        .then("""
            teams.member
            staff  kind   team  joined_at
            w1     group  t1    10:00
        """)
    )


def test_aid_is_agreed_sent_confirmed_and_released(play: Play):
    play(
        Story()
        .given(PEOPLE)
        .given("""
            07:00  AidAgreed    a1  host=S1 kind=medics meals=canteen
            07:05  AidAgreed    a2  host=G2
            07:10  WaveSent     v1  aid=a1 count=120
            07:10  WaveSent     v2  aid=a1 number=2 count=80
            07:10  WaveSent     v9  aid=a2
            08:30  WaveArrived  v1  count=118
            08:40  WaveArrived  v1  count=119
            18:00  AidReleased  v1
            19:00  AidReleased  v1
            20:00  AidReleased  a2
        """)
        .then("""
            teams.aid
            aid  host  kind    meals    released_at
            a1   S1    medics  canteen  -
            a2   G2    mixed   -        20:00
        """)
        .then("""
            teams.wave
            wave  aid  number  count  arrived_at  arrived  released_at
            v1    a1   1       120    08:30       119      18:00
            v2    a1   2       80     -           -        -
            v9    a2   1       10     -           -        -
        """)
    )


def test_days_and_lodging_come_along(play: Play):
    play(
        Story()
        .given(PEOPLE)
        .given("""
            08:00  DutyCarried   w1  days=6
            09:00  DutyCarried   w1  days=7
            08:00  LodgingGiven  w1  lodging=inn area=G1
            08:00  LodgingGiven  w2  meals=canteen at_home=true
        """)
        .then("""
            teams.carried
            staff  days  up_to
            w1     7     2022-07-31
        """)
        .then("""
            teams.lodging
            staff  lodging  meals    at_home  area
            w1     inn      -        no       G1
            w2     -        canteen  yes      -
        """)
    )
