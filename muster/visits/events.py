"""The vocabulary of the way from door to door: who was met there, and which building was called down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from muster.ledger.event import Body, Key

Outcome = Literal["not_home", "told", "moved", "other"]


class VisitMade(Body, frozen=True):
    """Somebody came to the door of the person (subject), who was not at home, was told to come, is said to
    have moved, or whatever else. `again_at`: when to try again."""

    outcome: Outcome
    round: UUID | None = None
    again_at: Annotated[datetime, Meta(tz=True)] | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("visit", subject),)


class VisitWithdrawn(Body, frozen=True):
    """The visit that is the cause was recorded of the person (subject) by mistake."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("visit", subject),)


class BuildingCalled(Body, frozen=True):
    """Who lives in the building (subject) was called down to be swabbed, in a round, at a site where one is
    named."""

    round: UUID
    to_site: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("call", subject),)
