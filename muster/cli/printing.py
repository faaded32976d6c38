"""Commands that print: the personal codes of a whole area, file after file."""

from pathlib import Path
from typing import Any, get_args

import rich_click as click

from muster.cli import main
from muster.cli.output import Out, command, opened
from muster.config import PRINT_PEOPLE_LIMIT
from muster.core.clock import now
from muster.instance import Instance
from muster.papers.room import Group

ACTOR = "command line"


@main.group("print")
def print_group() -> None:
    """What is printed in bulk."""


@command(print_group, "codes")
@click.option("--area", required=True, help="Code, id or name.")
@click.option("--group", type=click.Choice(get_args(Group)), default="building", show_default=True,
              help="What begins on a page of its own.")  # fmt: skip
@click.option("--names/--no-names", default=False, help="Names whole; otherwise masked.")
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="A folder. Files that are there already are kept: begin again where it ended.")  # fmt: skip
async def print_codes(out: Out, area: str, group: Group, names: bool, output: Path) -> Any:
    """Personal codes of all who live under an area, in the order of the walk."""

    async def work(out: Out, muster: Instance) -> Any:
        from muster.papers import bulk
        from muster.registry import queries as registry

        output.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with muster.pool.connection() as conn:
            top = await registry.area(conn, area)
            with out.progress(out.pick("printing", "正在打印")) as bar:
                told = await bulk.codes(
                    conn, muster.settings, top["area"], folder=output, stem=str(top["code"]),
                    group=group, masked=not names, language=out.language, who=ACTOR, at=now(),
                    most=PRINT_PEOPLE_LIMIT, progress=lambda done, all_: bar(done, all_, done),
                )  # fmt: skip
        out.say(
            f"{told.people:,} people in {told.files:,} files → {output}. They hold personal data:"
            " delete them when printed.",
            f"{told.people:,} 人，{told.files:,} 个文件 → {output}。含个人信息，打印后请删除。",
        )
        return told

    return await opened(work, out)
