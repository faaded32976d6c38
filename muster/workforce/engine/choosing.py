"""Who is asked first, and how many: values in, values out.

Who was asked least recently comes first (emfcamp #1082), units in fair share of their size, who lives nearest
to the place before others; and more are asked than are needed, by how many said yes before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from uuid import UUID

# Of those asked, before anything is known: a third stays silent and a tenth refuses (the five campaigns of
# requirements.md played with 35 % and 10 %).
PRIOR_RATE = 0.55
PRIOR_WEIGHT = 20  # answers that say as much as the prior
LEAST_RATE = 0.1  # nobody is asked ten times over because one bad night was learned from


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be asked. `line`: the areas in which they live, widest first."""

    staff: UUID
    unit: UUID
    asked_at: datetime | None = None  # the last time
    line: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """A demand with places left: for how many more somebody has to be asked."""

    demand: UUID
    missing: int
    line: tuple[UUID, ...] = ()
    may: frozenset[UUID] | None = None  # only these: trained, fit, with the skill; None: everybody


@dataclass
class Rates:
    """How many say yes, of a unit's people and of all."""

    asked: Mapping[UUID, int] = field(default_factory=dict)
    accepted: Mapping[UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        asked, accepted = sum(self.asked.values()), sum(self.accepted.values())
        self.of_all = (accepted + PRIOR_WEIGHT * PRIOR_RATE) / (asked + PRIOR_WEIGHT)

    def of(self, unit: UUID) -> float:
        """A unit's own experience, as far as there is any."""
        asked, accepted = self.asked.get(unit, 0), self.accepted.get(unit, 0)
        rate = (accepted + PRIOR_WEIGHT * self.of_all) / (asked + PRIOR_WEIGHT)
        return max(LEAST_RATE, rate)


def choose(
    needs: Sequence[Need], candidates: Iterable[Candidate], rates: Rates
) -> dict[UUID, list[UUID]]:
    """Demand → the people to ask, such that as many as are missing are expected to say yes. Each is asked
    once. First everybody who lives in the innermost area of a place, then further out."""
    order = fair(candidates)
    chosen: dict[UUID, list[UUID]] = {need.demand: [] for need in needs}
    left = {need.demand: float(need.missing) for need in needs}
    taken: set[UUID] = set()
    for depth in range(max((len(need.line) for need in needs), default=0), -1, -1):
        near: dict[UUID | None, list[Need]] = {}
        for need in needs:
            if left[need.demand] > 0 and len(need.line) >= depth:
                near.setdefault(need.line[depth - 1] if depth else None, []).append(need)
        if not near:
            continue
        for one in order:
            if one.staff in taken:
                continue
            if len(one.line) < depth:
                continue
            fits = [
                need
                for need in near.get(one.line[depth - 1] if depth else None, ())
                if left[need.demand] > 0 and (need.may is None or one.staff in need.may)
            ]
            if not fits:
                continue
            need = max(fits, key=lambda of: left[of.demand])
            chosen[need.demand].append(one.staff)
            taken.add(one.staff)
            left[need.demand] -= rates.of(one.unit)
    return chosen


def fair(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Who was asked longest ago first, each unit's people spread evenly over the whole order: of a unit of a
    thousand every tenth, of one of a hundred every hundredth."""
    units: dict[UUID, list[Candidate]] = {}
    for one in candidates:
        units.setdefault(one.unit, []).append(one)
    placed: list[tuple[int, float, str, Candidate]] = []
    for people in units.values():
        people.sort(key=_longest_ago)
        for place, one in enumerate(people):
            asked = 0 if one.asked_at is None else 1
            placed.append((asked, (place + 0.5) / len(people), str(one.staff), one))
    placed.sort(key=lambda of: of[:3])
    return [one for *_, one in placed]


def _longest_ago(one: Candidate) -> tuple[float, str]:
    return (one.asked_at.timestamp() if one.asked_at else 0.0, str(one.staff))


def expected(asked: Iterable[UUID], rates: Rates) -> int:
    """How many of these open questions, by unit, will be answered with yes."""
    return ceil(sum(rates.of(unit) for unit in asked) - 1e-9)
