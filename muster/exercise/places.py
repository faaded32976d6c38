"""Where people live, work and are sampled: grids, buildings, units and sites of a synthetic
district. Nobody lives in an exclusive grid; it stands for one unit (row Y4).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

AREA_HEADER = ("code", "level", "name", "parent")
GRID_HEADER = ("code", "level", "name", "parent", "kind")
BUILDING_HEADER = ("code", "level", "name", "parent", "floors", "lift")
UNIT_HEADER = ("code", "name", "kind", "area", "headcount")
SITE_HEADER = ("code", "name", "area", "lanes")

# Kinds of unit: the word in its name, its share of exclusive grids, fewest and most people at work.
# Enterprises, schools, markets and hospitals have grids of their own (row Y4); shares are ours.
LARGE_UNITS = {
    "enterprise": ("企业", 44, 60, 1_500),
    "school": ("学校", 25, 40, 300),
    "shop": ("商场", 15, 50, 600),
    "hospital": ("医院", 8, 80, 1_500),
    "hotel": ("宾馆", 8, 20, 150),
}
# Shops, offices and inns among the flats, two a basic grid: revisits reach them too (row Y14).
SMALL_UNITS = {"shop": ("商店", 80), "enterprise": ("公司", 14), "hotel": ("旅馆", 6)}
SMALL_UNITS_PER_PERSON = 2 * 1_215 / 820_000
SMALL_HEADCOUNT = (2, 15)

LANES = (1, 2, 3)
LANE_WEIGHTS = (30, 48, 22)  # mean 1.92 lanes a site (row C6)


class Area(NamedTuple):
    code: str
    level: str
    name: str
    parent: str


@dataclass(frozen=True)
class Grid:
    """One grid; `people` is how many are to live in it."""

    code: str
    name: str
    community: Area
    kind: str
    people: int

    def row(self) -> tuple[str, str, str, str, str]:
        return (self.code, "grid", self.name, self.community.code, self.kind)


class Building(NamedTuple):
    code: str
    level: str
    name: str
    parent: str
    floors: int
    lift: str


class Unit(NamedTuple):
    code: str
    name: str
    kind: str
    area: str
    headcount: int


class Site(NamedTuple):
    code: str
    name: str
    area: str
    lanes: int


class Shape(NamedTuple):
    """A type of building: its entrances ("units" in Chinese addresses) and doors on each floor."""

    weight: int
    floors: int
    entrances: int
    doors: int
    lift: bool


# Ours, so that a building holds 65-70 people on average. Old walk-ups have no lift (row Z9), the
# highest tower has 38 floors (row J1), one of 17 floors holds about 52 households (row J3).
WALK_UPS = (
    Shape(10, 4, 2, 2, False),
    Shape(16, 5, 2, 2, False),
    Shape(52, 6, 2, 2, False),
    Shape(54, 6, 3, 2, False),
)
TOWERS = (
    Shape(40, 11, 1, 2, True),
    Shape(24, 17, 1, 3, True),
    Shape(12, 26, 1, 2, True),
    Shape(6, 33, 1, 4, True),
    Shape(4, 38, 1, 4, True),
)
TOWER_GRIDS_SHARE = 0.22  # a compound is built at one time: towers stand beside towers


def lay_out_grids(
    communities: Sequence[tuple[Area, int]], *, basic: int, exclusive: int, rng: Random
) -> list[Grid]:
    """Grids of each community (with the people present in it), in order of code: basic ones
    first, one at least, then exclusive ones."""
    present = [people for _, people in communities]
    basic_of = [1 + n for n in share_out(basic - len(communities), present)]
    exclusive_of = share_out(exclusive, present)
    grids = []
    for (community, people), basics, exclusives in zip(
        communities, basic_of, exclusive_of, strict=True
    ):
        place = short_name(community)
        living = share_out(people, [rng.uniform(0.8, 1.2) for _ in range(basics)])
        for number in range(1, basics + exclusives + 1):
            is_basic = number <= basics
            grids.append(
                Grid(
                    code=f"{community.code}G{number:03d}",
                    name=f"{place}第{number}网格" if is_basic else f"{place}专属网格{number}",
                    community=community,
                    kind="basic" if is_basic else "exclusive",
                    people=living[number - 1] if is_basic else 0,
                )
            )
    return grids


def lay_out_buildings(grid: Grid, *, rng: Random) -> Iterator[tuple[Building, Shape]]:
    """Endless buildings for one grid: the caller stops when everyone has a room."""
    shapes = TOWERS if rng.random() < TOWER_GRIDS_SHARE else WALK_UPS
    weights = [shape.weight for shape in shapes]
    number = 0
    while True:
        number += 1
        shape = rng.choices(shapes, weights)[0]
        building = Building(
            code=f"{grid.code}B{number:02d}",
            level="building",
            name=f"{grid.name}{number}号楼",
            parent=grid.code,
            floors=shape.floors,
            lift="yes" if shape.lift else "no",
        )
        yield building, shape


def rooms(shape: Shape) -> Iterator[str]:
    """Room numbers as on the doors: 3-502 is entrance 3, floor 5, door 2."""
    for entrance in range(1, shape.entrances + 1):
        for floor in range(1, shape.floors + 1):
            for door in range(1, shape.doors + 1):
                yield f"{entrance}-{floor}{door:02d}"


def lay_out_units(grids: Sequence[Grid], *, rng: Random) -> list[Unit]:
    """One unit for each exclusive grid, and small ones where people live."""
    large = list(LARGE_UNITS)
    large_weights = [LARGE_UNITS[kind][1] for kind in large]
    small = list(SMALL_UNITS)
    small_weights = [SMALL_UNITS[kind][1] for kind in small]
    units = []
    for grid in grids:
        if grid.kind == "exclusive":
            kind = rng.choices(large, large_weights)[0]
            word, _, fewest, most = LARGE_UNITS[kind]
            # Most are small, a few are very large: the square of an even draw.
            headcount = fewest + int((most - fewest) * rng.random() ** 2)
            name = f"{short_name(grid.community)}{word}{grid.code[-3:]}"
            units.append(Unit(f"{grid.code}U01", name, kind, grid.code, headcount))
        elif grid.people:
            small_units = round(grid.people * SMALL_UNITS_PER_PERSON * rng.uniform(0, 2))
            for number in range(1, small_units + 1):
                kind = rng.choices(small, small_weights)[0]
                name = f"{grid.name}{SMALL_UNITS[kind][0]}{number}"
                headcount = rng.randint(*SMALL_HEADCOUNT)
                units.append(Unit(f"{grid.code}U{number:02d}", name, kind, grid.code, headcount))
    return units


def lay_out_sites(
    communities: Sequence[tuple[Area, int]], *, sites: int, rng: Random
) -> list[Site]:
    """Sites where the people are: about 1,830 people each in Zhifu."""
    site_counts = share_out(sites, [people for _, people in communities])
    return [
        Site(
            code=f"{community.code}S{number:02d}",
            name=f"{short_name(community)}{number}号采样点",
            area=community.code,
            lanes=rng.choices(LANES, LANE_WEIGHTS)[0],
        )
        for (community, _), count in zip(communities, site_counts, strict=True)
        for number in range(1, count + 1)
    ]


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers that add up to `total`, in proportion to `weights` (largest remainder)."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def short_name(community: Area) -> str:
    """友谊街社区居民委员会 is called 友谊街社区 in everyday lists."""
    for office in ("居民委员会", "村民委员会", "居委会", "村委会"):
        if community.name.endswith(office):
            return community.name.removesuffix(office)
    return community.name
