"""May this sender send this event? Values in, a verdict out: the problem that holds the event, or None
and perhaps the holding that has ended since it was recorded.

An event is judged by what held when it was recorded (`at`), so what a phone saved before its holder
was moved counts; by where it speaks of; and by whose name it bears. A place nobody knows yet is no
objection: facts arrive in any order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from muster.access.engine.roles import ROLES
from muster.access.engine.scope import Holding
from muster.core.problems import Problem

# A clock that is slow by no more is not corrected (CLOCK_TOLERANCE_SECONDS): whoever sets a PIN and works at
# once on such a phone seems to have worked before.
_SLOW = timedelta(seconds=5)


class DeviceWasRevoked(Problem):
    """The device {device} was revoked. What it sends is kept until a person accepts or refuses it."""

    zh = "设备 {device} 已被停用。所发内容已保存，待人工确认或拒绝。"
    status = 403


class NotYourName(Problem):
    """The event bears the name {actor}, which is not whoever sent it. It is kept until a person accepts
    or refuses it."""

    zh = "该事件署名 {actor}，与发送者不符。已保存，待人工确认或拒绝。"
    status = 403


class NotEntitled(Problem):
    """{actor} may not record {type}. It is kept until a person accepts or refuses it."""

    zh = "{actor} 无权记录“{type}”。已保存，待人工确认或拒绝。"
    status = 403


class NotEntitledThen(Problem):
    """{actor} had no right to record {type} at the time it bears. It is kept until a person accepts or
    refuses it."""

    zh = "{actor} 在所记时间无权记录“{type}”。已保存，待人工确认或拒绝。"
    status = 403


class OutsideScope(Problem):
    """{type} speaks of a place outside that of {actor}. It is kept until a person accepts or refuses
    it."""

    zh = "“{type}”涉及 {actor} 范围之外的地点。已保存，待人工确认或拒绝。"
    status = 403


# Held for want of a right: only a person's word applies them, never an automatic retry.
FOR_A_PERSON = (DeviceWasRevoked, NotYourName, NotEntitled, NotEntitledThen, OutsideScope)


@dataclass(frozen=True)
class Place:
    """Where an event speaks of: the areas it lies under (itself included), a site, a laboratory. Of
    what is meant for one role or one account only: which."""

    line: frozenset[UUID] = frozenset()
    site: UUID | None = None
    lab: str | None = None
    person: UUID | None = None
    role: str | None = None
    login: str | None = None

    @property
    def known(self) -> bool:
        return bool(self.line or self.site or self.lab)


@dataclass(frozen=True)
class Account:
    account: UUID
    login: str
    starts_at: datetime
    ends_at: datetime | None
    holdings: tuple[Holding, ...] = ()

    def open_at(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True)
class Binding:
    """Where a device works, from `since` to `until`."""

    area: UUID | None
    site: UUID | None
    lab: str | None
    since: datetime
    until: datetime | None

    def holds_at(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True)
class Device:
    device: UUID
    code: str
    kind: str
    revoked: bool
    bindings: tuple[Binding, ...] = ()
    # login → (since, until): who had a PIN on it when
    holders: tuple[tuple[str, datetime, datetime | None], ...] = ()


@dataclass(frozen=True)
class Sender:
    """Who hands an upload in: an account in a session, or a device."""

    login: str | None = None
    device: str | None = None

    @property
    def name(self) -> str:
        return self.device or self.login or "-"

    def __str__(self) -> str:
        """As the inbox keeps it: `device:CODE` or `login:LOGIN`."""
        return f"device:{self.device}" if self.device else f"login:{self.login}"

    @staticmethod
    def of(text: str | None) -> "Sender | None":
        """What `str` gave; None for what Muster itself held."""
        kind, _, name = (text or "").partition(":")
        return Sender(**{kind: name}) if name else None


@dataclass(frozen=True)
class Sent:
    """What of an event is judged."""

    type: str
    at: datetime
    received_at: datetime
    actor: str
    device: str | None
    place: Place


@dataclass(frozen=True)
class Verdict:
    """`problem` holds the event. `late`: it counts, and was recorded under a holding or a binding that
    has ended since."""

    problem: Problem | None = None
    late: Holding | Binding | None = None
    account: UUID | None = None


def judge(
    sent: Sent, sender: Sender, accounts: dict[str, Account], devices: dict[str, Device]
) -> Verdict:
    """The verdict on one event."""
    about = {"actor": sent.actor, "type": sent.type}
    carrier = devices.get(sender.device) if sender.device else None
    author = devices.get(sent.device) if sent.device else None
    for one in (carrier, author):
        if one is not None and one.revoked:
            return Verdict(DeviceWasRevoked(device=one.code))
    if carrier is not None and carrier.kind == "gateway":
        return _gateway(sent, carrier, accounts, about)
    if not _signed(sent, sender, author):
        return Verdict(NotYourName(actor=sent.actor))
    account = accounts.get(sent.actor)
    if account is None or not account.open_at(sent.at):
        return Verdict(NotEntitledThen(**about))
    if sent.place.login not in (None, sent.actor):
        return Verdict(OutsideScope(**about))
    verdict = _entitled(sent, account.holdings, about)
    if verdict.problem or author is None or not author.bindings:
        return verdict
    bound = next((one for one in author.bindings if one.holds_at(sent.at)), None)
    if bound is not None and not _binds(bound, sent.place):
        return Verdict(OutsideScope(**about))
    if bound is not None and verdict.late is None and not bound.holds_at(sent.received_at):
        return Verdict(None, bound, account.account)
    return verdict


def _gateway(
    sent: Sent, carrier: Device, accounts: dict[str, Account], about: dict[str, str]
) -> Verdict:
    """Another system answers for the people it names; it may still not leave its own scope."""
    held = [one for login, *_ in carrier.holders if login in accounts for one in
            accounts[login].holdings if one.role == "gateway"]  # fmt: skip
    return _entitled(sent, held, about)


def _signed(sent: Sent, sender: Sender, author: Device | None) -> bool:
    """Whether the sender may sign with this actor: a session with its own login, a device with the
    people who have a PIN on it (or on the device whose queue it carries)."""
    if sender.device is None:
        return sender.login == sent.actor and author is None and sent.device is None
    return author is not None and any(
        login == sent.actor and since - _SLOW <= sent.at and (until is None or sent.at < until)
        for login, since, until in author.holders
    )


def _entitled(sent: Sent, holdings: Sequence[Holding], about: dict[str, str]) -> Verdict:
    giving = [one for one in holdings if sent.type in ROLES[one.role].events]
    if not giving:
        return Verdict(NotEntitled(**about))
    then = [one for one in giving if one.holds_at(sent.at)]
    if not then:
        return Verdict(NotEntitledThen(**about))
    there = [one for one in then if covers(one, sent.place)]
    if not there:
        return Verdict(OutsideScope(**about))
    standing = any(one.holds_at(sent.received_at) for one in there)
    return Verdict(None, None if standing else there[0], there[0].account)


def covers(holding: Holding, place: Place) -> bool:
    """Whether a holding reaches a place. A site's people meet whoever comes, wherever they live."""
    if place.role is not None and holding.role != place.role:
        return False
    if holding.everywhere or not place.known:
        return True
    if holding.area is not None and holding.area in place.line:
        return True
    if holding.site is not None and (holding.site == place.site or place.person is not None):
        return True
    return holding.lab is not None and holding.lab == place.lab


def _binds(binding: Binding, place: Place) -> bool:
    if not place.known or place.person is not None:
        return True
    return (
        binding.area in place.line
        or (binding.site is not None and binding.site == place.site)
        or (binding.lab is not None and binding.lab == place.lab)
    )


def logins(devices: Iterable[Device]) -> set[str]:
    return {login for device in devices for login, *_ in device.holders}
