"""Offsets of seconds are not corrected: whoever has just set a PIN may have worked before, so it seems."""

from datetime import timedelta

import httpx
import pytest

from muster.access import devices
from muster.access.decide import Grant
from muster.access.devices import Where
from muster.instance import Instance
from tests.conftest import Play
from tests.senders import visit
from tests.test_gate import MINE, SEAL, WHEN, X1, scene, sent


@pytest.mark.parametrize(("seconds", "outcome"), [(4, "stored"), (6, "not-your-name")])
def test_a_clock_that_is_a_little_slow(play: Play, seconds: int, outcome: str):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = await scene(muster)
        token = await crew.device("phone-1", holder="sampler-1", where=Where(site=X1))
        account = await crew.staff("sampler-2", Grant("sampler", site=X1))
        async with muster.pool.connection() as conn:
            device = (await devices.by_code(conn, "phone-1"))["device"]
            await devices.set_pin(conn, device, account, "258036", at=WHEN)
        mine = {**MINE, "actor": "sampler-2"}
        before = (WHEN - timedelta(seconds=seconds)).isoformat()
        sealed = SEAL.format(tube="T1", site="X1")
        assert await sent(muster, http, token, sealed, **mine, device_at=before) == [outcome]

    visit(play, story)
