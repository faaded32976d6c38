"""What changed between successive events of one subject: values in, values out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

# The listings: each says the whole anew, and the latest counts. What such an event changed is what
# differs from the one before it, and listing that one again takes it back.
LISTINGS = ("AreaListed", "SiteListed", "UnitListed", "LabListed", "BarcodeFormatAdopted",
            "ResidentListed")  # fmt: skip
RESTORABLE = ("AreaListed", "SiteListed", "UnitListed", "LabListed")


class Said(msgspec.Struct, frozen=True):
    """One event as it stands in the ledger; `body` None: it was erased."""

    event: UUID
    type: str
    at: datetime
    received_at: datetime
    actor: str
    device: str | None
    body: dict[str, Any] | None


class Field(msgspec.Struct, frozen=True):
    """A fact before and after, as text; None: nothing was said of it."""

    name: str
    before: str | None
    after: str | None


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Who said what, when, and in what it differs from what was said before. `undo`: it can be taken
    back, by listing again what stood before it."""

    event: UUID
    type: str
    at: datetime
    received_at: datetime
    actor: str
    device: str | None
    fields: list[Field]
    erased: bool
    undo: bool


def changes(said: Sequence[Said]) -> list[Changed]:
    """The changes of one subject, newest first. `said` in the order of time."""
    before: dict[str, dict[str, Any]] = {}
    found = list[Changed]()
    for one in said:
        body = one.body or {}
        earlier = before.get(one.type) if one.type in LISTINGS else None
        found.append(
            Changed(
                event=one.event, type=one.type, at=one.at, received_at=one.received_at,
                actor=one.actor, device=one.device, fields=differences(earlier, body),
                erased=one.body is None, undo=False,
            )
        )  # fmt: skip
        if one.body is not None:
            before[one.type] = body
    return [_undoable(one, n, found) for n, one in reversed(list(enumerate(found)))]


def _undoable(one: Changed, n: int, found: Sequence[Changed]) -> Changed:
    """The latest listing of its kind, if another stood before it and it changed something."""
    earlier = any(x.type == one.type and not x.erased for x in found[:n])
    later = any(x.type == one.type for x in found[n + 1 :])
    undo = one.type in RESTORABLE and earlier and not later and bool(one.fields) and not one.erased
    return msgspec.structs.replace(one, undo=undo)


def differences(before: dict[str, Any] | None, after: dict[str, Any]) -> list[Field]:
    """The facts that differ, in the order in which they are said."""
    names = [*after, *(name for name in before or {} if name not in after)]
    return [
        Field(name, text((before or {}).get(name)), text(after.get(name)))
        for name in names
        if before is None or before.get(name) != after.get(name)
    ]


def text(value: Any) -> str | None:
    """A fact as text."""
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(filter(None, map(text, value)))
        case dict():
            return msgspec.json.encode(value).decode()
    return str(value)
