"""Plates of 96 and 384 wells: their names, which of them hold controls, and how they are filled.

A well is a letter for the row and two digits for the column; A01 is in the upper left corner, as
ANSI/SLAS 4-2004 has it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Annotated, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from muster.core.problems import Problem
from muster.core.text import clean
from muster.lab.engine.assay import NEGATIVE_ROLES, POSITIVE_ROLES, Name, Role, check_fields

Size = Literal[96, 384]
Order = Literal["columns", "rows"]
Well = Annotated[str, Meta(pattern="^[A-P](0[1-9]|1[0-9]|2[0-4])$")]
Id = TypeVar("Id")

_ROWS = {96: "ABCDEFGH", 384: "ABCDEFGHIJKLMNOP"}
_COLUMNS = {96: 12, 384: 24}
_TYPED = re.compile(r"([A-P])-?0{0,2}([1-9][0-9]?)")


class NoSuchWell(Problem):
    """There is no well {well} on a plate of {size}. Write a row from A to {last_row} and a column
    from 1 to {last_column}, such as A01."""

    zh = "{size} 孔板上没有 {well} 孔。请填写行 A 至 {last_row}、列 1 至 {last_column}，例如 A01。"
    status = 422


class PlateFull(Problem):
    """The plate has {wells} free wells, so {left} of {tubes} tubes do not fit. Take another plate for
    them."""

    zh = "该板还有 {wells} 个空孔，{tubes} 支管中有 {left} 支放不下。请另取一块板。"
    status = 409


def well(text: str, size: Size) -> str:
    """The canonical name of a well as people type it: "a1", "A 1", "Ａ０１" → "A01"; NoSuchWell."""
    found = _wells_typed(size).get(text)
    if found is None:
        match = _TYPED.fullmatch(clean(text).upper().replace(" ", ""))
        found = match and _wells_typed(size).get(f"{match[1]}{match[2]:0>2}")
    if not found:
        raise NoSuchWell(
            well=clean(text)[:20], size=size, last_row=_ROWS[size][-1], last_column=_COLUMNS[size]
        )
    return found


@cache
def _wells_typed(size: Size) -> dict[str, str]:
    return {name: name for name in wells(size)}


@cache
def wells(size: Size, order: Order = "columns") -> tuple[str, ...]:
    """Every well of a plate: down the columns as a multichannel pipette goes, or along the rows."""
    rows, columns = _ROWS[size], range(1, _COLUMNS[size] + 1)
    if order == "rows":
        return tuple(f"{row}{column:02}" for row in rows for column in columns)
    return tuple(f"{row}{column:02}" for column in columns for row in rows)


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where on a plate the controls are, and which wells stay empty; tubes go into the others."""

    code: Name
    size: Size
    controls: Annotated[dict[Well, Role], Meta(min_length=2, max_length=96)]
    empty: Annotated[tuple[Well, ...], Meta(max_length=380)] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        taken = [*self.controls, *self.empty]
        if outside := sorted(set(taken) - set(wells(self.size))):
            raise ValueError(f"not on a plate of {self.size}: {', '.join(outside)}")
        if len(set(taken)) < len(taken):
            raise ValueError("empty: a well is listed twice or holds a control")
        if len(taken) >= self.size:
            raise ValueError("there is no well left for a tube")
        if not POSITIVE_ROLES & set(self.controls.values()):
            raise ValueError("controls: a positive control is missing")
        if not NEGATIVE_ROLES & set(self.controls.values()):
            raise ValueError("controls: a negative or no-template control is missing")


def free(
    template: Template, *, order: Order = "columns", taken: Collection[str] = ()
) -> tuple[str, ...]:
    """The wells that tubes may still go into, in the order of loading."""
    shut = {*template.controls, *template.empty, *taken}
    return tuple(one for one in wells(template.size, order) if one not in shut)


def fill(
    template: Template,
    tubes: Sequence[Id],
    *,
    order: Order = "columns",
    taken: Collection[str] = (),
) -> dict[str, Id]:
    """Automatic loading: well → tube, tubes in the order given, into the free wells beside those
    already `taken`. PlateFull says how many tubes did not fit; then none is placed."""
    room = free(template, order=order, taken=taken)
    if len(tubes) > len(room):
        raise PlateFull(wells=len(room), tubes=len(tubes), left=len(tubes) - len(room))
    return dict(zip(room, tubes, strict=False))


def shifted(template: Template, found: Mapping[str, str]) -> str | None:
    """How a plate was swapped, by the wells in which a run file shows controls (well → role).

    "rotated" by half a turn, "columns_mirrored", "shifted by -1 rows, +2 columns" from where they
    should be, "other"; None when all that is shown is in place. A file often knows one word for all
    negative controls, and need not mark them all: only positive or negative is compared, and what
    is not a control is ignored.
    """
    seen = {one: kind for one, role in found.items() if (kind := _kind(role))}
    should = {one: _kind(role) for one, role in template.controls.items()}
    if seen.items() <= should.items():
        return None
    rows, columns = len(_ROWS[template.size]), _COLUMNS[template.size]
    there = {_position(one): kind for one, kind in seen.items()}
    meant = [(*_position(one), kind) for one, kind in should.items()]
    if there.items() <= {(rows - 1 - r, columns - 1 - c): kind for r, c, kind in meant}.items():
        return "rotated"
    if there.items() <= {(r, columns - 1 - c): kind for r, c, kind in meant}.items():
        return "columns_mirrored"
    row, column = next(iter(there))
    for from_row, from_column, _ in meant:  # the first one shown may be any that should be
        down, right = row - from_row, column - from_column
        if there.items() <= {(r + down, c + right): kind for r, c, kind in meant}.items():
            return f"shifted by {down:+} rows, {right:+} columns"
    return "other"


def _kind(role: str) -> str | None:
    if role in POSITIVE_ROLES:
        return "positive"
    return "negative" if role in NEGATIVE_ROLES else None


def _position(name: str) -> tuple[int, int]:
    return ord(name[0]) - ord("A"), int(name[1:]) - 1


def usual(size: Size) -> Template:
    """Controls in the last wells; on 384 two of each, beside each other in the last two columns."""
    assert size in get_args(Size)
    controls: dict[str, Role] = (
        {"H11": "negative_control", "H12": "positive_control"}
        if size == 96
        else {
            "O23": "negative_control", "P23": "negative_control",
            "O24": "positive_control", "P24": "positive_control",
        }
    )  # fmt: skip
    return Template(code=f"usual-{size}", size=size, controls=controls)
