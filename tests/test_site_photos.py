"""Photos of a site's check: kept small, sealed, taken only when a check names them, gone after their time."""

import hashlib
from datetime import timedelta

import httpx
import pytest

from muster.access.decide import Grant
from muster.access.engine.roles import RoleName
from muster.catalogue import CATALOGUE
from muster.config import SITE_PHOTO_DAYS, SITE_PHOTO_LIMIT_BYTES
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.keeping.retention import end_automatic
from tests.conftest import Play
from tests.senders import client, query, visit
from tests.table import TOWN, events, named

PICTURE = b"\xff\xd8\xff\xe0 a picture of a generator \xff\xd9"
HASH = hashlib.sha256(PICTURE).hexdigest()
ANSWERED = {
    ("PUT", f"/v1/site-photos/{HASH}"),
    ("GET", f"/v1/site-photos/{HASH}"),
}  # for tests/test_routes.py
PHOTO = {"item": "power", "hash": HASH, "here": False}
CITY = (
    TOWN
    + """    07:00  AreaListed      S2  level=street
    07:00  SiteListed      X1  area=G1 code=X1 name=X1"""
)
CHECK = (
    """\n    08:30  SiteChecked     X1  items=[{"item":"power","ok":true}]"""
    f""" photos=[{{"item":"power","hash":"{HASH}"}}]"""
)


async def put(http: httpx.AsyncClient, content: bytes, hash: str = HASH) -> httpx.Response:
    headers = {"content-type": "application/octet-stream"}
    return await http.put(f"/v1/site-photos/{hash}", content=content, headers=headers)


async def shown(muster: Instance, at: str, role: RoleName, street: str) -> str | bytes:
    """What somebody of a street is answered who asks for the photo."""
    token = await Crew(muster).gateway(f"{role}-{street}".lower(), Grant(role, area=named(street)))
    async with client(at, token) as http:
        answer = await http.get(f"/v1/site-photos/{HASH}")
    return answer.content if answer.is_success else slug(answer)


def slug(answer: httpx.Response) -> str:
    return answer.json()["type"].removeprefix("urn:muster:problem:")


def test_a_photo_waits_for_its_check_and_is_seen_by_who_answers_for_the_place(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(CITY))
        assert slug(await put(http, PICTURE)) == "photo-unasked"
        await muster.door.append(events(CHECK))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)
        assert (await http.get("/v1/sites/X1")).json()["readiness"]["photos"] == [PHOTO]
        for _ in range(2):  # sent again it changes nothing
            assert (await put(http, PICTURE)).status_code == 204
        ((sealed, size),) = await query(
            muster, "SELECT sealed, size_bytes FROM sampling.photo_file"
        )
        assert b"generator" not in sealed
        assert size == len(PICTURE)
        readiness = (await http.get("/v1/sites/X1")).json()["readiness"]
        assert readiness["photos"] == [PHOTO | {"here": True}]
        at = str(http.base_url)
        assert await shown(muster, at, "area_lead", "S1") == PICTURE
        assert await shown(muster, at, "area_lead", "S2") == "outside-your-area"
        assert await shown(muster, at, "grid_worker", "S1") == "forbidden"
        async with muster.pool.connection() as conn:
            await conn.set_autocommit(True)
            await end_automatic(conn, now() + timedelta(days=SITE_PHOTO_DAYS, minutes=1))
        assert await shown(muster, at, "area_lead", "S1") == "photo-unknown"
        assert (await put(http, PICTURE)).status_code == 204  # it does not come back
        assert await shown(muster, at, "area_lead", "S1") == "photo-unknown"

    visit(play, story)


BAD = {
    "empty": (b"", HASH),
    "another": (PICTURE + b".", HASH),
    "no picture": (b"<svg/>", hashlib.sha256(b"<svg/>").hexdigest()),
    "too large": (PICTURE + bytes(SITE_PHOTO_LIMIT_BYTES), HASH),
}


@pytest.mark.parametrize(("content", "hash"), BAD.values(), ids=BAD.keys())
def test_what_is_no_photo_is_refused(play: Play, content: bytes, hash: str):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(CITY + CHECK))
        assert slug(await put(http, content, hash)) == "photo-unfit"
        assert await query(muster, "SELECT hash FROM sampling.photo_file") == []

    visit(play, story)
