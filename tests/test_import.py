"""Areas, units, sites and results from files: what is in, what comes back and what a second feeding
changes.
"""

from pathlib import Path
from random import Random

import pytest

from muster.cli.importing import example_areas
from muster.core.problems import Problem
from muster.instance import Instance
from tests.conftest import Play
from tests.import_files import (
    counts,
    events_stored,
    faults,
    feed,
    one,
    select,
    written,
)
from tests.table import TOWN, events

HEADER = "code,level,name,parent\n"
ROWS = [
    "D1,district,甲区,\n",
    "S1,street,东街道,D1\n",
    "C1,community,一社区,S1\n",
    "S9,street,西街道,D1\n",
    "C9,community,九社区,S9\n",
]
TREE = "SELECT code, lo, hi, depth FROM registry.area JOIN registry.span USING (area) ORDER BY lo"
LISTED = """SELECT a.code, a.level, a.name, p.code FROM registry.area a
    LEFT JOIN registry.area p ON p.area = a.parent ORDER BY a.code"""


@pytest.mark.parametrize("order", ["as listed", "from below", "shuffled"])
def test_areas_in_any_order_are_ranges(play: Play, tmp_path: Path, order: str):
    rows = {"as listed": ROWS, "from below": ROWS[::-1], "shuffled": Random(7).sample(ROWS, 5)}

    async def story(muster: Instance) -> None:
        path = written(tmp_path, HEADER + "".join(rows[order]))
        assert counts(await feed(muster, "areas", path)) == (5, 0, 0, 0)
        assert await select(muster, TREE) == [
            ("D1", 1, 5, 0),
            ("S1", 2, 3, 1),
            ("C1", 3, 3, 2),
            ("S9", 4, 5, 1),
            ("C9", 5, 5, 2),
        ]
        assert counts(await feed(muster, "areas", path)) == (0, 5, 0, 0)
        assert await events_stored(muster) == 5

    play(story)


def test_bad_areas_come_back_with_their_place(play: Play, tmp_path: Path):
    text = """\
甲区区域表,,,,
编码,级别,名称,上级,层数

D1,区,"甲
区",,
S1,街道,东街道,D1,
C1,社区,一社区,X9,
G1,网格,一网格,C1,
S1,街道,西街道,D1,
,省级,,S1,many
C2,社区,二社区,C3,
C3,社区,三社区,S1,
C4,社区,四社区,,
S1,街道,东街道,D1,
"""

    async def story(muster: Instance) -> None:
        report = await feed(muster, "areas", written(tmp_path, text))
        assert (report.rows, counts(report)) == (10, (3, 0, 1, 6))
        assert sorted(faults(report)) == [
            (7, "上级", "parent-missing"),
            (8, "上级", "parent-missing"),
            (9, "编码", "code-twice"),
            (10, "名称", "cell-missing"),
            (10, "层数", "number-unreadable"),
            (10, "级别", "word-unknown"),
            (10, "编码", "cell-missing"),
            (11, "上级", "parent-below"),
            (13, "上级", "cell-missing"),
        ]
        assert await select(muster, LISTED) == [
            ("C3", "community", "三社区", "S1"),
            ("D1", "district", "甲 区", None),
            ("S1", "street", "东街道", "D1"),
        ]
        rejects = Path(report.rejects_file or "")
        assert rejects == tmp_path / "file.rejected.csv"
        assert "级别: 请填写以下之一：country 国家, province 省" in rejects.read_text("utf-8-sig")
        mended = rejects.read_text("utf-8-sig").replace("X9", "S1").replace("C3", "S1")
        mended = mended.replace("S1,街道,西街道", "S2,街道,西街道")
        again = await feed(muster, "areas", written(tmp_path, mended, name="mended.csv"))
        assert (again.stored, [fault[1] for fault in faults(again)]) == (
            4,
            ["编码", "级别", "名称", "层数", "上级"],
        )
        assert [(code, above) for code, _, _, above in await select(muster, LISTED)] == [
            ("C1", "S1"), ("C2", "S1"), ("C3", "S1"), ("D1", None), ("G1", "C1"), ("S1", "D1"),
            ("S2", "D1"),
        ]  # fmt: skip

    play(story)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("D1,building,甲区,C1", ("level", "child-above")),
        ("D1,district,甲区,C1", ("parent", "parent-below")),
        ("S1,street,东街道,S9", ("parent", "parent-below")),
        ("S1,street,东街道,S1", ("parent", "parent-below")),
        ("S1,grid,东街道,C9", ("level", "child-above")),
    ],
)
def test_no_file_makes_a_circle(play: Play, tmp_path: Path, row: str, fault: tuple[str, str]):
    async def story(muster: Instance) -> None:
        await feed(muster, "areas", written(tmp_path, HEADER + "".join(ROWS)))
        before = await select(muster, LISTED)
        report = await feed(muster, "areas", written(tmp_path, f"{HEADER}{row}\n"))
        assert faults(report) == [(2, *fault)]
        assert await select(muster, LISTED) == before
        assert await one(muster, "SELECT count(*) FROM registry.span") == 5

    play(story)


