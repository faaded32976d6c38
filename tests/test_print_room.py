"""The print room: what is printed can be read by people and by scanners, and by nobody else; each route
of reports, labels and papers is asked and answered.
"""

import asyncio
import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pypdf
import pytest
import zxingcpp
from PIL import Image

from muster.cli.running import serving
from muster.config import Rates, Settings
from muster.core.problems import Problem
from muster.instance import Instance, open_instance
from muster.papers import bulk, typesetting
from muster.papers.layouts import LAYOUTS, sheets
from muster.papers.templates import TemplateUnfit, names, template
from muster.papers.typesetting import PaperTooLarge, PaperTooLong, Press, press, set_paper
from muster.registry.engine.personal_code import code_of, grouped
from tests import senders
from tests.conftest import Play
from tests.senders import client, query, visit
from tests.table import named
from tests.test_http import NOBODY, check
from tests.test_reports import DAY, frozen, sent, text_of

RARE = """
    07:05  ResidentListed  p1  building=H1 room=101 name=㛃𬭛䶮
    07:05  ResidentListed  p2  building=H1 room=102 name=王𠀀
"""
MOMENT = datetime(2022, 8, 1, tzinfo=UTC)
Asked = tuple[str, str, Any, Any]
LOOKING: list[Asked] = [
    ("GET", "/v1/report-preview?kind=daily&area=S1&round=R1", None, 200),
    ("GET", "/v1/report-preview?kind=rumour&area=S1&round=R1", None, "bad-request"),
    ("GET", "/v1/report-preview?kind=daily&area=S1&round=R9", None, "round-unknown"),
    ("POST", "/v1/reports", {"kind": "press", "area": "S1", "round": "R1"}, 201),
    ("POST", "/v1/reports", {"kind": "press", "area": "S9", "round": "R1"}, "area-unknown"),
    ("GET", "/v1/reports", None, 200),
    ("GET", "/v1/reports?after=x", None, "bad-cursor"),
    ("GET", f"/v1/reports/{NOBODY}", None, "report-unknown"),
    ("GET", f"/v1/reports/{NOBODY}/file", None, "report-unknown"),
    ("POST", f"/v1/reports/{NOBODY}/sign", {}, "report-unknown"),
    ("POST", f"/v1/reports/{NOBODY}/reproduce", None, "report-unknown"),
    ("GET", "/v1/labels", None, 200),
    ("POST", "/v1/labels", {"format": str(NOBODY), "site": "X1", "count": 1}, "format-unknown"),
    ("POST", "/v1/labels", {"format": str(NOBODY), "site": "X1", "count": 0}, "bad-request"),
    ("POST", f"/v1/labels/{NOBODY}/take-back", {"reason": "mistake"}, "labels-unknown"),
    ("GET", f"/v1/labels/{NOBODY}/file", None, "labels-unknown"),
    ("GET", "/v1/print/homes?area=S1", None, 200),
    ("GET", "/v1/print/codes?area=H1", None, 200),
    ("GET", "/v1/print/codes?area=H1&limit=0", None, "bad-request"),
    ("GET", "/v1/print/missing?area=S1&round=R1", None, 200),
    ("GET", "/v1/personal-codes/2", None, "code-mistyped"),
    ("GET", "/v1/print/posters?site=X1", None, 200),
    ("GET", "/v1/print/guide", None, 200),
    ("GET", "/v1/print/forms", None, 200),
    ("GET", "/v1/print/forms?kind=letter", None, "bad-request"),
    ("GET", "/v1/print/forms?copies=1000", None, "bad-request"),
    ("GET", "/v1/print/forms?site=none", None, "site-unknown"),
    ("GET", "/v1/print/templates", None, 200),
    ("GET", "/v1/print/templates/poster", None, 200),
    ("GET", "/v1/print/templates/common", None, 200),
    ("GET", "/v1/print/templates/secrets", None, "paper-unknown"),
]
ANSWERED = {(method, path) for method, path, *_ in LOOKING}


@pytest.fixture
def desk(database: Settings) -> Press:
    return press(database.home)


