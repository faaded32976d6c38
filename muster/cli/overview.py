"""`muster briefing` and `muster import-positions`: what a command post hears and draws."""

from datetime import datetime
from pathlib import Path
from typing import Any

import rich_click as click

from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.output import Out, command, opened
from muster.core.clock import now, parse_local
from muster.core.ids import uuid7
from muster.coverage import decide, queries
from muster.coverage.engine.briefing import read
from muster.instance import Instance
from muster.intake import positions

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FINDINGS = ("kind", "name", "figure", "said", "found", "of")


def _time(out: Out, text: str | None) -> datetime:
    if text is None:
        return now()
    try:
        return parse_local(text, out.settings.timezone)
    except ValueError as error:
        raise click.BadParameter(f"{text} is no time") from error


@command(main, "briefing")
@click.argument("file", type=FILE)
@click.option("--as-of", help="Of when the figures are; else now.")
@click.option("--source", default="briefing", show_default=True, help="Who reported them.")
@click.option("--check", is_flag=True, help="Only look whether they can be true; keep nothing.")
async def briefing(out: Out, file: Path, as_of: str | None, source: str, check: bool) -> Any:
    """Reported figures from a CSV table: can they be true? They are kept, unless only checked."""
    found = read(file.read_text(encoding="utf-8"))
    body = decide.briefing_of(found, as_of=_time(out, as_of), source=source)
    findings = queries.implausible(body.total, body.parts, body.rounded_to)
    out.table([_row(one) for one in findings], FINDINGS)
    out.say(
        f"{len(findings)} of the figures cannot be true", f"有 {len(findings)} 处数据不可能成立"
    )
    if check:
        return {"briefing": None, "findings": findings}

    async def work(out: Out, muster: Instance) -> Any:
        briefing = await decide.report(muster.door, body, uuid7(), actor=ACTOR, at=now())
        return {"briefing": briefing, "findings": findings}

    return await opened(work, out)


def _row(finding: Any) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in FINDINGS}


@command(main, "import-positions")
@click.argument("file", type=FILE)
@click.option("--source", help="Where the positions come from; else the file's name.")
@click.option("--generated", is_flag=True, help="They were made up for an exercise.")
async def import_positions(out: Out, file: Path, source: str | None, generated: bool) -> Any:
    """Positions and outlines of areas and sites from a GeoJSON file, matched by code or name."""
    found = positions.parse(positions.decoded(file.read_bytes()))

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            placed = await positions.place(
                muster.door, conn, found, source=source or file.name, generated=generated,
                within=None, actor=ACTOR, at=now(), language=out.language,
            )  # fmt: skip
        out.say(
            f"{placed.areas} areas and {placed.sites} sites placed",
            f"已标注 {placed.areas} 个区域、{placed.sites} 个采样点",
        )
        rows = [
            {"feature": one.feature, "code": one.code, "name": one.name, "why": one.why}
            for one in placed.unplaced
        ]
        if rows:
            out.table(rows, ("feature", "code", "name", "why"))
        return placed

    return await opened(work, out)
