"""A table fed by somebody: their name and the import as the cause on every event, and nothing outside the
areas they answer for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from muster.core.rows import rows
from muster.instance import Instance
from muster.intake.faults import CellProblem, Row
from muster.intake.importing import Kind, RowFault
from muster.intake.tables import Column
from muster.ledger.event import Event
from muster.registry.events import AreaListed, ResidentListed
from muster.workforce.events import StaffListed, TrainingPassed

Made = list[tuple[Row, Event]]
Late = list[tuple[Row, RowFault]]


class BeyondYourAreas(CellProblem):
    """This lies outside the areas you answer for, or is listed outside them now. Whoever leads both
    places can import the row."""

    zh = "该行不在您负责的区域内，或目前登记在您负责的区域之外。请由同时负责两处的人员导入。"


@dataclass
class Within:
    """A kind of table as somebody may feed it: everywhere where `areas` is None, else under those."""

    kind: Kind
    areas: frozenset[UUID] | None
    actor: str
    cause: UUID
    reached: set[UUID] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def chunk_rows(self) -> int:
        return self.kind.chunk_rows

    @property
    def columns(self) -> Sequence[Column]:
        return self.kind.columns

    async def begin(self, muster: Instance) -> None:
        await self.kind.begin(muster)
        if self.areas is not None:
            async with muster.pool.connection() as conn:
                found = await rows(conn, "muster.intake", "areas_under", areas=list(self.areas))
            self.reached = {one["area"] for one in found}

    def draft(self, row: Row) -> Any:
        return self.kind.draft(row)

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[Made, Late]:
        made, late = await self.kind.events(muster, drafts, at)
        if self.areas is not None:
            made, beyond = await self._parted(muster, made)
            late = sorted([*late, *beyond], key=lambda refused: refused[0].line)
        return [
            (row, replace(event, actor=self.actor, cause=self.cause)) for row, event in made
        ], late  # fmt: skip

    async def _parted(self, muster: Instance, made: Made) -> tuple[Made, Late]:
        """What lies within reach, now and as it is to be, and what does not. A new area that hangs
        under one in reach is in reach itself, wherever in the file it stands."""
        about = [event.subject for _, event in made]
        about += [event.body.unit for _, event in made if isinstance(event.body, StaffListed)]
        async with muster.pool.connection() as conn:
            found = await rows(conn, "muster.intake", "standing", subjects=about)
        standing = {one["subject"]: one["place"] for one in found}
        left, within = made, []
        while left:
            taken = [
                one for one in left
                if _place(one[1], standing) in self.reached
                and self._may_move(standing.get(_moves(one[1])))
            ]  # fmt: skip
            if not taken:
                break
            within += taken
            self.reached |= {e.subject for _, e in taken if isinstance(e.body, AreaListed)}
            done = {id(one) for one in taken}
            left = [one for one in left if id(one) not in done]
        beyond = [(row, RowFault((_column(event), BeyondYourAreas()))) for row, event in left]
        return within, beyond

    def _may_move(self, place: UUID | None) -> bool:
        return place is None or place in self.reached


def _place(event: Event, standing: Mapping[UUID, UUID]) -> UUID | None:
    """Where a row speaks of; of somebody who can be called up, where their unit stands."""
    match event.body:
        case StaffListed():
            return standing.get(event.body.unit)
        case TrainingPassed():
            return standing.get(event.subject)
        case _:
            return getattr(event.body, _says(event))


def _moves(event: Event) -> UUID:
    """What a row may take from where it stands. Who is listed by a second unit leaves none."""
    return event.body.unit if isinstance(event.body, StaffListed) else event.subject


def _says(event: Event) -> str:
    match event.body:
        case AreaListed():
            return "parent"
        case ResidentListed():
            return "building"
        case StaffListed() | TrainingPassed():
            return "unit"
        case _:
            return "area"


_column = _says  # our columns bear the names of the fields
