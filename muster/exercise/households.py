"""Who lives in the rooms: households of one to six people whose ages, sexes and surnames belong
together, each person one row of the office's list.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from muster.exercise.documents import (
    CITIZEN,
    OLDEST_DAYS,
    calendar,
    citizen_number,
    other_document_issuer,
    phone_issuer,
    places_by_year,
    sequence_issuer,
)
from muster.exercise.names import NamePools, generation, name_pools, traditional
from muster.exercise.places import Building, Grid, lay_out_buildings, rooms

HEADER = (
    *("姓名", "证件类型", "证件号码", "手机", "性别", "出生日期"),
    *("楼栋编码", "房号", "状态", "户籍地区划码", "人群"),
)

# States are those of the de-facto population (row Y5). A household is temporary as a whole.
TEMPORARY_SHARE = 0.06
AWAY_BELOW = 0.03 / (1 - TEMPORARY_SHARE)
CANNOT_BE_TESTED_BELOW = AWAY_BELOW + 0.005 / (1 - TEMPORARY_SHARE)
MOVED_AWAY_BELOW = CANNOT_BE_TESTED_BELOW + 0.005 / (1 - TEMPORARY_SHARE)

EMPTY_ROOMS_SHARE = 0.12
BORN_HERE_SHARE, TEMPORARY_BORN_HERE_SHARE = 0.66, 0.04
REGISTERED_HERE_SHARE = 0.8  # of residents who were first registered somewhere else
OTHER_DOCUMENT_SHARE = 0.01
# Some small children are in no register yet: about 1.5 % of all people.
NO_DOCUMENT_SHARE, NO_DOCUMENT_AGE = 0.28, 6
PHONE_SHARE, PHONE_AGE = 0.92, 18
DAYS_PER_YEAR = 365.25
LATE_CHILD_DAYS = 12 * 365  # a child drawn before its birth is of any age up to this

MALE, FEMALE, EITHER = 0, 1, 2
SEX_WORDS = ("男", "女")


class Resident(NamedTuple):
    """One row of residents.csv, in the order of `HEADER`."""

    name: str
    document: str
    number: str
    phone: str
    sex: str
    born: str
    building: str
    room: str
    state: str
    registered: str
    group: str


class Home(NamedTuple):
    """A room that is lived in, and the code of the district around it."""

    area: str
    building: str
    room: str


class Member(NamedTuple):
    """One place at the table: years older than the head (from, and up to how many more), sex, and
    whether they bear the head's surname."""

    older: float
    spread: float
    sex: int
    kin: bool


class Household(NamedTuple):
    weight: int
    head_from: int
    head_to: int
    members: tuple[Member, ...]


_ANY = Member(0, 0, EITHER, True)
_MAN, _WIFE = Member(0, 0, MALE, True), Member(-5, 7, FEMALE, False)
_MATE = Member(-4, 8, EITHER, False)
_CHILD, _SECOND = Member(-35, 12, EITHER, True), Member(-39, 12, EITHER, True)
_FATHER, _MOTHER = Member(24, 9, MALE, True), Member(22, 9, FEMALE, False)

# Weights are ours, for 2.6 people a household and the ages of a city in Shandong: about one in
# seven under 15, more than one in five over 60.
HOUSEHOLDS = (
    Household(100, 20, 45, (_ANY,)),
    Household(90, 60, 89, (_ANY,)),
    Household(70, 23, 40, (_MAN, _WIFE)),
    Household(190, 46, 84, (_MAN, _WIFE)),
    Household(40, 30, 62, (_ANY, _CHILD)),
    Household(40, 40, 64, (_MAN, _MOTHER)),
    Household(230, 26, 60, (_MAN, _WIFE, _CHILD)),
    Household(30, 20, 34, (_ANY, _MATE, _MATE)),
    Household(30, 45, 66, (_MAN, _WIFE, _MOTHER)),
    Household(60, 27, 50, (_MAN, _WIFE, _CHILD, _SECOND)),
    Household(70, 27, 54, (_MAN, _WIFE, _CHILD, _MOTHER)),
    Household(55, 27, 52, (_MAN, _WIFE, _CHILD, _FATHER, _MOTHER)),
    Household(25, 28, 48, (_MAN, _WIFE, _CHILD, _SECOND, _FATHER, _MOTHER)),
)


