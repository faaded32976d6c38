"""What a team is made of, in figures: no cell by which a single person is known.

A cell of fewer than `LEAST` people is shown as "<5". What is left of the sum would tell it: so other cells are
withheld too, the smallest first, until what is hidden could be more than one number.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LEAST = 5  # as statistical offices do: fewer are known to each other by such a figure
FEW, WITHHELD = "<5", "…"


@dataclass(frozen=True)
class Featured:
    """What of somebody is counted."""

    unit_kind: str | None = None
    sex: str | None = None
    birth_year: int | None = None
    skills: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


Shown = dict[str, int | str]


def composition(people: Iterable[Featured], year: int) -> dict[str, Shown]:
    """Figures by kind of unit, sex, band of ten years of age, skill and tag; `unknown` where nothing is said.
    Of fewer than `LEAST` people there is no figure but that they are few."""
    all_ = list(people)
    if len(all_) < LEAST:
        return {"total": {"people": FEW if all_ else 0}}
    return {
        "total": {"people": len(all_)},
        "unit_kind": protected(Counter(one.unit_kind or "unknown" for one in all_)),
        "sex": protected(Counter(one.sex or "unknown" for one in all_)),
        "age": protected(Counter(_band(one.birth_year, year) for one in all_)),
        "skill": overlapping(Counter(s for one in all_ for s in set(one.skills)), len(all_)),
        "tag": overlapping(Counter(t for one in all_ for t in set(one.tags)), len(all_)),
    }


def protected(counts: Mapping[str, int]) -> Shown:
    """Cells that add up to a sum everybody knows."""
    order = sorted((n for n in counts if counts[n]), key=lambda n: (counts[n], n))
    hidden = [n for n in order if counts[n] < LEAST]
    while hidden and len(hidden) < len(order) and not _open(counts, hidden):
        hidden.append(order[len(hidden)])
    if hidden and not _open(counts, hidden):  # nothing else is left to hide it among
        return dict.fromkeys(sorted(order), WITHHELD)
    return {n: _cell(counts[n], n in hidden) for n in sorted(order)}


def overlapping(counts: Mapping[str, int], total: int) -> Shown:
    """Cells somebody may be in several of, or in none: who is not in one is a figure as well."""
    order = sorted((n for n in counts if counts[n]), key=lambda n: (counts[n], n))
    hidden = {n for n in order if counts[n] < LEAST or 0 < total - counts[n] < LEAST}
    rest = [n for n in order if n not in hidden]
    if len(hidden) == 1 and rest:  # where each has one, the others would tell it
        hidden.add(rest[0])
    return {n: _cell(counts[n], n in hidden) for n in sorted(order)}


def _cell(count: int, hidden: bool) -> int | str:
    if not hidden:
        return count
    return FEW if count < LEAST else WITHHELD


def _open(counts: Mapping[str, int], hidden: list[str]) -> bool:
    """Whether each hidden cell could be another number as well, for who knows the sum and which cells are
    few: from 1 to 4 those that are shown as few, 5 or more the others."""
    left = sum(counts[n] for n in hidden)
    few = sum(counts[n] < LEAST for n in hidden)
    many = len(hidden) - few
    least = few + LEAST * many
    if many:
        return left > least and len(hidden) > 1
    return len(hidden) > 1 and few < left < few * (LEAST - 1)


def _band(birth_year: int | None, year: int) -> str:
    if birth_year is None:
        return "unknown"
    low = (year - birth_year) // 10 * 10
    return f"{low}-{low + 9}"
