"""Even groups, people over places, days on duty, figures nobody is known by: values in, values out."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise, product
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from muster.teams.engine.colours import MARKINGS, colour_of
from muster.teams.engine.composition import (
    FEW,
    LEAST,
    WITHHELD,
    Featured,
    composition,
    overlapping,
    protected,
)
from muster.teams.engine.duty import days_on_duty
from muster.teams.engine.grouping import Worker, even_groups, spread_of
from muster.teams.engine.spreading import Helper, Spot, rested, seat, spread
from tests.table import named

UNITS = [named(f"unit {n}") for n in range(5)]
SKILLS = ("swab", "register", "drive")
workers = st.lists(
    st.builds(
        Worker, staff=st.uuids(), unit=st.sampled_from([None, *UNITS]),
        skills=st.frozensets(st.sampled_from(SKILLS)), sex=st.sampled_from([None, "male", "female"]),
    ),
    max_size=60, unique_by=lambda one: one.staff,
)  # fmt: skip


def _evenly(counts: list[int]) -> bool:
    return max(counts) - min(counts) <= 1


@given(workers, st.integers(1, 12))
def test_groups_are_even_by_size_and_unit_and_hold_each_person_once(people, count):
    groups = even_groups(people, count)
    assert len(groups) == count
    assert sorted(one.staff for group in groups for one in group) == sorted(
        one.staff for one in people
    )
    assert _evenly([len(group) for group in groups])
    for unit in {one.unit for one in people}:
        assert _evenly([sum(one.unit == unit for one in group) for group in groups])


@given(st.lists(st.sampled_from([None, *SKILLS]), max_size=60), st.integers(1, 12))
def test_of_one_unit_with_one_skill_each_groups_are_even_by_skill(skills, count):
    people = [
        Worker(named(f"w{n}"), UNITS[0], frozenset([one] if one else []))
        for n, one in enumerate(skills)
    ]
    groups = even_groups(people, count)
    assert all(spread_of(groups, ("skill", one)) <= 1 for one in SKILLS)


@given(workers, st.integers(1, 8), st.randoms())
def test_the_order_in_which_people_come_does_not_matter(people, count, random):
    shuffled = random.sample(people, len(people))
    assert even_groups(people, count) == even_groups(shuffled, count)


@given(workers, st.integers(1, 8))
def test_exchanges_never_make_skills_less_even_than_dealing(people, count):
    ordered = sorted(
        people, key=lambda one: (str(one.unit), sorted(one.skills), one.sex or "", one.staff)
    )
    dealt = [ordered[n::count] for n in range(count)]

    def squares(groups):
        return sum(
            sum(skill in one.skills for one in group) ** 2 for group in groups for skill in SKILLS
        )

    assert squares(even_groups(people, count)) <= squares(dealt)


def test_a_hundred_and_forty_in_fourteen_groups():
    """From seven units of unlike size and with unlike skills: ten in each, of each skill alike."""
    sizes = [38, 31, 24, 19, 14, 9, 5]
    people = [
        Worker(named(f"{unit}/{n}"), named(f"unit {unit}"),
               frozenset({SKILLS[(n * n + unit) % 3]} if n % 4 else ()), "female" if n % 3 else "male")
        for unit, size in enumerate(sizes) for n in range(size)
    ]  # fmt: skip
    groups = even_groups(people, 14)
    assert [len(one) for one in groups] == [10] * 14
    assert {skill: spread_of(groups, ("skill", skill)) for skill in SKILLS} == dict.fromkeys(
        SKILLS, 1
    )
    assert max(spread_of(groups, ("sex", one)) for one in ("male", "female")) <= 1


@given(st.integers(0, 400), st.lists(st.integers(0, 5_000), min_size=1, max_size=160))
def test_all_are_spread_and_no_place_gets_nobody_while_people_last(people, sizes):
    given_ = spread(people, sizes)
    assert sum(given_) == people
    if people >= len(sizes):
        assert min(given_) >= 1
    else:
        assert max(given_) <= 1
    by_size = sorted(zip(sizes, given_, strict=True))
    for (small, few), (large, many) in pairwise(by_size):
        assert few <= many or small == large


def test_two_hundred_over_places_by_the_largest_remainder():
    assert spread(10, [600, 300, 100]) == [6, 3, 1]
    assert spread(10, [610, 280, 110]) == [6, 3, 1]
    assert spread(4, [1_000, 1, 1]) == [2, 1, 1]  # their share is none, and they get one
    assert spread(2, [10, 30, 20]) == [0, 1, 1]
    assert spread(5, [0, 0]) == [3, 2]
    assert spread(3, []) == []


def test_who_has_been_on_duty_longest_rests_first():
    people = [Helper(named(f"w{n}"), days=days) for n, days in enumerate([3, 15, 9, 0])]
    going, resting = rested(people, 2, 14)
    assert [one.days for one in resting] == [15, 9]
    assert [one.days for one in going] == [3, 0]
    assert [one.days for one in rested(people, 0, 14)[1]] == [15]  # they must, whoever asks


def test_who_sleeps_nearby_goes_there():
    city, north, south = named("city"), named("north"), named("south")
    places = [Spot(named(n), 10, (city, up, named(n))) for n, up in (("a", north), ("b", south))]
    here = Helper(named("w1"), (city, south, named("inn")))
    there = Helper(named("w2"), (city, north))
    unknown = Helper(named("w3"))
    assert seat([unknown, here, there], places, [2, 1]) == [[there, unknown], [here]]


def test_days_on_duty_count_on():
    today = date(2022, 8, 10)
    days = [today - timedelta(days=n) for n in range(12)]
    assert days_on_duty(days[:3], today) == 3
    assert days_on_duty(days[1:3], today) == 2  # today has not begun for them
    assert days_on_duty(days[2:5], today) == 0  # yesterday they rested
    assert days_on_duty(days[:3], today, carried=6, on=days[3]) == 9
    assert days_on_duty(days[:3], today, carried=6, on=days[2]) == 8  # a day told of twice
    assert days_on_duty(days[:3], today, carried=6, on=days[4]) == 3  # a day of rest between
    assert days_on_duty([], today, carried=6, on=days[1]) == 6
    assert days_on_duty([], today, carried=6, on=today) == 6
    assert days_on_duty([], today, carried=6, on=days[2]) == 0


def _readings(shown, total):
    """Every table a reader who knows the sum could think of, by the hidden cells."""
    hidden = [name for name, cell in shown.items() if not isinstance(cell, int)]
    left = total - sum(cell for cell in shown.values() if isinstance(cell, int))
    ranges = []
    for name in hidden:
        if shown[name] == FEW:
            ranges.append(range(1, LEAST))
        elif FEW in shown.values():
            ranges.append(range(LEAST, total + 1))
        else:
            ranges.append(range(1, total + 1))
    return hidden, [one for one in product(*ranges) if sum(one) == left]


@example({"a": 1, "b": 5})
@example({"a": 4, "b": 4})
@example({"a": 1, "b": 1, "c": 5})
@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 12), min_size=1))
def test_no_hidden_cell_can_be_worked_out(counts):
    total = sum(counts.values())
    if total < LEAST:
        return
    shown = protected(counts)
    assert set(shown) == {name for name, count in counts.items() if count}
    assert all(cell >= LEAST and cell == counts[name] for name, cell in shown.items()
               if isinstance(cell, int))  # fmt: skip
    hidden, possible = _readings(shown, total)
    for place, name in enumerate(hidden):
        assert len({one[place] for one in possible}) > 1, (counts, shown, name)


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 20)), st.integers(LEAST, 20))
def test_who_lacks_something_is_not_known_by_it(counts, total):
    held = {name: min(count, total) for name, count in counts.items()}
    shown = overlapping(held, total)
    for name, cell in shown.items():
        if isinstance(cell, int):
            assert cell == held[name] >= LEAST
            assert total - cell == 0 or total - cell >= LEAST
    assert Counter(isinstance(one, int) for one in shown.values())[False] != 1 or len(shown) == 1


def test_what_a_team_is_made_of():
    people = [
        Featured("school", "female" if n < 18 else "male", 1980 + n, ("swab",), ("party",) if n < 2 else ())
        for n in range(20)
    ]  # fmt: skip
    assert composition(people, 2022) == {
        "total": {"people": 20},
        "unit_kind": {"school": 20},
        "sex": {"female": WITHHELD, "male": FEW},
        "age": {"20-29": WITHHELD, "30-39": 10, "40-49": FEW},
        "skill": {"swab": 20},
        "tag": {"party": FEW},
    }
    assert composition(people[:3], 2022) == {"total": {"people": FEW}}
    assert composition([], 2022) == {"total": {"people": 0}}


def test_colours_are_told_apart_without_colour():
    assert len({one.pattern for one in MARKINGS.values()}) == len(MARKINGS)
    assert [colour_of(0), colour_of(len(MARKINGS))] == ["red", "red"]
    assert isinstance(UNITS[0], UUID)
