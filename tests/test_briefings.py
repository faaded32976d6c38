"""A briefing's table as people write it, held against itself: the real one of 4 August 2021, 14:00 raises
exactly its two errors, is kept all the same, and is an alarm.
"""

from pathlib import Path

import httpx
import pytest

from muster.coverage.engine.briefing import Unread, read
from muster.coverage.engine.plausible import Finding, check
from muster.instance import Instance
from tests.conftest import Play
from tests.senders import visit
from tests.table import TOWN, events

REAL = Path(__file__).parent.parent / "examples" / "briefing-2021-08-04.csv"
BOTH = [
    Finding("share_differs", "高新区", "sampled", 800, 511, 92_000),
    Finding("rest_over_100", "开发区", "sampled", 511_000, 1128, 453_000),
]


def test_the_real_briefing_is_read_and_found_wrong_twice():
    found = read(REAL.read_text(encoding="utf-8"))
    assert (found.unread, found.rounded_to) == ([], 1000)
    assert found.words == {"开发区": "基本完成"}
    assert check(found.total, found.parts, rounded_to=found.rounded_to) == BOTH


@pytest.mark.parametrize(
    ("table", "involved", "sampled", "rounded_to"),
    [
        ("区域\t涉及人数\t采样\n甲\t1,234\t1200人", 1234, 1200, 1),
        ("District,People,Sampled\nA,1234,1200", 1234, 1200, 1),
        ("名称，应检人数，已采样\n甲，1.5万，9000余人", 15_000, 9_000, 1000),
        ("区域;涉及;采样\n甲;2万;—", 20_000, None, 10_000),
    ],
)
def test_figures_as_people_write_them(table, involved, sampled, rounded_to):
    found = read(table)
    assert found.unread == []
    assert [(one.involved, one.sampled) for one in found.parts] == [(involved, sampled)]
    assert found.rounded_to == rounded_to


@pytest.mark.parametrize(
    ("table", "unread"),
    [
        ("", Unread(1, "no_figures", "")),
        ("甲,乙\n1,2", Unread(1, "no_name_column", "甲 乙")),
        ("区域\n甲", Unread(1, "no_figures", "区域")),
        ("区域,采样\n甲,3..5万", Unread(2, "not_a_number", "3..5万")),
        ("区域,采样\n甲,1.23456万", Unread(2, "not_a_number", "1.23456万")),
        ("区域,采样\n,5", Unread(2, "no_name", "")),
        ("区域,采样\n合计,5\n总计,6", Unread(3, "two_totals", "总计")),
    ],
)
def test_what_cannot_be_read_is_named(table, unread):
    assert read(table).unread == [unread]


def test_a_briefing_is_checked_kept_and_an_alarm(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await muster.door.append(events(TOWN))
        sent = {
            "as_of": "2021-08-04T14:00:00+08:00", "source": "press", "table": REAL.read_text("utf-8")
        }  # fmt: skip
        checked = (await http.post("/v1/briefings", json={**sent, "check": True})).json()
        assert checked["briefing"] is None
        assert [one["kind"] for one in checked["findings"]] == ["share_differs", "rest_over_100"]
        assert (await http.get("/v1/briefings")).json() == []
        assert "figures_implausible" not in await alarms(http)
        kept = (await http.post("/v1/briefings", json=sent)).json()
        (listed,) = (await http.get("/v1/briefings")).json()
        assert listed["briefing"] == kept["briefing"]
        assert listed["findings"] == checked["findings"]
        assert [one["word"] for one in listed["parts"] if "word" in one] == ["基本完成"]
        broken = await http.post("/v1/briefings", json={**sent, "table": "区域,采样\n甲,x1"})
        assert broken.json()["type"].endswith(":briefing-unreadable")

    visit(play, story)


def test_an_implausible_briefing_raises_an_alarm_that_counts_its_errors(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        sent = {
            "as_of": "2021-08-04T14:00:00+08:00", "source": "press", "table": REAL.read_text("utf-8")
        }  # fmt: skip
        assert (await http.post("/v1/briefings", json=sent)).status_code == 200
        assert (await alarms(http))["figures_implausible"] == 2

    visit(play, story)


async def alarms(http: httpx.AsyncClient) -> dict[str, int]:
    return {one["alarm"]: one["count"] for one in (await http.get("/v1/alarms")).json()}
