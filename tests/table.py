"""A tiny notation for tests that read as a manual: events given as a table, rows expected as one.

    08:20  TubeSealed  T1  members=p1,p2 round=R1

is a time of day (`2/08:20`: of the second day), an event type, its subject, and what it says; what
is not said is ordinary (`_ORDINARY`). A name such as T1, p1 or R1 stands for one UUID, always the
same. Tubes in a box are named by their barcodes: `tubes=B1,B2`, `scans=B1,B2:leaking`. `id=`,
`cause=`, `device=`, `seq=`, `received=` belong to the envelope (`body.seq=` not);
`name=`, `number=` and `phone=` of a
ResidentListed to the vault. Rows arrive in the order in which they are written.

    Story().given(events).then(rows)

is a test's story, to be told by the `play` fixture. Whatever it is, in the end every stored table
equals its view and the chain holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec

from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import derived
from muster.instance import Instance
from muster.intake.upload import tidy
from muster.keeping.follower import catch_up
from muster.keeping.tick import tick
from muster.keeping.verify import verify
from muster.ledger.event import Body, Event
from muster.registry.vault import Identity

_DAY = datetime(2022, 8, 1, tzinfo=timezone(timedelta(hours=8)))
_ENVELOPE = ("id", "cause", "device", "seq", "received", "note")
_IDENTITY = ("name", "number", "phone")
_TUBE = {"barcode": "{subject}", "purpose": "round", "capacity": "10"}
_ORDINARY: dict[str, dict[str, str]] = {
    "AreaListed": {"code": "{subject}", "name": "{subject}", "level": "building"},
    "ResidentListed": {"source": "roster"},
    "RoundOpened": {"name": "{subject}", "starts_at": "06:00", "ends_at": "20:00"},
    "SiteListed": {"code": "{subject}", "name": "{subject}"},
    "UnitListed": {"code": "{subject}", "name": "{subject}", "kind": "school"},
    "DemandRaised": {"role": "queue_guide", "starts_at": "08:00", "ends_at": "12:00"},
    "CallUpOpened": {"name": "{subject}", "answer_minutes": "5"},
    "StaffCalledUp": {"wave": "1", "answer_by": "07:50"},
    "CallAnswered": {"how": "link"},
    "StaffPosted": {"role": "queue_guide", "starts_at": "08:00", "ends_at": "12:00"},
    "ArrivedAtPost": {"how": "place_code"},
    "ReliefRequested": {"why": "tired", "how": "link"},
    "LimitPassed": {"limit": "limit", "value": "12"},
    "IncidentRecorded": {"kind": "collapse"},
    "PlaceLed": {"part": "chief"},
    "SkillProven": {"issuer": "school", "on": "2022-07-01"},
    "TeamFormed": {"code": "{subject}", "name": "{subject}", "kind": "group"},
    "TeamJoined": {"kind": "group"},
    "AidAgreed": {
        "name": "{subject}",
        "sender": "elsewhere",
        "kind": "mixed",
        "starts_at": "06:00",
        "ends_at": "20:00",
    },
    "WaveSent": {"number": "1", "leaves_at": "06:00", "arrives_by": "09:00", "count": "10"},
    "AidReleased": {"released_at": "{at}"},
    "DutyCarried": {"on": "2022-07-31"},
    "TubeOpened": _TUBE,
    "TubeSealed": {**_TUBE, "members": ""},
    "SpecimenTaken": {"position": "1"},
    "SpecimenVoided": {"reason": "wrong_person"},
    "SpecimenMoved": {"position": "1", "reason": "wrong_tube"},
    "BoxPacked": {"code": "{subject}"},
    "BoxReceived": {"lab": "L1"},
    "TubesReceived": {"lab": "L1"},
    "ScanUndone": {"lab": "L1"},
    "ReceptionEnded": {"lab": "L1"},
    "DiscrepancyResolved": {"lab": "L1"},
    "LabListed": {"code": "{subject}", "name": "{subject}", "kind": "fixed"},
    "PlateLoaded": {
        "code": "{subject}",
        "lab": "L1",
        "assay": "A1",
        "size": "96",
        "template": "t",
        "controls": "[]",
    },
    "PlateDiscarded": {"lab": "L1", "reason": "dropped"},
    "RunImported": {
        "lab": "L1",
        "file": "f",
        "format": "csv",
        "readings": '[{{"well":"A01","target":"N"}}]',
    },
    "RunCalled": {"lab": "L1", "edition": "E1"},
    "ResultProposed": {"lab": "L1"},
    "ProposalDeclined": {"reason": "repeat"},
    "ResultReleased": {"lab": "L1", "resulted_at": "{at}"},
    "ResultAmended": {"reason": "repeat_run"},
    "ResultRejected": {"reason": "other"},
    "ResidentsMerged": {"reason": "reviewed"},
    "ResidentsUnmerged": {"reason": "reviewed"},
}

# A street of two grids; in the first two buildings with three people, in the second one with two.
TOWN = """
    07:00  AreaListed      S1  level=street
    07:00  AreaListed      G1  level=grid parent=S1
    07:00  AreaListed      G2  level=grid parent=S1
    07:00  AreaListed      H1  parent=G1
    07:00  AreaListed      H2  parent=G1
    07:00  AreaListed      H3  parent=G2
    07:00  ResidentListed  p1  building=H1 room=101
    07:00  ResidentListed  p2  building=H1 room=102
    07:00  ResidentListed  p3  building=H2
    07:00  ResidentListed  p4  building=H3
    07:00  ResidentListed  p9  building=H3
    07:30  RoundOpened     R1  areas=S1
