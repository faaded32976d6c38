"""Asking to be swabbed at home from a resident's page, and who works there; attacks on these pages."""

import asyncio
import base64
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.access.decide import Grant
from muster.config import (
    RESIDENT_BODY_BYTES,
    SITE_LISTINGS_PER_S,
    SITE_LISTINGS_SECONDS,
    Rates,
)
from muster.core.clock import now
from muster.exercise.crew import Crew
from muster.hardening import Front, Hardened, TooManyRequests
from muster.instance import Instance
from muster.registry.engine.personal_code import ALPHABET, code_of, written
from muster.resident.engine.knowing import Bearer, Facts, sight, tail, told
from tests.conftest import Play
from tests.senders import client, query
from tests.table import named
from tests.test_resident_pages import (
    FORM,
    PLACE,
    codes,
    listed,
    look,
    post,
    settled,
    swabbed,
    ticket,
    visit,
)

SCRIPT = "<script>alert(1)</script>"
REQUESTS = "SELECT count(*) FROM sampling.home_request WHERE outcome IS NULL"


async def worker(muster: Instance, role: Any, **where: Any) -> str:
    """The token of somebody's phone."""
    crew = Crew(muster)
    await crew.staff(role.replace("_", "-"), Grant(role, **where))
    return await crew.device(f"{role}-phone", holder=role.replace("_", "-"))


