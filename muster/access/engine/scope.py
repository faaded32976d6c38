"""What an account or a device may see and send, from what it holds: values in, values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from muster.access.engine.roles import ROLES


@dataclass(frozen=True)
class Holding:
    """A role in a place for a time. `ends_at` None: until further notice."""

    holding: UUID
    account: UUID
    role: str
    everywhere: bool
    area: UUID | None
    site: UUID | None
    lab: str | None
    person: UUID | None
    starts_at: datetime
    ends_at: datetime | None
    moved: bool | None = None
    site_area: UUID | None = None  # where the site stands

    def holds_at(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True)
class Scope:
    """The rows a question may see, as the database's policies read them (0004_rights.sql): figures
    (sums), people (rows by id) and names, each everywhere or under some areas; the sites and
    laboratories one works at; oneself; and, for who keeps the system, what concerns nobody."""

    figures: bool = False
    figure_areas: frozenset[UUID] = frozenset()
    everyone: bool = False
    people_areas: frozenset[UUID] = frozenset()
    names: bool = False
    name_areas: frozenset[UUID] = frozenset()
    sites: frozenset[UUID] = frozenset()
    labs: frozenset[str] = frozenset()
    own: frozenset[UUID] = frozenset()
    system: bool = False
    login: str = ""
    device: str = ""


OPERATOR = Scope(figures=True, everyone=True, names=True, system=True, login="command line")


@dataclass(frozen=True)
class Principal:
    """Who asks: a person in a session, or a device with the person who holds it now. `holdings` are
    those in force now; `limited` says what must be done before they count."""

    account: UUID | None
    login: str
    holdings: tuple[Holding, ...] = ()
    device: UUID | None = None
    device_code: str = ""
    session: UUID | None = None
    limited: str | None = None
    csrf: str = ""
    revoked: bool = False

    def may(self, right: str) -> bool:
        """Whether any role held gives the right; anyone signed in has "signed_in"."""
        if right in ("public", "signed_in"):
            return True
        return not self.limited and any(right in ROLES[one.role].rights for one in self.holdings)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(one.role for one in self.holdings)

    @property
    def rights(self) -> frozenset[str]:
        return frozenset(right for role in self.roles for right in ROLES[role].rights)

    def place(self, right: str) -> dict[str, Any]:
        """The area, site or laboratory where this right is held, if it is held in one place."""
        held = {
            (one.area, one.site, one.lab)
            for one in self.holdings
            if right in ROLES[one.role].rights
        }
        area, site, lab = next(iter(held)) if len(held) == 1 else (None, None, None)
        return {"area": area, "site": site, "lab": lab}

    def scope(self, right: str) -> Scope:
        """What may be seen by this right: the places of the roles that give it, no others."""
        giving = [one for one in self.holdings if right in ROLES[one.role].rights]
        people = [one for one in giving if ROLES[one.role].sees in ("people", "names")]
        named = [one for one in giving if ROLES[one.role].sees == "names"]
        return Scope(
            figures=any(one.everywhere for one in giving if ROLES[one.role].sees != "codes"),
            figure_areas=_areas(giving),
            everyone=any(one.everywhere for one in people),
            people_areas=_areas(people),
            names=any(one.everywhere for one in named),
            name_areas=_areas(named),
            sites=frozenset(one.site for one in people if one.site),
            labs=frozenset(one.lab for one in giving if one.lab),
            own=frozenset(one.person for one in giving if one.person),
            system=any(ROLES[one.role].sees == "system" for one in giving),
            login=self.login,
            device=self.device_code,
        )

    def reaches(self, right: str, line: Iterable[UUID]) -> bool:
        """Whether the right holds for a place that lies under these areas (itself included): what a
        decision about an area asks."""
        giving = [one for one in self.holdings if right in ROLES[one.role].rights]
        above = set(line)
        return any(one.everywhere or above & {one.area, one.site_area} for one in giving)


def _areas(holdings: Iterable[Holding]) -> frozenset[UUID]:
    """The areas held, and those in which the sites held stand."""
    found = {area for one in holdings for area in (one.area, one.site_area) if area}
    return frozenset(found)


def narrowed(
    holdings: Iterable[Holding], *, area: UUID | None, site: UUID | None, lab: str | None,
    line: Iterable[UUID], site_area: UUID | None,
) -> tuple[Holding, ...]:  # fmt: skip
    """What is left of holdings on a device that works in one place, which lies under the areas of
    `line`: never more than the place, never more than was held."""
    above = set(line)
    kept = []
    for one in holdings:
        if one.person is not None or not (area or site or lab):
            kept.append(one)
        elif lab is not None:
            if one.everywhere or one.lab == lab:
                kept.append(replace(one, everywhere=False, area=None, lab=lab))
        elif one.everywhere or one.area in above:
            kept.append(replace(one, everywhere=False, area=area, site=site, site_area=site_area))
        elif one.site is not None and (one.site == site or one.site_area == area):
            kept.append(one)
    return tuple(kept)


def in_force(holdings: Sequence[Holding], at: datetime) -> tuple[Holding, ...]:
    return tuple(one for one in holdings if one.holds_at(at))
