"""The vocabulary of rights: accounts, what they may do and where, devices, and what was decided about
what a revoked device or an unentitled sender has sent. Names, passwords and tokens are not in it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from muster.access.engine.roles import RoleName
from muster.ledger.event import Body, Code, Key

Time = Annotated[datetime, Meta(tz=True)]
AccountKind = Literal["staff", "aid", "guest", "resident", "gateway"]


class AccountOpened(Body, frozen=True):
    """An account (subject) exists from `starts_at` until `ends_at`; its login is a staff number or
    another code, not a name."""

    login: Code
    kind: AccountKind
    starts_at: Time
    ends_at: Time | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("account", subject),)


class AccountClosed(Body, frozen=True):
    """The account (subject) ended: it can neither sign in nor send. What it recorded before counts."""

    reason: Literal["left", "expired", "misuse", "mistake", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("account", subject),)


class RoleGranted(Body, frozen=True):
    """The account (subject) has a role, in these places, from `starts_at` until `ends_at`: everywhere,
    under an area, at a site, for a laboratory, or about one person (themselves)."""

    role: RoleName
    starts_at: Time
    ends_at: Time | None = None
    everywhere: bool = False
    area: UUID | None = None
    site: UUID | None = None
    lab: Code | None = None
    person: UUID | None = None
    team: Code | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("account", subject),)


class RoleEnded(Body, frozen=True):
    """A role of the account (subject), granted by the event `granted`, ended; `moved` when the account
    was given another place instead."""

    granted: UUID
    ends_at: Time
    reason: Literal["moved", "left", "mistake", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("account", subject),)


class UndertakingSigned(Body, frozen=True):
    """The holder of the account (subject) signed an edition of the confidentiality undertaking."""

    edition: Code

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("account", subject),)


class DeviceEnrolled(Body, frozen=True):
    """A phone or scanner (subject) belongs to Muster under a code, which its events name."""

    code: Code
    kind: Literal["phone", "scanner", "gateway"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("device", subject),)


class DeviceBound(Body, frozen=True):
    """The device (subject) works at a site, under an area or for a laboratory from `since`; what it
    recorded before belongs to where it was bound then."""

    since: Time
    area: UUID | None = None
    site: UUID | None = None
    lab: Code | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("device", subject),)


class DeviceRevoked(Body, frozen=True):
    """The device (subject) was lost or handed in: what it still sends waits for a person's word."""

    reason: Literal["lost", "stolen", "handed_in", "misuse", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("device", subject),)


class DeviceReinstated(Body, frozen=True):
    """The device (subject) was found again or its revocation was a mistake (the cause)."""

    def touches(self, subject: UUID) -> Iterable[Key]:
        return (("device", subject),)


class HeldAccepted(Body, frozen=True):
    """A person took over what was held (subject: the inbox item), and it was applied."""

    event: UUID | None = None

    def touches(self, subject: UUID) -> Iterable[Key]:
        return ()


class HeldRefused(Body, frozen=True):
    """A person refused what was held (subject: the inbox item): it is not applied."""

    reason: Literal["not_genuine", "duplicate", "unreadable", "other"]

    def touches(self, subject: UUID) -> Iterable[Key]:
        return ()