def test_a_districts_own_file_leaves_it_in_its_city(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        city = HEADER + "Y1,city,某市,\nD1,district,甲区,Y1\nD9,district,乙区,Y1\n"
        assert counts(await feed(muster, "areas", written(tmp_path, city))) == (3, 0, 0, 0)
        own = written(tmp_path, HEADER + "".join(ROWS), name="own.csv")
        assert counts(await feed(muster, "areas", own)) == (4, 1, 0, 0)
        assert (await select(muster, TREE))[:2] == [("Y1", 1, 7, 0), ("D1", 2, 6, 1)]

    play(story)


def test_grids_of_two_kinds_and_buildings(play: Play, tmp_path: Path):
    grids = "网格编码,网格名称,类型,所属社区\nG1,一网格,基础网格,C1\nG9,学校,专属,C9\n"
    buildings = "楼栋编码,楼栋名称,所属网格,层数,电梯\nH1,1号楼,G1,２４,有\nH9,9号楼,G9,,否\n"

    async def story(muster: Instance) -> None:
        await feed(muster, "areas", written(tmp_path, HEADER + "".join(ROWS)))
        text = grids.replace("所属社区", "上级")
        assert counts(await feed(muster, "grids", written(tmp_path, text))) == (2, 0, 0, 0)
        assert counts(await feed(muster, "buildings", written(tmp_path, buildings)))[0] == 2
        # A list that says nothing of a thing takes nothing back, and no building stands nowhere.
        short = "编码,名称,上级\nG1,一网格,\nH1,1号楼,\nH2,2号楼,\n"
        again = await feed(muster, "buildings", written(tmp_path, short.replace("G1", "H9")))
        assert faults(again) == [(4, "上级", "cell-missing")]
        assert await select(
            muster,
            "SELECT code, level, name, kind, floors, lift FROM registry.area"
            " WHERE level IN ('grid', 'building') ORDER BY code",
        ) == [
            ("G1", "grid", "一网格", "basic", None, None),
            ("G9", "grid", "学校", "exclusive", None, None),
            ("H1", "building", "1号楼", None, 24, True),
            ("H9", "building", "一网格", None, None, False),
        ]

    play(story)


TRADITIONAL = (
    "編碼,級別,名稱,上級編碼\nＤ１,區,甲区,\nＳ１,街道,东街道,Ｄ１\nＣ１,社區,一社区,Ｓ１\n"
)


@pytest.mark.parametrize(
    ("text", "name", "encoding"),
    [
        (TRADITIONAL, "areas.csv", "gb18030"),
        (TRADITIONAL, "areas.txt", "utf-8-sig"),
        (TRADITIONAL.replace(",", "\t"), "areas.tsv", "utf-16"),
        (TRADITIONAL, "areas.xlsx", ""),
    ],
)
def test_scripts_widths_and_encodings(
    play: Play, tmp_path: Path, text: str, name: str, encoding: str
):
    async def story(muster: Instance) -> None:
        path = written(tmp_path, text, name=name, encoding=encoding)
        assert counts(await feed(muster, "areas", path)) == (3, 0, 0, 0)
        plain = written(tmp_path, HEADER + "".join(ROWS[:3]), name="plain.csv")
        assert counts(await feed(muster, "areas", plain)) == (0, 3, 0, 0)

    play(story)


def test_the_real_streets_of_zhifu(play: Play):
    async def story(muster: Instance) -> None:
        assert counts(await feed(muster, "areas", example_areas())) == (171, 0, 0, 0)
        assert (await select(muster, TREE))[0] == ("370602", 1, 171, 0)

    play(story)


def test_units_and_sites(play: Play, tmp_path: Path):
    units = "编码,名称,类型,所属区域,人数\nU1,一中,学校,G1,900\nU9,九店,酒店,G2,20\n"
    sites = "编码,名称,所属区域,通道数\nZ1,一点,G1,3\nZ9,九点,G2,\n"

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN))
        assert counts(await feed(muster, "units", written(tmp_path, units))) == (2, 0, 0, 0)
        assert counts(await feed(muster, "sites", written(tmp_path, sites))) == (2, 0, 0, 0)
        changed = units.replace("900", "950").replace("九店", "九店") + "U3,三厂,工厂,X1,-5\n"
        report = await feed(muster, "units", written(tmp_path, changed))
        assert counts(report) == (1, 1, 0, 1)
        assert faults(report) == [
            (4, "所属区域", "area-code-unknown"),
            (4, "人数", "number-unreadable"),
        ]
        assert await select(muster, "SELECT code, headcount FROM registry.unit ORDER BY code") == [
            ("U1", 950),
            ("U9", 20),
        ]
        assert await select(muster, "SELECT code, lanes FROM sampling.site ORDER BY code") == [
            ("Z1", 3),
            ("Z9", 1),
        ]

    play(story)


