"""The command line as people and programs meet it: help, one JSON document, exit codes, lists that
leave as files, and every word in the user's language.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
import structlog
from click.testing import CliRunner, Result

import muster.cli as cli
from muster.cli.output import Out
from muster.cli.words import HEADS, PERSON_NAME, VALUES, WORDS
from muster.config import Settings
from muster.instance import Instance
from muster.intake.faults import Row
from muster.intake.residents import REASONS
from muster.intake.tables import Column, open_table
from muster.lab.events import Outcome
from muster.ledger.event import Body
from muster.registry.engine.identity import KINDS
from muster.registry.events import GridKind, Level, Sex, State, UnitKind
from muster.sampling.events import Purpose
from tests.conftest import Play
from tests.import_files import feed, number, written
from tests.table import TOWN, events, named

Run = Callable[..., Result]

STORY = """
    08:00  ResidentListed  w1  source=walk_in
    08:00  ResidentListed  p1  building=H1 room=101 name=王一
    08:10  SiteListed      Z1  area=S1
    08:10  UnitListed      U1  area=G1 kind=school code=U1 name=U1
    08:20  TubeSealed      T1  members=p1,p2 round=R1 site=Z1 device=phone seq=2
    08:20  TubeSealed      T2  members=p2 round=R1
    08:20  TubeSealed      T3  members= round=R1
    08:20  TubeSealed      T9  members=p9 round=R1
    12:00  ResultReleased  r1  barcode=T1 outcome=positive
    12:00  ResultReleased  r3  barcode=T3 outcome=negative
    12:30  ResultReleased  r4  barcode=T3 outcome=positive
    12:00  ResultReleased  r5  barcode=X1 outcome=negative
"""
# Commands that look, with what they need; each is run in both languages.
LOOKING = [
    "task list", "task list --state all", "addressee list",
    "funnel", "funnel --level grid", "missing --area S1", "recalls", "alarms", "areas",
    "areas --under S1", "people --area S1 --name zhang", f"person {named('p1')}", "tube T1",
    "sites", "units", "anomalies", "conflicts", "waiting", "duplicates", "devices", "round list",
    "round balance", "inbox list", "stalled", "policy tube-size", "verify", "tick",
    f"check-id {number()}", "check-id 123", "retention", "erase requests",
]  # fmt: skip


@pytest.fixture
def run(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command of the command line, on the test's database."""
    monkeypatch.setenv("DATABASE_URL", database.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(database.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(database.key_file))

    def run(*words: object, language: str = "en") -> Result:
        monkeypatch.setenv("MUSTER_LANGUAGE", language)
        return CliRunner().invoke(cli.main, [str(word) for word in words])

    yield run
    structlog.reset_defaults()  # a command sends its log to the standard error of its run


@pytest.fixture
def town(play: Play, tmp_path: Path) -> None:
    """Somebody of everything the lists show."""
    people = "姓名,证件号码,手机,楼栋,房号\n"
    people += f"张乐,{number(sequence=3)},13800138000,H1,1\n張樂,,13800138000,H1,1\n"

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN.rstrip() + STORY))
        await feed(muster, "residents", written(tmp_path, people))

    play(story)


