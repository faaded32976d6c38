"""The documents keep up with the code: the generated reference is fresh, settings are explained and
what the documents point at exists.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from muster.catalogue import CATALOGUE
from muster.core.problems import Problem
from muster.ledger.event import Body
from tests.house.test_tidy import files, none_of, read

ROOT = Path(__file__).parents[2]
REFERENCE = Path("docs/reference.md")
SETTINGS = Path("docs/settings.md")
GLOSSARY = Path("GLOSSARY.md")
ARCHITECTURE = Path("ARCHITECTURE.md")
ARCHITECTURE_LINES = 200
DOCUMENTS = sorted(file for file in files() if file.suffix == ".md")


@pytest.fixture(scope="module")
def fresh() -> str:
    """The reference as a process of its own writes it: nothing of the tests is in there."""
    command = [sys.executable, str(ROOT / "tools" / "reference.py"), "--print"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def test_the_reference_is_fresh(fresh: str) -> None:
    assert read(REFERENCE) == fresh, "run `make reference`"


def test_the_reference_names_everything(fresh: str) -> None:
    ours = [type_ for type_ in Body.types.values() if type_.__module__.startswith("muster.")]
    names = [type_.__name__ for type_ in ours]
    names += [one.name for one in (*CATALOGUE.projections, *CATALOGUE.rules)]
    problems = [type_ for type_ in Problem.catalogue.values() if type_.__module__[:7] == "muster."]
    names += [type_.slug for type_ in problems]
    none_of([name for name in names if f"`{name}`" not in fresh], "not in the reference")


def test_every_setting_is_explained(fresh: str) -> None:
    settings = fresh.partition("## Settings\n")[2].partition("\n## ")[0]
    names = re.findall(r"^\| `(\w+)`", settings, re.MULTILINE)
    assert "MUSTER_HOME" in names
    none_of([name for name in names if f"`{name}`" not in read(SETTINGS)], f"not in {SETTINGS}")


def test_the_architecture_is_short() -> None:
    assert read(ARCHITECTURE).count("\n") < ARCHITECTURE_LINES


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(document))
    here = [link for link in links if "://" not in link]
    none_of(
        [link for link in here if not (ROOT / document.parent / link).exists()],
        f"broken links of {document}",
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_named_files_exist(document: Path) -> None:
    """`muster/lab/rules.sql` is there, and `muster/lab/rules.sql: recall_members` is in it."""
    named = re.findall(r"`((?:muster|tests|tools|docs)/[\w./]+)(?:: ([\w.]+))?`", read(document))
    gone = []
    for path, name in named:
        if not (ROOT / path).exists():
            gone.append(path)
        elif name and not _defines((ROOT / path).read_text(encoding="utf-8"), name):
            gone.append(f"{path}: {name}")
    none_of(gone, f"named by {document}, but not there")


def _defines(source: str, name: str) -> bool:
    definition = r"(?:^|\s)(?:def|class|-- name:)\s+{0}\b|^{0}\b"
    return all(
        re.search(definition.format(re.escape(part)), source, re.MULTILINE)
        for part in name.split(".")
    )


def test_the_glossary_has_both_languages() -> None:
    """Each row: the word, 中文, a sentence in English, one in Chinese."""
    lines = [line for line in read(GLOSSARY).split("\n") if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    rows = [row for row in rows if row[0] != "word"]
    assert len(rows) > 50
    chinese = re.compile(r"[\u4e00-\u9fff]")
    whole = [row for row in rows if len(row) == 4 and chinese.search(row[1])]
    whole = [row for row in whole if row[2].endswith(".") and row[3].endswith("。")]
    none_of([row[0] for row in rows if row not in whole], "without both languages")
    assert len({row[0] for row in rows}) == len(rows), "a word stands there twice"


def test_decisions_are_numbered() -> None:
    names = sorted(file.name for file in DOCUMENTS if file.parent == Path("docs/decisions"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
