"""Homes of servers; every test ends with the check that it left no process and no folder."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster.db import embedded
from tests.embedded.scene import outside, processes


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anyone can reach (pytest's own is closed to other users)."""
    path = Path(tempfile.mkdtemp(prefix="muster-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def home(folder: Path) -> Iterator[Path]:
    """The home of a test, which has to leave nothing behind once the home is removed."""
    path = folder / "home"
    yield path
    embedded.remove(path)
    assert not path.exists()
    assert not list(folder.iterdir())
    assert not outside(path)
    assert not processes(path)


@pytest.fixture
def used(home: Path, template: Path) -> Path:
    """A home that was started before: a copy is faster than a first start."""
    home.mkdir(mode=0o755)
    subprocess.run(["cp", "-a", str(template / "data"), str(home)], check=True)
    return home


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="muster-test-"))
    path.chmod(0o755)
    embedded.start(path / "home").close()
    yield path / "home"
    embedded.remove(path / "home")
    path.rmdir()
