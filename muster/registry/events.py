"""The registry's vocabulary: areas, units, residents and what is declared about their number."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from muster.config import OUTLINE_NUMBERS_LIMIT
from muster.ledger.event import Body, Code, Key, Label

SELF = "self"  # whoever acts on residents' own pages, without an account: no login is called so
Level = Literal[
    "country", "province", "city", "district", "street", "community", "compound", "grid", "building"
]
GridKind = Literal["basic", "exclusive"]
State = Literal["resident", "temporary", "away", "moved_away", "cannot_be_tested"]
Sex = Literal["male", "female"]
PolicyName = Literal[
    "tube_size",
    "result_window_hours",
    "result_valid_hours",
    "positive_days",
    "recall_hours",
    "tube_age_minutes",
    "tube_warning_minutes",
    "hand_over_minutes",
    "box_least_decidegrees",
    "box_most_decidegrees",
    "objection_hours",
    "identity_days",
    "reading_days",
    "shift_most_hours",
    "rest_least_hours",
    "suit_most_age",
    "duty_watch_hours",
    "duty_limit_hours",
    "duty_grave_hours",
    "duty_most_days",
    "suit_most_minutes",
    "suit_hot_minutes",
    "hot_least_decidegrees",
]
UnitKind = Literal[
    "enterprise", "school", "hotel", "shop", "hospital", "market", "care_home", "organ", "police",
    "property", "volunteers", "other",
]  # fmt: skip
ImportKind = Literal[
    "areas", "grids", "buildings", "units", "sites", "residents", "staff", "trainings"
]
Count = Annotated[int, Meta(ge=0)]
Room = Annotated[str, Meta(max_length=32)]


class AreaListed(Body, frozen=True):
    """An area of the tree (subject) exists, under `parent`, down to grids and buildings."""

    code: Code
    level: Level
    name: Label
    parent: UUID | None = None
    kind: GridKind | None = None
    floors: Annotated[int, Meta(ge=1, le=200)] | None = None
    lift: bool | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("area", subject),)


class UnitListed(Body, frozen=True):
    """A unit (subject) - enterprise, school, hotel - stands in an area."""

    code: Code
    kind: UnitKind
    area: UUID
    name: Label
    headcount: Annotated[int, Meta(ge=0, le=1_000_000)] = 0

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("unit", subject),)


class DenominatorDeclared(Body, frozen=True):
    """Somebody declared how many people an area (subject) holds, with date and source."""

    people: Annotated[int, Meta(ge=0, le=2_000_000_000)]
    source: Label
    on: date

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("area", subject),)


class AreaPlaced(Body, frozen=True):
    """The area (subject) lies here, in millionths of a degree (WGS 84), with its outline where one is
    known: rings of longitude, latitude, longitude … . `generated`: made up for an exercise. Said again,
    the later word counts."""

    lon_micro: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]
    lat_micro: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)]
    source: Label
    outline: Annotated[
        tuple[
            Annotated[tuple[int, ...], Meta(min_length=6, max_length=OUTLINE_NUMBERS_LIMIT)], ...
        ],
        Meta(max_length=200),
    ] = ()
    generated: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("area_place", subject),)


class PolicyAdopted(Body, frozen=True):
    """An edition of a policy number (subject) holds from `since`, for an area or a group if given.
    A tube size with `household` means one household a tube, of at most that many people."""

    name: PolicyName
    value: Annotated[int, Meta(ge=1, le=10_000)]
    since: Annotated[datetime, Meta(tz=True)]
    area: UUID | None = None
    group: Code | None = None
    household: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("policy", subject),)


class ResidentListed(Body, frozen=True):
    """A person (subject) is on the roster, was met outside it, or listed themselves on their own phone
    (`self`): nobody has looked at their document. The identity goes to the vault."""

    source: Literal["roster", "walk_in", "self"]
    state: State = "resident"
    building: UUID | None = None
    room: Room | None = None
    birth_year: Annotated[int, Meta(ge=1850, le=2200)] | None = None
    sex: Sex | None = None
    registered_area: Code | None = None
    group: Code | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("resident", subject),)

    def weight(self) -> int:
        return 4  # the identity and the search for its document cost what three swabs do


class ResidentMoved(Body, frozen=True):
    """The resident (subject) now lives elsewhere."""

    building: UUID
    room: Room | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("resident", subject),)


class ResidentStateChanged(Body, frozen=True):
    """The resident (subject) is now present, temporary, away, moved away or cannot be tested."""

    state: State

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("resident", subject),)


class ResidentsMerged(Body, frozen=True):
    """Two ids are one person: what was recorded under the subject counts for `into`."""

    into: UUID
    reason: Literal["same_document", "reviewed"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return _merge_keys(subject, self.into)


class ResidentsUnmerged(Body, frozen=True):
    """A merge of the subject into `into` was undone; `keep_apart` stops the rule linking them again."""

    into: UUID
    reason: Literal["document_changed", "reviewed"]
    keep_apart: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return _merge_keys(subject, self.into)


class ImportStarted(Body, frozen=True):
    """A file (subject: its import) was begun to be fed. `file` is the sha256 of its bytes; what it brings
    names this event as its cause."""

    kind: ImportKind
    file: Code

    def touches(self, subject: UUID) -> Iterable[Key]:
        return ()


class ImportEnded(Body, frozen=True):
    """The import (subject) came to its end, or was stopped: so many of its rows are in, were so already,
    repeat another row of the file, or were handed back."""

    outcome: Literal["done", "stopped", "failed"]
    rows: Count
    stored: Count
    unchanged: Count
    joined: Count
    rejected: Count

    def touches(self, subject: UUID) -> Iterable[Key]:
        return ()


class ObjectionRaised(Body, frozen=True):
    """The person (subject) objects to what is recorded of them; what they say is kept as free text."""

    about: Literal["result", "address", "identity", "status", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("resident", subject),)


class ObjectionAnswered(Body, frozen=True):
    """An objection (the cause) of the person (subject) was looked at: what is recorded was corrected,
    the objection upheld without anything to correct, or rejected. The reasons are free text."""

    answer: Literal["upheld", "rejected", "corrected"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("resident", subject),)


def _merge_keys(merged: UUID, into: UUID) -> Iterable[Key]:
    both = (merged, into)
    return (
        ("alias", merged),
        ("stance", merged),
        ("visit", merged),
        ("home_request", merged),
        *(("resident", one) for one in both),
        *(("person", one) for one in both),
    )
