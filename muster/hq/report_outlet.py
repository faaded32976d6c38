"""Frozen reports as they leave: read, signed names opened, set into a file."""

import asyncio
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import psycopg

from muster.access import queries as access
from muster.config import Settings
from muster.core.problems import Problem
from muster.hq import report_files, report_sheets, reporting
from muster.papers.sheet import Sheet, printable
from muster.papers.templates import Choice, Template, template
from muster.papers.typesetting import press, set_paper
from muster.registry.vault import Vault

Conn = psycopg.AsyncConnection[Any]


class ReportFileUnknown(Problem):
    """Reports leave as pdf, xlsx, csv or json, not as "{format}"."""

    zh: ClassVar[str] = "报告可导出为 pdf、xlsx、csv 或 json，不支持“{format}”。"


class SignatureLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for a report."""

    account: UUID
    name: str
    login: str
    signed_at: datetime


async def read(
    conn: Conn, vault: Vault, found: dict[str, Any], language: str
) -> tuple[Sheet, list[SignatureLine]]:
    """A frozen report's sheet in a language, and who signed it."""
    data = msgspec.json.decode(await reporting.content_of(conn, found["content"]))
    signed = []
    for one in await reporting.signatures(conn, found["report"]):
        holder = await access.account(conn, vault, one["account"])
        signed.append(
            SignatureLine(
                account=one["account"], name=holder["name"] or one["login"], login=one["login"],
                signed_at=one["signed_at"],
            )
        )  # fmt: skip
    frozen = report_sheets.Frozen(
        seq=found["seq"], head=found["head"], content=found["content"],
        frozen_at=found["frozen_at"], frozen_by=found["frozen_by"],
        signed=[(one.name, one.signed_at) for one in signed],
    )  # fmt: skip
    return report_sheets.sheet(data, language, frozen=frozen), signed


async def file(
    conn: Conn, settings: Settings, vault: Vault, report: UUID, format: str, language: str, *,
    choice: Choice = "ours",
) -> bytes:  # fmt: skip
    """A frozen report as a file; PDF with the template it was frozen with. Raises ReportUnknown,
    ReportFileUnknown and what setting a paper raises."""
    found = await reporting.report_of(conn, report)
    if format == "json":
        return await reporting.content_of(conn, found["content"])
    sheet, _ = await read(conn, vault, found, language)
    if format in ("xlsx", "csv"):
        make = report_files.workbook if format == "xlsx" else report_files.table
        return await asyncio.to_thread(make, sheet)
    if format != "pdf":
        raise ReportFileUnknown(format=format)
    if choice == "shipped":
        form = template("report", choice="shipped")
    else:
        kept = await reporting.content_of(conn, found["template"])
        form = Template("report", "", kept.decode())
    made = await set_paper(
        press(settings.home, settings.fonts), form, printable(sheet, language),
        moment=found["cut_off"],
    )  # fmt: skip
    return made.content
