"""Residents' own pages without an app or an account: listing oneself, one's code, one's result."""

import re
import time
from dataclasses import replace
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from muster.catalogue import CATALOGUE
from muster.cli.running import serving
from muster.config import FACT_ANSWER_SECONDS, Rates
from muster.hardening import Front
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.keeping.verify import verify
from muster.registry.engine.personal_code import code_of, grouped
from muster.sampling.events import SpecimenTaken
from tests.conftest import Play
from tests.senders import client, query
from tests.table import events, named

NUMBER, OTHER = "11010519491231002X", "34052419800101001X"
PHONE = "13800001234"
PLACE = f"""
    07:00  AreaListed      S1  level=street name=环翠街
    07:00  AreaListed      G1  level=grid parent=S1
    07:00  AreaListed      H1  parent=G1 name=一号楼
    07:00  AreaListed      H2  parent=G1 name=二号楼
    07:00  AreaListed      S2  level=street
    07:00  AreaListed      H9  parent=S2 name=九号楼
    07:05  SiteListed      X1  area=G1 name=大润发
    07:06  SiteOpened      X1
    07:10  ResidentListed  p1  building=H1 room=101 name=张丽华 number={NUMBER} phone={PHONE}
    07:10  ResidentListed  p2  building=H1 room=102 name=王伟 phone=13900005678
    07:20  RoundOpened     R1  areas=S1 name=第一轮
    08:00  TubeSealed      T1  members=p1,p2 round=R1 site=X1 barcode=B1
    12:00  ResultReleased  r1  barcode=B1 outcome=negative
"""
FORM = {
    "name": "李雷", "kind": "resident_id", "number": OTHER, "phone": "13700009999",
    "room": "3-602", "lang": "zh",
}  # fmt: skip


def visit(
    play: Play, story: Any, scene: str = PLACE, rates: Rates | None = None,
    front: Front | None = None,
) -> None:  # fmt: skip
    """Play a story at a served Muster, asked by nobody in particular."""

    async def inside(muster: Instance) -> None:
        assert set(await muster.door.append(events(scene))) == {"stored"}
        await settled(muster)
        async with (
            serving(muster, rates=rates or Rates(0, 0, 0, 0), front=front or Front()) as (
                _,
                address,
            ),
            client(address) as http,
        ):
            await story(muster, http)
        async with muster.pool.connection() as conn:
            assert await verify(conn, CATALOGUE) == []

    play(inside)


async def settled(muster: Instance) -> None:
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)


async def post(http: httpx.AsyncClient, path: str, form: Any, **headers: str) -> httpx.Response:
    return await http.post(path, data=form, headers=headers)


async def listed(http: httpx.AsyncClient, **fields: str) -> httpx.Response:
    form = {"page": str(uuid4()), **FORM, **fields}
    return await post(http, "/r/s/X1", form)


def codes(answer: httpx.Response) -> list[UUID]:
    """Whose codes a page shows."""
    assert answer.status_code == 200, answer.text
    kept = re.findall(r'name="p" value="([0-9a-f]{32})\|', answer.text)
    return list(dict.fromkeys(map(UUID, kept)))


async def look(http: httpx.AsyncClient, code: str, fact: str, **more: str) -> httpx.Response:
    return await post(http, "/r/result", {"code": code, "fact": fact, "lang": "zh", **more})


async def swabbed(muster: Instance, person: UUID, barcode: str, at: str = "13:00") -> None:
    """Somebody's swab goes into a tube of their own."""
    (event,) = events(f"{at} SpecimenTaken T-{barcode} person=p1")
    (tube,) = events(f"{at} TubeOpened T-{barcode} barcode={barcode} site=X1 round=R1")
    taken = replace(event, body=SpecimenTaken(person=person, position=1))
    assert await muster.door.append([tube, taken]) == ["stored"] * 2


def ticket(answer: httpx.Response) -> str:
    return unescape(re.findall(r'name="ticket" value="([^"]+)"', answer.text)[0])


