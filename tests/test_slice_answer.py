"""How a slice is asked for and answered: by whom, of how many, packed or plain."""

import asyncio
import gzip
import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from muster.access.decide import Grant
from muster.cli.listening import serving
from muster.config import SLICES_AT_ONCE, Rates
from muster.field import api as field
from muster.instance import Instance
from tests.browsers import Door, someone
from tests.conftest import Play
from tests.senders import client, query, visit
from tests.table import named
from tests.test_slice import SCENE, asked, caught_up, ids, people, problem, sampler


def test_too_many_people_are_asked_for_by_building(play: Play, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(field, "SLICE_PEOPLE_LIMIT", 2)

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        async with await sampler(muster, http) as own:
            found = await asked(own)
            assert (found["people"], found["too_many"]) == (None, 3)
            assert len(found["areas"]) == 4
            for text in ("H1", str(named("H1"))):
                part = await asked(own, building=text)
                assert set(people(part)) == ids("p1", "p2")
                assert [area[2] for area in part["areas"]] == ["S1", "G1", "H1"]
            assert await problem(own, building="H3") == "outside-your-area"
            assert await problem(own, building="nowhere") == "area-unknown"
            assert (await asked(own, since=found["seq"], basis=found["basis"]))["too_many"] == 3

    visit(play, story)


def test_it_is_for_phones_in_somebodys_hands(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        await someone(muster, "clerk", Grant("grid_worker", area=named("G1")))
        async with Door(str(http.base_url)).signed_in("clerk") as clerk:
            assert await problem(clerk.http) == "not-a-phone"
        async with await sampler(muster, http) as own:
            assert (await own.get("/v1/slice", params={"since": -1})).status_code == 400
            await own.post("/v1/device/holder/leave")
            assert await problem(own) == "forbidden"

    visit(play, story)


def test_it_is_packed_for_who_takes_it_packed(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        async with await sampler(muster, http) as own:
            async with own.stream("GET", "/v1/slice") as answer:
                packed = b"".join([part async for part in answer.aiter_raw()])
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.headers["cache-control"] == "no-store"
            plain = await own.get("/v1/slice", headers={"accept-encoding": "identity"})
            assert "content-encoding" not in plain.headers
            one, other = json.loads(gzip.decompress(packed)), plain.json()
            assert one | {"as_of": None} == other | {"as_of": None}
            assert UUID(one["device"]["id"])

    visit(play, story)


def test_who_has_hung_up_is_not_worked_for(play: Play):
    """A phone that waited too long for its turn asks anew: the turn it gave up is left out."""

    async def story(muster: Instance) -> None:
        async with (
            serving(muster, rates=Rates(0, 0, 0)) as (server, address),
            client(address) as http,
        ):
            await caught_up(muster, SCENE)
            hardened: Any = server.config.app
            turns = hardened.app.state.slices
            async with await sampler(muster, http) as own:
                for _ in range(SLICES_AT_ONCE):
                    await turns.acquire()
                with pytest.raises(httpx.ReadTimeout):
                    await own.get("/v1/slice", timeout=0.5)
                again = asyncio.create_task(asked(own))
                await asyncio.sleep(0.2)
                for _ in range(SLICES_AT_ONCE):
                    turns.release()
                assert people(await again)
            while hardened.at_work:
                await asyncio.sleep(0.01)
            seen = "SELECT count(*) FROM access.reading WHERE what = 'GET /v1/slice'"
            assert await query(muster, seen) == [1]

    play(story)