def walked(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from walked(below, *path, name)
    else:
        yield path, command


cli.load()
COMMANDS = dict(walked(cli.main))


def test_the_contents_page_lists_every_command():
    assert sorted(cli.MODULES) == sorted(cli.main.commands)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_json(path: tuple[str, ...]):
    shown = CliRunner().invoke(cli.main, [*path, "--help"])
    assert shown.exit_code == 0
    summary = (COMMANDS[path].help or "").split()
    assert len(summary) > 2
    assert summary[0] in shown.stdout
    assert "--json" in shown.stdout


def test_lists_speak_chinese(run: Run, town: None, monkeypatch: pytest.MonkeyPatch):
    """Every head and every word of ours; what stays in Latin letters was typed by somebody."""
    heads: set[str] = set()
    head = Out.head
    monkeypatch.setattr(Out, "head", lambda out, *a: (heads.add(a[0]), head(out, *a))[1])
    for command in LOOKING:
        shown = run(*command.split(), language="zh")
        assert (shown.exit_code, command) == (0, command), shown.stderr
        typed = r"\b([SGHTUZRX]\d|p\d+|r\d|w\d|tester|L1|phone|rule:[\w.]+|[0-9a-f-]{36}|import)\b"
        assert re.findall(r"[a-z_]{2,}", re.sub(typed, "", shown.stdout)) == [], command
    assert sorted((heads | VALUES) - {*HEADS}) == []
    assert [both for both in (*HEADS.values(), PERSON_NAME) if re.search("[a-z]", both[1])] == []
    for command, name in (("missing --area S1", "姓名"), ("recalls", "姓名"), ("areas", "名称")):
        assert name in run(*command.split(), language="zh").stdout.split()


def test_what_may_stand_in_a_cell_has_a_chinese_word():
    words = [*Body.types, *KINDS, *REASONS.keys() - {"kind"}]
    for literal in (Level, GridKind, Sex, State, UnitKind, Outcome, Purpose):
        words += get_args(literal)
    assert sorted({*words} - {*WORDS} - {type_ for type_ in Body.types if not ours(type_)}) == []


def ours(type_: str) -> bool:
    return Body.types[type_].__module__.startswith("muster.")


def test_lists_speak_english_without_our_own_spellings(run: Run, town: None):
    for command in LOOKING:
        shown = run(*command.split())
        ours_only = re.sub(r"rule:\S+", "", shown.stdout)
        assert re.findall(r"\b[a-z]+_[a-z_]+\b", ours_only) == [], command
        assert not re.search(r"\b(True|False|None|UUID)\b", shown.stdout), command


def test_one_json_document_and_nothing_else(run: Run, town: None):
    for command in LOOKING:
        shown = run(*command.split(), "--json")
        assert (shown.exit_code, shown.stderr) == (0, ""), command
        json.loads(shown.stdout)


def test_tasks_and_addressees(run: Run, town: None):
    add = "addressee add police --name Police --role tracer --reach everywhere"
    assert run(*add.split(), "--json").exit_code == 0
    listed = json.loads(run("addressee", "list", "--json").stdout)
    assert [one["code"] for one in listed] == ["area_lead", "area_lead", "police", "squad"]
    first, *_ = json.loads(run("task", "list", "--json").stdout)
    for words in ("acknowledge", "done"):
        assert run("task", words, first["task"]).exit_code == 0
    done = json.loads(run("task", "list", "--state", "done", "--json").stdout)
    assert [(one["task"], one["outcome"], one["done_by"]) for one in done] == [
        (first["task"], "done", "command line")
    ]


@pytest.mark.parametrize(
    ("words", "code", "slug"),
    [
        ("tube nowhere", 1, "tube-unknown"),
        ("missing --area nowhere", 1, "area-unknown"),
        ("funnel --round nowhen", 1, "round-unknown"),
        ("person 123", 1, "person-unknown"),
        ("sites -o nowhere/sites.csv", 1, "file-unusable"),
        ("sites -o sites.txt", 2, None),
        ("missing", 2, None),
        ("funnel --level planet", 2, None),
        ("import areas nowhere.csv", 2, None),
        ("import planets tests/conftest.py", 2, None),
        ("import areas tests/conftest.py", 1, "columns-missing"),
        ("merge one two", 2, None),
        (f"task done {named('p1')}", 1, "task-unknown"),
        ("addressee add x --name X --role auditor --reach lab", 2, None),
        (
            "addressee add x --name X --role squad --reach lab --since 2020-01-01",
            1,
            "addressee-in-the-past",
        ),
        ("nothing", 2, None),
    ],
)
def test_exit_codes(run: Run, town: None, words: str, code: int, slug: str | None):
    said = run(*words.split(), "--json")
    assert said.exit_code == code
    if slug is None:
        assert (said.stdout, bool(said.stderr)) == ("", True)
        return
    problem = json.loads(said.stdout)
    assert (problem["type"], said.stderr) == (f"urn:muster:problem:{slug}", "")
    shown = run(*words.split(), language="zh")
    assert (shown.exit_code, shown.stdout) == (code, "")
    assert re.search(r"[\u4e00-\u9fff]", shown.stderr)


def test_a_database_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Settings, "from_environment", lambda: settings)
    settings = Settings(Path(), "postgresql://127.0.0.1:1/x", Path("/dev/null"), "UTC", "en")
    assert run("sites", "--json").exit_code == 1


