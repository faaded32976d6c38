"""The roster from files: every bad cell told at once, corrected rows taken in, nobody doubled, nobody
merged silently, and who they are kept in the vault only.
"""

import csv
import os
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import structlog

from muster.access.engine.judge import Sender
from muster.core.clock import now
from muster.core.ids import derived
from muster.core.problems import Problem
from muster.instance import Instance
from muster.registry import decide
from muster.registry.queries import likely_duplicates
from tests import senders
from tests.conftest import Play
from tests.import_files import (
    counts,
    events_stored,
    faults,
    feed,
    lines,
    number,
    one,
    select,
    written,
)
from tests.table import events

PLACES = """
    07:00  AreaListed  D1  level=district
    07:00  AreaListed  H1  parent=D1
    07:00  AreaListed  H2  parent=D1
    07:00  AreaListed  H9  parent=D1
"""
HEADER = "姓名,证件类型,证件号码,手机,性别,出生日期,楼栋编码,房号,状态,户籍地区划码,人群\n"
NINE = lines(("九儿", "", number(sequence=9), "", "", "", "H9", "901", "", "", ""))
PEOPLE = """SELECT i.name, a.code, r.room, r.state, r.birth_year, r.sex FROM registry.resident r
    JOIN vault.identity i USING (resident) LEFT JOIN registry.area a ON a.area = r.building
    WHERE r.merged_into IS NULL ORDER BY i.name, r.room"""
NINTH = ("九儿", "H9", "901", "resident", 1990, "male")


def row(
    name: str = "张三", number: str = "", building: str = "H1", room: str = "101", **more: str
) -> str:
    cells = {"姓名": name, "证件号码": number, "楼栋编码": building, "房号": room, **more}
    return lines([cells.get(head, "") for head in HEADER.strip().split(",")])


def test_every_bad_cell_is_told_in_one_go(play: Play, tmp_path: Path):
    wrong_digit = number()[:17] + ("0" if number()[17] != "0" else "1")
    text = HEADER + NINE
    text += row(name="", number=wrong_digit, building="X1", 手机="12", 状态="飞走了")
    text += row(number=number(sequence=3), 出生日期="1991-01-01", 性别="女")
    text += row(name="李四", 证件类型="会员卡", number="123", 出生日期="去年")
    text += row(name="王五", 出生日期="1799-01-01", 性别="?")
    text += row(name="赵六", room="赵六家", 人群="10061803399", 户籍地区划码="1" * 65)
    text += row(name="孙七", number=number(sequence=9))
    text += row(name="周八", number="3706022099010100" + "11")

    async def story(muster: Instance) -> None:
        await muster.door.append(events(PLACES))
        report = await feed(muster, "residents", written(tmp_path, text))
        assert counts(report) == (1, 0, 0, 7)
        assert faults(report) == [
            (3, "姓名", "cell-missing"),
            (3, "证件号码", "document-invalid"),
            (3, "手机", "phone-invalid"),
            (3, "楼栋编码", "area-code-unknown"),
            (3, "状态", "word-unknown"),
            (4, "出生日期", "birth-date-differs"),
            (4, "性别", "sex-differs"),
            (5, "证件类型", "word-unknown"),
            (5, "出生日期", "date-unreadable"),
            (6, "性别", "word-unknown"),
            (6, "出生日期", "birth-date-unlikely"),
            (7, "房号", "personal-here"),
            (7, "户籍地区划码", "too-long"),
            (7, "人群", "personal-here"),
            (8, "证件号码", "document-of-another"),
            (9, "证件号码", "document-invalid"),
        ]
        said = {one.line: one.problem for one in report.faults if one.column == "number"}
        assert [said[3].message(language) for language in ("en", "zh")] == [
            "The document number is not valid: a digit is wrong, or two are swapped. Check it "
            "against the document.",
            "证件号码无效：有一位写错或两位颠倒。请对照证件核对。",
        ]
        assert "in the future" in said[9].message()
        state = next(one.problem for one in report.faults if one.column == "state")
        assert state.message("zh") == (
            "请填写以下之一：resident 常住, temporary 暂住, away 外出, moved_away 迁出, "
            "cannot_be_tested 不能检测。不认识“飞走了”。"
        )
        assert await select(muster, PEOPLE) == [NINTH]

    play(story)


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_rejects_corrected_and_fed_again(play: Play, tmp_path: Path, suffix: str):
    text = HEADER + NINE
    text += row(number=number(sequence=3), building="H7", 手机="13800138000")
    text += row(name="李四", number=number(sequence=2)[:17] + "?", room="0102")

    async def story(muster: Instance) -> None:
        await muster.door.append(events(PLACES))
        path = written(tmp_path, text, name=f"people.{suffix}")
        report = await feed(muster, "residents", path)
        assert counts(report) == (1, 0, 0, 2)
        rejects = Path(report.rejects_file or "")
        assert rejects.stat().st_mode & 0o777 == 0o600
        with rejects.open(encoding="utf-8-sig", newline="") as file:
            head, *rows = csv.reader(file)
        assert (head[:11], head[11:]) == (HEADER.strip().split(","), ["错误 / error", "行 / row"])
        assert [cells[12] for cells in rows] == ["3", "4"]
        assert rows[0][11].startswith("楼栋编码: 没有编码为“H7”的区域。")
        rows[0][6], rows[1][2] = "H1", number(sequence=2)
        mended = tmp_path / "mended.csv"
        with mended.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([head, *rows])
        assert counts(await feed(muster, "residents", mended)) == (2, 0, 0, 0)
        assert await select(muster, PEOPLE) == [
            NINTH,
            ("张三", "H1", "101", "resident", 1990, "male"),
            ("李四", "H1", "0102", "resident", 1990, "female"),
        ]
        found = await select(muster, "SELECT phone FROM vault.identity WHERE name = '张三'")
        assert muster.vault.open(bytes(found[0][0])) == b"13800138000"

    play(story)


