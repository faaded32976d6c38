"""So many people over places of different size, and who of them goes where.

By the method of the largest remainder (Hamilton), but no place gets nobody while people last; who sleeps
nearby goes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Helper:
    """Somebody who can be sent; `line`: the areas above where they sleep, from the top; `days`: on duty."""

    staff: UUID
    line: tuple[UUID, ...] = ()
    days: int = 0


@dataclass(frozen=True)
class Spot:
    """A place to be filled: how many live there, the areas above it from the top, itself included."""

    area: UUID
    size: int
    line: tuple[UUID, ...] = ()


def spread(people: int, sizes: Sequence[int]) -> list[int]:
    """How many go to each place. With fewer people than places the largest get one each."""
    if people < len(sizes):
        first = sorted(range(len(sizes)), key=lambda n: (-sizes[n], n))[:people]
        return [1 if n in set(first) else 0 for n in range(len(sizes))]
    given, open_, left = [0] * len(sizes), list(range(len(sizes))), people
    while open_:  # places whose share is less than one get one, and the others share what is left
        total = sum(sizes[n] for n in open_)
        small = [n for n in open_ if left * sizes[n] < total]
        if not small or total == 0:
            break
        for n in small:
            given[n] = 1
        left -= len(small)
        open_ = [n for n in open_ if n not in set(small)]
    weights = {n: sizes[n] for n in open_}
    if open_ and not sum(weights.values()):
        weights = dict.fromkeys(open_, 1)
    total = sum(weights.values())
    for n in open_:
        given[n] = left * weights[n] // total
    over = left - sum(given[n] for n in open_)
    by_remainder = sorted(open_, key=lambda n: (-(left * weights[n] % total), -weights[n], n))
    for n in by_remainder[:over]:
        given[n] += 1
    return given


def rested(
    people: Sequence[Helper], rest: int, most_days: int
) -> tuple[list[Helper], list[Helper]]:
    """Who goes, and who rests: everybody who has been on duty for `most_days` or longer, and of the others
    the so many who have been on duty longest."""
    ordered = sorted(people, key=lambda one: (-one.days, one.staff))
    must = sum(one.days >= most_days for one in ordered)
    resting = ordered[: max(must, min(rest, len(ordered)))]
    return ordered[len(resting) :], resting


def seat(
    people: Sequence[Helper], places: Sequence[Spot], counts: Sequence[int]
) -> list[list[Helper]]:
    """Who goes to which place: whoever sleeps in the place first, then under the same area above it, and
    so on; whose lodging nobody knows, last."""
    free = sorted(people, key=lambda one: one.staff)
    seated: list[list[Helper]] = [[] for _ in places]
    deepest = max((len(one.line) for one in places), default=0)
    for depth in range(deepest, -1, -1):
        near: dict[UUID | None, list[Helper]] = {}
        for one in free:
            at = one.line[depth - 1] if depth and len(one.line) >= depth else None
            if at or not depth:
                near.setdefault(at if depth else None, []).append(one)
        for number, place in enumerate(places):
            at = place.line[depth - 1] if depth and len(place.line) >= depth else None
            if depth and at is None:
                continue
            waiting = near.get(at, [])
            while waiting and len(seated[number]) < counts[number]:
                seated[number].append(waiting.pop(0))
        gone = {one.staff for group in seated for one in group}
        free = [one for one in free if one.staff not in gone]
    return seated
