"""docs/security.md says nothing that is not there: each test, file, command, setting, table, route and
role it names exists; and what it says of the code itself is so.
"""

import ast
import re
import shlex
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from muster import cli
from muster.access.engine.roles import ROLES, Right
from muster.catalogue import CATALOGUE
from muster.core.problems import Problem
from muster.keeping.securing import all_guards
from muster.ledger.event import Body
from tests.house.test_tidy import ROOT, none_of, read, trees

DOCUMENT = Path("docs/security.md")
LINE_LENGTH = 400
LINES = 350
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FILE = re.compile(r"`((?:muster|tests|tools|docs)/[\w./-]+)`")
SCHEMAS = "access|coverage|credential|lab|ledger|registry|sampling|vault"
# Run what comes in, or make objects of whatever it says.
RUNNING = {"eval", "exec", "compile", "__import__"}
SHELLS = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell"}
LOADERS = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}


def said() -> str:
    return read(DOCUMENT)


def words() -> list[str]:
    """Everything between backticks, but tests and files."""
    return [one for one in re.findall(r"`([^`]+)`", said()) if "/" not in one]


def test_each_test_it_names_is_there() -> None:
    named = set(TEST.findall(said()))
    assert len(named) > 80
    known = {
        (str(file), node.name)
        for file, tree in trees().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    none_of([f"{file}::{test}" for file, test in sorted(named - known)], "no such test")
    assert said().count("::test_") == len(TEST.findall(said())), "a test that is named otherwise"


def test_each_line_of_the_standard_has_a_test_or_a_word() -> None:
    """Of ASVS: a test, or that it does not apply, is not tested, not met, or where it is written."""
    section = said().partition("\n## 5. ")[2].partition("\n## 6. ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 70
    chapters = re.findall(r"^\| \*\*V(\d+) ", section, re.MULTILINE)
    assert [int(one) for one in chapters] == list(range(1, 18))
    excused = re.compile(r"do(es)? not apply|not (yet|tested|met)|section [12]|settings\.md")
    none_of([row for row in rows if not TEST.search(row) and not excused.search(row)], "no test")


def test_each_file_and_link_is_there() -> None:
    none_of([one for one in FILE.findall(said()) if not (ROOT / one).exists()], "no such file")
    titles = {
        heading.lower().replace(" ", "-")
        for heading in re.findall(r"^## (.+)$", read(Path("docs/reference.md")), re.MULTILINE)
    }
    anchors = re.findall(r"reference\.md#([\w-]+)", said())
    assert anchors
    none_of([one for one in anchors if one not in titles], "no such heading")


def test_each_command_is_there() -> None:
    cli.load()
    named = {one for one in words() if one.startswith("muster ")}
    assert len(named) > 10
    none_of([one for one in sorted(named) if not _runs(one)], "no such command")


def _runs(line: str) -> bool:
    """Whether there is such a command with such options."""
    command: Any = cli.main
    for word in shlex.split(line)[1:]:
        if word.startswith("-"):
            if not any(word in one.opts for one in command.params):
                return False
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return False
            command = found
        elif not word.isupper():  # LOGIN and the like stand for an argument
            return False
    return True


def test_each_name_is_of_the_program() -> None:
    """Settings, tables, routes, and classes of problems and events."""
    settings, reference = read(Path("docs/settings.md")), read(Path("docs/reference.md"))
    classes = {one.__name__ for one in Problem.catalogue.values()} | set(Body.types)
    tables = {guard.table for guard in all_guards(CATALOGUE)}
    wrong = []
    for word in words():
        if re.fullmatch(r"MUSTER_\w+|DATABASE_URL", word):
            wrong += [] if f"`{word}`" in settings else [word]
        elif re.fullmatch(rf"({SCHEMAS})\.\w+", word) and not word.endswith(".key"):
            wrong += [] if word in tables else [word]
        elif re.fullmatch(r"([A-Z][a-z]+){2,}", word):
            wrong += [] if word in classes else [word]
    routes = re.findall(r"`(/[\w/]+)`", said())
    assert len(routes) > 5
    served = reference + read(Path("muster/app.py"))
    wrong += [one for one in routes if f"{one}`" not in served and f'"{one}"' not in served
              and f"{one}/" not in served]  # fmt: skip
    none_of(wrong, "no such thing")


def test_each_role_stands_there_and_each_right_in_the_reference() -> None:
    none_of([role for role in ROLES if f"`{role}`" not in said()], "a role it is silent about")
    listed = read(Path("docs/reference.md")).partition("\n## Roles\n")[2].partition("\n## ")[0]
    none_of([role for role in ROLES if f"| `{role}` |" not in listed], "not in the reference")
    given = set().union(*(role.rights for role in ROLES.values()))
    assert given | {"public", "signed_in"} == set(get_args(Right))
    none_of([one for one in sorted(given) if not re.search(rf"\b{one}\b", listed)], "not there")
    careful = {role.name for role in ROLES.values() if role.second_factor}
    assert len(careful) == 6, "the document says: six"
    assert len(ROLES) == 17, "the document says: seventeen"


def test_it_is_short() -> None:
    lines = said().splitlines()
    assert len(lines) <= LINES
    none_of([line[:60] for line in lines if len(line) > LINE_LENGTH], "a line too long")


def test_nothing_runs_what_comes_in() -> None:
    """No eval, no shell, no format that makes objects of what it reads."""
    ours = {file: tree for file, tree in trees().items() if file.parts[0] == "muster"}
    assert len(ours) > 100
    none_of([f"{file}: {one}" for file, tree in ours.items() for one in runs(tree)], "it runs")


def runs(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names if one.name.split(".")[0] in LOADERS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LOADERS:
            found.append(node.module or "")
        elif isinstance(node, ast.Call):
            match node.func:
                case ast.Name(name) if name in RUNNING:
                    found.append(name)
                case ast.Attribute(attr=name) if name in SHELLS:
                    found.append(name)
            shell = [one for one in node.keywords if one.arg == "shell"]
            found += ["shell" for one in shell if getattr(one.value, "value", True)]
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("eval(x)", ["eval"]), ("import pickle", ["pickle"]), ("from yaml import load", ["yaml"]),
        ("os.system(x)", ["system"]), ("run(x, shell=True)", ["shell"]), ("run(x, shell=y)", ["shell"]),
        ("re.compile(x); run(x, shell=False); model.eval()", []),
    ],
)  # fmt: skip
def test_what_runs_is_found(source: str, found: list[str]) -> None:
    assert runs(ast.parse(source)) == found
