"""A phone that sees no network for seven days: a village that was cut off, a phone found in a drawer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn.server

from muster.core import clock
from muster.core.clock import now
from muster.instance import Instance
from tests.browsers import Door, visit
from tests.conftest import Play
from tests.console.browser import with_browser
from tests.field.phone import Phone, issued
from tests.field.phone import phone as a_phone
from tests.field.test_nothing_is_lost import KEPT, fill, seals
from tests.field.test_sampling import SCENE, X1, code, tubes, work
from tests.senders import query


@with_browser
def test_seven_days_without_a_network(play: Play, tmp_path: Path) -> None:
    """Restarted and reloaded meanwhile, it goes on with what it has; its token has long run out when it
    is back, and everything is sent, once."""
    visit(play, lambda muster, door: _story(muster, door, tmp_path / "profile"))


async def _story(muster: Instance, door: Door, profile: Path) -> None:
    await issued(muster, "sampler", scene=SCENE, site=X1)

    async with a_phone(muster, door, "PH-1", profile=profile) as phone:
        await phone.context.clock.install(time=now())
        await phone.enrol("nurse")
        await phone.page.evaluate("navigator.serviceWorker.ready")
        await work(phone)
        await fill(phone, "T0003900", 0)
        await phone.counted(stored=1)
        await phone.offline()
        await _a_day(phone, 1)
        await phone.context.clock.fast_forward(timedelta(days=2) // timedelta(milliseconds=1))
        await phone.reload()
        await phone.pin()
        await work(phone)
        await _a_day(phone, 2)
        await phone.scan(code(1))
        await phone.sees("1/10", within=".count")
    ends = now() + timedelta(days=7, minutes=1)
    async with a_phone(muster, door, "PH-1", profile=profile) as phone:
        await phone.context.clock.install(time=ends)
        await phone.offline()
        await phone.open()
        await phone.pin()
        await work(phone)
        await phone.sees("1/10", within=".count")  # the tube that stood open for five days
        await phone.scan("T0003999")
        await phone.tap("封管")
        await phone.page.locator("dialog .primary").click()
        await _a_day(phone, 0)
        assert (await phone.page.evaluate(KEPT))[1:] == [1, 8]
        with _the_server_at(timedelta(days=7, minutes=2)):
            await phone.offline(False)
            await phone.page.evaluate("dispatchEvent(new Event('online'))")
            await phone.counted(saved=0, sent=0, held=0, stored=8, seconds=40)
            await _was_all_stored(muster)


async def _a_day(phone: Phone, number: int) -> None:
    """Two tubes of two people each, from the lists on the phone."""
    for n in (0, 1):
        await fill(phone, f"T0003{number}0{n}", 4 * number + 2 * n, 4 * number + 2 * n + 1)


async def _was_all_stored(muster: Instance) -> None:
    codes = ["T0003900", *(f"T0003{day}0{n}" for day in (0, 1, 2) for n in (0, 1)), "T0003999"]
    assert await seals(muster) == sorted(codes)
    assert len(await tubes(muster)) == len(codes)
    numbers = await query(
        muster, "SELECT device_seq FROM ledger.event WHERE type = 'TubeSealed' ORDER BY 1"
    )
    assert numbers == list(range(1, len(codes) + 1))
    assert await query(muster, "SELECT count(*) FROM ledger.inbox") == [0]


@contextmanager
def _the_server_at(ahead: timedelta) -> Iterator[None]:
    """Inside, the clock of the server in this process is ahead: what it asks for the time, and the Date of
    its answers, by which phones see that theirs is right."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + ahead

    dates = SimpleNamespace(time=lambda: Ahead.now().timestamp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "datetime", Ahead)
        patch.setattr(uvicorn.server, "time", dates)
        yield
