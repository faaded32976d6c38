"""Can reported figures be true? A share over 100 %, a share that is not what its parts give, parts that
do not add up to their whole, or leave more for the rest than the rest has.

Figures come rounded, and often with one line in words only ("基本完成"). A figure rounded to r stands for
anything within r / 2; what cannot be so for any value it may stand for is an error, nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal[
    "share_over_100", "share_differs", "more_than_before", "total_differs", "parts_exceed_total",
    "rest_over_100",
]  # fmt: skip
FIGURES = ("involved", "sampled", "resulted")  # none can exceed the one before it


@dataclass(frozen=True)
class Line:
    """Figures of one area: people involved, sampled, with a result; the share sampled as declared, in
    thousandths. None: not said."""

    name: str
    involved: int | None = None
    sampled: int | None = None
    resulted: int | None = None
    share_permille: int | None = None


@dataclass(frozen=True)
class Finding:
    """What cannot be true, of which line (None: of the whole), of which figure. `said` and `found` are
    people, or thousandths for shares."""

    kind: Kind
    name: str | None
    figure: str
    said: int
    found: int
    of: int | None = None


def check(total: Line | None, parts: Sequence[Line], *, rounded_to: int = 1) -> list[Finding]:
    """Everything about these figures that cannot be true, line by line, then of the whole."""
    slack = 0 if rounded_to == 1 else rounded_to / 2
    found: list[Finding] = []
    for line in (*parts, *([total] if total else ())):
        found += _of_line(line, slack, None if line is total else line.name)
    if total is not None and parts:
        for figure in FIGURES:
            found += _of_whole(total, parts, figure, slack)
    return found


def _of_line(line: Line, slack: float, name: str | None) -> Iterable[Finding]:
    for before, figure in pairwise(FIGURES):
        whole, part = getattr(line, before), getattr(line, figure)
        if whole is None or part is None or part - slack <= whole + slack:
            continue
        if figure == "sampled":
            yield Finding("share_over_100", name, figure, 1000, _permille(part, whole), whole)
        else:
            yield Finding("more_than_before", name, figure, part, whole, whole)
    said = line.share_permille
    if said is None:
        return
    if said > 1000 and (line.sampled is None or line.involved is None):
        yield Finding("share_over_100", name, "sampled", 1000, said)
    if line.involved and line.sampled is not None:
        # 80 % stands for 79.5 to 80.5, 68.8 % for 68.75 to 68.85
        around = 5 if said % 10 == 0 else 0.5
        least = 1000 * max(0, line.sampled - slack) / (line.involved + slack)
        most = 1000 * (line.sampled + slack) / max(1, line.involved - slack)
        if not (least - around <= said <= most + around):
            computed = _permille(line.sampled, line.involved)
            yield Finding("share_differs", name, "sampled", said, computed, line.involved)


def _of_whole(total: Line, parts: Sequence[Line], figure: str, slack: float) -> Iterable[Finding]:
    """Whether the parts' figure adds up to the whole's; of parts that do not say it, whether what is
    left for them fits into what they have."""
    whole = getattr(total, figure)
    if whole is None:
        return
    said = [value for part in parts if (value := getattr(part, figure)) is not None]
    silent = [part for part in parts if getattr(part, figure) is None]
    added, wide = sum(said), slack * (len(said) + 1)
    if not said:
        return
    if not silent:
        if abs(added - whole) > wide:
            yield Finding("total_differs", None, figure, whole, added)
        return
    rest = whole - added
    if rest < -wide:
        yield Finding("parts_exceed_total", None, figure, whole, added)
    before = FIGURES[FIGURES.index(figure) - 1] if figure != FIGURES[0] else None
    room: list[int | None] = [getattr(part, before) for part in silent] if before else [None]
    fits = sum(one or 0 for one in room)
    if None not in room and rest - wide > fits + slack * len(room):
        name = silent[0].name if len(silent) == 1 else None
        yield Finding("rest_over_100", name, figure, rest, _permille(rest, fits), fits)


def _permille(part: int, whole: int) -> int:
    return round(1000 * part / whole) if whole else 0
