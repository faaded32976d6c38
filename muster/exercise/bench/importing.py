"""Importing a district: seconds, memory, and whether it stays linear; workbooks; and how long
uploads wait meanwhile.
"""

import asyncio
import csv
from itertools import islice
from pathlib import Path

import xlsxwriter

from muster.exercise.bench import beside
from muster.exercise.bench.beside import beside_uploads
from muster.exercise.bench.figures import Figure, Report
from muster.exercise.bench.homes import Finished, Home, Homes
from muster.exercise.bench.tubes import listed

IMPORT_SECONDS, IMPORT_MB, WORKBOOK_MB = 90, 500, 1_500
LINEARITY = 1.3
OTHER_SEED = 2  # the workbook's people are others than those of the CSV files


async def measure_import(homes: Homes, report: Report) -> None:
    """The district alone; a town alone, to compare; then, into the town's home, the district again
    while tubes come in, and a workbook."""
    _, district = await import_district(homes, report)
    home, files = homes.fresh("town"), await homes.files(report.sizes.town_people)
    async with home.database():
        await homes.areas(home, files)
        town = await home.run("import", "residents", files / "residents.csv")
        report.add(_linearity(town, district))
        await _beside_uploads(homes, home, report)
        await _workbook(homes, home, report)
    await homes.drop(home)


async def import_district(homes: Homes, report: Report) -> tuple[Home, Finished]:
    """The district's home, and how its import went: done and measured at the first call."""
    if homes.district is None:
        home, files = homes.fresh("district"), await homes.files(report.sizes.district_people)
        async with home.database():
            await homes.areas(home, files)
            done = await home.run("import", "residents", files / "residents.csv")
            pairs = await home.run("duplicates")
        homes.district = home, done
        report.add(
            Figure(
                "import_district_s", done.document["seconds"], "s", "import",
                most=IMPORT_SECONDS * report.sizes.share,
                reference=f"{done.document['rows']:,} rows; whole process {done.seconds:.1f} s",
            ),
            Figure("import_district_mb", done.peak.own / 1e6, "MB", "import", most=IMPORT_MB),
            Figure(
                "import_duplicates_s", pairs.seconds, "s", "import",
                reference=f"{len(pairs.document):,} pairs, in a process of its own",
            ),
        )  # fmt: skip
    return homes.district


def _linearity(town: Finished, district: Finished) -> Figure:
    small, large = (
        100_000 * done.document["seconds"] / done.document["rows"] for done in (town, district)
    )
    return Figure(
        "import_linearity", large / small, "×", "import", most=LINEARITY,
        reference=f"{large:.1f} s per 100,000 of {district.document['rows']:,} rows,"
        f" {small:.1f} s of {town.document['rows']:,}",
    )  # fmt: skip


async def _beside_uploads(homes: Homes, home: Home, report: Report) -> None:
    files, people = await homes.files(report.sizes.district_people), await listed(home)
    await homes.areas(home, files)
    async with home.serve() as server:
        importing = home.run("import", "residents", files / "residents.csv")
        done, measured = await beside_uploads(server, people, "import", importing)
    report.add(
        Figure(
            "import_upload_p99_ms", measured.p99_ms, "ms", "import", most=beside.P99_MS,
            reference=f"{len(measured.latencies_ms):,} uploads of {beside.TUBES} tubes in"
            f" {measured.seconds:.0f} s; the import took {done.document['seconds']:.1f} s",
        )
    )  # fmt: skip


async def _workbook(homes: Homes, home: Home, report: Report) -> None:
    files = await homes.files(report.sizes.workbook_rows, seed=OTHER_SEED)
    await homes.areas(home, files)
    book = files / "residents.xlsx"
    await asyncio.to_thread(
        write_workbook, files / "residents.csv", book, report.sizes.workbook_rows
    )
    done = await home.run("import", "residents", book)
    report.add(
        Figure(
            "import_workbook_child_mb", done.peak.child / 1e6, "MB", "import", most=WORKBOOK_MB,
            reference=f"{done.document['rows']:,} rows, {book.stat().st_size / 1e6:.0f} MB",
        ),
        Figure("import_workbook_s", done.document["seconds"], "s", "import"),
    )  # fmt: skip


def write_workbook(source: Path, target: Path, rows: int) -> None:
    """The first rows of a CSV file as a workbook, all cells texts, row by row through memory."""
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True})
    sheet = book.add_worksheet()
    with source.open(encoding="utf-8", newline="") as file:
        for line, cells in enumerate(islice(csv.reader(file), rows + 1)):
            for column, cell in enumerate(cells):
                if cell:
                    sheet.write_string(line, column, cell)
    book.close()
