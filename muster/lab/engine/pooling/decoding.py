"""Who is positive, from pools that overlap, though one pool may be wrong.

COMP: whoever is in a negative pool is negative. DD: whoever is the only one left in a positive pool is positive
(Aldridge, Baldassini, Johnson 2014, IEEE Trans. Inf. Theory 60:3671). A positive pool in which nobody is left cannot
be: some pool is wrong. Then every reading with one pool turned over that explains all is looked at: called
positive or negative is who is so in all of them; the others are to be tested alone, and the pool is flagged.
Where no single pool explains it, nobody in fewer than two negative pools is cleared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Call = Literal["positive", "negative", "retest"]


@dataclass(frozen=True)
class Decoded:
    """Specimens by number, as called; pools that may be wrong; whether one wrong pool explains all."""

    calls: tuple[Call, ...]
    stray: tuple[int, ...]
    explained: bool

    def of(self, call: Call) -> list[int]:
        """The specimens with this call."""
        return [i for i, one in enumerate(self.calls) if one == call]


def decode(design: Sequence[Sequence[bool]], positive: Sequence[bool]) -> Decoded:
    """`design[pool][specimen]`: is it in there; `positive[pool]`: was it positive."""
    pools = [frozenset(i for i, there in enumerate(row) if there) for row in design]
    everyone = len(design[0])
    straight = _read(pools, positive, everyone)
    if straight is not None:
        return Decoded(straight, (), True)
    turned: list[tuple[int, tuple[Call, ...]]] = []
    for j in range(len(pools)):
        other = [is_ != (i == j) for i, is_ in enumerate(positive)]
        calls = _read(pools, other, everyone)
        if calls is not None:
            turned.append((j, calls))
    if turned:
        agreed: list[set[Call]] = [{calls[i] for _, calls in turned} for i in range(everyone)]
        merged: tuple[Call, ...] = tuple(
            calls.pop() if len(calls) == 1 else "retest" for calls in agreed
        )
        return Decoded(merged, tuple(j for j, _ in turned), True)
    return _unexplained(pools, positive, everyone)


def _read(
    pools: Sequence[frozenset[int]], positive: Sequence[bool], everyone: int
) -> tuple[Call, ...] | None:
    """The calls, or None where a positive pool has nobody left."""
    left = _left(pools, positive, everyone)
    calls: list[Call] = ["retest" if i in left else "negative" for i in range(everyone)]
    for members, is_positive in zip(pools, positive, strict=True):
        if is_positive:
            here = members & left
            if not here:
                return None
            if len(here) == 1:
                calls[next(iter(here))] = "positive"
    return tuple(calls)


def _left(
    pools: Sequence[frozenset[int]], positive: Sequence[bool], everyone: int
) -> frozenset[int]:
    cleared = frozenset().union(
        *(members for members, is_ in zip(pools, positive, strict=True) if not is_)
    )
    return frozenset(range(everyone)) - cleared


def _unexplained(
    pools: Sequence[frozenset[int]], positive: Sequence[bool], everyone: int
) -> Decoded:
    left = _left(pools, positive, everyone)
    against = [
        sum(i in members and not is_ for members, is_ in zip(pools, positive, strict=True))
        for i in range(everyone)
    ]
    calls: tuple[Call, ...] = tuple("negative" if n >= 2 else "retest" for n in against)
    empty = (j for j, members in enumerate(pools) if positive[j] and not members & left)
    return Decoded(calls, tuple(empty), False)