def test_a_defect_tells_no_values(run: Run, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("张三 13800138000")

    monkeypatch.setattr("muster.cli.checking.check", fail)
    said = run("check-id", number(), "--json")
    assert said.exit_code == 1
    assert json.loads(said.stdout)["type"] == "urn:muster:problem:command-failed"
    assert (number() in said.output, "张三" in said.stdout) == (False, False)


def test_lists_leave_as_files_without_formulas(run: Run, play: Play, tmp_path: Path):
    async def story(muster: Instance) -> None:
        await muster.door.append(events("07:00 AreaListed D1 level=district name==1+1"))
        await muster.door.append(events("07:00 AreaListed D9 level=district name=+86"))

    play(story)
    files = [tmp_path / f"areas.{suffix}" for suffix in ("csv", "xlsx")]
    for file in files:
        assert run("areas", "-o", file, language="zh").exit_code == 0
    lines = files[0].read_text("utf-8-sig").splitlines()
    assert lines[1:] == ["D1,'=1+1,区县,,", "D9,'+86,区县,,"]
    columns = [Column(name, (), True) for name in ("编码", "名称", "级别")]
    with open_table(files[1], columns) as table:
        cells = [row.cells for row in table.rows() if isinstance(row, Row)]
    assert cells == [("D1", "=1+1", "区县"), ("D9", "+86", "区县")]
    with zipfile.ZipFile(files[1]) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_an_import_is_told_in_the_users_language(run: Run, tmp_path: Path):
    path = written(tmp_path, "编码,级别,名称,上级,备注\nD1,区,甲区,,\nS1,街道,,D7,\n")
    told = json.loads(run("import", "areas", path, "--json").stdout)
    assert {name: told[name] for name in ("rows", "stored", "rejected", "unknown_columns")} == {
        "rows": 2, "stored": 1, "rejected": 1, "unknown_columns": ["备注"],
    }  # fmt: skip
    assert told["faults"] == [
        {"line": 3, "column": "name", "header": "名称", "slug": "cell-missing",
         "message": "The cell must not be empty."},
    ]  # fmt: skip
    shown = run("import", "areas", path, language="zh").stdout
    assert shown.startswith("区域：2 行，未变 1，退回 1；用时 ")
    assert re.search(r"3 +名称 +此单元格不能为空。", shown)


def test_a_small_example_goes_in_whole(run: Run, tmp_path: Path):
    folder = tmp_path / "zhifu"
    assert run("example", "zhifu", "--people", 500, "--out", folder).exit_code == 0
    for kind in ("areas", "grids", "buildings", "units", "sites", "residents"):
        path = folder / f"{kind}.csv"
        told = [json.loads(run("import", kind, path, "--json").stdout) for _ in range(2)]
        assert [one["rejected"] for one in told] == [0, 0]
        assert [one["stored"] for one in told] == [told[0]["rows"] - told[0]["joined"], 0]
    assert [path.name for path in folder.glob("*.rejected*")] == []


@pytest.mark.parametrize(
    ("text", "birth_date", "sex"),
    [
        ("11010519491231002X", "1949-12-31", "female"),  # the example of GB 11643-1999
        ("440524188001010014", "1880-01-01", "male"),
    ],
)
def test_check_id(text: str, birth_date: str, sex: str):
    said = CliRunner().invoke(cli.main, ["check-id", text, "--json"])
    assert json.loads(said.stdout) == {
        "valid": True, "kind": "resident_id", "reason": None, "birth_date": birth_date, "sex": sex,
    }  # fmt: skip


HEAVY = ("psycopg", "structlog", "litestar", "uvicorn", "xlsxwriter", "opencc", "pypinyin")


@pytest.mark.parametrize("words", [["--help"], ["check-id", number(), "--json"]])
def test_what_needs_no_database_loads_none(words: list[str]):
    program = (
        "import sys; from muster.cli import main; main(sys.argv[1:], standalone_mode=False);"
        f" print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, check=True)
    assert done.stderr.decode().strip() == ""


def test_a_demonstration_is_played_to_its_end(run: Run):
    played = run("demo", "--people", "600", "--no-stay", "--json")
    assert played.exit_code == 0, played.stderr[-2_000:]
    assert json.loads(played.stdout)


def test_a_call_up_is_played_to_its_end(run: Run):
    played = run("demo", "callup", "--people", "2000", "--no-stay", "--json")
    assert played.exit_code == 0, played.stderr[-2_000:]
    scenes = json.loads(played.stdout)
    assert scenes["teachers"]["arrived"] == scenes["teachers"]["needed"] == 65
    assert scenes["teachers"]["minutes"] <= 30
    assert scenes["groups"]["more"].pop("printed_bytes") > 10_000
    assert scenes["groups"]["more"] == {"groups": 14, "sizes_differ_by": 0}
    assert scenes["aid_team"]["more"] == {"compounds": 16, "with_nobody": 0, "refused": 0}
    change = scenes["shift_change"]
    assert change["arrived"] >= change["needed"] == change["more"]["handed_over"] == 180
    assert change["more"]["no_shows"] > 0
    assert scenes["limits"] == {"refused": 1, "past_a_limit_by_name": 1, "past_a_limit_without": 0}