def test_fed_twice_changes_nothing_and_a_changed_row_once(play: Play, tmp_path: Path):
    text = HEADER + NINE + row(number=number(sequence=3), 状态="外出", 手机="+86 138-0013-8000")
    text += row(name="小宝", 出生日期="2021/8/2", room="102") + row(name="李四")

    async def story(muster: Instance) -> None:
        await muster.door.append(events(PLACES))
        path = written(tmp_path, text)
        assert counts(await feed(muster, "residents", path)) == (4, 0, 0, 0)
        before = await events_stored(muster)
        assert counts(await feed(muster, "residents", path)) == (0, 4, 0, 0)
        assert await events_stored(muster) == before
        moved = text.replace("外出", "迁出").replace("张三", "張三")  # the script alone is no news
        path = written(tmp_path, moved)
        assert counts(await feed(muster, "residents", path)) == (1, 3, 0, 0)
        assert counts(await feed(muster, "residents", path)) == (0, 4, 0, 0)
        # What a file does not say stays: the phone, the state, who lives there.
        short = "name,ID number,building\n" + lines(("张三", number(sequence=3), "H1"))
        path = written(tmp_path, short)
        assert counts(await feed(muster, "residents", path)) == (0, 1, 0, 0)
        path = written(tmp_path, short.replace("H1", "H2"))  # but who lives elsewhere is there
        assert counts(await feed(muster, "residents", path)) == (1, 0, 0, 0)
        assert counts(await feed(muster, "residents", path)) == (0, 1, 0, 0)
        assert await events_stored(muster) == before + 2
        assert await select(muster, PEOPLE) == [
            NINTH,
            ("小宝", "H1", "102", "resident", 2021, None),
            ("张三", "H2", None, "resident", 1990, "male"),
            ("李四", "H1", "101", "resident", None, None),
        ]
        assert await one(muster, "SELECT count(*) FROM vault.identity WHERE phone IS NOT NULL") == 1

    play(story)


def test_one_document_is_one_person(play: Play, tmp_path: Path):
    zhang = number(sequence=3)

    async def story(muster: Instance) -> None:
        await muster.door.append(events(PLACES))
        text = HEADER + NINE + row(number=zhang) + row(name="張三", number=zhang, building="H2")
        text += row(name="李四", number=zhang)
        report = await feed(muster, "residents", written(tmp_path, text))
        assert counts(report) == (2, 0, 1, 1)
        assert faults(report) == [(5, "证件号码", "document-of-another")]
        other = written(tmp_path, HEADER + row(name="李四", number=zhang))
        report = await feed(muster, "residents", other)
        assert faults(report) == [(2, "证件号码", "document-of-another")]
        assert await select(muster, PEOPLE) == [
            NINTH,
            ("张三", "H1", "101", "resident", 1990, "male"),
        ]
        report = await feed(muster, "residents", other, correct_names=True)
        assert counts(report) == (1, 0, 0, 0)
        assert [name for name, *_ in await select(muster, PEOPLE)] == ["九儿", "李四"]

    play(story)


