"""What is held about somebody, who looked, and what they object to: complete, printable, of nobody else."""

from datetime import timedelta
from pathlib import Path

import pytest

from muster.access.readings import note_reading
from muster.core.clock import now
from muster.coverage.queries import alarms
from muster.instance import Instance
from muster.registry import decide
from muster.registry.about import SECTIONS, about, objections
from muster.registry.decide import ObjectionUnknown
from muster.registry.engine.leaflet import leaflet
from tests.conftest import Play
from tests.import_files import number
from tests.table import TOWN, Story, events, named
from tests.test_cli import Run, run  # noqa: F401  (a fixture)

LIFE = (
    TOWN.rstrip()
    + f"""
    08:00  ResidentListed    p1  building=H1 room=101 name=王一 number={number()} phone=13811111111
    08:00  ResidentListed    w1  source=walk_in name=王一 number={number()}
    08:00  ResidentListed    p2  building=H1 room=102 name=李二
    08:20  TubeSealed        T1  members=w1,p2 round=R1
    08:30  ExemptionGranted  p1  reason=illness round=R1 note=孕晚期
    12:00  ResultReleased    r1  barcode=T1 outcome=positive
"""
)


async def lived(muster: Instance) -> None:
    await muster.door.append(events(LIFE))
    async with muster.pool.connection() as conn:
        for who, person in (("g1", "p1"), ("g2", "w1"), ("g3", "p2")):
            await note_reading(
                conn, who=who, device="", what="GET /v1/people", why="tracing", masked=False,
                people=[named(person)], at=now(),
            )  # fmt: skip


def test_everything_held_is_told_under_every_id(play: Play):
    async def story(muster: Instance) -> None:
        await lived(muster)
        door = muster.door
        raised = await decide.raise_objection(
            door, person=named("p1"), about="result", note="我没去采样", actor="p1", at=now()
        )
        async with muster.pool.connection() as conn:
            await decide.answer_objection(
                conn, door, objection=raised, answer="rejected", note="有封管记录", actor="c1",
                at=now(),
            )  # fmt: skip
            found = await about(conn, muster.vault, named("w1"))
            assert set(found["ids"]) == {named("p1"), named("w1")}
            assert {(row["name"], row["number"]) for row in found["identities"]} == {
                ("王一", number())
            }
            assert [row["phone"] for row in found["identities"] if row["phone"]] == ["13811111111"]
            assert [row["room"] for row in found["addresses"] if row["room"]] == ["101"]
            assert [row["outcome"] for row in found["swabs"]] == ["positive"]
            assert [row["state"] for row in found["recalls"]] == ["open"]
            assert [row["kind"] for row in found["stances"]] == ["exempt"]
            assert [row["said"] for row in found["notes"]] == ["孕晚期"]
            assert [row["reason"] for row in found["merges"]] == ["same_document"]
            ((one),) = found["objections"]
            assert (one["said"], one["answer"], one["told"]) == (
                "我没去采样", "rejected", "有封管记录"
            )  # fmt: skip
            assert {row["who"] for row in found["readings"]} == {"g1", "g2"}
            assert "李二" not in str(found)
            nobody = await about(conn, muster.vault, named("p9999"))
            assert not any(nobody[section] for section in SECTIONS)

    play(story)


def test_an_objection_waits_for_its_answer_and_is_an_alarm_when_it_waits_too_long(play: Play):
    async def story(muster: Instance) -> None:
        await lived(muster)
        long_ago = now() - timedelta(hours=80)
        for person, at in (("p1", long_ago), ("p2", now())):
            await decide.raise_objection(
                muster.door, person=named(person), about="status", note=None, actor="x", at=at
            )
        async with muster.pool.connection() as conn:
            waiting = (await objections(conn)).items
            assert [row["resident"] for row in waiting] == [named("p1"), named("p2")]
            counts = {row["alarm"]: row["count"] for row in await alarms(conn)}
            assert counts["objection_overdue"] == 1
            await decide.answer_objection(
                conn, muster.door, objection=waiting[0]["objection"], answer="corrected",
                note=None, actor="c1", at=now(),
            )  # fmt: skip
            assert "objection_overdue" not in {row["alarm"] for row in await alarms(conn)}
            assert len((await objections(conn)).items) == 1
            assert len((await objections(conn, unanswered=False)).items) == 2
            with pytest.raises(ObjectionUnknown):
                await decide.answer_objection(
                    conn, muster.door, objection=named("p1"), answer="upheld", note=None,
                    actor="c1", at=now(),
                )  # fmt: skip

    play(story)


def test_the_view_of_objections_follows_from_the_events(play: Play):
    """The latest answer counts; an answer to another objection does not."""
    play(
        Story()
        .given(
            TOWN.rstrip()
            + """
            08:00  ObjectionRaised    p1  id=o1 about=address
            08:01  ObjectionRaised    p1  id=o2 about=result
            09:00  ObjectionAnswered  p1  cause=o1 answer=rejected
            10:00  ObjectionAnswered  p1  cause=o1 answer=corrected
            10:00  ObjectionAnswered  p2  cause=o2 answer=upheld
        """
        )
        .then("""
            registry.objection
            resident  objection  about    raised_at  answer     answered_at
            p1        o1         address  08:00      corrected  10:00
            p1        o2         result   08:01      -          -
        """)
    )


def test_the_page_runs_and_loads_nothing():
    found = {"identities": [{"name": "<script>alert(1)</script>", "at": None}], "swabs": []}
    page = leaflet(
        found,
        as_of="2022",
        head=lambda c: ("列", c),
        cell=lambda _c, v: "" if v is None else str(v),
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    assert "没有 / nothing" in page


def test_a_person_is_told_on_paper(play: Play, run: Run, tmp_path: Path):  # noqa: F811
    play(lived)
    file = tmp_path / "about.html"
    result = run("about", named("p1"), "-o", file)
    assert result.exit_code == 0, result.output
    page = file.read_text(encoding="utf-8")
    for text in ("王一", number(), "13811111111", "孕晚期", "tracing", "谁查看过", "Who looked"):
        assert text in page
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert run("about", named("nobody")).exit_code == 1
    shown = run("readings", "--person", named("p1"), "--json").output
    assert "muster about" in shown
    assert "data_subject" in shown
