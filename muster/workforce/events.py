"""The vocabulary of those who carry it: who can be called, what is needed, who was asked and came."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from muster.ledger.event import Body, Code, Key, Label
from muster.registry.events import Sex
from muster.workforce.engine.clocks import Passed
from muster.workforce.engine.limits import Broken
from muster.workforce.engine.posts import Role

Time = Annotated[datetime, Meta(tz=True)]
Codes = Annotated[tuple[Code, ...], Meta(max_length=20)]
Answer = Literal["accepted", "declined"]
How = Literal["link", "telephone", "desk"]
Arrival = Literal["place_code", "desk"]
WhyNotPosted = Literal["declined", "no_show", "replaced", "not_needed", "mistake"]
WhyOver = Literal["stopped", "over"]
WhyRelief = Literal["tired", "unwell", "heat", "family", "other"]
IncidentKind = Literal["collapse", "injury", "illness", "exposure", "other"]
LeadPart = Literal["chief", "deputy", "relief"]


class StaffListed(Body, frozen=True):
    """A person (subject) can be called up, as one of a unit's. Who is listed by several units is one
    person. `skills`, `tags`: as the unit's list calls them (`tags`: memberships, optional); `fit`: for a
    protective suit. The identity goes to the vault."""

    unit: UUID
    number: Code | None = None  # the unit's own
    skills: Codes = ()
    tags: Codes = ()
    home: UUID | None = None
    birth_year: Annotated[int, Meta(ge=1850, le=2200)] | None = None
    sex: Sex | None = None
    fit: bool = True

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("staff", subject),)

    def weight(self) -> int:
        return 4  # with the identity, as a resident


class StaffDelisted(Body, frozen=True):
    """The person (subject) is none of the unit's any more."""

    unit: UUID

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("staff", subject),)


class TrainingPassed(Body, frozen=True):
    """The person (subject) passed the training for a role, which holds to the end of `until`."""

    role: Role
    on: date
    until: date | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("staff", subject),)


class SkillProven(Body, frozen=True):
    """The person (subject) has shown a proof of a skill, such as a licence: by whom it was issued, and to the
    end of which day it holds. Its number goes to the vault."""

    skill: Code
    issuer: Label
    on: date
    until: date | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("staff", subject),)


class StaffAway(Body, frozen=True):
    """The person (subject) cannot be called up in this time."""

    starts_at: Time
    ends_at: Time

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("staff", subject),)


class StaffBack(Body, frozen=True):
    """The absence that is the cause is over, or was a mistake (subject: the person)."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("staff", subject),)


class HardshipFlagged(Body, frozen=True):
    """The person (subject) is not to be called up for now, for reasons that are theirs: what they are stands
    in the vault, if anywhere. `lifted`: may be called up again."""

    lifted: bool = False

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("staff", subject),)


class DemandRaised(Body, frozen=True):
    """A place needs so many people in a role for a time (subject: the demand). Said again, the later word
    counts; a `count` of 0 withdraws it. `arrive_by`: when they are to stand there, else at the start."""

    area: UUID
    role: Role
    count: Annotated[int, Meta(ge=0, le=10_000)]
    starts_at: Time
    ends_at: Time
    site: UUID | None = None
    arrive_by: Time | None = None
    skill: Code | None = None
    proven: bool = False  # only with a proof of the skill that holds

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("demand", subject),)


class CallUpOpened(Body, frozen=True):
    """People are called up for these demands (subject: the call-up). Who has not answered within
    `answer_minutes` is no longer waited for. Only of `units`, under `areas`, where given."""

    name: Label
    demands: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=1_000)]
    answer_minutes: Annotated[int, Meta(ge=1, le=10_080)]
    units: Annotated[tuple[UUID, ...], Meta(max_length=1_000)] = ()
    areas: Annotated[tuple[UUID, ...], Meta(max_length=1_000)] = ()

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("call_up", subject),)


class CallUpClosed(Body, frozen=True):
    """Nobody else is asked (subject: the call-up)."""

    why: WhyOver

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("call_up", subject),)


class StaffCalledUp(Body, frozen=True):
    """A person is asked to fill a demand (subject: the summons), and has until `answer_by`."""

    call_up: UUID
    demand: UUID
    staff: UUID
    wave: Annotated[int, Meta(ge=1, le=1_000)]
    answer_by: Time

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("summons", subject), ("demand", self.demand), ("call_up", self.call_up))


class CallAnswered(Body, frozen=True):
    """What the person called (subject: the summons) says. The last word counts."""

    answer: Answer
    how: How

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("summons", subject),)


class SummonsWithdrawn(Body, frozen=True):
    """Whoever was asked (subject: the summons) and has not answered is not needed any more."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("summons", subject),)


