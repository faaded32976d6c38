"""Who rests, asks to be relieved, passed a limit, was hurt, leads: what is seen of it, and who is told."""

from tests.conftest import Play
from tests.table import STREET_UNITS, Story

AT_POSTS = (
    STREET_UNITS
    + """
    07:01  StaffListed    w1  unit=U1 home=H1
    07:01  StaffListed    w2  unit=U1 home=H3
    07:01  StaffListed    w3  unit=U2 home=H3
    07:10  DemandRaised   D1  area=G1 count=2
    07:10  DemandRaised   D2  area=G2 count=1
    07:30  StaffPosted    q1  staff=w1 demand=D1
    07:30  StaffPosted    q2  staff=w2 demand=D1
    07:30  StaffPosted    q3  staff=w3 demand=D2
    08:00  ArrivedAtPost  q1
    08:00  ArrivedAtPost  q2
    08:00  ArrivedAtPost  q3
"""
)


def test_the_last_proof_of_each_skill(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("""
            08:10  SkillProven  w1  skill=driving on=2022-07-01 until=2022-12-31
            08:10  SkillProven  w1  skill=driving on=2021-07-01 issuer=office
            08:10  SkillProven  w1  skill=nursing
            08:10  SkillProven  w3  skill=driving
        """)
        .then("""
            workforce.proof
            staff  skill    issuer  until
            w1     driving  school  2022-12-31
            w1     nursing  school  -
            w3     driving  school  -
        """)
    )


def test_a_break_ends_with_the_first_word_after_it(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("""
            11:00  BreakEnded  q1
            10:00  BreakBegun  q1
            09:00  BreakEnded  q1
            12:00  BreakBegun  q1
            10:30  BreakBegun  q3
        """)
        .then("""
            workforce.rest
            posting  began_at  ended_at
            q1       10:00     11:00
            q1       12:00     -
            q3       10:30     -
        """)
    )


def test_whoever_asks_for_relief_wants_it_until_they_do_not(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("""
            10:00  ReliefRequested  q1  why=unwell
            10:00  ReliefRequested  q2
        """)
        .given("10:05  ReliefNoLongerWanted  q2")
        .then("""
            workforce.relief
            posting  requested_at  why
            q1       10:00         unwell
        """)
        .then("""
            hq.task where kind = 'relief_asked'
            about  area  role       state
            q1     G1    area_lead  issued
            q2     G1    area_lead  withdrawn
        """)
        .given("10:30  Relieved  q1")
        .then("""
            hq.task where kind = 'relief_asked'
            about  state
            q1     withdrawn
            q2     withdrawn
        """)
    )


def test_of_a_place_one_is_told_once_of_each_limit(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("""
            20:00  LimitPassed  q1
            20:01  LimitPassed  q2
            20:01  LimitPassed  q3  limit=watch value=8
        """)
        .then("""
            hq.task
            kind        about  area  state
            duty_limit  D1     G1    issued
            duty_watch  D2     G2    issued
        """)
        .given("20:10  Relieved  q1")
        .then("""
            hq.task where kind = 'duty_limit'
            about  state
            D1     issued
        """)
        .given("20:11  Relieved  q2")
        .then("""
            hq.task where kind = 'duty_limit'
            about  state
            D1     withdrawn
        """)
    )


def test_a_break_sees_to_the_suit_and_the_next_stretch_is_told_anew(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("10:00  LimitPassed  q1  limit=suit value=120")
        .given("10:05  BreakBegun   q1")
        .then("""
            hq.task
            kind       about  state
            duty_suit  D1     withdrawn
        """)
        .given("""
            10:35  BreakEnded   q1
            13:00  LimitPassed  q1  limit=suit value=145
        """)
        .then("""
            hq.task
            kind       about  state
            duty_suit  D1     withdrawn
            duty_suit  D1     issued
        """)
    )


def test_who_was_hurt_is_told_of_until_they_are_cleared(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("""
            10:00  IncidentRecorded  i1  staff=w1 posting=q1
            10:00  IncidentRecorded  i3  staff=w3 kind=injury
        """)
        .then("""
            workforce.incident
            incident  staff  kind      clear_from
            i1        w1     collapse  -
            i3        w3     injury    -
        """)
        .then("""
            hq.task
            kind      about  area  state
            incident  i1     G1    issued
        """)
        .given("15:00  ClearedForDuty  i1  starts_at=2/08:00")
        .then("""
            workforce.incident
            incident  clear_from
            i1        2/08:00
            i3        -
        """)
        .then("""
            hq.task
            kind      about  state
            incident  i1     withdrawn
        """)
    )


def test_who_leads_who_owns_what_is_handed_over_and_done(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("""
            09:00  PlaceLed    G1  staff=w1
            09:00  PlaceLed    G1  part=deputy staff=w2
            09:00  PlaceLed    G1  part=relief staff=w3
            09:10  PlaceLed    G1  part=relief
            09:20  PlaceLed    G1  staff=w3
            09:00  OwnerNamed  H1  staff=w1
            09:00  OwnerNamed  G1  staff=w2
            09:10  OwnerNamed  G1
            11:50  HandedOver  q1  to=q2 open_matters=2
            11:55  HandedOver  q1  to=q2 open_matters=1
            09:00  WorkGiven   q3  what=doors
        """)
        .then("""
            workforce.lead
            place  part    staff
            G1     chief   w3
            G1     deputy  w2
        """)
        .then("""
            workforce.owner
            area  staff
            H1    w1
        """)
        .then("""
            workforce.handover
            posting  to_posting  open_matters  handed_over_at
            q1       q2          1             11:55
        """)
        .then("""
            workforce.work
            posting  what
            q3       doors
        """)
    )


def test_of_heat_one_is_told_while_it_lasts(play: Play):
    play(
        Story()
        .given(AT_POSTS)
        .given("""
            12:00  HeatRead  S1  decidegrees=385
            12:00  HeatRead  G2  decidegrees=330
        """)
        .then("""
            hq.task
            kind  about  area  state
            heat  S1     S1    issued
        """)
        .given("18:00  HeatRead  S1  decidegrees=310")
        .then("""
            hq.task
            kind  about  state
            heat  S1     withdrawn
        """)
    )
