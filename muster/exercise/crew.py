"""The people and devices of an exercise: accounts with their roles, and enrolled devices with tokens.
They are set up by the ordinary decisions; from then on each acts through its token only.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import randbelow
from uuid import UUID

from muster.access import decide, devices
from muster.access.decide import Grant
from muster.access.devices import DeviceUnknown, Kind, Where
from muster.access.engine.roles import RoleName
from muster.access.events import AccountKind
from muster.access.queries import account_by_login
from muster.core.clock import now
from muster.core.rows import row
from muster.exercise.device import Device
from muster.exercise.laboratory import Laboratory
from muster.instance import Instance
from muster.registry import queries as registry

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Crew:
    """Hands out tokens on one open Muster. An exercise may act in the past, so its people and devices
    have been there for long."""

    muster: Instance
    since: datetime = LONG_AGO
    _tokens: dict[str, str] = field(default_factory=dict)

    async def staff(
        self, login: str, *grants: Grant, kind: AccountKind = "staff", name: str | None = None,
        phone: str | None = None,
    ) -> UUID:  # fmt: skip
        """An account that has these roles and has signed the undertaking; as it is, if it is there."""
        async with self.muster.pool.connection() as conn:
            if found := await row(conn, "muster.access", "account_by_login", login=login):
                return found["account"]
            account = await decide.open_account(
                conn, self.muster.door, self.muster.vault, login=login, kind=kind, name=name,
                phone=phone, starts_at=self.since, ends_at=None, grants=grants, actor="exercise", at=now(),
            )  # fmt: skip
        await decide.sign_undertaking(self.muster.door, account, actor=login, at=now())
        return account

    async def device(
        self, code: str, *, holder: str, kind: Kind = "phone", where: Where | None = None
    ) -> str:
        """A device in somebody's hands; its token. The same device is enrolled once."""
        if code in self._tokens:
            return self._tokens[code]
        at = now()
        async with self.muster.pool.connection() as conn:
            try:
                device = (await devices.by_code(conn, code))["device"]
                once = await devices.new_code(conn, device, at=at)
            except DeviceUnknown:
                device, once = await devices.enrol(
                    conn, self.muster.door, code=code, kind=kind, where=where or Where(),
                    by="exercise", at=at, since=self.since,
                )  # fmt: skip
            tokens = await devices.claim(conn, once, at=at)
            account = (await account_by_login(conn, holder))["account"]
            pin = f"{randbelow(10**12):012d}"
            await devices.set_pin(conn, device, account, pin, at=self.since)
        self._tokens[code] = tokens.token
        return tokens.token

    async def gateway(self, login: str, *grants: Grant) -> str:
        """Another system's account and token, which answers itself for the people it names."""
        await self.staff(login, Grant("gateway", everywhere=True), *grants, kind="gateway")
        return await self.device(f"{login}-system", holder=login, kind="gateway")

    async def desk(self) -> str:
        """The token of a command post's desk."""
        login = "command-post"
        await self.staff(login, Grant("command_post", everywhere=True))
        return await self.device(f"{login}-desk", holder=login)

    async def guest(self) -> UUID:
        """Whoever looks at the exercise in the browser: an account of the command post's."""
        return await self.staff("guest", Grant("command_post", everywhere=True), name="演示值班员")

    async def laboratory(self, code: str) -> Laboratory:
        """The people of a laboratory with their devices: one takes in, one runs plates, two sign."""
        devices = []
        people: tuple[tuple[str, RoleName], ...] = (
            ("receiver", "lab_receiver"), ("operator", "lab_operator"), ("first", "lab_releaser"),
            ("second", "lab_releaser"),
        )  # fmt: skip
        for name, role in people:
            login = f"{code}-{name}".lower()
            await self.staff(login, Grant(role, lab=code))
            token = await self.device(
                f"{login}-pc", holder=login, kind="scanner", where=Where(lab=code)
            )
            devices.append(Device(f"{login}-pc", login, token))
        return Laboratory(code, devices[0], devices[1], (devices[2], devices[3]))

    async def courier(self, name: str = "courier") -> Device:
        """A courier's phone."""
        await self.staff(name, Grant("courier", everywhere=True))
        return Device(f"{name}-phone", name, await self.device(f"{name}-phone", holder=name))

    async def phone(self, community: str, site: str | None, *, name: str = "phone") -> Device:
        """A sampler's phone for an area (code) and perhaps a site, in the hands of one who has both."""
        async with self.muster.pool.connection() as conn:
            area = (await registry.area(conn, community))["area"]
        login = f"sampler-{community}"
        grants = [Grant("grid_worker", area=area)]
        if site is not None:
            grants.append(Grant("sampler", site=UUID(site)))
        await self.staff(login, *grants)
        code = f"{name}-{community}"
        return Device(code, login, await self.device(code, holder=login), site)