def pictures(found: list[bytes]) -> list[Image.Image]:
    return [Image.open(io.BytesIO(one)).convert("L") for one in found]


def codes_on(picture: Image.Image) -> list[str]:
    return sorted(one.text for one in zxingcpp.read_barcodes(picture))


async def taken(http: httpx.AsyncClient, path: str, **params: Any) -> httpx.Response:
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return answer


def test_each_route_answers(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        for method, path, body, wanted in LOOKING:
            answer = await http.request(method, path, json=body)
            try:
                check(answer, wanted, "en")
            except AssertionError as error:
                raise AssertionError(
                    f"{method} {path}: {answer.status_code} {answer.text}"
                ) from error

    visit(play, story)


def test_codes_are_masked_unless_there_is_a_reason_and_rare_names_are_whole(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY.rstrip() + RARE)
        answer = await taken(http, "/v1/print/codes", area="H1", language="zh")
        text = text_of(answer.content)
        code = grouped(code_of(named("p1")))
        assert code in text
        assert "㛃*䶮" in text
        assert "𬭛" not in text
        assert (answer.headers["x-muster-people"], "x-muster-next" in answer.headers) == (
            "2",
            False,
        )
        whole = await taken(http, "/v1/print/codes", area="H1", reason="door_to_door")
        text = text_of(whole.content)
        assert "㛃𬭛䶮" in text
        assert "王" in text
        # What no font has is not left out in silence: it stands there as its code point.
        assert ("𠀀" in text) != ("U+20000" in text)
        assert whole.headers.get("x-muster-lost", "") in ("", "U+20000")
        read = await query(
            muster, "SELECT masked, cardinality(people) FROM access.reading"
            " WHERE what LIKE '%%print/codes' ORDER BY id",
        )  # fmt: skip
        assert read == [(True, 2), (False, 2)]

    visit(play, story)


def test_a_street_is_printed_in_parts_that_follow_each_other(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        homes = (await http.get("/v1/print/homes", params={"area": "S1"})).json()
        assert (homes["people"], homes["rooms"]) == (5, 4)
        seen, after = [], ""
        while True:
            answer = await taken(
                http, "/v1/print/codes", area="S1", limit=2, after=after, group="home"
            )
            text = text_of(answer.content)
            seen += [
                one
                for one in ("p1", "p2", "p3", "p4", "p9")
                if grouped(code_of(named(one))) in text
            ]
            after = answer.headers.get("x-muster-next")
            if not after:
                break
        assert seen[:3] == ["p1", "p2", "p3"]
        assert sorted(seen) == ["p1", "p2", "p3", "p4", "p9"]

    visit(play, story)


def test_a_missing_list_has_one_code_for_a_home(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        answer = await taken(http, "/v1/print/missing", area="S1", round="R1", language="en")
        text = text_of(answer.content)
        assert grouped(code_of(named("p9"))) in text
        assert grouped(code_of(named("p1"))) not in text
        assert "1 homes, 1 people" in text

    visit(play, story)


def test_what_is_printed_is_read_by_a_scanner_even_if_a_part_is_lost(desk: Press):
    code = code_of(named("p1"))
    card = {"qr": f"P:{code}", "code": grouped(code), "name": "王㛃", "place": "1-101"}
    data = {
        "language": "zh", "columns": 3, "foot": "",
        "groups": [{"title": "1", "count": "3", "people": [card, card, card]}],
    }  # fmt: skip

    async def made() -> list[bytes]:
        return (await set_paper(desk, template("codes"), data, moment=MOMENT, form="png")).files

    (picture,) = pictures(run(made()))
    assert codes_on(picture) == [f"P:{code}"] * 3
    # Glare: a white patch over a fifth of the first code's width and height, off its finder patterns.
    first = zxingcpp.read_barcodes(picture)[0].position
    side = abs(first.top_right.x - first.top_left.x)
    x, y = min(first.top_left.x, first.bottom_left.x), min(first.top_left.y, first.top_right.y)
    patch = side // 4
    picture.paste(255, (x + side // 2, y + side // 2, x + side // 2 + patch, y + side // 2 + patch))
    assert codes_on(picture) == [f"P:{code}"] * 3


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_stand_on_their_sheets_and_scan(desk: Press, layout: str):
    sheet = LAYOUTS[layout]
    made = [{"bars": f"LP10{n:08d}", "what": "X1 大润发"} for n in range(sheet.per_page)]
    pages = sheets(list(made), sheet, skip=3)
    assert [len(one) for one in pages] == [sheet.per_page, 3]
    assert sheet.left_mm + (sheet.columns - 1) * sheet.step_x_mm + sheet.width_mm <= 210
    assert sheet.top_mm + (sheet.rows - 1) * sheet.step_y_mm + sheet.height_mm <= 297

    async def printed() -> list[bytes]:
        data = {"language": "zh", "layout": {n: getattr(sheet, n) for n in sheet.__struct_fields__},
                "sheets": pages}  # fmt: skip
        return (
            await set_paper(
                desk, template("labels"), data, moment=MOMENT, form="png", dots_per_inch=300
            )
        ).files

    found = [code for picture in pictures(run(printed())) for code in codes_on(picture)]
    assert sorted(found) == [one["bars"] for one in made]


def run(work: Any) -> Any:
    return asyncio.run(work)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_posters_and_guides_name_the_site_and_the_steps(play: Play, language: str):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        poster = await taken(http, "/v1/print/posters", area="S1", language=language)
        assert "大润发" in text_of(poster.content)
        guide = await taken(http, "/v1/print/guide", language=language)
        assert ("排队隔两米" if language == "zh" else "Keep two metres apart") in text_of(
            guide.content
        )

    visit(play, story)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_blank_forms_of_one_person_and_of_a_home(play: Play, language: str):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        titles = {
            "form": ("检测登记表", "Registration form"),
            "household": ("住户登记表", "List of a home"),
        }
        for kind, title in titles.items():
            asked = {"kind": kind, "language": language, "copies": 2, "site": "X1"}
            made = await taken(http, "/v1/print/forms", **asked)
            text = text_of(made.content)
            assert text.count(title[language == "en"]) == 2
            assert "大润发" in text
            assert len(pypdf.PdfReader(io.BytesIO(made.content)).pages) == 2
        picture = await http.get("/v1/print/forms", params={"site": "X1", "format": "png"})
        assert codes_on(Image.open(io.BytesIO(picture.content)).convert("L")) == ["S:X1"]

    visit(play, story)


def test_a_poster_leads_residents_to_its_page_where_the_address_is_known(database: Settings):
    async def story(address: str | None) -> list[str]:
        async with open_instance(replace(database, address=address)) as muster:
            token = await senders.tester(muster)
            async with (
                serving(muster, rates=Rates(0, 0, 0)) as (_, here),
                client(here, token) as http,
            ):
                if address is None:
                    await sent(muster, DAY)
                picture = await http.get(
                    "/v1/print/posters", params={"site": "X1", "format": "png"}
                )
                return codes_on(Image.open(io.BytesIO(picture.content)).convert("L"))

    assert asyncio.run(story(None)) == ["S:X1"]
    assert asyncio.run(story("https://muster.example")) == ["https://muster.example/r/s/X1"]


def test_a_district_changes_a_template_and_a_broken_one_is_named_with_its_line(
    play: Play, database: Settings
):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        folder = database.home / "templates"
        folder.mkdir()
        shipped = (await http.get("/v1/print/templates/poster")).text
        (folder / "poster.typ").write_text(shipped.replace("核酸采样点", "芝罘区采样点"))
        text = text_of((await taken(http, "/v1/print/posters", site="X1")).content)
        assert "芝罘区采样点" in text
        changed = (await http.get("/v1/print/templates")).json()
        assert [one["name"] for one in changed if one["changed"]] == ["poster"]
        (folder / "poster.typ").write_text('#set page(paper: "a4")\n\n#nothing-of-the-kind()')
        broken = await http.get("/v1/print/posters", params={"site": "X1"})
        assert broken.json()["title"] == "template unfit"
        assert "poster.typ:3" in broken.json()["detail"]
        text = text_of((await taken(http, "/v1/print/posters", site="X1", form="shipped")).content)
        assert "核酸采样点" in text

    visit(play, story)


def test_a_frozen_report_keeps_the_form_it_had(play: Play, database: Settings):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY)
        report = await frozen(http)
        before = (await taken(http, f"/v1/reports/{report}/file")).content
        folder = database.home / "templates"
        folder.mkdir()
        (folder / "report.typ").write_text("nothing left")
        assert (await taken(http, f"/v1/reports/{report}/file")).content == before

    visit(play, story)


def test_a_template_asks_for_nothing_from_elsewhere(tmp_path: Path):
    (tmp_path / "poster.typ").write_text('#import "@preview/cetz:0.3.0"')
    with pytest.raises(TemplateUnfit):
        template("poster", tmp_path)
    (tmp_path / "poster.typ").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateUnfit):
        template("poster", tmp_path)


@pytest.mark.parametrize("name", names())
def test_shipped_templates_have_editions(name: str):
    assert len(template(name, choice="shipped").edition) == 64


@pytest.mark.parametrize(
    ("text", "limits", "problem"),
    [
        (
            "#let n = 0\n#for i in range(9999) { for j in range(9999) { for k in range(9999) { n += 1 } } }",
            {"seconds": 1},
            PaperTooLong,
        ),
        (
            "#for n in range(100000000) { [#n] }",
            {"memory_bytes": 400_000_000},
            PaperTooLarge,
        ),
    ],
)
def test_what_takes_too_long_or_too_much_is_ended_and_named(
    desk: Press, text: str, limits: dict[str, Any], problem: type[Problem]
):
    unfit, narrow = typesetting.Template("poster", "", text), replace(desk, **limits)
    with pytest.raises(problem):
        run(set_paper(narrow, unfit, {}, moment=MOMENT))


def test_a_template_reads_no_file_outside_its_folder(desk: Press, tmp_path: Path):
    (tmp_path / "secret.txt").write_text("secret")
    reading = f'#read("{os.path.relpath(tmp_path / "secret.txt", desk.fonts[0])}")'

    async def made(text: str) -> None:
        await set_paper(desk, typesetting.Template("poster", "", text), {}, moment=MOMENT)

    for text in (reading, f'#read("{tmp_path}/secret.txt")', '#read("/etc/passwd")'):
        with pytest.raises(TemplateUnfit):
            run(made(text))


def test_a_whole_area_is_printed_file_after_file_and_goes_on_where_it_ended(
    play: Play, tmp_path: Path
):
    async def story(muster: Instance) -> None:
        await sent(muster, DAY)
        seen: list[tuple[int, int]] = []

        async def printed() -> bulk.Printed:
            async with muster.pool.connection() as conn:
                return await bulk.codes(
                    conn, muster.settings, named("S1"), folder=tmp_path, stem="S1", group="none",
                    masked=True, language="zh", who="tester", at=MOMENT, most=2,
                    progress=lambda done, total: seen.append((done, total)),
                )  # fmt: skip

        assert await printed() == bulk.Printed(people=5, files=3, lost=[])
        assert seen == [(2, 5), (4, 5), (5, 5)]
        files = sorted(tmp_path.iterdir())
        assert [one.name for one in files] == ["S1-0001.pdf", "S1-0002.pdf", "S1-0003.pdf"]
        assert {one.stat().st_mode & 0o777 for one in files} == {0o600}
        kept = [one.stat().st_mtime_ns for one in files]
        files[1].unlink()
        await printed()
        again = [one.stat().st_mtime_ns for one in files]
        assert (again[0], again[2]) == (kept[0], kept[2])
        assert text_of(files[1].read_bytes())
        looked = await query(muster, "SELECT sum(cardinality(people)) FROM access.reading")
        assert looked == [7]

    play(story)