def test_home_sampling_is_asked_for_once_and_reaches_who_walks_there(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        here = await look(http, code_of(named("p1")), "1234")
        proof = {"ticket": ticket(here), "lang": "en"}
        for reason in ("bedridden", "infant", "mood"):
            answer = await post(http, "/r/home", proof | {"reason": reason})
            assert "Asked on" in answer.text
            assert "bedridden" in answer.text
        assert await query(muster, REQUESTS) == [1]
        token = await worker(muster, "grid_worker", area=named("G1"))
        other = await worker(muster, "area_lead", area=named("S2"))
        async with client(str(http.base_url), token) as phone:
            (one,) = (await phone.get("/v1/home-sampling")).json()["items"]
            assert (one["person"], one["reason"], one["room"]) == (
                str(named("p1")),
                "bedridden",
                "101",
            )
            assert (one["name"], one["phone"]) == ("张*华", "138****1234")
            (work,) = (await phone.get("/v1/work", params={"kind": "home"})).json()
            assert (work["count"], work["items"][0]["code"]) == (1, "一号楼")
            async with client(str(http.base_url), other) as elsewhere:
                assert (await elsewhere.get("/v1/home-sampling")).json()["items"] == []
                path = f"/v1/home-sampling/{one['request']}/close"
                assert (await elsewhere.post(path, json={"outcome": "sampled"})).status_code == 404
            # withdrawn by who asked; asked for anew it is another; swabbed it is done
            answer = await post(http, "/r/home", proof | {"withdraw": "1"})
            assert "Asked on" not in answer.text
            assert (await phone.get("/v1/home-sampling")).json()["items"] == []
            await post(http, "/r/home", proof | {"reason": "isolation"})
            (one,) = (await phone.get("/v1/home-sampling", params={"area": "G1"})).json()["items"]
            path = f"/v1/home-sampling/{one['request']}/close"
            assert (await phone.post(path, json={"outcome": "not_possible"})).status_code == 204
            assert (await phone.post(path, json={"outcome": "sampled"})).status_code == 204
            closed = "SELECT outcome, closed_by FROM sampling.home_request WHERE request = %s"
            assert await query(muster, closed, UUID(one["request"])) == [
                ("not_possible", "grid-worker")
            ]

    visit(play, story)


def test_who_was_swabbed_since_waits_no_longer(play: Play):
    scene = PLACE + "    08:30  HomeSamplingAsked  p2  reason=infant\n"

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        token = await worker(muster, "sampler", area=named("S1"))
        async with client(str(http.base_url), token) as phone:
            assert len((await phone.get("/v1/home-sampling")).json()["items"]) == 1
            await swabbed(muster, named("p2"), "B7", "09:00")
            assert (await phone.get("/v1/home-sampling")).json()["items"] == []
        here = await look(http, code_of(named("p2")), "5678")
        await post(http, "/r/home", {"ticket": ticket(here), "reason": "infant"})
        assert await query(muster, REQUESTS) == [2]  # the one that was done, and another

    visit(play, story, scene)


def test_a_ticket_is_ones_own_and_soon_over(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        good = ticket(await look(http, code_of(named("p1")), "1234"))
        ours = msgspec.json.decode(muster.vault.open(base64.urlsafe_b64decode(good)))
        over = ours | {"until": now() - timedelta(seconds=1)}
        forged = [
            "", "x", good[:-8], good[:40] + "AAAA" + good[44:], base64.b64encode(b"\x00" * 60).decode(),
            base64.urlsafe_b64encode(b"\xffanything").decode(),
            *(base64.urlsafe_b64encode(muster.vault.seal(msgspec.json.encode(one))).decode()
              for one in (over, ours | {"what": "else"}, [1], {"resident": str(named("p2"))})),
        ]  # fmt: skip
        for one in forged:
            for path in ("/r/me", "/r/home"):
                answer = await post(http, path, {"ticket": one, "reason": "infant", "lang": "en"})
                assert answer.status_code == 403, one
                assert "open too long" in answer.text
        assert await query(muster, REQUESTS) == [0]
        assert (await post(http, "/r/me", {"ticket": good, "lang": "en"})).status_code == 200

    visit(play, story)


def test_what_was_typed_is_never_markup(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        for form in (
            {"name": SCRIPT}, {"name": '"><img src=x onerror=alert(1)>'}, {"number": SCRIPT},
            {"phone": SCRIPT}, {"room": SCRIPT}, {"birth_date": SCRIPT}, {"p": f"{uuid4().hex}|{SCRIPT}"},
            {"kind": SCRIPT}, {"building": SCRIPT}, {"lang": SCRIPT}, {"page": SCRIPT},
        ):  # fmt: skip
            for answer in (await listed(http, **form), await listed(http, **form, sure="1")):
                assert "<script>alert" not in answer.text
                assert "<img" not in answer.text
        for path, form in (
            ("/r/codes", {"site": "X1", "p": f"{uuid4().hex}|{SCRIPT}", "room": SCRIPT}),
            ("/r/result", {"code": SCRIPT, "fact": SCRIPT}),
        ):  # fmt: skip
            assert "<script>alert" not in (await post(http, path, form)).text
        assert "<script>alert" not in (await http.get(f"/r/s/{SCRIPT[:16]}")).text
        assert "<script>alert" not in (await http.get("/r", params={"lang": SCRIPT})).text

    visit(play, story)


def test_large_and_strange_forms_are_refused(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        long = await listed(http, name="李" * RESIDENT_BODY_BYTES)
        assert long.status_code == 413
        assert (await listed(http, name="李" * 101)).status_code == 422
        many = "&".join(f"a{n}=1" for n in range(500))
        form = {"content-type": "application/x-www-form-urlencoded"}
        answer = await http.post("/r/result", content=many, headers=form)
        assert answer.json()["type"].endswith(":form-unfit")
        for content, headers in (
            (b"{}", {"content-type": "application/json"}), (b"name=x", {}),
            (b"x", {"content-type": "multipart/form-data; boundary=x"}),
        ):  # fmt: skip
            answer = await http.post("/r/s/X1", content=content, headers=headers)
            assert answer.status_code == 415
        foreign = {"origin": "https://elsewhere.example"}
        answer = await post(http, "/r/s/X1", FORM, **foreign)
        assert answer.json()["type"].endswith(":foreign-origin")
        assert await query(muster, "SELECT count(*) FROM ledger.event WHERE actor = 'self'") == [0]

    visit(play, story)


def test_nobodys_entry_can_be_taken_over(play: Play):
    """Ids are the server's: neither the id in a code nor another's form leads to an entry."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        (own,) = codes(await listed(http))
        for page in (str(own), str(named("p1")), own.hex, "0" * 32):
            answer = await listed(http, page=page, name="王五", number="E12345678", kind="passport",
                                  birth_date="19800101")  # fmt: skip
            assert set(codes(answer)).isdisjoint({own, named("p1")})
        names = "SELECT name FROM vault.identity WHERE resident = ANY (%s) ORDER BY name"
        assert await query(muster, names, [own, named("p1")]) == ["张丽华", "李雷"]

    visit(play, story)


def test_relatives_with_one_phone_see_each_their_own(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        first = codes(await listed(http, phone="13800001234"))[0]
        second = codes(await listed(http, phone="13800001234", name="李小雷", kind="passport",
                                    number="E12345678", birth_date="20150102"))[0]  # fmt: skip
        await swabbed(muster, first, "B5")
        await settled(muster)
        assert "检测中" in (await look(http, code_of(first), "1234")).text
        answer = await look(http, code_of(second), "1234")
        assert answer.status_code == 200
        assert "还没有采样记录" in answer.text
        assert "李*雷" in answer.text

    visit(play, story)


def test_forms_have_turns_by_address_and_by_site(play: Play):
    async def inside(muster: Instance, http: httpx.AsyncClient) -> None:
        proxied = {"x-forwarded-for": "203.0.113.9"}
        said = [
            (
                await post(http, "/r/check", {"kind": "passport", "number": "E1"}, **proxied)
            ).status_code
            for _ in range(70)
        ]
        assert said[0] == 200
        assert said[-1] == 429
        answer = await post(http, "/r/s/X1", {**FORM, "page": str(uuid4())}, **proxied)
        assert answer.status_code == 429
        assert "提交太频繁" in answer.text
        assert "李雷" in answer.text  # nothing that was typed is lost
        assert int(answer.headers["retry-after"]) > 0
        other = {"x-forwarded-for": "203.0.113.77"}
        answer = await post(http, "/r/s/X1", {**FORM, "page": str(uuid4())}, **other)
        assert answer.status_code == 200

    visit(play, inside, rates=Rates(0, 0, 0, 1), front=Front(proxied=True))


def test_a_site_takes_so_many_wherever_they_come_from() -> None:
    async def story() -> int:
        hardened = Hardened(None, Front(proxied=True), Rates(0, 0, 0, 5))  # type: ignore[arg-type]
        for n in range(1_000):
            scope: Any = {"client": (f"198.51.{n // 250}.{n % 250}", 0)}
            try:
                hardened.take_resident_turn(scope, "X1")
            except TooManyRequests:
                hardened.take_resident_turn(scope, "X2")  # another site is not concerned
                return n
        return 0

    assert asyncio.run(story()) == SITE_LISTINGS_PER_S * SITE_LISTINGS_SECONDS


def test_codes_cannot_be_tried_out(play: Play):
    """A thousand codes nobody has are answered as a wrong fact is, and lead to nobody."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        said = set()
        for n in range(20):
            answer = await look(http, written(n * 31_337), "1234")
            said.add(answer.status_code)
        assert said <= {404, 429}
        assert (await look(http, ALPHABET[:12], "1234")).status_code in (404, 422)

    visit(play, story)


DAYS = st.dates()
PHONES = st.none() | st.text("0123456789", max_size=13)
FACTS = st.builds(Facts, st.none() | DAYS, PHONES)
IDS = st.sampled_from([UUID(int=1), UUID(int=2)])
BEARERS = st.builds(Bearer, IDS, IDS, st.booleans(), FACTS, FACTS, st.booleans())


@given(BEARERS, st.text("0123456789-/ 年", max_size=12))
def test_nothing_is_seen_without_a_fact_that_fits(one: Bearer, typed: str):
    fact = told(typed)
    seen = sight(one, fact)
    facts = {tail(one.own.phone), tail(one.merged.phone)}
    facts |= {day.strftime("%Y%m%d") for day in (one.own.birth_date, one.merged.birth_date) if day}
    if seen:
        assert fact
        assert fact in facts
    if one.self_listed and seen == "whole":
        assert fact == tail(one.merged.phone)
        assert not one.merged_self
        assert one.person != one.resident


FIELDS = st.sampled_from(
    [*FORM, "page", "p", "sure", "code", "fact", "ticket", "site", "reason", "x"]
)
VALUES = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "X1",
        "1234",
        "19491231",
        "P:",
        code_of(named("p1")),
        "\x00",
        "\ud800"[:0],
        "𠮷",
        "resident_id",
    ]
)


def test_no_form_fails_the_server(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        address = str(http.base_url)
        await asyncio.to_thread(fuzzed, address)

    visit(play, story)


def fuzzed(address: str) -> None:
    paths = ["/r/s/X1", "/r/codes", "/r/check", "/r/result", "/r/me", "/r/home"]
    form = {"content-type": "application/x-www-form-urlencoded"}
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as http:

        @settings(
            max_examples=250, deadline=None, derandomize=True, database=None,
            suppress_health_check=[HealthCheck.too_slow],
        )  # fmt: skip
        @given(st.sampled_from(paths), st.lists(st.tuples(FIELDS, VALUES), max_size=8)
               | st.binary(max_size=60))  # fmt: skip
        def answered(path: str, sent: Any) -> None:
            if isinstance(sent, bytes):
                answer = http.post(path, content=sent, headers=form)
            else:
                answer = http.post(path, data=dict(sent), headers=form)
            assert answer.status_code < 500, (path, sent, answer.text)

        answered()
