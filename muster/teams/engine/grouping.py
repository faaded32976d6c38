"""People into even groups: by size, by the unit they come from, by skill and sex.

Exact, always: the sizes of two groups differ by at most one, and so do their people of each unit. Exact where
all are of one unit and have at most one skill each: their people of each skill. Best effort otherwise: skills
first, sex after them, as far as exchanges of two people between two groups make them more even without
making units less so. The same people give the same groups, in whatever order they come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from uuid import UUID

_WEIGHTS = {"unit": 10**9, "skill": 10**5, "sex": 1}
STEPS = 2_000  # exchanges at most; a hundred and forty people need a dozen


@dataclass(frozen=True)
class Worker:
    """What of somebody counts for a group."""

    staff: UUID
    unit: UUID | None = None
    skills: frozenset[str] = frozenset()
    sex: str | None = None

    @property
    def features(self) -> frozenset[tuple[str, str]]:
        found = {("skill", one) for one in self.skills}
        return frozenset(found | ({("sex", self.sex)} if self.sex else set()))


def even_groups(people: Iterable[Worker], count: int) -> list[list[Worker]]:
    """`count` groups of these people, each person once; empty ones where there are fewer people."""
    ordered = sorted(
        people,
        key=lambda one: (str(one.unit), sorted(one.skills), one.sex or "", one.staff),
    )
    # Dealt like cards: what lies together in the order, such as a unit, is spread over all groups.
    groups = [ordered[number::count] for number in range(count)]
    _exchange(groups)
    return [sorted(one, key=lambda worker: worker.staff) for one in groups]


def spread_of(groups: Sequence[Sequence[Worker]], feature: tuple[str, str]) -> int:
    """By how many people two groups differ most in a feature."""
    counts = [sum(feature in one.features for one in group) for group in groups]
    return max(counts) - min(counts) if counts else 0


def _exchange(groups: list[list[Worker]]) -> None:
    """Exchange people between groups while a skill, or else sex, becomes more even and nothing else less."""
    features = sorted(
        {f for group in groups for one in group for f in one.features},
        key=lambda f: (f[0] != "skill", f[1]),
    )
    steps, changed = 0, True
    while changed and steps < STEPS:
        changed = False
        for feature in features:
            while steps < STEPS and spread_of(groups, feature) > 1:
                if not _better(groups, feature):
                    break
                steps, changed = steps + 1, True


def _better(groups: list[list[Worker]], feature: tuple[str, str]) -> bool:
    """One exchange between two groups, of which one has two more of a feature at least, those first that
    differ most; whether there was any."""
    counts = [sum(feature in one.features for one in group) for group in groups]
    pairs = sorted(
        (counts[low] - counts[high], high, low)
        for high, low in permutations(range(len(groups)), 2)
        if counts[high] - counts[low] > 1
    )
    held = [_held(group) for group in groups]
    for _, high, low in pairs:
        best = min(
            (
                (_gain(one, other, held[high], held[low]), one.staff, other.staff, one, other)
                for one, other in product(_kinds(groups[high]), _kinds(groups[low]))
                if feature in one.features and feature not in other.features
            ),
            key=lambda found: found[:3],
            default=None,
        )
        if best and best[0] < 0:
            one, other = best[3:]
            groups[high].remove(one)
            groups[low].remove(other)
            groups[high].append(other)
            groups[low].append(one)
            return True
    return False


def _kinds(group: Sequence[Worker]) -> list[Worker]:
    """One of each who count alike: an exchange of any of them is the same."""
    kinds: dict[tuple[object, ...], Worker] = {}
    for one in sorted(group, key=lambda worker: worker.staff):
        kinds.setdefault((one.unit, one.skills, one.sex), one)
    return list(kinds.values())


def _held(group: Sequence[Worker]) -> Counter[tuple[str, str]]:
    return Counter(feature for one in group for feature in _weighed(one))


def _gain(
    one: Worker, other: Worker, high: Counter[tuple[str, str]], low: Counter[tuple[str, str]]
) -> int:
    """By how much the squares of what both groups hold change: negative is more even. A skill weighs more than
    all that sex can make of it, and a unit more than both: dealt out, units are as even as can be, and no
    exchange makes them less so."""
    total = 0
    for feature in _weighed(one) ^ _weighed(other):
        to_low = 1 if feature in _weighed(one) else -1
        h, w = high[feature], low[feature]
        change = (h - to_low) ** 2 + (w + to_low) ** 2 - h**2 - w**2
        total += change * _WEIGHTS[feature[0]]
    return total


def _weighed(one: Worker) -> frozenset[tuple[str, str]]:
    return one.features | {("unit", str(one.unit))}
