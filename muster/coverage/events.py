"""Coverage's vocabulary: figures that somebody reported, to be held against each other and our own."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from muster.ledger.event import Body, Key, Label

People = Annotated[int, Meta(ge=0, le=2_000_000_000)]


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of reported figures, as it was said: people involved, sampled and with a result, and the
    share sampled in thousandths. What was left out or said in words only (`word`) is None."""

    name: Label
    area: UUID | None = None
    involved: People | None = None
    sampled: People | None = None
    resulted: People | None = None
    share_permille: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    word: Label | None = None


class FiguresReported(Body, frozen=True):
    """Somebody reported figures (subject: the briefing) as of a moment: a line for the whole and one for
    each part. `rounded_to`: the last digit said, in people; 1000 where tenths of ten thousands are."""

    as_of: Annotated[datetime, Meta(tz=True)]
    source: Label
    parts: Annotated[tuple[Said, ...], Meta(max_length=500)]
    total: Said | None = None
    rounded_to: Annotated[int, Meta(ge=1, le=10_000_000)] = 1

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("briefing", subject),)
