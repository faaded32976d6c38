"""`muster import …`, `muster example …` and `muster check-id`."""

from pathlib import Path
from typing import Any

import rich_click as click

from muster.cli import main
from muster.cli.output import Out, command, opened
from muster.core.clock import now
from muster.exercise.city import generate
from muster.instance import Instance
from muster.intake.importing import Kind, Report, import_table
from muster.intake.kinds import Areas, Results, Sites, Units
from muster.intake.residents import Residents
from muster.registry.engine.identity import check
from muster.registry.queries import likely_duplicates

KINDS = ("areas", "grids", "buildings", "units", "sites", "residents", "results")
SHOWN_FAULTS = 20


@main.group("example")
def example() -> None:
    """Generate a district in import format."""


@command(example, "zhifu")
@click.option("--people", default=60_000, show_default=True, help="How many residents.")
@click.option("--seed", default=1, show_default=True, help="The same seed, the same district.")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path), default=Path("zhifu"), show_default=True
)
async def make_example(out: Out, people: int, seed: int, folder: Path) -> Any:
    """Zhifu district: its real streets and communities, everything below invented."""
    with out.progress("zhifu") as bar:
        summary = generate(
            example_areas(), folder, people=people, seed=seed,
            on_progress=lambda done, total: bar(done, total, done),
        )  # fmt: skip
    out.say(
        f"{summary.rows:,} rows of residents in {folder}/; next: muster import areas {folder}/areas.csv",
        f"已在 {folder}/ 生成 {summary.rows:,} 行居民；下一步：muster import areas {folder}/areas.csv",
    )
    return summary


def example_areas() -> Path:
    """The real streets and communities of Zhifu, beside the source or inside the installed package."""
    here = Path(__file__).parent.parent
    for place in (here.parent / "examples", here / "examples"):
        if (file := place / "zhifu" / "areas.csv").exists():
            return file
    raise FileNotFoundError("examples/zhifu/areas.csv")


@command(main, "import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--rejects", type=click.Path(path_type=Path, dir_okay=False),
    help="Where rejected rows go (default: beside the file, .rejected.csv; .xlsx works too).",
)  # fmt: skip
@click.option("--lab", help="For results: the laboratory, where the file does not say it.")
async def import_file(out: Out, kind: str, file: Path, rejects: Path | None, lab: str | None) -> Any:
    """Import a CSV or XLSX table. Good rows are in; bad ones are listed and written to a file that
    can be corrected and fed again. Feeding a file twice changes nothing."""

    async def work(out: Out, muster: Instance) -> Any:
        report = await run_import(out, muster, kind, file, rejects=rejects, lab=lab)
        document = report_document(report, out.settings.language)
        if kind == "residents" and report.stored:
            document["likely_duplicates"] = await find_duplicates(out, muster)
        return document

    return await opened(work, out)


async def run_import(
    out: Out, muster: Instance, kind: str, file: Path, *, rejects: Path | None = None,
    lab: str | None = None,
) -> Report:  # fmt: skip
    """Import one file with a bar, and say what came of it."""
    with out.progress(f"import {kind}") as bar:
        report = await import_table(
            muster, kind_of(kind, muster, lab), file, rejects_path=rejects, progress=bar
        )
    out.say(
        f"{kind}: {report.rows:,} rows, {report.stored:,} stored, {report.unchanged:,} unchanged, "
        f"{report.joined:,} joined, {report.rejected:,} rejected, {report.seconds:.1f} s",
        f"{kind}：{report.rows:,} 行，存入 {report.stored:,}，未变 {report.unchanged:,}，"
        f"合并 {report.joined:,}，退回 {report.rejected:,}，用时 {report.seconds:.1f} 秒",
    )
    if report.rejected:
        faults = report_document(report, out.settings.language)["faults"]
        out.table(faults[:SHOWN_FAULTS], ["line", "column", "message"])
        out.say(
            f"Correct {report.rejects_file} and import it; it holds personal data like its source.",
            f"请更正 {report.rejects_file} 后再次导入；该文件与原文件一样含个人信息。",
        )
    if report.unknown_columns:
        columns = ", ".join(report.unknown_columns)
        out.say(f"Columns not used: {columns}", f"未使用的列：{columns}")
    return report


async def find_duplicates(out: Out, muster: Instance) -> int:
    """After an import of residents: how many pairs a person should look at, timed apart."""
    started = now()
    async with muster.pool.connection() as conn:
        pairs = await likely_duplicates(conn)
    seconds = (now() - started).total_seconds()
    out.say(
        f"{len(pairs):,} likely duplicates to review (muster duplicates), {seconds:.1f} s",
        f"疑似重复 {len(pairs):,} 对待核对（muster duplicates），用时 {seconds:.1f} 秒",
    )
    return len(pairs)


def kind_of(kind: str, muster: Instance, lab: str | None = None) -> Kind:
    match kind:
        case "units":
            return Units()
        case "sites":
            return Sites()
        case "residents":
            return Residents(muster.vault)
        case "results":
            return Results(lab)
        case "grids":
            return Areas(kind, level="grid")
        case "buildings":
            return Areas(kind, level="building")
        case _:
            return Areas(kind)


def report_document(report: Report, language: str) -> dict[str, Any]:
    faults = [
        {"line": f.line, "column": f.column, "slug": f.problem.slug,
         "message": f.problem.message(language)}
        for f in report.faults
    ]  # fmt: skip
    return {**{k: v for k, v in vars(report).items() if k != "faults"}, "faults": faults}


@command(main, "check-id")
@click.argument("number")
@click.option("--kind", help="The kind of document; by default it is told from the number.")
async def check_id(out: Out, number: str, kind: str | None) -> Any:
    """Is a document number well formed, and what does it say? Nothing is stored or logged."""
    document = check(number, kind)
    found = {
        "valid": document.valid, "kind": document.kind, "reason": document.reason,
        "birth_date": document.birth_date, "sex": document.sex,
    }  # fmt: skip
    out.table([found], list(found))
    return found
