"""Reports: what they say, frozen and signed, taken out as files, and computed again from the ledger as
it was, whatever came later.
"""

import io
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pypdf
import pytest
from python_calamine import CalamineWorkbook

from muster.access.decide import Grant
from muster.catalogue import CATALOGUE
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.exercise.crew import Crew
from muster.hq.engine import sums
from muster.instance import Instance
from muster.keeping.follower import catch_up
from muster.keeping.redact import redact
from muster.ledger.event import Event
from muster.workforce.engine.limits import Broken
from muster.workforce.events import DemandRaised, StaffPosted
from tests.conftest import Play
from tests.senders import client, query, visit
from tests.table import TOWN, events, named

DAY = (
    TOWN.rstrip()
    + """
    07:40  SiteListed      X1  area=G1 name=大润发
    07:40  DenominatorDeclared G1 people=3 source=police on=2022-08-01
    08:00  RefusalRecorded p4  round=R1
    08:20  TubeSealed      T1  members=p1,p2 round=R1 site=X1 barcode=B1
    08:40  TubeSealed      T2  members=p3 round=R1 site=X1 barcode=B2
    12:00  ResultReleased  r1  barcode=B1 tube=T1 outcome=negative lab=L1
"""
)
LATER = """
    13:00  ResultReleased  r2  barcode=B2 tube=T2 outcome=positive lab=L1
    13:10  ResultAmended   r1  barcode=B1 outcome=indeterminate
    08:30  TubeSealed      T3  members=p9 round=R1 site=X1 barcode=B3
    13:20  ResidentsMerged p2  into=p1
"""
KINDS = ("daily", "special", "press", "sites", "labs", "coverage")
STREET = {"area": "S1", "round": "R1"}


async def sent(muster: Instance, table: str) -> None:
    await muster.door.append(events(table))
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)


async def post(http: httpx.AsyncClient, path: str, body: Any = None) -> httpx.Response:
    return await http.post(path, json=body if body is not None else {})


async def frozen(http: httpx.AsyncClient, kind: str = "press") -> str:
    answer = await post(http, "/v1/reports", {"kind": kind, **STREET})
    assert answer.status_code == 201, answer.text
    return answer.json()["report"]


def figures(shown: dict[str, Any], title: str = "As a whole") -> dict[str, Any]:
    found = next(one for one in shown["sheet"]["sections"] if one["title"] == title)
    return {row[0]: row[1] for row in found["rows"]}


async def signer(muster: Instance, login: str, address: Any) -> httpx.AsyncClient:
    crew = Crew(muster)
    await crew.staff(login, Grant("command_post", everywhere=True))
    return client(str(address), await crew.device(f"{login}-phone", holder=login))


