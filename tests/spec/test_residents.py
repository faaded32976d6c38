"""Areas, units and residents: for each thing the latest that was said of it counts."""

from tests.conftest import Play
from tests.table import TOWN, Story


def test_areas_are_numbered_depth_first(play: Play):
    play(
        Story()
        .given(TOWN)
        .then("""
            registry.area a JOIN registry.span s USING (area)
            code  level     parent  lo  hi  depth
            S1    street    -       1   6   0
            G1    grid      S1      2   4   1
            H1    building  G1      3   3   2
            H2    building  G1      4   4   2
            G2    grid      S1      5   6   1
            H3    building  G2      6   6   2
        """)
    )


def test_an_area_that_comes_before_its_parent_waits_for_its_place(play: Play):
    play(
        Story()
        .given("07:00  AreaListed  H1  parent=G1")
        .given("07:00  AreaListed  G9  level=grid")
        .then("""
            registry.span
            area  lo  hi
            G9    1   1
        """)
        .given("07:00  AreaListed  G1  level=grid")
        .then("""
            registry.span
            area  lo  hi
            G1    1   2
            H1    2   2
            G9    3   3
        """)
    )


def test_areas_in_a_circle_have_no_place_and_are_still_there(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("08:00  AreaListed  G1  level=grid parent=H1")
        .then("""
            registry.span
            area  lo  hi
            S1    1   3
            G2    2   3
            H3    3   3
        """)
        .then("""
            registry.area WHERE level = 'grid'
            area  parent
            G1    H1
            G2    S1
        """)
    )


def test_the_latest_listing_counts_whenever_it_arrives(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("09:00  ResidentListed  p1  building=H2 room=201 state=temporary sex=female")
        .given("08:00  ResidentListed  p1  building=H3 birth_year=1950 received=10:00")
        .then("""
            registry.resident
            resident  building  room  state      sex     birth_year  walk_in
            p1        H2        201   temporary  female  1950        no
            p2        H1        102   resident   -       -           no
            p3        H2        -     resident   -       -           no
            p4        H3        -     resident   -       -           no
            p9        H3        -     resident   -       -           no
        """)
    )


def test_moving_and_changing_state(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            08:00  ResidentMoved         p1  building=H3 room=301
            08:00  ResidentStateChanged  p2  state=away
        """)
        .then("""
            registry.resident
            resident  building  room  state
            p1        H3        301   resident
            p2        H1        102   away
            p3        H2        -     resident
            p4        H3        -     resident
            p9        H3        -     resident
        """)
    )


def test_a_household_is_who_lives_in_one_room(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            07:50  ResidentListed        p5  building=H1 room=101
            08:00  ResidentStateChanged  p5  state=away
            08:00  ResidentStateChanged  p2  state=moved_away
        """)
        .then("""
            registry.household WHERE room IS NOT NULL
            building  room  people  present
            H1        101   2       1
        """)
    )


def test_units_declared_numbers_and_policies(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            07:00  UnitListed           U1  code=U1 kind=school area=G1 name=一小 headcount=800
            08:00  UnitListed           U1  code=U1 kind=school area=G1 name=一小 headcount=820
            07:00  UnitListed           U9  code=U9 kind=hotel area=G2 name=旅店
            07:00  DenominatorDeclared  G1  people=3000 source=census on=2021-01-01
            07:00  DenominatorDeclared  G1  people=3200 source=police on=2022-06-30
            07:00  PolicyAdopted        P1  name=tube_size value=20 since=07:00 area=G1
        """)
        .then("""
            registry.unit
            unit  kind    area  name  headcount
            U1    school  G1    一小  820
            U9    hotel   G2    旅店  0
        """)
        .then("""
            registry.denominator
            area  people  source
            G1    3000    census
            G1    3200    police
        """)
        .then("""
            registry.policy
            policy  name       value  since  area
            P1      tube_size  20     07:00  G1
        """)
    )


def test_names_are_found_in_the_building_of_whoever_is_not_merged(play: Play):
    play(
        Story()
        .given(TOWN)
        .given("""
            07:10  ResidentListed   p5  building=H2 name=张三
            07:10  ResidentListed   p6  building=H2 name=李四
            07:20  ResidentListed   w1  building=H3 source=walk_in name=张三
            07:30  ResidentsMerged  w1  into=p5
        """)
        .then("""
            vault.search
            resident  building  name  initials
            p5        H2        张三  zs
            p6        H2        李四  ls
        """)
    )
