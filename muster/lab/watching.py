"""A watched folder: whatever an instrument or another system puts there is taken in once it is whole.

A file is moved when it has been kept, never deleted: to `done`, or to `waiting` with a text beside it that
says why and what to do.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from muster.core.clock import now
from muster.core.log import logger
from muster.core.problems import Problem
from muster.instance import Instance
from muster.lab.files import LabFileTooLarge, Taken, take_file

PAUSE_SECONDS = 2.0
Say = Callable[[str, Taken], None]
ACTOR = "watched folder"


async def watch(
    muster: Instance, lab: str, folder: Path, *, once: bool = False, language: str = "en",
    say: Say = lambda _name, _taken: None,
) -> list[Taken]:  # fmt: skip
    """Take in the files of a folder until cancelled; with `once` those that are there now. A file is
    read when its size and time have stood still for a pause: half a file is not an export."""
    seen: dict[Path, tuple[int, int]] = {}
    taken: list[Taken] = []
    while True:
        here = await asyncio.to_thread(_files, folder)
        whole = [path for path, state in here.items() if seen.get(path) == state]
        for path in sorted(whole):
            if (done := await _take(muster, lab, folder, path, language)) is not None:
                say(path.name, done)
                taken.append(done)
        if once and not here.keys() - set(whole):
            return taken
        seen = here
        await asyncio.sleep(PAUSE_SECONDS if not once else 0.2)


async def _take(
    muster: Instance, lab: str, folder: Path, path: Path, language: str
) -> Taken | None:
    try:
        content = await asyncio.to_thread(path.read_bytes)
        done = await take_file(
            muster, lab, path.name, content, actor=ACTOR, at=now(), language=language
        )
    except LabFileTooLarge as problem:
        done = Taken("-", "refused", fresh=True, problem=problem.message(language))
    except Problem as problem:  # the database is away: the file stays, and is taken next time
        logger.warning("watched_file", slug=problem.slug)
        return None
    except OSError as error:
        logger.warning("watched_file", error=type(error).__name__)
        return None
    await asyncio.to_thread(_move, folder, path, done)
    return done


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith((".", "~")):
            state = path.stat()
            found[path] = (state.st_size, state.st_mtime_ns)
    return found


def _move(folder: Path, path: Path, done: Taken) -> None:
    into = folder / ("done" if done.state == "imported" else "waiting")
    into.mkdir(exist_ok=True)
    target = into / path.name
    number = 1
    while target.exists():
        number += 1
        target = into / f"{path.stem} ({number}){path.suffix}"
    path.rename(target)
    said = [*([done.problem] if done.problem else []), *done.faults]
    if said:
        target.with_name(target.name + ".why.txt").write_text("\n".join(said) + "\n", "utf-8")
