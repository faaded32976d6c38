"""The synthetic district: same seed, same bytes; a tree without holes; people who could exist."""

import csv
import time
from collections import Counter
from pathlib import Path

import pytest

from muster.exercise.city import Counts, DistrictNotGenerated, Summary, generate, plan_counts
from muster.exercise.documents import CITIZEN, calendar, citizen_number
from muster.exercise.households import HEADER

AREAS = Path(__file__).parent.parent / "examples" / "zhifu" / "areas.csv"
PEOPLE = 5_000
FILES = ("areas", "grids", "buildings", "residents", "units", "sites")

Table = list[dict[str, str]]
District = tuple[Summary, dict[str, Table], float]


def read(folder: Path) -> dict[str, Table]:
    tables = {}
    for name in FILES:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    return tables


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> District:
    out = tmp_path_factory.mktemp("district")
    start = time.process_time()
    summary = generate(AREAS, out, people=PEOPLE, seed=7)
    return summary, read(out), time.process_time() - start


@pytest.fixture(scope="module")
def tables(district: District) -> dict[str, Table]:
    return district[1]


def test_plan_counts_of_zhifu_are_the_reported_ones():  # rows Y4, Y5
    assert plan_counts(820_000, communities=158) == Counts(
        people=820_000, basic_grids=1_215, exclusive_grids=513, sites=448
    )


def test_plan_counts_scale_and_never_leave_a_community_without_a_grid():
    assert plan_counts(82_000, communities=158) == Counts(82_000, 158, 51, 45)
    assert plan_counts(300, communities=158) == Counts(300, 158, 0, 1)


def test_zhifu_has_12_streets_and_158_communities():  # row Z4
    with AREAS.open(encoding="utf-8", newline="") as file:
        areas = list(csv.DictReader(file))
    levels = Counter(area["level"] for area in areas)
    assert levels == {"district": 1, "street": 12, "community": 158}
    assert areas == sorted(areas, key=lambda area: area["code"])


def test_same_seed_same_bytes_and_another_seed_another_district(tmp_path: Path):
    for folder, seed in (("one", 3), ("again", 3), ("other", 4)):
        generate(AREAS, tmp_path / folder, people=2_000, seed=seed)
    for name in FILES:
        one, again, other = (
            (tmp_path / folder / f"{name}.csv").read_bytes() for folder in ("one", "again", "other")
        )
        assert one == again
        assert (one == other) == (name == "areas")


def test_counts_add_up(district: District):
    summary, tables, _ = district
    kinds = Counter(grid["kind"] for grid in tables["grids"])
    assert summary == Summary(
        people=PEOPLE,
        rows=len(tables["residents"]),
        exact_duplicates=3,
        likely_duplicates=2,
        communities=158,
        basic_grids=kinds["basic"],
        exclusive_grids=kinds["exclusive"],
        buildings=len(tables["buildings"]),
        units=len(tables["units"]),
        sites=len(tables["sites"]),
        lanes=sum(int(site["lanes"]) for site in tables["sites"]),
    )
    assert summary.rows == PEOPLE + 5


def test_codes_are_unique_and_every_parent_exists(tables: dict[str, Table]):
    level_of = {"": "nothing"}
    for row in [*tables["areas"], *tables["grids"], *tables["buildings"]]:
        assert row["code"] not in level_of
        level_of[row["code"]] = row["level"]
        assert row["parent"] in level_of
    assert {level_of[grid["parent"]] for grid in tables["grids"]} == {"community"}
    assert {level_of[building["parent"]] for building in tables["buildings"]} == {"grid"}
    assert {level_of[unit["area"]] for unit in tables["units"]} == {"grid"}
    assert {level_of[site["area"]] for site in tables["sites"]} == {"community"}
    for name in ("units", "sites"):
        codes = [row["code"] for row in tables[name]]
        assert len(set(codes)) == len(codes)


def test_every_community_has_a_basic_grid_and_every_exclusive_grid_a_unit(tables: dict[str, Table]):
    communities = {area["code"] for area in tables["areas"] if area["level"] == "community"}
    assert {grid["parent"] for grid in tables["grids"] if grid["kind"] == "basic"} == communities
    exclusive = {grid["code"] for grid in tables["grids"] if grid["kind"] == "exclusive"}
    assert exclusive <= {unit["area"] for unit in tables["units"]}


def test_people_live_in_buildings_that_exist_and_no_building_is_empty(tables: dict[str, Table]):
    buildings = {building["code"] for building in tables["buildings"]}
    assert {person["楼栋编码"] for person in tables["residents"]} == buildings
    kind_of = {grid["code"]: grid["kind"] for grid in tables["grids"]}
    assert {kind_of[building["parent"]] for building in tables["buildings"]} == {"basic"}


