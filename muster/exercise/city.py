"""A seeded synthetic district, written as the CSV files that a community office would hand in and
the ordinary importer reads. The tree of areas is real; everyone who lives in it is drawn by chance.

Same areas, same number of people, same seed: the same bytes. Residents stream through memory one
building at a time. Sizes follow Zhifu: 820,000 people, 1,728 grids, 448 sites.
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from muster.core.problems import Problem
from muster.exercise.documents import MAX_PEOPLE
from muster.exercise.households import HEADER, Resident, as_other_office_wrote, settle
from muster.exercise.places import (
    AREA_HEADER,
    BUILDING_HEADER,
    GRID_HEADER,
    SITE_HEADER,
    UNIT_HEADER,
    Area,
    Grid,
    lay_out_grids,
    lay_out_sites,
    lay_out_units,
    share_out,
)

# Zhifu: 1,215 basic and 513 exclusive grids, 448 sites, 820,000 people present (rows Y4, Y5).
ZHIFU_PEOPLE = 820_000
ZHIFU_BASIC_GRIDS = 1_215
ZHIFU_EXCLUSIVE_GRIDS = 513
ZHIFU_SITES = 448

LISTED_TWICE_SHARE = 0.001  # ours: what is left after an office has tidied its own lists
UNEVENNESS = 0.5  # sigma of log-normal community sizes: the largest are ~10 times the smallest
PROGRESS_STEPS = 100

Progress = Callable[[int, int], None]


class DistrictNotGenerated(Problem):
    """The district cannot be generated: {reason}"""

    zh = "无法生成模拟城区：{reason}"


@dataclass(frozen=True)
class Counts:
    """How much of everything a district of this many people has."""

    people: int
    basic_grids: int
    exclusive_grids: int
    sites: int


@dataclass(frozen=True)
class Summary:
    """What was written. `people` are distinct; `residents.csv` has `rows` = people + the two kinds
    of second listings, which an importer should find again."""

    people: int
    rows: int
    exact_duplicates: int
    likely_duplicates: int
    communities: int
    basic_grids: int
    exclusive_grids: int
    buildings: int
    units: int
    sites: int
    lanes: int


def generate(
    areas_csv: Path,
    out: Path,
    *,
    people: int,
    seed: int = 1,
    on_progress: Progress | None = None,
) -> Summary:
    """Write areas, grids, buildings, residents, units and sites as CSV files into folder `out`.

    `areas_csv` has the columns code, level, name, parent, with communities as leaves.
    `on_progress(done, total)` counts people and is called about 100 times.
    Raises `DistrictNotGenerated`.
    """
    if not 1 <= people <= MAX_PEOPLE:
        raise DistrictNotGenerated(reason=f"people must be 1 to {MAX_PEOPLE:,}, not {people:,}")
    areas = _read_areas(areas_csv)
    communities = [area for area in areas if area.level == "community"]
    counts = plan_counts(people, communities=len(communities))

    # Places and people draw from streams of their own: a change in one leaves the other as it was.
    rng = Random(f"{seed}/places")
    weights = [rng.lognormvariate(0, UNEVENNESS) for _ in communities]
    present = list(zip(communities, share_out(people, weights), strict=True))
    grids = lay_out_grids(
        present, basic=counts.basic_grids, exclusive=counts.exclusive_grids, rng=rng
    )
    units = lay_out_units(grids, rng=rng)
    sites = lay_out_sites(present, sites=counts.sites, rng=rng)

    out.mkdir(parents=True, exist_ok=True)
    _write(out / "areas.csv", AREA_HEADER, areas)
    _write(out / "grids.csv", GRID_HEADER, (grid.row() for grid in grids))
    _write(out / "units.csv", UNIT_HEADER, units)
    _write(out / "sites.csv", SITE_HEADER, sites)
    people_rng = Random(f"{seed}/people")
    buildings, exact, likely = _write_people(
        out, grids, rng=people_rng, people=people, on_progress=on_progress
    )
    return Summary(
        people=people,
        rows=people + exact + likely,
        exact_duplicates=exact,
        likely_duplicates=likely,
        communities=len(communities),
        basic_grids=counts.basic_grids,
        exclusive_grids=counts.exclusive_grids,
        buildings=buildings,
        units=len(units),
        sites=len(sites),
        lanes=sum(site.lanes for site in sites),
    )


def plan_counts(people: int, *, communities: int = 1) -> Counts:
    """Zhifu's ratios for another number of people; each community has a basic grid, even empty."""
    share = people / ZHIFU_PEOPLE
    return Counts(
        people=people,
        basic_grids=max(communities, round(ZHIFU_BASIC_GRIDS * share)),
        exclusive_grids=round(ZHIFU_EXCLUSIVE_GRIDS * share),
        sites=max(1, round(ZHIFU_SITES * share)),
    )


