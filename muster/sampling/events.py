"""Sampling's vocabulary: rounds, sites, tubes and the swabs in them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from muster.config import MEMBERS_LIMIT
from muster.ledger.event import Body, Code, Key, Label

Purpose = Literal["round", "contact", "quarantine", "key_person", "ad_hoc", "recall"]
Position = Annotated[int, Meta(ge=1, le=MEMBERS_LIMIT)]
Supply = Literal[
    "tubes", "swabs", "bags", "boxes", "labels", "ice", "masks", "gloves", "gowns", "face_shields",
    "disinfectant", "waste_bags", "other",
]  # fmt: skip
Readiness = Literal[
    "queue_lines", "posters", "tents", "tables", "power", "network", "phones", "tubes", "swabs", "boxes_ice",
    "protection", "disinfectant", "waste_bins", "zones", "staff", "briefed",
]  # fmt: skip
HomeReason = Literal["bedridden", "infant", "disability", "isolation", "other"]
HomeOutcome = Literal["withdrawn", "sampled", "not_possible", "duplicate"]
Reason = Literal["illness", "infant", "vaccinated_48h", "tested_elsewhere", "bedridden", "other"]
RefusalReason = Literal["unwilling", "unwell", "afraid", "tested_elsewhere", "no_time", "other"]


class RoundOpened(Body, frozen=True):
    """A round (subject) of testing was opened over some areas, with its own start and end."""

    name: Label
    areas: Annotated[list[UUID], Meta(min_length=1, max_length=1_000)]
    starts_at: Annotated[datetime, Meta(tz=True)]
    ends_at: Annotated[datetime, Meta(tz=True)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("round", subject),)


class AreaBalance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a balance sheet; persons, not person-times."""

    area: UUID
    expected: int
    sampled: int
    resulted: int
    invalid: int
    pending: int
    exempt: int
    away: int
    refused: int
    missing: int
    recalled: int = 0
    recall_open: int = 0
    swabs: int = 0
    sealed: int | None = None
    in_transit: int | None = None
    received: int | None = None
    on_plate: int | None = None
    called: int | None = None
    released: int | None = None


class RoundClosed(Body, frozen=True):
    """The round (subject) was closed on this balance sheet, which stays as it was."""

    balance: Annotated[list[AreaBalance], Meta(max_length=20_000)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("round", subject),)


class SiteListed(Body, frozen=True):
    """A sampling site (subject) is in the catalogue."""

    code: Code
    name: Label
    area: UUID
    lanes: Annotated[int, Meta(ge=0, le=100)] = 1

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("site", subject),)


class SiteOpened(Body, frozen=True):
    """The site (subject) began to work."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("site", subject),)


class SiteClosed(Body, frozen=True):
    """The site (subject) stopped working."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("site", subject),)


class LaneOpened(Body, frozen=True):
    """A lane of the site (subject) began to work."""

    lane: Annotated[int, Meta(ge=1, le=100)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("site", subject),)


class LaneClosed(Body, frozen=True):
    """A lane of the site (subject) stopped working."""

    lane: Annotated[int, Meta(ge=1, le=100)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("site", subject),)


class QueueCounted(Body, frozen=True):
    """So many people waited at the site (subject), or at one of its lanes; and how long who was swabbed
    just then had waited, where somebody measured it."""

    waiting: Annotated[int, Meta(ge=0, le=20_000)]
    lane: Annotated[int, Meta(ge=1, le=100)] | None = None
    wait_minutes: Annotated[int, Meta(ge=0, le=1_440)] | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("queue", subject),)


class SupplyLow(Body, frozen=True):
    """The site (subject) runs short of something; `left`: pieces, where somebody counted. `enough`: more
    was brought."""

    item: Supply
    left: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    enough: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("needs", subject),)


class Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a site needs before it opens, and whether it was in order."""

    item: Readiness
    ok: bool


class Photo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A photo of one of the things, by the SHA-256 of its bytes, which come on their own."""

    item: Readiness
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class SiteChecked(Body, frozen=True):
    """Somebody went through what the site (subject) needs before it opens, and took photos of it."""

    items: Annotated[list[Checked], Meta(min_length=1, max_length=40)]
    photos: Annotated[tuple[Photo, ...], Meta(max_length=20)] = ()

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("needs", subject),)


class SitePlaced(Body, frozen=True):
    """The site (subject) stands here, in millionths of a degree (WGS 84). `generated`: made up for an
    exercise. Said again, the later word counts."""

    lon_micro: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]
    lat_micro: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)]
    source: Label
    generated: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("site_place", subject),)


class TubeOpened(Body, frozen=True):
    """A tube (subject) was opened for up to `capacity` people; its barcode is an attribute of it."""

    barcode: Code
    purpose: Purpose
    capacity: Position
    round: UUID | None = None
    site: UUID | None = None
    lane: Annotated[int, Meta(ge=1, le=100)] | None = None
    retest_of: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject), ("barcode", self.barcode))


class SpecimenTaken(Body, frozen=True):
    """A person's swab went into the open tube (subject)."""

    person: UUID
    position: Position

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject), ("person", self.person))


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One swab in a sealed tube."""

    person: UUID
    position: Position


class TubeSealed(Body, frozen=True):
    """The tube (subject) was sealed with these members: they are frozen from here. `over`: why more are
    in it than should be. Opened again before it was handed over and sealed anew, the seal before is the
    cause."""

    barcode: Code
    purpose: Purpose
    capacity: Position
    members: Annotated[list[Member], Meta(max_length=MEMBERS_LIMIT)]
    round: UUID | None = None
    site: UUID | None = None
    lane: Annotated[int, Meta(ge=1, le=100)] | None = None
    retest_of: UUID | None = None
    over: Literal["household", "instructed", "mistake", "other"] | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        keys: list[Key] = [("tube", subject), ("barcode", self.barcode)]
        keys.extend(("person", member.person) for member in self.members)
        return keys

    def weight(self) -> int:
        return 1 + len(self.members)


class SpecimenVoided(Body, frozen=True):
    """A member was taken out of the tube (subject): no result of it is theirs."""

    person: UUID
    reason: Literal["wrong_person", "not_swabbed", "left", "spoiled", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject), ("person", self.person))


class SpecimenRestored(Body, frozen=True):
    """A voiding (the cause) was a mistake: the member is in the tube (subject) again."""

    person: UUID

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject), ("person", self.person))


class SpecimenMoved(Body, frozen=True):
    """A member's swab was recorded in the tube (subject) but is in the tube `to`."""

    person: UUID
    to: UUID
    position: Position
    reason: Literal["wrong_tube", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("tube", subject), ("tube", self.to), ("person", self.person))


class RefusalRecorded(Body, frozen=True):
    """The person (subject) refused to be tested in a round, for a reason if they gave one."""

    round: UUID
    reason: RefusalReason | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("stance", subject),)


class ExemptionGranted(Body, frozen=True):
    """The person (subject) need not be tested, in one round or in any until further notice."""

    reason: Reason
    round: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("stance", subject),)


class StanceWithdrawn(Body, frozen=True):
    """The refusal or exemption that is the cause no longer holds for the person (subject)."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("stance", subject),)


class HomeSamplingAsked(Body, frozen=True):
    """The person (subject) cannot come to a site and asks to be swabbed at home."""

    reason: HomeReason

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("home_request", subject),)


class HomeSamplingClosed(Body, frozen=True):
    """A request to be swabbed at home (the cause) of the person (subject) is over: withdrawn by who made
    it, done, not possible, or made twice."""

    outcome: HomeOutcome

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("home_request", subject),)