class StaffPosted(Body, frozen=True):
    """A person has a place (subject: the posting): at a demand, for a time. Judged under the door's lock:
    never more than the demand asks for, never in two places at once. `overridden`: limits somebody
    broke knowingly, by name; why stands in the vault."""

    staff: UUID
    demand: UUID
    role: Role
    starts_at: Time
    ends_at: Time
    summons: UUID | None = None
    overridden: Annotated[tuple[Broken, ...], Meta(max_length=7)] = ()

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject), ("demand", self.demand))


class PostingWithdrawn(Body, frozen=True):
    """The place (subject: the posting) is free again."""

    why: WhyNotPosted

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class ArrivedAtPost(Body, frozen=True):
    """The person stands at the post (subject: the posting)."""

    how: Arrival

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class Relieved(Body, frozen=True):
    """The person has left the post (subject: the posting), relieved by another posting where one is named."""

    by: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class HandedOver(Body, frozen=True):
    """Who stands at the post (subject: the posting) has handed it over to the holder of another posting, who
    stands there too. `open_matters`: how many things are left to do; which ones stands in the vault."""

    to: UUID
    open_matters: Annotated[int, Meta(ge=0, le=1_000)] = 0

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class WorkGiven(Body, frozen=True):
    """What the person at the post (subject: the posting) is to do there, where their role does not say it."""

    what: Label

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class BreakBegun(Body, frozen=True):
    """The person at the post (subject: the posting) rests, out of the protective suit."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class BreakEnded(Body, frozen=True):
    """The person at the post (subject: the posting) works again."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class ReliefRequested(Body, frozen=True):
    """The person at the post (subject: the posting) asks to be relieved. `demand`: by which somebody is
    called up for the rest of the shift."""

    why: WhyRelief
    how: How
    demand: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class ReliefNoLongerWanted(Body, frozen=True):
    """The person at the post (subject: the posting) stays after all."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class LimitPassed(Body, frozen=True):
    """The clock saw the person at the post (subject: the posting) pass a limit: `value` in hours of duty,
    or minutes in the protective suit."""

    limit: Passed
    value: Annotated[int, Meta(ge=0, le=100_000)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posting", subject),)


class IncidentRecorded(Body, frozen=True):
    """Something befell a person at their post (subject: the incident). They stand nowhere again before they
    are cleared. What happened stands in the vault."""

    staff: UUID
    kind: IncidentKind
    posting: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("incident", subject), ("staff", self.staff))


class ClearedForDuty(Body, frozen=True):
    """Somebody in charge found that the person of the incident (subject) may stand at posts again, from a
    time on."""

    starts_at: Time

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("incident", subject),)


class PlaceLed(Body, frozen=True):
    """Who leads a place (subject: a site, or an area with posts): its chief, the deputy, or the chief's
    relief. The last word for each part counts; nobody named: the part is vacant."""

    part: LeadPart
    staff: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("post_place", subject),)


class OwnerNamed(Body, frozen=True):
    """Who answers for the homes in an area (subject), at its level: each home has one owner a level, that of
    the area it lies in. Nobody named: none any more."""

    staff: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("owner", subject),)


class HeatRead(Body, frozen=True):
    """How hot it is in an area (subject), in tenths of a degree Celsius, in the shade."""

    decidegrees: Annotated[int, Meta(ge=-600, le=600)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("heat", subject),)