def settle(grids: list[Grid], *, rng: Random) -> Iterator[tuple[Building, list[Resident]]]:
    """Buildings with the people in them, grid by grid, until every grid has its number."""
    form = _household_former(rng)
    random = rng.random
    for grid in grids:
        left = grid.people
        if not left:
            continue
        area = grid.community.code[:6]
        for building, shape in lay_out_buildings(grid, rng=rng):
            residents: list[Resident] = []
            for room in rooms(shape):
                # The first room is never empty, so that no building is.
                if residents and random() < EMPTY_ROOMS_SHARE:
                    continue
                residents += form(Home(area, building.code, room), left - len(residents))
                if len(residents) == left:
                    break
            yield building, residents
            left -= len(residents)
            if not left:
                break


def as_other_office_wrote(person: Resident, building: str, *, turn: int) -> Resident:
    """The same person in a second list: no document number, and in turn one digit of the room
    wrong or the name in traditional characters."""
    copy = person._replace(building=building, document="", number="")
    if turn % 2:
        return copy._replace(name=traditional(copy.name))
    return copy._replace(room=f"{copy.room[:-1]}{int(copy.room[-1]) % 4 + 1}")


def _household_former(rng: Random) -> Callable[[Home, int], list[Resident]]:
    """`form(home, limit)`: the people of one room, at most `limit`."""
    random = rng.random
    table = [household for household in HOUSEHOLDS for _ in range(household.weight)]
    names = name_pools(rng)
    surnames = names.surnames
    describe = _person_describer(names, rng=rng)

    def form(home: Home, limit: int) -> list[Resident]:
        _, youngest, oldest, members = table[int(random() * len(table))]
        head_age = youngest + random() * (oldest - youngest)
        surname = surnames[int(random() * len(surnames))]
        temporary = random() < TEMPORARY_SHARE
        found = []
        for older, spread, sex, kin in members[:limit]:
            days = int((head_age + older + spread * random()) * DAYS_PER_YEAR)
            if days < 0:
                days = int(random() * LATE_CHILD_DAYS)
            elif days > OLDEST_DAYS:
                days = OLDEST_DAYS - int(random() * 2_000)
            if sex == EITHER:
                sex = MALE if random() < 0.5 else FEMALE
            family = surname if kin else surnames[int(random() * len(surnames))]
            found.append(describe(home, surname=family, days=days, sex=sex, temporary=temporary))
        return found

    return form


def _person_describer(pools: NamePools, *, rng: Random) -> Callable[..., Resident]:
    """`describe(home, surname=, days=, sex=, temporary=)`: one row; `days` is the age."""
    random = rng.random
    days_back = calendar()
    given = pools.given
    places = places_by_year()
    generations = {year: generation(year) for year in places}
    next_sequence, next_phone = sequence_issuer(), phone_issuer()
    next_other_document = other_document_issuer()

    def describe(home: Home, *, surname: str, days: int, sex: int, temporary: bool) -> Resident:
        born = days_back[days]
        age = days / DAYS_PER_YEAR
        names = given[sex][generations[born.year]]
        code = registered = home.area
        if random() >= (TEMPORARY_BORN_HERE_SHARE if temporary else BORN_HERE_SHARE):
            codes = places[born.year]
            place = codes[int(random() * len(codes))]
            code = place.code
            if temporary or random() >= REGISTERED_HERE_SHARE:
                registered = place.now
        if age < NO_DOCUMENT_AGE and random() < NO_DOCUMENT_SHARE:
            document = number = ""
        elif random() < OTHER_DOCUMENT_SHARE:
            document, number = next_other_document(random() < 0.4)
            registered = ""
        else:
            document = CITIZEN
            number = citizen_number(code, born, sequence=next_sequence(days, sex))
        return Resident(
            surname + names[int(random() * len(names))],
            document,
            number,
            next_phone() if age >= PHONE_AGE and random() < PHONE_SHARE else "",
            SEX_WORDS[sex],
            born.iso,
            home.building,
            home.room,
            "temporary" if temporary else _state(random()),
            registered,
            _group(age, random()),
        )

    return describe


def _state(draw: float) -> str:
    if draw >= MOVED_AWAY_BELOW:
        return "resident"
    if draw < AWAY_BELOW:
        return "away"
    return "cannot_be_tested" if draw < CANNOT_BE_TESTED_BELOW else "moved_away"


def _group(age: float, draw: float) -> str:
    """Offices mark a few people only; shares within the ages concerned are ours."""
    if draw >= 0.1:
        return ""
    if age < 6:
        return ""
    if age < 22:
        return "student"
    if age >= 75:
        return "elderly"
    if age >= 60 or draw >= 0.016:
        return ""
    if draw < 0.01:
        return "health_worker"
    return "courier" if draw < 0.014 else "key_person"
