"""HTTP for who keys in paper forms: lines are checked at once; what is saved goes in as events, by
`POST /v1/events` like any other facts.
"""

from collections import Counter
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import post
from litestar.params import JSONBody
from msgspec import Meta

from muster.config import KEYED_LINES_LIMIT
from muster.core.clock import now
from muster.core.rows import rows
from muster.core.text import clean
from muster.guarding import reading
from muster.resident.engine import form as forms
from muster.resident.words import word
from muster.web import Ask, language, muster

_Text = Annotated[str, Meta(max_length=200)]


class KeyedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a paper form, as it was typed. `building`: its code or whole name."""

    name: _Text = ""
    number: _Text = ""
    birth_date: _Text = ""
    phone: _Text = ""
    building: _Text = ""
    room: _Text = ""
    barcode: _Text = ""
    position: _Text = ""


class KeyedForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines of a table; the number of people a tube holds."""

    lines: Annotated[list[KeyedLine], Meta(max_length=KEYED_LINES_LIMIT)]
    capacity: Annotated[int, Meta(ge=1, le=50)] = 10


class KeyedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a line says. `faults`: field → what is wrong, so that it cannot be saved; `doubts`: what looks
    wrong and may be so."""

    faults: dict[str, str]
    doubts: dict[str, str]
    name: str
    kind: str | None
    number: str | None
    phone: str | None
    birth_date: str | None
    birth_year: int | None
    sex: str | None
    building: UUID | None
    building_name: str | None
    room: str | None
    barcode: str | None
    position: int | None


@post("/v1/keying/lines", status_code=200, right="missing")
async def check_lines(request: Ask, data: JSONBody[KeyedForm]) -> list[KeyedAnswer]:
    """Check the lines of paper forms: numbers by their check digits, buildings by code or name, places in
    tubes. Nothing is stored, and nobody is told who is known already."""
    said = language(request)
    today = now().astimezone(ZoneInfo(muster(request).settings.timezone)).date()
    wanted = sorted({clean(one.building) for one in data.lines if clean(one.building)})
    async with reading(request) as conn:
        found = await rows(conn, "muster.resident", "buildings_named", texts=wanted)
        labels = sorted({clean(one.barcode) for one in data.lines if clean(one.barcode)})
        used = await rows(conn, "muster.resident", "tubes_named", barcodes=labels)
    named: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        for text in {one["code"], one["name"]}:
            named.setdefault(text, []).append(one)
    taken = {one["barcode"] for one in used}
    places = Counter((clean(one.barcode), clean(one.position)) for one in data.lines)
    return [
        _checked(
            one, said, today=today, named=named, taken=taken, places=places, most=data.capacity
        )
        for one in data.lines
    ]


def _checked(
    line: KeyedLine, said: str, *, today: Any, named: dict[str, list[dict[str, Any]]],
    taken: set[str], places: Counter[tuple[str, str]], most: int,
) -> KeyedAnswer:  # fmt: skip
    text = clean(line.building)
    fitting = named.get(text, [])
    building = fitting[0] if len(fitting) == 1 else None
    number = clean(line.number)
    kind = forms.inferred(number, today=today) if number else forms.NONE
    values = {
        "name": line.name, "kind": kind, "number": number, "birth_date": line.birth_date,
        "phone": line.phone, "room": line.room, "building": str(building["area"]) if building else "",
    }  # fmt: skip
    who = forms.read(values, buildings={one["area"] for one in fitting}, today=today)
    faults, doubts = dict(who.faults), dict(who.doubts)
    if faults.get("birth_date") and not clean(line.birth_date):
        del faults["birth_date"]  # a form on paper may lack it
    if text and building is None:
        faults["building"] = "building_many" if fitting else "building_unknown"
    barcode, place = clean(line.barcode), clean(line.position)
    if barcode or place:
        if not barcode or len(barcode) > 64:
            faults["barcode"] = "barcode_wanted"
        elif barcode in taken:
            doubts["barcode"] = "barcode_taken"
        if not place.isdecimal() or not 1 <= int(place[:3]) <= most:
            faults["position"] = "position_unfit"
        elif places[barcode, place] > 1:
            faults["position"] = "position_twice"
    told = {name: word(one, said, most=most) for name, one in faults.items()}
    return KeyedAnswer(
        faults=told, doubts={name: word(one, said) for name, one in doubts.items()},
        name=who.name, kind=who.kind, number=who.number, phone=who.phone,
        birth_date=who.birth_date.isoformat() if who.birth_date else None,
        birth_year=who.birth_date.year if who.birth_date else None, sex=who.sex,
        building=who.building, building_name=building["name"] if building else None, room=who.room,
        barcode=barcode or None,
        position=int(place) if barcode and "position" not in faults else None,
    )  # fmt: skip


HANDLERS: list[Any] = [check_lines]
