"""Commands about reports: list, freeze, take out, compute again."""

from pathlib import Path
from typing import Any
from uuid import UUID

import rich_click as click

from muster.cli import main
from muster.cli.output import Out, command, every, opened, output_option
from muster.core.clock import now
from muster.instance import Instance

ACTOR = "command line"
KINDS = ("daily", "special", "press", "sites", "labs", "coverage")


@main.group("report")
def report_group() -> None:
    """Reports: frozen with the ledger's head, taken out as files, computed again."""


@command(report_group, "list")
@click.option("--kind", type=click.Choice(KINDS))
@output_option
async def list_reports(out: Out, kind: Any, output: Path | None) -> Any:
    """Frozen reports, latest first."""

    async def work(out: Out, muster: Instance) -> Any:
        from muster.hq import reporting

        async with muster.pool.connection() as conn:
            rows = await every(lambda a: reporting.reports(conn, kind=kind, after=a))
        columns = (
            "frozen_at",
            "kind",
            "area_name",
            "round_name",
            "findings",
            "signatures",
            "report",
        )
        return out.listing(rows, columns, output)

    return await opened(work, out)


@command(report_group, "freeze")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--area", required=True, help="Code, id or name.")
@click.option("--round", "round_", help="Id or name; else the newest round.")
async def freeze_report(out: Out, kind: Any, area: str, round_: str | None) -> Any:
    """Make a report of all that the ledger holds now. It stays as it is."""

    async def work(out: Out, muster: Instance) -> Any:
        from muster.catalogue import CATALOGUE
        from muster.hq import reporting
        from muster.papers.templates import template
        from muster.registry import queries as registry
        from muster.sampling import queries as sampling

        form = template("report", muster.settings.home / "templates")
        async with muster.pool.connection() as conn:
            top, of = await registry.area(conn, area), await sampling.round_(conn, round_)
            asked = reporting.Asked(kind, top["area"], of["round"], muster.settings.timezone)
            report = await reporting.freeze(
                conn, muster.door, CATALOGUE, asked, template=form.source, edition=form.edition,
                actor=ACTOR, at=now(),
            )  # fmt: skip
        out.say(f"Frozen: {report}", f"已定稿：{report}")
        return {"report": str(report)}

    return await opened(work, out)


@command(report_group, "take")
@click.argument("report", type=click.UUID)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="A file that ends in .pdf, .xlsx, .csv or .json.")  # fmt: skip
async def take_report(out: Out, report: UUID, output: Path) -> Any:
    """Write a frozen report into a file, in the language of the command line."""

    async def work(out: Out, muster: Instance) -> Any:
        from muster.hq import report_outlet

        async with muster.pool.connection() as conn:
            content = await report_outlet.file(
                conn, muster.settings, muster.vault, report, output.suffix.lstrip("."), out.language
            )
        output.write_bytes(content)
        out.say(f"{len(content):,} bytes → {output}", f"{len(content):,} 字节 → {output}")
        return {"report": str(report), "file": str(output), "bytes": len(content)}

    return await opened(work, out)


@command(report_group, "reproduce")
@click.argument("report", type=click.UUID)
async def reproduce_report(out: Out, report: UUID) -> Any:
    """Compute a report again from the ledger as it was at its cut-off, and compare."""

    async def work(out: Out, muster: Instance) -> Any:
        from muster.catalogue import CATALOGUE
        from muster.hq import reporting

        async with muster.pool.connection() as conn:
            found = await reporting.reproduce(conn, CATALOGUE, report)
        if found.same:
            out.say("The same figures, to the last one.", "数字完全一致。")
        else:
            parts = ", ".join(found.differs)
            out.say(f"These parts differ: {parts}", f"以下部分不一致：{parts}")
        if found.emptied:
            out.say(
                f"{found.emptied:,} events of then were emptied since, by authorisation.",
                f"当时的 {found.emptied:,} 条事件此后经授权清除。",
            )
        return found

    return await opened(work, out)