"""

# The town with a school and an office.
STREET_UNITS = (
    TOWN
    + """
    07:00  UnitListed   U1  area=G1
    07:00  UnitListed   U2  area=G2 kind=organ
"""
)

_names: dict[UUID, str] = {}


def named(name: str) -> UUID:
    """The UUID a name stands for."""
    one = derived("test", name)
    _names[one] = name
    return one


def time_of(text: str) -> datetime:
    day, _, clock = text.rpartition("/")
    hours, minutes = clock.split(":")
    return _DAY + timedelta(days=int(day or 1) - 1, hours=int(hours), minutes=int(minutes))


def events(table: str) -> list[Event]:
    """The events of a table, in its order."""
    return [_event(line.split()) for line in table.splitlines() if line.strip()]


def _event(words: list[str], calls: dict[str, UUID] | None = None) -> Event:
    when, type_, subject, *said = words
    ordinary = {
        fact: text.format(subject=subject, at=when)
        for fact, text in _ORDINARY.get(type_, {}).items()
    }
    facts = ordinary | dict(word.split("=", 1) for word in said)
    outside = {fact: facts.pop(fact) for fact in _ENVELOPE if fact in facts}
    facts = {fact.removeprefix("body."): text for fact, text in facts.items()}
    names = {"ResidentListed": _IDENTITY, "StaffListed": ("name", "phone")}.get(type_, ())
    who = {fact: facts.pop(fact) for fact in names if fact in facts}
    at = time_of(when)
    received = time_of(outside["received"]) if "received" in outside else at
    cause = outside.get("cause")
    return Event(
        id=named(outside["id"]) if "id" in outside else derived("test", *words),
        type=type_,
        subject=(calls or {}).get(subject) or named(subject),
        at=min(at, received),
        device_at=at,
        received_at=received,
        actor="tester",
        body=_body(Body.types[type_], facts, calls or {}),
        device=outside.get("device"),
        device_seq=int(outside["seq"]) if "seq" in outside else None,
        cause=(calls or {}).get(cause) or named(cause) if cause else None,
        identity=tidy(msgspec.convert(who, Identity), at) if who else None,
        note=outside.get("note"),
    )


def _body(type_: type[Body], facts: dict[str, str], calls: dict[str, UUID]) -> Body:
    kinds = {f.name: str(f.type) for f in msgspec.structs.fields(type_)}
    values: dict[str, Any] = {}
    for fact, text in facts.items():
        if fact == "members":
            people = enumerate(filter(None, text.split(",")), 1)
            values[fact] = [{"person": named(p), "position": n} for n, p in people]
        elif fact in ("scans", "tubes") and not text.startswith("["):
            values[fact] = [_labelled(one) for one in filter(None, text.split(","))]
        elif text.startswith(("[", "{")):
            values[fact] = msgspec.json.decode(text)
        elif "list" in kinds[fact] or "tuple" in kinds[fact]:
            many = text.split(",")
            values[fact] = [named(one) for one in many] if "UUID" in kinds[fact] else many
        elif "UUID" in kinds[fact]:
            values[fact] = calls.get(text) or named(text)
        elif "datetime.datetime" in kinds[fact]:
            values[fact] = time_of(text)
        else:
            values[fact] = text
    return msgspec.convert(values, type_, strict=False)


def _labelled(text: str) -> dict[str, str]:
    """`B1` a barcode, `B1:leaking` one in that condition."""
    barcode, _, condition = text.partition(":")
    return {"barcode": barcode} | ({"condition": condition} if condition else {})


@dataclass(frozen=True)
class Story:
    """Steps to be told in order by `play`; see the head of this file."""

    steps: tuple[Any, ...] = ()
    calls: dict[str, UUID] = field(default_factory=dict)

    def given(self, table: str, *, answers: str | None = None) -> "Story":
        """These events arrive, in one upload; its answers, where they are not all `stored`."""

        async def step(muster: Instance) -> None:
            lines = [line.split() for line in table.splitlines() if line.strip()]
            sent = [_event(words, self.calls) for words in lines]
            said = await muster.door.append(sent)
            assert said == (answers.split() if answers else ["stored"] * len(sent))

        return self._with(step)

    def call(self, name: str, sql: str) -> "Story":
        """From here the name means the value of this query: as a subject, a cause, in a body."""

        async def step(muster: Instance) -> None:
            async with muster.pool.connection() as conn:
                ((self.calls[name],),) = await (await conn.execute(sql.encode())).fetchall()

        return self._with(step)

    def then(self, table: str) -> "Story":
        """Now what the first line selects FROM has these rows and no others."""

        async def step(muster: Instance) -> None:
            source, header, *lines = table.strip().splitlines()
            columns = header.split()
            async with muster.pool.connection() as conn:
                await catch_up(conn, CATALOGUE)
                heads = ", ".join(columns)
                sql = f"SELECT {heads} FROM {source}"
                found = await (await conn.execute(sql.encode())).fetchall()
            seen, wanted = shown(columns, found), shown(columns, [line.split() for line in lines])
            assert seen == wanted, f"{source} is\n{seen}\nand not\n{wanted}"

        return self._with(step)

    def later(self, hours: int, *, due: int) -> "Story":
        """So many hours from the real now, the clock rules have this much to note."""

        async def step(muster: Instance) -> None:
            async with muster.pool.connection() as conn:
                did = await tick(conn, muster.door, now() + timedelta(hours=hours))
            assert did["due"] == due

        return self._with(step)

    async def __call__(self, muster: Instance) -> None:
        for step in self.steps:
            await step(muster)
        async with muster.pool.connection() as conn:
            assert await verify(conn, CATALOGUE) == []

    def _with(self, step: Any) -> "Story":
        return replace(self, steps=(*self.steps, step))


def shown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as an aligned table, sorted."""
    cells = [list(columns), *sorted([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case UUID():
            return _names.get(value, "?")
        case datetime():
            days = (value - _DAY) // timedelta(days=1) + 1
            clock = value.astimezone(_DAY.tzinfo).strftime("%H:%M")
            return clock if days == 1 else f"{days}/{clock}"
        case list():
            return ",".join(sorted(_cell(one) for one in value)) or "none"
    return str(value)