def test_a_walk_in_is_found_on_the_roster(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        met = f"08:00 ResidentListed w1 source=walk_in name=某人 number={number(sequence=3)}"
        await muster.door.append(events(PLACES + met))
        path = written(tmp_path, HEADER + NINE + row(number=number(sequence=3)))
        assert counts(await feed(muster, "residents", path)) == (2, 0, 0, 0)
        assert await select(muster, "SELECT count(*), bool_or(walk_in) FROM registry.resident") == [
            (2, False)
        ]
        assert counts(await feed(muster, "residents", path)) == (0, 2, 0, 0)

    play(story)


def test_likely_duplicates_are_listed_and_left_to_a_person(play: Play, tmp_path: Path):
    text = HEADER + NINE
    text += row(name="张乐", number=number(sequence=3), 手机="13800138000")
    text += row(name="張樂", 手机="13800138000", 出生日期="1990-01-01", building="H2")
    text += row(name="章乐", 出生日期="19900101", room="102")

    async def story(muster: Instance) -> None:
        await muster.door.append(events(PLACES))
        path = written(tmp_path, text)
        assert counts(await feed(muster, "residents", path)) == (4, 0, 0, 0)
        async with muster.pool.connection() as conn:
            pairs = {
                frozenset((pair["one_name"], pair["other_name"])): pair
                for pair in await likely_duplicates(conn)
            }
            assert {names: pair["reasons"] for names, pair in pairs.items()} == {
                frozenset(("张乐", "張樂")): ["same_birth_date", "same_phone", "same_room"],
            }
            assert len(await select(muster, PEOPLE)) == 4
            ids = dict(await select(muster, "SELECT name, resident FROM vault.identity"))
            at: dict[str, Any] = {"actor": "tester", "at": now()}
            await decide.merge(conn, muster.door, one=ids["張樂"], into=ids["张乐"], **at)
            assert await likely_duplicates(conn) == []
            merged = await events_stored(muster)
            assert counts(await feed(muster, "residents", path)) == (0, 4, 0, 0)
            assert await events_stored(muster) == merged
            assert [name for name, *_ in await select(muster, PEOPLE)] == ["九儿", "张乐", "章乐"]
            await decide.unmerge(conn, muster.door, resident=ids["張樂"], **at)
            assert await likely_duplicates(conn) == []  # they were looked at and kept apart
        assert len(await select(muster, PEOPLE)) == 4
        assert counts(await feed(muster, "residents", path)) == (0, 4, 0, 0)

    play(story)


PLAIN = HEADER + NINE + row(number=number(sequence=3), 性别="男", 状态="暂住", 手机="13800138000")
TRADITIONAL = (
    PLAIN.replace("证件类型,证件号码", "證件類型*,證件號碼(必填)")
    .replace("楼栋编码,房号,状态", "樓棟編碼,房號,狀態")
    .replace("暂住", "暫住")
    .replace("101", "１０１")
    .replace("13800138000", "１３８００１３８０００")
)


@pytest.mark.parametrize(
    ("text", "name", "encoding"),
    [
        (PLAIN, "people.csv", "gb18030"),
        (PLAIN, "people.xlsx", ""),
        (TRADITIONAL, "people.csv", "utf-8-sig"),
        (TRADITIONAL, "people.csv", "gb18030"),
        (TRADITIONAL, "people.xlsx", ""),
    ],
)
def test_the_same_people_from_any_file(
    play: Play, tmp_path: Path, text: str, name: str, encoding: str
):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(PLACES))
        path = written(tmp_path, text, name=name, encoding=encoding)
        assert counts(await feed(muster, "residents", path)) == (2, 0, 0, 0)
        plain = written(tmp_path, PLAIN, name="plain.csv")
        assert counts(await feed(muster, "residents", plain)) == (0, 2, 0, 0)

    play(story)


NAME, NUMBER, PHONE = "欧阳靐龘", "11010519491231002X", "10061803399"
NOTE = f"{NAME}，电话 {PHONE}，证件 {NUMBER}"
TABLES = """SELECT table_schema || '.' || table_name FROM information_schema.tables
    WHERE table_schema IN ('ledger', 'registry', 'sampling', 'lab', 'coverage', 'vault')"""