def test_persons_and_person_times_stand_apart_and_agree_with_the_funnel(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        shown = (await http.get("/v1/report-preview", params={"kind": "press", **STREET})).json()
        told = figures(shown)
        assert told == {
            "Expected": 5, "Sampled": 3, "Person-times": 3, "Resulted": 2, "Pending": 1, "Missing": 1,
            "Persons swabbed here": 3, "Tubes": 2, "Positive tubes": 0, "Confirmed persons": 0,
            "Recall open": 0,
        }  # fmt: skip
        funnel = (await http.get("/v1/rounds/R1/funnel", params={"area": "S1"})).json()["total"]
        assert [funnel[one] for one in ("expected", "sampled", "swabs", "resulted", "missing")] == [
            told[one] for one in ("Expected", "Sampled", "Person-times", "Resulted", "Missing")
        ]
        assert shown["findings"] == 0
        assert shown["sheet"]["draft"] == "Preview: not frozen"
        assert await query(muster, "SELECT count(*) FROM hq.report") == [0]

    visit(play, story)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_computed_again_as_it_was(play: Play, kind: str):
    """After late tubes, amendments and merges the ledger of then gives the same bytes."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        report = await frozen(http, kind)
        before = (await http.get(f"/v1/reports/{report}")).json()
        await sent(muster, LATER)
        later = (await http.get("/v1/report-preview", params={"kind": kind, **STREET})).json()
        assert later["sheet"]["sections"] != before["sheet"]["sections"]
        again = (await post(http, f"/v1/reports/{report}/reproduce")).json()
        assert again["same"], again["differs"]
        assert (again["emptied"], again["differs"]) == (0, [])
        assert (await http.get(f"/v1/reports/{report}")).json() == before

    visit(play, story)


def test_limits_lifted_by_name_stand_on_the_daily_report(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        at = now()
        ends_at = at + timedelta(hours=14)
        over: tuple[Broken, ...] = ("too_long", "not_trained")
        raised = DemandRaised(named("G1"), "sampler", 2, at, ends_at, named("X1"))
        lifted = StaffPosted(named("w1"), named("D1"), "sampler", at, ends_at, None, over)
        within = StaffPosted(named("w2"), named("D1"), "sampler", at, ends_at)
        said = (("D1", raised), ("q1", lifted), ("q2", within))
        await muster.door.append([
            Event(uuid7(), type(body).__name__, named(subject), at, at, at, "lead", body)
            for subject, body in said
        ])  # fmt: skip
        await sent(muster, DAY)
        report = await frozen(http, "daily")
        sheet = (await http.get(f"/v1/reports/{report}", params={"language": "en"})).json()["sheet"]
        (section,) = [
            one for one in sheet["sections"] if one["title"] == "Limits at posts lifted by name"
        ]
        assert section["rows"] == [
            ["lead", "大润发", "sampler", "not trained", 1],
            ["lead", "大润发", "sampler", "shift too long", 1],
        ]
        assert (await post(http, f"/v1/reports/{report}/reproduce")).json()["same"]

    visit(play, story)


def test_what_was_erased_since_is_missing_and_told(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        report = await frozen(http)
        (sealed,) = await query(
            muster,
            "SELECT id FROM ledger.event WHERE type = 'TubeSealed' AND subject = %s",
            named("T2"),
        )
        async with muster.pool.connection() as conn:
            await redact(conn, muster.door, [sealed], actor="dpo", reason="erasure")
        again = (await post(http, f"/v1/reports/{report}/reproduce")).json()
        assert (again["same"], again["emptied"]) == (False, 1)
        assert again["differs"] == ["areas", "checks", "persons", "sites"]
        kept = (await http.get(f"/v1/reports/{report}")).json()
        assert figures(kept)["Sampled"] == 3

    visit(play, story)


def test_a_report_whose_data_was_changed_is_not_shown(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        report = await frozen(http)
        await query(
            muster, "UPDATE ledger.artifact SET content = '{}' WHERE kind = 'report' RETURNING 1"
        )
        assert (await http.get(f"/v1/reports/{report}")).status_code == 404

    visit(play, story)


def test_the_press_sheet_is_signed_by_two_and_each_counts_once(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        report = await frozen(http)
        async with await signer(muster, "first", http.base_url) as one:
            assert (await post(one, f"/v1/reports/{report}/sign")).status_code == 204
            assert (await post(one, f"/v1/reports/{report}/sign")).status_code == 204
            shown = (await one.get(f"/v1/reports/{report}")).json()
            assert (len(shown["signatures"]), shown["may_sign"]) == (1, False)
            assert shown["sheet"]["draft"] == "Not yet signed by all"
        async with await signer(muster, "second", http.base_url) as two:
            assert (await two.get(f"/v1/reports/{report}")).json()["may_sign"]
            assert (await post(two, f"/v1/reports/{report}/sign")).status_code == 204
            shown = (await two.get(f"/v1/reports/{report}")).json()
        assert [one["login"] for one in shown["signatures"]] == ["first", "second"]
        assert shown["sheet"]["draft"] == ""

    visit(play, story)


def test_what_does_not_add_up_is_printed_and_must_be_seen_by_who_signs(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        await sent(muster, "09:00  DenominatorDeclared G1 people=2 source=census on=2022-08-02")
        report = await frozen(http)
        answer = await post(http, f"/v1/reports/{report}/sign")
        assert answer.json()["title"] == "findings not seen"
        assert (await post(http, f"/v1/reports/{report}/sign", {"findings": 1})).status_code == 204
        pdf = (await http.get(f"/v1/reports/{report}/file", params={"language": "en"})).content
        assert "sampled ≤ people declared (3 > 2)" in text_of(pdf)

    visit(play, story)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", ["核酸检测日报", "应检人数", "大润发", "数字核对"]),
     ("en", ["Daily report", "Expected", "大润发", "Reconciliation"])],
)  # fmt: skip
def test_a_report_leaves_as_pdf_workbook_table_and_data(
    play: Play, language: str, words: list[str]
):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        report = await frozen(http, "daily")

        async def taken(form: str) -> bytes:
            answer = await http.get(
                f"/v1/reports/{report}/file", params={"format": form, "language": language}
            )
            assert answer.status_code == 200, answer.text
            return answer.content

        pdf = await taken("pdf")
        text = text_of(pdf)
        assert [one for one in words if one not in text] == []
        assert await taken("pdf") == pdf, "the same data gives the same bytes"
        table = (await taken("csv")).decode("utf-8-sig")
        assert [one for one in words if one not in table] == []
        book = CalamineWorkbook.from_filelike(io.BytesIO(await taken("xlsx")))
        cells = [cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()
                 for cell in row]  # fmt: skip
        assert 5.0 in cells
        assert "大润发" in cells
        shown = (await http.get(f"/v1/reports/{report}")).json()
        data = await taken("json")
        assert msgspec.json.decode(data)["areas"][0]["sampled"] == 3
        assert len(shown["content"]) == 64

    visit(play, story)


def test_an_area_lead_sees_and_freezes_reports_of_their_area_only(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        whole = await frozen(http, "sites")
        crew = Crew(muster)
        await crew.staff("lead", Grant("area_lead", area=named("G1")))
        async with client(
            str(http.base_url), await crew.device("lead-phone", holder="lead")
        ) as lead:
            assert (await lead.get("/v1/reports")).json()["items"] == []
            assert (await lead.get(f"/v1/reports/{whole}")).json()["title"] == "outside your area"
            asked = {"kind": "coverage", "round": "R1"}
            outside = await post(lead, "/v1/reports", {**asked, "area": "G2"})
            assert outside.json()["title"] == "outside your area"
            own = await post(lead, "/v1/reports", {**asked, "area": "G1"})
            assert own.status_code == 201
            listed = (await lead.get("/v1/reports")).json()["items"]
            assert [(one["area_code"], one["kind"]) for one in listed] == [("G1", "coverage")]

    visit(play, story)


def test_a_share_is_told_in_hundredths_and_parts_are_compared():
    assert [sums.share(1, 3), sums.share(2, 3), sums.share(0, 0)] == [3333, 6667, None]
    line = {"expected": 3, "sampled": 4, "exempt": 0, "away": 0, "refused": 0, "missing": 0,
            "resulted": 4, "invalid": 0, "pending": 0, "swabs": 3}  # fmt: skip
    assert [one.check for one in sums.findings(sums.of_people(line))] == [
        "expected_resolved", "sampled_of_expected", "persons_and_swabs",
    ]  # fmt: skip
