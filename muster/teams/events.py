"""The vocabulary of teams and of mutual aid: who works with whom, who was sent, when they came and went."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from muster.ledger.event import Body, Code, Key, Label
from muster.teams.engine.colours import Colour

Time = Annotated[datetime, Meta(tz=True)]
TeamKind = Literal["squad", "group", "branch", "commando", "aid"]
AidKind = Literal["cadres", "medics", "labs", "volunteers", "mixed"]
WhyOut = Literal["moved", "left", "mistake"]


class TeamFormed(Body, frozen=True):
    """A team (subject) works in an area. Said again, the later word counts. `leader`, `deputy`: of the
    register of who can be called up; `parent`: the team it is a part of; `aid`, `wave`: whose people it
    holds, for a team that was sent; `dissolved`: there is no such team any more."""

    code: Code
    name: Label
    kind: TeamKind
    area: UUID
    leader: UUID | None = None
    deputy: UUID | None = None
    lodging: Label | None = None
    vehicle: Label | None = None
    badge: Label | None = None
    marking: Colour | None = None
    parent: UUID | None = None
    aid: UUID | None = None
    wave: UUID | None = None
    dissolved: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("team", subject),)


class TeamJoined(Body, frozen=True):
    """The person (subject) works in a team, and in no other one of its kind any more."""

    team: UUID
    kind: TeamKind

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("teamed", subject),)


class TeamLeft(Body, frozen=True):
    """The person (subject) does not work in the team any more."""

    team: UUID
    why: WhyOut = "left"

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("teamed", subject),)


class AidAgreed(Body, frozen=True):
    """Another place sends people into an area for a time (subject: the aid). `sender`: the place; `unit`: under
    which its people are listed here; `lead`: who leads them at the sender's headquarters. Said again, the
    later word counts."""

    name: Label
    sender: Label
    host: UUID
    kind: AidKind
    starts_at: Time
    ends_at: Time
    unit: UUID | None = None
    lead: UUID | None = None
    lodging: Label | None = None
    meals: Label | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("aid", subject),)


class WaveSent(Body, frozen=True):
    """A part of an aid (subject: the wave) sets out. Said again, the later word counts."""

    aid: UUID
    number: Annotated[int, Meta(ge=1, le=1_000)]
    leaves_at: Time
    arrives_by: Time
    count: Annotated[int, Meta(ge=1, le=100_000)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("wave", subject),)


class WaveArrived(Body, frozen=True):
    """The host confirms that the wave (subject) is here, and how many came. The last word counts."""

    count: Annotated[int, Meta(ge=0, le=100_000)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("wave", subject),)


class AidReleased(Body, frozen=True):
    """The aid, or one wave of it (subject), is not needed any more from a time on: its people go home."""

    released_at: Time

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("aid", subject), ("wave", subject))


class DutyCarried(Body, frozen=True):
    """The person (subject) came with so many days of duty on end behind them, up to and with the day `on`."""

    days: Annotated[int, Meta(ge=0, le=1_000)]
    on: date

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("teamed", subject),)


class LodgingGiven(Body, frozen=True):
    """Where the person (subject) sleeps and who feeds them; `at_home`: in their own home, with meals all the
    same. `area`: where it lies. The last word counts."""

    lodging: Label | None = None
    meals: Label | None = None
    at_home: bool = False
    area: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("teamed", subject),)