def met(name: str, **changes: Any) -> dict[str, Any]:
    """What a phone sends of the person, with a note."""
    event = {
        "id": str(derived(name)), "subject": str(derived("person", name)), "actor": "phone",
        "type": "ResidentListed", "device_at": "2022-08-01T08:00:00+08:00",
        "body": {"source": "walk_in"},
    }  # fmt: skip
    who = {"name": NAME, "number": NUMBER, "phone": PHONE}
    return {"event": event | changes, "identity": who, "note": NOTE}


def test_who_they_are_is_kept_in_the_vault_only(
    play: Play, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """From every entrance: a file and its rejects, a walk-in with a note, what is held, and what
    the database refuses."""
    text = HEADER + row(name=NAME, number=NUMBER, 手机=PHONE)
    text += row(name=NAME, number=NUMBER[:17] + "1", room=f"{NAME}家", 手机=f"{PHONE}?")
    text += row(name="某人", 人群=PHONE, 户籍地区划码=NUMBER)
    upload = [met("a"), met("b", type="PersonNamed"), met("c", body={"source": NOTE})]

    async def story(muster: Instance) -> None:
        await senders.tester(muster)
        phone = Sender(device="tester-system")

        async def send(body: bytes) -> list[str]:
            answers = await muster.intake.take(body, received_at=now(), sender=phone)
            return [answer.answer for answer in answers]

        await muster.door.append(events(PLACES))
        report = await feed(muster, "residents", written(tmp_path, text))
        assert counts(report) == (1, 0, 0, 2)
        assert await send(msgspec.json.encode({"items": upload})) == ["stored", "held", "held"]
        with pytest.raises(Problem):
            await send(NOTE.encode())
        async with muster.pool.connection() as conn:
            await conn.execute(b"ALTER TABLE vault.identity ADD CHECK (phone IS NULL) NOT VALID")
            assert await send(msgspec.json.encode({"items": [met("d")]})) == ["held"]
            assert await one(muster, "SELECT count(*) FROM vault.search") == 1
            kept = ["vault.identity", "vault.search", "vault.search_view"]
            assert await places(conn, NAME) == kept
            assert await places(conn, NUMBER) == []
            assert await places(conn, PHONE) == []
        assert await one(muster, "SELECT count(*) FROM vault.note") == 1
        assert await one(muster, "SELECT count(*) FROM ledger.inbox") == 4
        assert await one(muster, "SELECT count(*) FROM registry.alias") == 1
        if "DATABASE_URL" not in os.environ:  # the log of another's server is not ours to read
            print(await one(muster, "SELECT pg_read_file(pg_current_logfile())"))

    with structlog.testing.capture_logs() as log:
        play(story)
    said = "".join(capfd.readouterr()) + str(log)
    assert "unstorable" in said
    assert [text for text in (NAME, NUMBER, PHONE) if text in said] == []


async def places(conn: psycopg.AsyncConnection[Any], text: str) -> list[str]:
    """The tables with the text in any column: as text, in JSON, or as bytes."""
    found = []
    forms = [f"%{text}%", f"%{text.encode().hex()}%", f"%{msgspec.json.encode(text).hex()[2:-2]}%"]
    for (table,) in await (await conn.execute(TABLES)).fetchall():
        sql = f"SELECT EXISTS (SELECT FROM {table} AS t WHERE t::text LIKE ANY (%s))"
        row = await (await conn.execute(sql.encode(), [forms])).fetchone()
        found += [table] if row and row[0] else []
    return sorted(found)


def test_who_listed_themselves_gets_no_rosters_row(play: Play, tmp_path: Path):
    """Whoever typed another's document before the roster came is merged into the roster's new entry."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(PLACES))
        typed = f"08:00 ResidentListed s1 source=self building=H9 name=李四 number={number()}"
        await muster.door.append(events(typed))
        await feed(muster, "residents", written(tmp_path, HEADER + row("张三", number())))
        found = await select(
            muster, "SELECT i.name, r.self_listed, r.merged_into IS NULL FROM registry.resident r"
            " JOIN vault.identity i USING (resident) ORDER BY i.name",
        )  # fmt: skip
        assert found == [("张三", False, True), ("李四", True, False)]

    play(story)
