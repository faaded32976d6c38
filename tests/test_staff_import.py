"""The register of who can be called up, from units' lists: one person stays one, and nothing is lost that a
second list leaves out.
"""

from pathlib import Path

from muster.instance import Instance
from muster.registry import queries as registry
from tests.conftest import Play
from tests.import_files import counts, faults, feed, select, written
from tests.table import STREET_UNITS, events, named

STAFF = """\
姓名,工号,单位编码,手机,身份证号,居住小区,技能,政治面貌,可穿防护服
李一,1001,U1,13800000001,11010519491231002X,G1,驾驶、急救,党员,否
王二,1002,U1,138 0000 0002,,G1,,,是
赵三,1003,U1,,,,,,
"""
LISTED = """SELECT i.name, u.code, cardinality(s.units), s.skills, s.tags, s.birth_year, s.fit
    FROM workforce.staff s JOIN vault.identity i ON i.resident = s.staff
    JOIN registry.unit u ON u.unit = s.unit ORDER BY i.name COLLATE "C" """


def test_a_list_is_in_and_fed_again_changes_nothing(play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        path = written(tmp_path, STAFF)
        assert counts(await feed(muster, "staff", path)) == (3, 0, 0, 0)
        assert await select(muster, LISTED) == [
            ("李一", "U1", 1, ["急救", "驾驶"], ["党员"], 1949, False),
            ("王二", "U1", 1, [], [], None, True),
            ("赵三", "U1", 1, [], [], None, True),
        ]
        assert counts(await feed(muster, "staff", path)) == (0, 3, 0, 0)

    play(story)


def test_listed_by_a_second_unit_they_stay_one_person(play: Play, tmp_path: Path):
    """By document, or by phone and name; a namesake with another phone is another person."""
    second = """\
姓名,单位编码,手机,证件号码,技能
李一,U2,,11010519491231002X,消杀
王二,U2,13800000002,,
王二,U2,13800000009,,
"""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        await feed(muster, "staff", written(tmp_path, STAFF))
        assert counts(await feed(muster, "staff", written(tmp_path, second))) == (3, 0, 0, 0)
        assert await select(muster, LISTED) == [
            ("李一", "U1", 2, ["急救", "消杀", "驾驶"], ["党员"], 1949, False),
            ("王二", "U1", 2, [], [], None, True),
            ("王二", "U2", 1, [], [], None, True),
            ("赵三", "U1", 1, [], [], None, True),
        ]

    play(story)


def test_what_a_later_list_leaves_out_stays(play: Play, tmp_path: Path):
    later = "姓名,工号,单位编码,手机\n李一,1001,U1,13900000001\n王二,1002,U1,\n"

    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        await feed(muster, "staff", written(tmp_path, STAFF))
        assert counts(await feed(muster, "staff", written(tmp_path, later))) == (1, 1, 0, 0)
        async with muster.pool.connection() as conn:
            cursor = await conn.execute(
                "SELECT phone, number FROM vault.identity WHERE name = '李一'"
            )
            ((phone, number),) = await cursor.fetchall()
        assert muster.vault.open(phone) == b"13900000001"
        assert muster.vault.open(number) == b"11010519491231002X"
        (first, *_) = await select(muster, LISTED)
        assert (first[3], first[6]) == (["急救", "驾驶"], False)  # not fit for a suit, as was said

    play(story)


def test_a_row_that_says_less_than_the_one_above_takes_nothing(play: Play, tmp_path: Path):
    rows = "姓名,单位编码,手机,证件号码\n李一,U1,13800000001,11010519491231002X\n李一,U2,,11010519491231002X\n"

    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        assert counts(await feed(muster, "staff", written(tmp_path, rows))) == (2, 0, 0, 0)
        async with muster.pool.connection() as conn:
            ((phone,),) = await (await conn.execute("SELECT phone FROM vault.identity")).fetchall()
        assert muster.vault.open(phone) == b"13800000001"

    play(story)


def test_a_number_that_is_anothers_comes_back(play: Play, tmp_path: Path):
    """A staff number given to somebody new, a document that differs: nobody becomes somebody else."""
    other = "姓名,工号,单位编码,证件号码\n钱四,1001,U1,\n李一,1001,U1,E12345678\n"

    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        await feed(muster, "staff", written(tmp_path, STAFF))
        before = await select(muster, LISTED)
        report = await feed(muster, "staff", written(tmp_path, other))
        assert faults(report) == [
            (2, "工号", "number-of-another"),
            (3, "工号", "number-of-another"),
        ]
        assert await select(muster, LISTED) == before

    play(story)


def test_a_resident_who_is_listed_stays_the_resident(play: Play, tmp_path: Path):
    """By number the resident is found; what a list says of somebody changes nothing on the roster."""
    person = "07:10  ResidentListed  p5  building=H1 name=李一 number=11010519491231002X phone=13811112222"

    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        await feed(muster, "staff", written(tmp_path, STAFF))
        await muster.door.append(events(person))
        async with muster.pool.connection() as conn:
            found = await registry.by_text(conn, muster.vault, "11010519491231002X")
            assert found == named("p5")
            cursor = await conn.execute(
                "SELECT phone FROM vault.identity WHERE resident = %s", [found]
            )
            ((phone,),) = await cursor.fetchall()
        assert muster.vault.open(phone) == b"13811112222"
        assert await select(muster, "SELECT count(*) FROM registry.alias") == [(0,)]

    play(story)


def test_bad_rows_come_back(play: Play, tmp_path: Path):
    bad = """\
姓名,单位编码,手机,证件号码,居住小区,标签
,U1,13800000001,,,
李一,U7,12,110105194912310021,X9,
王二,U1,,,,
赵三,U1,13800000003,,,13800000003
"""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        report = await feed(muster, "staff", written(tmp_path, bad))
        assert counts(report) == (0, 0, 0, 4)
        assert faults(report) == [
            (2, "姓名", "cell-missing"),
            (3, "单位编码", "unit-code-unknown"),
            (3, "手机", "phone-invalid"),
            (3, "证件号码", "document-invalid"),
            (3, "居住小区", "area-code-unknown"),
            (4, "手机", "nobody-to-know"),
            (5, "标签", "personal-here"),
        ]

    play(story)


def test_trainings(play: Play, tmp_path: Path):
    passed = """\
单位编码,姓名,工号,手机,岗位,通过日期,有效期至
U1,李一,1001,,采样员,2022-07-01,2022-12-31
U1,王二,,13800000002,registrar,2022-07-02,
U1,王二,,13800000002,采样员,2022-07-02,2022-07-01
U1,王五,9,,采样员,2022-07-02,
U1,李一,1001,,厨师,2022-07-02,
"""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(STREET_UNITS))
        await feed(muster, "staff", written(tmp_path, STAFF))
        path = written(tmp_path, passed)
        report = await feed(muster, "trainings", path)
        assert counts(report) == (2, 0, 0, 3)
        assert faults(report) == [
            (4, "有效期至", "dates-crossed"),
            (5, "工号", "staff-not-listed"),
            (6, "岗位", "word-unknown"),
        ]
        assert await select(muster, "SELECT role FROM workforce.training ORDER BY role") == [
            ("registrar",),
            ("sampler",),
        ]
        assert counts(await feed(muster, "trainings", path)) == (0, 2, 0, 3)

    play(story)
