"""The vocabulary of peace and emergency: prepared templates, command posts, who leads their groups."""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from muster.ledger.event import Body, Code, Key, Label

Due = Annotated[int, Meta(ge=1, le=10_080)]


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a group's lead has to do first, and within how many minutes."""

    name: Label
    minutes: Due


class PreparedGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A group of a template. `each`: one for every area of this level; `lead`, `deputy`: logins; `role`:
    who is told in the group's area where no lead is named."""

    code: Code
    name: Label
    name_en: Label
    parent: Code | None = None
    area: Code | None = None
    each: Code | None = None
    lead: Code | None = None
    deputy: Code | None = None
    role: Code = "area_lead"
    tasks: Annotated[tuple[Opening, ...], Meta(max_length=50)] = ()


class RaisedGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A group of a command post, in its place."""

    group: UUID
    code: Code
    name: Label
    name_en: Label
    area: UUID
    role: Code
    parent: UUID | None = None
    lead: Code | None = None
    deputy: Code | None = None
    tasks: Annotated[tuple[Opening, ...], Meta(max_length=50)] = ()


class PostureTemplateKept(Body, frozen=True):
    """A template (subject) was prepared. The edition kept last is the one that is raised."""

    code: Code
    name: Label
    name_en: Label
    groups: Annotated[tuple[PreparedGroup, ...], Meta(min_length=1, max_length=500)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("posture_template", subject),)


class CommandRaised(Body, frozen=True):
    """A command post (subject) stands in an area, with all its groups: one event, so that it stands wholly
    or not at all. `edition`: the event that kept the template."""

    template: UUID
    edition: UUID
    area: UUID
    groups: Annotated[tuple[RaisedGroup, ...], Meta(min_length=1, max_length=5_000)]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("command", subject),)

    def weight(self) -> int:
        return 1 + len(self.groups)


class GroupLed(Body, frozen=True):
    """Who leads a group (subject) of a command post from now on; nobody where nobody is named."""

    command: UUID
    lead: Code | None = None
    deputy: Code | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("command", self.command),)


class CommandStoodDown(Body, frozen=True):
    """The command post (subject) stands no more."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("command", subject),)