def _write_people(
    out: Path, grids: list[Grid], *, rng: Random, people: int, on_progress: Progress | None
) -> tuple[int, int, int]:
    """Buildings and residents together, building by building; then those listed twice.

    Returns the numbers of buildings, exact and likely duplicates.
    """
    twice = sorted(rng.sample(range(people), round(people * LISTED_TWICE_SHARE)))
    chosen: list[Resident] = []
    codes: list[str] = []
    done = 0
    reported = 0
    with (
        (out / "buildings.csv").open("w", encoding="utf-8", newline="") as buildings_file,
        (out / "residents.csv").open("w", encoding="utf-8", newline="") as residents_file,
    ):
        buildings = csv.writer(buildings_file, lineterminator="\n")
        buildings.writerow(BUILDING_HEADER)
        residents_file.write(",".join(HEADER) + "\n")
        for building, residents in settle(grids, rng=rng):
            buildings.writerow(building)
            codes.append(building.code)
            # Joined by hand, a third of the time of csv.writer: no field can hold a comma.
            residents_file.write("\n".join(map(",".join, residents)) + "\n")
            while len(chosen) < len(twice) and twice[len(chosen)] < done + len(residents):
                chosen.append(residents[twice[len(chosen)] - done])
            done += len(residents)
            if on_progress and (done == people or (done - reported) * PROGRESS_STEPS >= people):
                on_progress(done, people)
                reported = done
        rows, exact = _second_listings(chosen, codes, rng=rng)
        residents_file.writelines(",".join(row) + "\n" for row in rows)
    return len(codes), exact, len(rows) - exact


def _second_listings(
    chosen: list[Resident], codes: list[str], *, rng: Random
) -> tuple[list[Resident], int]:
    """Each chosen person once more, in another building; every other one, if they have a document
    number, with that number (exact), the rest as another office wrote it (likely).

    Returns the rows and how many of them are exact.
    """
    if len(codes) < 2:
        return [], 0
    rows = []
    exact = 0
    for person in chosen:
        other = rng.choice(codes)
        while other == person.building:
            other = rng.choice(codes)
        if person.number and exact * 2 <= len(rows):
            rows.append(person._replace(building=other))
            exact += 1
        else:
            rows.append(as_other_office_wrote(person, other, turn=len(rows) - exact))
    return rows, exact


def _read_areas(path: Path) -> list[Area]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, restval="")
            rows = [Area(*(row[column] for column in AREA_HEADER)) for row in table]
    except (OSError, UnicodeDecodeError) as error:
        raise DistrictNotGenerated(reason=f"{path} cannot be read ({error})") from error
    except KeyError as error:
        raise DistrictNotGenerated(reason=f"{path} has no column {error}") from error
    areas = sorted(rows)  # a parent's code is the start of its children's
    if not any(area.level == "community" for area in areas):
        raise DistrictNotGenerated(reason=f"{path} has no community")
    return areas


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