RESULTS = """\
条码,结果,检测时间,实验室
T1,阳性,2022-08-01 12:00,一院
T2,陰性,2022/8/1 9:05,一院
T3,检出,2022-08-01T04:30:00Z,一院
T4,未檢出,2022年8月1日 13:00,一院
T5,Not Detected,20220801 130000,一院
T6,重采,2022-08-01 13:00:00,一院
X1,阳性(+),2022-08-01 13:00,一院
T1,阳性,2022-08-01 12:00:00,一院
T7,大概,昨天,
"""


def test_results_find_their_tubes(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        sealed = [f"08:20 TubeSealed T{n} members=p{n}" for n in (1, 2, 3, 4, 5, 6, 9)]
        await muster.door.append(events(TOWN + "\n".join(sealed)))
        before = await events_stored(muster)
        report = await feed(muster, "results", written(tmp_path, RESULTS))
        assert counts(report) == (7, 0, 1, 1)
        assert faults(report) == [
            (10, "结果", "word-unknown"),
            (10, "检测时间", "time-unreadable"),
            (10, "实验室", "cell-missing"),
        ]
        assert await select(
            muster,
            "SELECT t.barcode, o.outcome,"
            " to_char(o.resulted_at AT TIME ZONE 'Asia/Shanghai', 'DD HH24:MI')"
            " FROM sampling.tube t LEFT JOIN lab.outcome o USING (tube) ORDER BY 1",
        ) == [
            ("T1", "positive", "01 12:00"),
            ("T2", "negative", "01 09:05"),
            ("T3", "positive", "01 12:30"),
            ("T4", "negative", "01 13:00"),
            ("T5", "negative", "01 13:00"),
            ("T6", "invalid", "01 13:00"),
            ("T9", None, None),
        ]
        waiting = "SELECT barcode FROM lab.result WHERE cardinality(tubes) = 0"
        assert await one(muster, waiting) == "X1"
        assert await one(muster, "SELECT count(*) FROM lab.recall") == 2
        after = await events_stored(muster)
        assert after == before + 7 + 2 + 4  # two recalls, and who is called to each of their tubes
        assert counts(await feed(muster, "results", written(tmp_path, RESULTS)))[:2] == (0, 7)
        assert await events_stored(muster) == after
        await muster.door.append(events("08:20 TubeSealed X1 members=p9"))
        assert await select(muster, waiting) == []

    play(story)


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"", "file-empty"),
        (b"PK\x03\x04 half a workbook", "workbook-damaged"),
        (b"%PDF-1.7", "not-a-table"),
        ("级别,名称\n街道,东街道\n".encode(), "columns-missing"),
        (b"code,name\n" + b"\xff\x81\xff,x\n" * 3, "encoding-unknown"),
    ],
)
def test_a_file_that_cannot_be_read(play: Play, tmp_path: Path, content: bytes, slug: str):
    async def story(muster: Instance) -> None:
        path = tmp_path / "file.csv"
        path.write_bytes(content)
        with pytest.raises(Problem) as caught:
            await feed(muster, "areas", path)
        assert caught.value.slug == slug
        assert await events_stored(muster) == 0

    play(story)


def test_rejects_under_correction_are_not_overwritten(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        path = written(tmp_path, HEADER + "S1,street,东街道,X9\n")
        first = await feed(muster, "areas", path)
        second = await feed(muster, "areas", path)
        assert [Path(one.rejects_file or "").name for one in (first, second)] == [
            "file.rejected.csv",
            "file.rejected-2.csv",
        ]

    play(story)