def test_somebody_lists_themselves_and_is_known_by_their_document(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        page = (await http.get("/r/s/X1", headers={"accept-language": "zh-CN"})).text
        assert "大润发" in page
        assert "一号楼" in page
        assert "九号楼" not in page
        form = {"building": str(named("H2")), "number": NUMBER, "phone": "+86 137-0000-9999"}
        answer = await listed(http, **form)
        (one,) = codes(answer)
        assert grouped(code_of(one)) in answer.text
        assert "李*" in answer.text
        assert "李雷" not in answer.text
        assert NUMBER not in answer.text
        found = await query(
            muster, "SELECT e.actor, e.body ->> 'source', r.building, r.room, r.birth_year, r.walk_in,"
            " r.self_listed, r.merged_into FROM registry.resident r JOIN ledger.event e"
            " ON e.subject = r.resident WHERE e.type = 'ResidentListed' AND r.resident = %s", one,
        )  # fmt: skip
        assert found == [
            ("self", "self", named("H2"), "3-602", 1949, True, True, named("p1"))
        ]  # the roster's entry stays the person, and its identity theirs
        names = await query(
            muster, "SELECT name FROM vault.identity WHERE resident = %s", named("p1")
        )
        assert names == ["张丽华"]

    visit(play, story)


def test_sent_twice_is_once_corrected_is_one_and_a_relative_another(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        page, other = str(uuid4()), str(uuid4())
        first = codes(await listed(http, page=page))
        assert codes(await listed(http, page=page)) == first
        assert codes(await listed(http, page=page, phone="13700008888")) == first
        counted = (
            "SELECT count(*) FROM ledger.event WHERE type = 'ResidentListed' AND actor = 'self'"
        )
        assert await query(muster, counted) == [2]
        child = {"name": "李小雷", "kind": "none", "number": "", "birth_date": "2021-05-06"}
        answer = await listed(http, page=page, p=f"{first[0].hex}|李*", **child)
        both = codes(answer)
        assert len(both) == 2
        assert first[0] in both
        assert all(grouped(code_of(one)) in answer.text for one in both)
        assert "13700009999" in answer.text  # kept for the next relative, in the page only
        assert codes(await listed(http, page=other)) != first  # of one document: merged by rule
        again = await post(
            http, "/r/codes", {"p": f"{both[1].hex}|李*", "site": "X1", "lang": "en"}
        )
        assert grouped(code_of(both[1])) in again.text
        assert "Your code" in again.text
        assert not again.headers.get("set-cookie")
        assert again.headers["cache-control"] == "no-store"

    visit(play, story)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": " "}, "请填写姓名"),
        ({"number": ""}, "请填写证件号码"),
        ({"kind": "library card"}, "请选择证件"),
        ({"kind": "passport", "number": "E12345678"}, "请填写出生日期"),
        ({"kind": "none", "birth_date": "20991231"}, "请填写出生日期"),
        ({"phone": "call me"}, "手机号码不对"),
        ({"room": "李雷家"}, "只写楼内门牌"),
        ({"room": "13700009999 1-2"}, "只写楼内门牌"),
        ({"number": "110105194912310021"}, "可能输错"),
        ({"number": "110105"}, "位数不对"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(play: Play, wrong: Any, words: str):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        answer = await listed(http, **wrong)
        assert answer.status_code == 422
        assert words in answer.text
        typed = {**FORM, **wrong}
        assert all(typed[one].strip() in unescape(answer.text) for one in typed if one != "kind")
        assert await query(muster, "SELECT count(*) FROM ledger.event WHERE actor = 'self'") == [0]

    visit(play, story)


def test_a_number_that_does_not_check_is_warned_of_and_not_refused(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        wrong = {"number": "110105194912310021", "birth_date": "19491231"}
        answer = await listed(http, **wrong)
        assert answer.status_code == 422
        assert 'name="sure"' in answer.text
        assert len(codes(await listed(http, **wrong, sure="1"))) == 1
        checked = await post(http, "/r/check", {"kind": "resident_id", "number": NUMBER.lower()})
        assert checked.json()["valid"] is checked.json()["told"] is True
        checked = await post(
            http, "/r/check", {"number": "11010519491231002", "kind": "resident_id"}
        )
        assert checked.json() == {"valid": False, "told": False, "said": checked.json()["said"]}
        for kind in ("", "none", "\x00", "其他"):
            assert (await post(http, "/r/check", {"kind": kind, "number": "x" * 90})).is_success

    visit(play, story)


def test_nobody_is_told_who_is_known_already(play: Play):
    """A document of the roster and one of nobody get the same page, but for the code on it."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        seen = set()
        for number in (NUMBER, OTHER):
            answer = await listed(http, number=number, birth_date="")
            (one,) = codes(answer)
            text = answer.text.replace(one.hex, "ID").replace(grouped(code_of(one)), "CODE")
            text = text.replace(code_of(one), "CODE")
            text = re.sub(r'name="page" value="[^"]+"', "", text)
            seen.add(re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))
        assert len(seen) == 1

    visit(play, story)


def test_a_result_by_code_and_second_fact(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        code = code_of(named("p1"))
        for typed, fact in (
            (grouped(code).lower(), "1234"), (f"P:{code}", "19491231"), (code, "1949-12-31"),
        ):  # fmt: skip
            answer = await look(http, typed, fact)
            assert answer.status_code == 200, answer.text
            assert "张*华" in answer.text
            assert "阴性" in answer.text
            assert "大润发" in answer.text
            assert "张丽华" not in answer.text
            assert PHONE not in answer.text
            assert "第一轮" not in answer.text  # it was over long ago
            assert answer.headers["cache-control"] == "no-store"
            assert "set-cookie" not in answer.headers
        read_ = await query(muster, "SELECT who, what, why, people FROM access.reading")
        assert read_ == [("self", "POST /r/result", "data_subject", [named("p1")])] * 3

    visit(play, story)


def test_wrong_facts_and_codes_nobody_has_are_answered_alike(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        nobody = code_of(uuid4())
        texts, times = set(), []
        for code, fact in ((code_of(named("p1")), "9999"), (nobody, "9999"), (nobody, "19491231"),
                           (code_of(named("p2")), "19000101")):  # fmt: skip
            began = time.monotonic()
            answer = await look(http, code, fact)
            times.append(time.monotonic() - began)
            assert answer.status_code == 404
            texts.add(answer.text.replace(code, "CODE"))
        assert len(texts) == 1
        assert min(times) >= FACT_ANSWER_SECONDS
        assert max(times) - min(times) < 0.3
        assert await query(muster, "SELECT count(*) FROM access.reading") == [0]
        for fact in ("", "12", "12345", "abcd", "１２３４" * 9):
            assert (await look(http, code_of(named("p1")), fact)).status_code in (404, 429)

    visit(play, story)


def test_guessing_is_slowed_by_code_and_by_person(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        (own,) = codes(await listed(http, number=NUMBER, phone="13700009999"))
        await settled(muster)
        said_ = [(await look(http, code_of(named("p1")), f"{n:04}")).status_code for n in range(7)]
        assert said_[0] == 404
        assert said_[-1] == 429
        # a second code of the person gives no more tries; others are not locked
        assert (await look(http, code_of(own), "1234")).status_code == 429
        assert (await look(http, code_of(named("p2")), "5678")).status_code == 200
        nobody = code_of(uuid4())
        said_ = [(await look(http, nobody, f"{n:04}")).status_code for n in range(7)]
        assert said_[0] == 404
        assert said_[-1] == 429

    visit(play, story)


def test_who_types_anothers_document_sees_nothing_of_theirs(play: Play):
    """The attacker's entry is merged with the victim's by the document; their code still leads only to
    swabs taken under it."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        (own,) = codes(await listed(http, number=NUMBER, phone="13700009999"))
        await settled(muster)
        assert await query(muster, "SELECT person FROM registry.alias") == [named("p1")]
        for fact in ("9999", "19491231"):  # what they typed, what the number itself says
            answer = await look(http, code_of(own), fact)
            assert answer.status_code == 200
            assert "阴性" not in answer.text
            assert "大润发" not in answer.text
            assert "李*" in answer.text
            assert "张" not in answer.text
            assert "只显示凭此码采样的记录" in answer.text
        # what the person told the staff leads to all of it: the same person, with another code
        answer = await look(http, code_of(own), "1234")
        assert "阴性" in answer.text
        assert "张*华" in answer.text
        # a swab that was taken under the code is told
        await swabbed(muster, own, "B2")
        await settled(muster)
        answer = await look(http, code_of(own), "9999")
        assert "检测中" in answer.text
        assert "阴性" not in answer.text

    visit(play, story)


ANSWERED = {
    ("GET", "/r"), ("GET", "/r/page.css"), ("GET", "/r/page.js"), ("GET", "/r/s/X1"), ("POST", "/r/s/X1"),
    ("POST", "/r/codes"), ("POST", "/r/check"), ("GET", "/r/result"), ("POST", "/r/result"),
    ("POST", "/r/me"), ("POST", "/r/home"), ("GET", "/v1/home-sampling"),
    ("POST", "/v1/home-sampling/x/close"), ("POST", "/v1/keying/lines"),
}  # fmt: skip


def test_pages_that_are_asked_for_answer_in_the_language_of_the_browser(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        for path in ("/r", "/r/s/X1", "/r/result"):
            for accepted, chosen, wanted in (
                ("zh-CN", "", "zh-CN"), ("en", "", "en"), ("zh", "en", "en"), ("en", "zh", "zh-CN"),
            ):  # fmt: skip
                answer = await http.get(
                    path,
                    params={"lang": chosen} if chosen else {},
                    headers={"accept-language": accepted},
                )
                assert f'<html lang="{wanted}">' in answer.text
                assert answer.headers["cache-control"] == "no-store"
                assert answer.headers["referrer-policy"] == "same-origin"
                assert "script-src 'self'" in answer.headers["content-security-policy"]
                assert "set-cookie" not in answer.headers
                assert "style=" not in answer.text
                assert len(answer.content) < 12_000
        assert len((await http.get("/r/page.js")).content) < 10_000
        assert (await http.get("/r/page.css")).headers["content-type"].startswith("text/css")
        nowhere = await http.get("/r/s/NOWHERE")
        assert nowhere.status_code == 404
        assert "没有这个采样点" in (await http.get("/r/s/NOWHERE?lang=zh")).text

    visit(play, story)
