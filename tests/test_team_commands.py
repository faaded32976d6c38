"""Teams and aid on the command line, in both languages and for programs."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

import muster.cli as cli
from muster.catalogue import CATALOGUE
from muster.config import Settings
from muster.core.clock import now
from muster.instance import Instance
from muster.keeping.follower import catch_up
from tests.conftest import Play
from tests.table import events
from tests.test_workforce_routes import SCENE

Run = Callable[..., Result]
AID = """
    07:00  AreaListed   k1  level=compound parent=S1
    07:00  AreaListed   k2  level=compound parent=S1
    07:00  AidAgreed    a1  host=S1 ends_at=30/20:00
    07:00  AidAgreed    a9  host=G2
    07:05  WaveSent     v1  aid=a1 count=3
    07:06  WaveArrived  v1  count=3
    07:10  TeamFormed   t1  area=S1 aid=a1 wave=v1 kind=aid
    07:11  TeamJoined   w1  team=t1 kind=aid
    07:11  TeamJoined   w2  team=t1 kind=aid
    07:11  TeamJoined   w3  team=t1 kind=aid
"""


@pytest.fixture
def run(database: Settings, monkeypatch: pytest.MonkeyPatch, play: Play) -> Iterator[Run]:
    """Run a command in a street with nine people, of whom three were sent."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(SCENE + AID))
        async with muster.pool.connection() as conn:
            await catch_up(conn, CATALOGUE)

    play(story)
    monkeypatch.setenv("DATABASE_URL", database.database_url or "")
    monkeypatch.setenv("MUSTER_HOME", str(database.home))
    monkeypatch.setenv("MUSTER_KEY_FILE", str(database.key_file))

    def run(*words: str, language: str = "en") -> Result:
        monkeypatch.setenv("MUSTER_LANGUAGE", language)
        return CliRunner().invoke(cli.main, [*words])

    yield run
    structlog.reset_defaults()


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_teams_are_formed_and_shown(run: Run):
    form = [
        "team",
        "form",
        "C",
        "--name",
        "小组",
        "--area",
        "G1",
        "--unit",
        "U1",
        "--groups",
        "2",
        "--json",
    ]
    dry = told(run(*form, "--dry"))
    made = told(run(*form))
    assert made == dry | {"dry": False}
    assert [(one["code"], one["people"]) for one in made["groups"]] == [("C-1", 3), ("C-2", 2)]
    assert "is formed" in run("team", "form", "T", "--name", "t", "--area", "G1").stdout
    again = run("team", "form", "T", "--name", "t", "--area", "G1")
    assert (again.exit_code, "T" in again.stderr) == (1, True)
    shown = told(run("team", "show", "C-1", "--json"))
    assert (shown["people"], shown["composition"]) == (3, {"total": {"people": "<5"}})
    assert "标色" in run("team", "list", language="zh").stdout
    listed = told(run("team", "list", "--json"))
    assert [one["code"] for one in listed] == ["C-1", "C-2", "T", "t1"]


def test_aid_is_assigned_and_released(run: Run):
    start = f"{now() + timedelta(hours=2):%Y-%m-%dT%H:%M%z}"
    assign = ["aid", "assign", "a1", "--role", "queue_guide", "--from", start, "--json"]
    dry = told(run(*assign, "--dry"))
    made = told(run(*assign))
    assert made == dry | {"dry": False}
    assert [(one["code"], one["people"]) for one in made["places"]] == [("k1", 2), ("k2", 1)]
    assert (made["resting"], made["unfit"], made["refused"]) == (0, 0, 0)
    assert told(run(*assign))["unfit"] == 3
    assert "已到岗" in run("aid", "show", "a1", language="zh").stdout
    assert told(run("aid", "release", "a1", "--wave", "1", "--json")) == {
        "people": 3,
        "accounts": 0,
    }
    shown = told(run("aid", "show", "a1", "--json"))
    assert shown["released_at"] is None
    assert shown["waves"][0]["released_at"] is not None
    assert told(run("aid", "show", "a9", "--json"))["waves"] == []
    nobody = run(*assign)
    assert nobody.exit_code == 1
