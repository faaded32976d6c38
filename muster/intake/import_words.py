"""What is said of an import: how far it came, what is wrong with its rows, and the problems of asking."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from muster.core.problems import Problem
from muster.registry.events import ImportKind

State = Literal[
    "receiving", "received", "check_waiting", "checking", "checked", "waiting", "running", "stopped",
    "done", "failed", "discarded",
]  # fmt: skip


class ImportUnknown(Problem):
    """There is no import {id}, or none of yours. `GET /v1/imports` lists those you may see."""

    zh = "没有导入 {id}，或不是您的。请在导入记录中查看。"
    status = 404


class ImportFileTooLarge(Problem):
    """{file} has {bytes} bytes; the limit is {limit}. Split it, or import it on the command line."""

    zh = "{file} 有 {bytes} 字节，超过上限 {limit}。请拆分，或用命令行导入。"
    status = 413


class TooManyImports(Problem):
    """You have {limit} files that are sent and not fed yet. Feed or discard one first."""

    zh = "您已有 {limit} 个已上传但尚未导入的文件。请先导入或放弃其中一个。"
    status = 409


class PartUnfit(Problem):
    """Piece {number} of the file should have {expected} bytes, not {found}. Send the same file again."""

    zh = "文件第 {number} 段应为 {expected} 字节，实际 {found}。请重新发送同一个文件。"


class ImportElsewhere(Problem):
    """The import is {state}, so this cannot be done with it now. Look at it again."""

    zh = "该导入目前处于“{state}”状态，无法进行此操作。请刷新后再看。"
    status = 409


class ColumnUnfit(Problem):
    """The file cannot be read with these columns: {reason}. Choose again."""

    zh = "无法按这些列读取文件：{reason}。请重新选择。"


class FileOver(Problem):
    """The file's bytes are not kept any more. Send the file again."""

    zh = "文件内容已不再保存，请重新上传。"
    status = 410


class Said(msgspec.Struct, frozen=True):
    """A problem in both languages."""

    slug: str
    en: str
    zh: str


class FaultCount(msgspec.Struct, frozen=True):
    """How many rows have one problem in one column."""

    header: str | None
    slug: str
    en: str
    zh: str
    rows: int


class Import(msgspec.Struct, frozen=True):
    """A file and how far it came. Of a check `stored` is what would be new or changed; `done` of `total`
    is for a bar, in bytes or rows of the file. `parts`: the pieces that are here, each of `part_bytes`
    but the last."""

    id: UUID
    name: str
    state: State
    kind: ImportKind | None
    columns: dict[str, str | None] | None
    correct_names: bool
    size_bytes: int
    received_bytes: int
    parts: list[int]
    part_bytes: int
    hash: str | None
    made_by: str
    made_at: datetime
    started_by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime
    mine: bool
    problem: Said | None
    done: int
    total: int
    rows: int
    stored: int
    unchanged: int
    joined: int
    rejected: int
    unused: list[str]
    summary: list[FaultCount]
    has_rejects: bool


class Imports(msgspec.Struct, frozen=True):
    """Imports, newest first; `next` is the cursor of the following page."""

    items: list[Import]
    next: str | None


def told(problem: Problem | None) -> dict[str, Any]:
    """A problem as the columns that keep it."""
    if problem is None:
        return {"slug": None, "facts": None}
    facts = {name: str(value) for name, value in problem.facts.items()}
    return {"slug": problem.slug, "facts": msgspec.json.encode(facts).decode()}


def said(slug: str, facts: Mapping[str, str] | None) -> Said:
    """A kept problem in both languages."""
    problem = Problem.catalogue[slug](**(facts or {}))
    return Said(slug, problem.message("en"), problem.message("zh"))
