"""Papers of a whole area, one file after the other, each whole or not there: a job that was interrupted
goes on where it ended.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from muster.access.readings import note_reading, people_in
from muster.config import Settings
from muster.papers import queries, room
from muster.papers.room import Group
from muster.papers.templates import template
from muster.papers.typesetting import press, set_paper
from muster.registry.engine import personal_code
from muster.registry.engine.masking import masked_rows

Conn = psycopg.AsyncConnection[Any]


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """How much was printed, and which characters no font had."""

    people: int
    files: int
    lost: list[str]


async def codes(
    conn: Conn, settings: Settings, area: UUID, *, folder: Path, stem: str, group: Group,
    masked: bool, language: str, who: str, at: datetime, most: int,
    progress: Callable[[int, int], None],
) -> Printed:  # fmt: skip
    """Personal codes of an area into a folder. Who was printed is recorded before the file is there."""
    desk = press(settings.home, settings.fonts)
    form = template("codes", settings.home / "templates")
    total = (await queries.homes(conn, area))["people"]
    after, done, number, lost = None, 0, 0, set()
    while True:
        page = await queries.walk(conn, area, after=after, limit=most)
        people = masked_rows(page.items) if masked else page.items
        number += 1
        path = folder / f"{stem}-{number:04d}.pdf"
        if people and not path.exists():
            paper = await set_paper(
                desk, form, await _cards(conn, people, group, language, who, at), moment=at
            )
            lost |= set(paper.lost)
            await note_reading(
                conn, who=who, device="", what="muster print codes", why="" if masked else "door_to_door",
                masked=masked, people=people_in(page.items), at=at,
            )  # fmt: skip
            _whole(path, paper.content)
        done += len(people)
        progress(done, total)
        after = page.next
        if after is None:
            return Printed(people=done, files=number, lost=sorted(lost))


async def _cards(
    conn: Conn, people: list[dict[str, Any]], group: Group, language: str, who: str, at: datetime
) -> dict[str, Any]:
    codes = {
        one["resident"]: personal_code.grouped(personal_code.code_of(one["resident"]))
        for one in people
    }
    grids = await queries.grids(conn, list({one["building"] for one in people}))
    return room.code_cards(
        people, codes, grids, group=group, language=language, columns=3,
        foot=room.foot(language, who, at), prefix=personal_code.PREFIX,
    )  # fmt: skip


def _whole(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)
