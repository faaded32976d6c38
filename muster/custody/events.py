"""Custody's vocabulary: bags, boxes, hand-overs, temperatures, and the barcodes printed on supplies."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from muster.config import BOX_BAGS_LIMIT, BOX_TUBES_LIMIT, LABELS_LIMIT
from muster.ledger.event import Body, Code, Key, Label

Count = Annotated[int, Meta(ge=0, le=100_000)]
Decidegrees = Annotated[int, Meta(ge=-2_000, le=1_000)]  # tenths of a degree Celsius


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One side of a hand-over: exactly one of a sampling site, a vehicle (its number) or a laboratory."""

    site: UUID | None = None
    vehicle: Code | None = None
    lab: Code | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.site, self.vehicle, self.lab)) != 1:
            raise ValueError("a party is exactly one of site, vehicle and lab")


class PackedTube(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A tube in a bag or box: its barcode as scanned, and its id where the packer's phone knows it."""

    barcode: Code
    tube: UUID | None = None


class BarcodeFormatAdopted(Body, frozen=True):
    """From `since` on a supplier's labels of this kind look like this (subject: the format): `#` a digit,
    `@` a letter, `*` either, anything else itself. `retired` takes the format out of use."""

    supplier: Label
    kind: Literal["tube", "bag", "box", "plate"]
    pattern: Code
    since: Annotated[datetime, Meta(tz=True)]
    check: Literal["none", "mod10", "mod43", "mod97"] = "none"
    capacity: Annotated[int, Meta(ge=1, le=100)] | None = None
    retired: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("format", subject),)


class BoxPacked(Body, frozen=True):
    """A box or bag (subject) was closed over these tubes and bags. `count` is what the packer counted by
    hand; `bound_for` the laboratory it is to go to. Packed again, the later manifest counts."""

    code: Code
    kind: Literal["bag", "box"] = "box"
    tubes: Annotated[tuple[PackedTube, ...], Meta(max_length=BOX_TUBES_LIMIT)] = ()
    bags: Annotated[tuple[UUID, ...], Meta(max_length=BOX_BAGS_LIMIT)] = ()
    count: Count | None = None
    seal: Code | None = None
    site: UUID | None = None
    bound_for: Code | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        keys: list[Key] = [("box", subject), ("carried", subject), ("box_code", self.code)]
        keys.extend(("received", one.barcode) for one in self.tubes)
        return keys

    def weight(self) -> int:
        return 1 + len(self.tubes)


class BoxRouted(Body, frozen=True):
    """The box (subject) is to go to this laboratory, whatever was said before."""

    bound_for: Code

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("box", subject),)


class BoxHandedOver(Body, frozen=True):
    """A box or bag (subject) went from one party to the next, as one side scanned it; the other side
    scans too. `count`: tubes or bags counted; `seal`: the seal's number as read."""

    side: Literal["gives", "takes"]
    giver: Party
    taker: Party
    count: Count | None = None
    seal: Code | None = None
    seal_intact: bool = True
    temperature_decidegrees: Decidegrees | None = None

    @property
    def stands(self) -> Party:
        """The party whose scan this is."""
        return self.giver if self.side == "gives" else self.taker

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("carried", subject),)


class TemperatureRead(Body, frozen=True):
    """A temperature was read in the box (subject), by hand or by a logger."""

    temperature_decidegrees: Decidegrees
    logger: Code | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("carried", subject),)


class BoxReceived(Body, frozen=True):
    """A laboratory took in a box or bag by its code: a reception (subject) begins. `box` where the code
    alone would not tell which."""

    code: Code
    lab: Code
    box: UUID | None = None
    giver: Party | None = None
    count: Count | None = None
    seal: Code | None = None
    seal_intact: bool = True
    temperature_decidegrees: Decidegrees | None = None

    @property
    def stands(self) -> Party:
        """The party whose scan this is."""
        return Party(lab=self.lab)

    def touches(self, subject: UUID) -> Iterable[Key]:
        keys: list[Key] = [("reception", subject), ("box_code", self.code)]
        return [*keys, ("carried", self.box)] if self.box else keys


class LabelsIssued(Body, frozen=True):
    """A range of printed labels (subject) was given to a sampling site: those numbered `first` to `last`,
    both included, in a supplier's format."""

    kind: Literal["tube", "bag", "box"]
    format: UUID
    first: Code
    last: Code
    count: Annotated[int, Meta(ge=1, le=LABELS_LIMIT)]
    site: UUID

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("labels", subject),)


class LabelsTakenBack(Body, frozen=True):
    """The range of labels (subject) is no longer the site's: issued by mistake, returned or destroyed."""

    reason: Literal["mistake", "returned", "destroyed"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("labels", subject),)