def test_rooms_fit_their_building(tables: dict[str, Table]):
    floors = {row["code"]: int(row["floors"]) for row in tables["buildings"]}
    for person in tables["residents"][:PEOPLE]:  # second listings follow; their rooms may be wrong
        door = person["房号"].partition("-")[2]
        assert 1 <= int(door[:-2]) <= floors[person["楼栋编码"]]
    for row in tables["buildings"]:
        assert (row["lift"] == "yes") == (6 < int(row["floors"]) <= 38)


def test_citizen_numbers_are_valid_and_agree_with_the_row(tables: dict[str, Table]):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    people = [person for person in tables["residents"] if person["证件类型"] == CITIZEN]
    for person in people:
        number = person["证件号码"]
        total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
        assert len(number) == 18
        assert number[17] == "10X98765432"[total % 11]
        assert number[6:14] == person["出生日期"].replace("-", "")
        assert (int(number[16]) % 2 == 1) == (person["性别"] == "男")
    assert len(people) > 0.95 * PEOPLE


def test_the_standards_own_number():  # of GB 11643: 11010519491231002X
    born = next(day for day in calendar() if day.iso == "1949-12-31")
    assert citizen_number("110105", born, sequence=2) == "11010519491231002X"


def test_document_numbers_repeat_only_where_a_duplicate_was_meant(
    district: District,
):
    summary, tables, _ = district
    numbers = Counter(row["证件号码"] for row in tables["residents"] if row["证件号码"])
    twice = {number for number, times in numbers.items() if times > 1}
    assert sum(numbers.values()) - len(numbers) == summary.exact_duplicates
    for number in twice:
        rows = [row for row in tables["residents"] if row["证件号码"] == number]
        assert len({row["楼栋编码"] for row in rows}) == len(rows)
        assert len({(row["姓名"], row["手机"], row["出生日期"]) for row in rows}) == 1


def test_shares_are_those_of_a_city(tables: dict[str, Table]):
    people = tables["residents"]
    state = {
        word: count / len(people) for word, count in Counter(p["状态"] for p in people).items()
    }
    assert state["resident"] == pytest.approx(0.90, abs=0.02)
    assert state["temporary"] == pytest.approx(0.06, abs=0.015)
    assert state["away"] == pytest.approx(0.03, abs=0.01)
    assert set(state) == {"resident", "temporary", "away", "cannot_be_tested", "moved_away"}

    households = {(person["楼栋编码"], person["房号"]) for person in people}
    assert len(people) / len(households) == pytest.approx(2.6, abs=0.15)

    adults = [person for person in people if person["出生日期"] < "2003-08-01"]
    assert sum(bool(p["手机"]) for p in adults) / len(adults) == pytest.approx(0.92, abs=0.02)
    phones = {person["手机"] for person in people if person["手机"]}
    assert all(len(phone) == 11 and phone.startswith("100") for phone in phones)

    undocumented = [person for person in people if not person["证件号码"]]
    assert len(undocumented) / len(people) == pytest.approx(0.015, abs=0.007)
    assert tuple(people[0]) == HEADER


def test_five_thousand_people_take_less_than_three_seconds(
    district: District,
):
    assert district[2] < 3


def test_progress_is_told_about_a_hundred_times_and_ends_full(tmp_path: Path):
    told: list[tuple[int, int]] = []
    generate(AREAS, tmp_path, people=20_000, on_progress=lambda *step: told.append(step))
    assert 50 <= len(told) <= 101
    assert told == sorted(told)
    assert told[-1] == (20_000, 20_000)


def test_a_district_of_one_person(tmp_path: Path):
    summary = generate(AREAS, tmp_path, people=1)
    assert (summary.rows, summary.buildings, summary.basic_grids, summary.sites) == (1, 1, 158, 1)


@pytest.mark.parametrize("people", [0, 10_000_001])
def test_a_number_of_people_out_of_bounds_is_a_problem(tmp_path: Path, people: int):
    with pytest.raises(DistrictNotGenerated, match="people must be 1 to 10,000,000"):
        generate(AREAS, tmp_path, people=people)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("code,name\n1,x\n", "no column 'level'"),
        ("code,level,name,parent\n370602,district,芝罘区,\n", "no community"),
    ],
)
def test_an_unusable_tree_is_a_problem(tmp_path: Path, text: str, reason: str):
    path = tmp_path / "areas.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DistrictNotGenerated, match=reason):
        generate(path, tmp_path / "out", people=10)
    assert not (tmp_path / "out").exists()
