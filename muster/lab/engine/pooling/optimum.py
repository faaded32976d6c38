"""The design with the fewest tests a person, of all sizes up to a limit.

Three stages (Hitt et al. 2019): of I people, k pools of the second stage, of which n_1 hold one person:
  ET = 1 + k P_1 + A (I - n_1) + B sum over larger parts of m q^m,
  P_1 = Se + (1 - Sp - Se) q^I, A = Se^2 + (1 - Sp)(1 - Sp - Se) q^I, B = Se (1 - Sp - Se) <= 0.
The sum depends on the parts only, so its largest value for every number of people and of parts is worked
out once for all I. m q^m is concave up to 2/ln(1/q): there the parts are as equal as can be (O(1) each); beyond,
dynamic programming over the last part.
"""

from math import inf, log
from typing import Literal

from muster.lab.engine.pooling.array import SIDES, measure_array
from muster.lab.engine.pooling.faults import SizeUnfit
from muster.lab.engine.pooling.hierarchical import Stages, measure
from muster.lab.engine.pooling.measures import Measured, Test, alone, prevalence_of

Kind = Literal["2", "3", "array"]
MOST = {"2": 1_000, "3": 120, "array": SIDES[-1]}


def optimal(kind: Kind, risk: float, test: Test, *, least: int = 2, most: int) -> Measured:
    """The best design of a kind with `least` to `most` people in its first pool (for an array: in its
    rows). Where nothing is better than testing alone, that is the answer: configuration "1"."""
    prevalence_of(risk)
    floor_size = 3 if kind == "3" else 2
    if not 2 <= most <= MOST[kind] or not 1 <= least <= most:
        raise SizeUnfit(size=f"{least}–{most}", least=2, most=MOST[kind])
    least = max(least, floor_size)
    single = alone(risk, test)
    if least > most:
        return single
    if kind == "array":
        best = min(
            (measure_array(n, risk, test) for n in range(least, most + 1)),
            key=lambda one: one.tests_per_person,
        )
        return best if best.tests_per_person < 1 else single
    stages = (
        two_stages(risk, test, least, most)
        if kind == "2"
        else three_stages(risk, test, least, most)
    )
    return measure(stages, risk, test) if stages else single


def two_stages(risk: float, test: Test, least: int, most: int) -> Stages | None:
    """The best size of a pool whose members are tested alone; None: testing alone is better."""
    se, slip, q = test.sensitivity, 1 - test.specificity - test.sensitivity, 1 - risk
    cost, size = min((1 / i + se + slip * q**i, i) for i in range(least, most + 1))
    return ((size,), (1,) * size) if cost < 1 else None


def three_stages(risk: float, test: Test, least: int, most: int) -> Stages | None:
    """The best sizes of a pool and of its parts, two stages where the middle one does not pay; None:
    testing alone is better."""
    se, slip, q = test.sensitivity, 1 - test.specificity - test.sensitivity, 1 - risk
    yields = [m * q**m for m in range(most + 1)]
    even = q == 1 or (q > 0 and most <= -2 / log(q))
    best_parts = _even_parts(yields, most) if even else _any_parts(yields, most)
    factor, lowest, found = se * slip, 1.0, None
    for size in range(least, most + 1):
        nobody = q**size
        first = se + slip * nobody
        each = se * se + (1 - test.specificity) * slip * nobody
        limit = lowest * size
        if 1 + size * first < limit - 1e-12:  # parts of one only: the middle stage falls away
            limit, found = 1 + size * first, (size, 0, 0)
        for people in range(2, size + 1):
            fixed = 1 + (size - people) * first + people * each
            best, count = inf, 0
            choices = best_parts[people]
            for parts, value in (
                choices[1:] if people == size else choices
            ):  # the same pool twice is none
                cost = parts * first + factor * value
                if cost < best:
                    best, count = cost, parts
                elif even:
                    break  # convex in the number of parts
            if fixed + best < limit - 1e-12:
                limit, found = fixed + best, (size, people, count)
        lowest = limit / size
    if found is None:
        return None
    size, people, count = found
    if count == 0:
        return ((size,), (1,) * size)
    parts = _split(people, count) if even else _unwind(yields, people, count)
    return ((size,), (*parts, *(1,) * (size - people)), (1,) * size)


def _even_parts(yields: list[float], most: int) -> list[list[tuple[int, float]]]:
    """For every number of people: (parts of two and more, largest sum of m q^m)."""
    table: list[list[tuple[int, float]]] = [[], []]
    for people in range(2, most + 1):
        row = []
        for parts in range(1, people // 2 + 1):
            low, more = divmod(people, parts)
            value = (parts - more) * yields[low]
            row.append((parts, value + more * yields[low + 1] if more else value))
        table.append(row)
    return table


def _any_parts(yields: list[float], most: int) -> list[list[tuple[int, float]]]:
    best = _largest(yields, most)
    return [
        [(parts, best[parts][people]) for parts in range(1, people // 2 + 1)]
        for people in range(most + 1)
    ]


def _largest(yields: list[float], most: int) -> list[list[float]]:
    """best[parts][people]: the largest sum of m q^m over so many parts of two and more."""
    best = [[0.0] + [-inf] * most]
    for parts in range(1, most // 2 + 1):
        before = best[-1]
        row = [-inf] * (most + 1)
        for people in range(2 * parts, most + 1):
            row[people] = max(
                before[people - m] + yields[m] for m in range(2, people - 2 * parts + 3)
            )
        best.append(row)
    return best


def _unwind(yields: list[float], people: int, parts: int) -> list[int]:
    best, sizes = _largest(yields, people), []
    for left in range(parts, 0, -1):
        _, size = max(
            (best[left - 1][people - m] + yields[m], m) for m in range(2, people - 2 * left + 3)
        )
        sizes.append(size)
        people -= size
    return sorted(sizes, reverse=True)


def _split(people: int, parts: int) -> list[int]:
    low, more = divmod(people, parts)
    return [low + 1] * more + [low] * (parts - more)
