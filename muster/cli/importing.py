"""`muster import …` and `muster example …`."""

from pathlib import Path
from typing import Any

import rich_click as click

from muster.cli import main
from muster.cli.output import Out, command, opened
from muster.core.clock import now
from muster.exercise.city import generate
from muster.instance import Instance
from muster.intake.faults import Fault
from muster.intake.importing import Kind, Report, import_table
from muster.intake.kinds import Areas, Results, Sites, Units
from muster.intake.residents import Residents
from muster.intake.staff import Staff, Trainings
from muster.registry.queries import likely_duplicates

KINDS = (
    "areas",
    "grids",
    "buildings",
    "units",
    "sites",
    "residents",
    "staff",
    "trainings",
    "results",
)
GENERATED = ("areas", "grids", "buildings", "units", "sites", "residents")
SHOWN_FAULTS = 20


@main.group("example")
def example() -> None:
    """Generate a district in import format."""


@command(example, "zhifu", light=True)
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
        f"{summary.rows:,} rows of residents in {folder}/. Next:",
        f"已在 {folder}/ 生成 {summary.rows:,} 行居民。下一步：",
    )
    for kind in GENERATED:
        line = f"  muster import {kind} {folder / kind}.csv"
        out.say(line, line)
    return summary


def example_areas() -> Path:
    """The real streets and communities of Zhifu, beside the source or in the installed package."""
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
@click.option(
    "--correct-names", is_flag=True,
    help="For residents: a document on the roster may get another name.",
)  # fmt: skip
async def import_file(
    out: Out, kind: str, file: Path, rejects: Path | None, lab: str | None, correct_names: bool
) -> Any:
    """Import a CSV or XLSX table. Good rows are in; bad ones are listed and written to a file that
    can be corrected and fed again. Feeding a file twice changes nothing."""

    async def work(out: Out, muster: Instance) -> Any:
        report = await run_import(
            out, muster, kind, file, rejects=rejects, lab=lab, correct_names=correct_names
        )
        document = report_document(report, out.language)
        if kind == "residents" and report.stored:
            document["likely_duplicates"] = await find_duplicates(out, muster)
        return document

    return await opened(work, out)


async def run_import(
    out: Out, muster: Instance, kind: str, file: Path, *, rejects: Path | None = None,
    lab: str | None = None, correct_names: bool = False,
) -> Report:  # fmt: skip
    """Import one file with a bar, and say what came of it."""
    what = out.word(kind)
    with out.progress(out.pick(f"import {what}", f"导入{what}")) as bar:
        report = await import_table(
            muster, kind_of(kind, muster, lab, correct_names), file, rejects_path=rejects,
            progress=bar,
        )  # fmt: skip
    figures = (
        (report.stored, "stored", "存入"), (report.unchanged, "unchanged", "未变"),
        (report.joined, "repeated", "重复"), (report.rejected, "rejected", "退回"),
    )  # fmt: skip
    said = [(f"{count:,} {english}", f"{chinese} {count:,}") for count, english, chinese in figures
            if count]  # fmt: skip
    out.say(
        ", ".join([f"{what}: {report.rows:,} rows", *(one for one, _ in said)])
        + f"; {report.seconds:.1f} s",
        "，".join([f"{what}：{report.rows:,} 行", *(one for _, one in said)])
        + f"；用时 {report.seconds:.1f} 秒",
    )
    if report.unknown_columns:
        out.say(
            f"Columns not used: {', '.join(report.unknown_columns)}",
            f"未使用的列：{'、'.join(report.unknown_columns)}",
        )
    if report.rejected:
        _list_faults(out, report)
    return report


def _list_faults(out: Out, report: Report) -> None:
    faults = [_fault(one, report, out.language) for one in report.faults[:SHOWN_FAULTS]]
    rows = [{**one, "column": one["header"]} for one in faults]
    out.table(rows, ["line", "column", "message"])
    if len(report.faults) > SHOWN_FAULTS:
        out.say("… and more, all in the file:", "……其余见文件：")
    out.say(
        f"Correct {report.rejects_file} and import it. It holds personal data like its source.",
        f"请更正 {report.rejects_file} 后再次导入。该文件与原文件一样含个人信息。",
    )


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


def kind_of(
    kind: str, muster: Instance, lab: str | None = None, correct_names: bool = False
) -> Kind:
    match kind:
        case "units":
            return Units()
        case "sites":
            return Sites()
        case "residents":
            return Residents(muster.vault, correct_names)
        case "staff":
            return Staff(muster.vault)
        case "trainings":
            return Trainings(muster.vault)
        case "results":
            return Results(lab)
        case "grids":
            return Areas(kind, level="grid")
        case "buildings":
            return Areas(kind, level="building")
        case _:
            return Areas(kind)


def report_document(report: Report, language: str) -> dict[str, Any]:
    """A report for programs. `column` is our name of the column, `header` the file's."""
    faults = [_fault(one, report, language) for one in report.faults]
    facts = {name: value for name, value in vars(report).items() if name != "headers"}
    return {**facts, "faults": faults}


def _fault(fault: Fault, report: Report, language: str) -> dict[str, Any]:
    return {
        "line": fault.line, "column": fault.column,
        "header": report.headers.get(fault.column or "", fault.column),
        "slug": fault.problem.slug, "message": fault.problem.message(language),
    }  # fmt: skip
