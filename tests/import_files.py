"""What the tests of importing share: a table fed as a file of any kind, and rows of the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from muster.catalogue import CATALOGUE
from muster.cli.importing import kind_of
from muster.instance import Instance
from muster.intake.importing import Report, import_table
from muster.keeping.follower import catch_up
from muster.registry.engine.identity import check_digit
from tests.table_files import workbook


def number(birth: str = "19900101", sequence: int = 1, area: str = "370602") -> str:
    """A resident's number with a true check digit; an odd sequence is a man's."""
    digits = f"{area}{birth}{sequence:03d}"
    return digits + check_digit(digits)


def written(folder: Path, text: str, *, name: str = "file.csv", encoding: str = "utf-8") -> Path:
    """A file of this text; a workbook of its cells if it is to be called .xlsx."""
    path = folder / name
    if path.suffix == ".xlsx":
        return workbook(path, [line.split(",") for line in text.splitlines()])
    path.write_text(text, encoding=encoding, newline="")
    return path


async def feed(muster: Instance, kind: str, path: Path, **options: Any) -> Report:
    return await import_table(muster, kind_of(kind, muster, **options), path)


def counts(report: Report) -> tuple[int, int, int, int]:
    """stored, unchanged, joined, rejected"""
    return report.stored, report.unchanged, report.joined, report.rejected


def faults(report: Report) -> list[tuple[int, str | None, str]]:
    """line, header as the file has it, slug"""
    return [
        (one.line, report.headers.get(one.column or ""), one.problem.slug) for one in report.faults
    ]


async def select(muster: Instance, sql: str) -> list[tuple[Any, ...]]:
    async with muster.pool.connection() as conn:
        await catch_up(conn, CATALOGUE)
        return await (await conn.execute(sql.encode())).fetchall()


async def one(muster: Instance, sql: str) -> Any:
    ((value,),) = await select(muster, sql)
    return value


async def events_stored(muster: Instance) -> int:
    return await one(muster, "SELECT count(*) FROM ledger.event")


def lines(*rows: Sequence[object]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)
