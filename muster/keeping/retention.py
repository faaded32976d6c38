"""How long each kind of data is kept, in one table. What the law or a campaign decides is a dated
policy edition; the rest is a limit of ours. `tick` ends what needs nobody's word; people's identities
are erased by two persons (`muster erase expired`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from muster.config import (
    DEFAULT_IDENTITY_DAYS,
    DEFAULT_READING_DAYS,
    FREE_TEXT_DAYS,
    IMPORT_FILE_DAYS,
    INBOX_DAYS,
    RUN_FILE_DAYS,
    SESSION_DAYS,
    SITE_PHOTO_DAYS,
)
from muster.core.sqlfile import query

Conn = psycopg.AsyncConnection[Any]


@dataclass(frozen=True)
class DataKind:
    """A kind of data and its clock. `due` and `end` name statements of retention.sql; without `end`
    it goes with another kind. `automatic`: the clock ends it, nobody is asked."""

    name: str
    zh: str
    days: int
    since: str
    since_zh: str
    due: str
    end: str | None = None
    policy: str | None = None
    automatic: bool = False


KINDS = (
    DataKind(
        "identities", "身份信息", DEFAULT_IDENTITY_DAYS, "the last round was closed",
        "最后一轮关闭", "due_identities", policy="identity_days",
    ),
    DataKind(
        "swab_links", "采样与人员的关联", DEFAULT_IDENTITY_DAYS,
        "the last round was closed: with the identity the id leads to nobody",
        "最后一轮关闭：身份信息清除后编号不再指向任何人", "due_swab_links", policy="identity_days",
    ),
    DataKind(
        "free_text", "备注文字", FREE_TEXT_DAYS, "it came", "收到", "due_notes", "end_notes",
        automatic=True,
    ),
    DataKind(
        "held_items", "无法读取的收件", INBOX_DAYS, "it came", "收到", "due_inbox", "end_inbox",
        automatic=True,
    ),
    DataKind(
        "import_files", "待导入的文件", IMPORT_FILE_DAYS, "it was sent", "上传", "due_imports",
        "end_imports", automatic=True,
    ),
    DataKind(
        "sessions", "登录会话", SESSION_DAYS, "it ended or was last seen", "结束或最后使用",
        "due_sessions", "end_sessions", automatic=True,
    ),
    DataKind(
        "sign_in_codes", "登录验证码", 0, "they expired", "过期", "due_codes", "end_codes",
        automatic=True,
    ),
    DataKind(
        "laboratory_files", "实验室文件", RUN_FILE_DAYS, "it came", "收到", "due_files", "end_files",
        automatic=True,
    ),
    DataKind(
        "site_photos", "开点检查照片", SITE_PHOTO_DAYS, "it came", "收到", "due_photos", "end_photos",
        automatic=True,
    ),
    DataKind(
        "readings", "查看记录", DEFAULT_READING_DAYS, "somebody looked", "查看", "due_readings",
        "end_readings", policy="reading_days",
    ),
)  # fmt: skip


async def clocks(conn: Conn, at: datetime) -> list[dict[str, Any]]:
    """Each kind with the days it is kept at `at`, and how much of it is due."""
    found = []
    for kind in KINDS:
        days = await _days(conn, kind, at)
        (due,) = await _one(conn, kind.due, at=at, days=days)
        found.append({
            "kind": kind.name, "days": days, "since": kind.since, "since_zh": kind.since_zh,
            "due": due,
            "by": "clock" if kind.automatic else "decision", "policy": kind.policy,
        })  # fmt: skip
    return found


async def identities_due(conn: Conn, at: datetime) -> bool:
    """Whether the campaign ended so long ago that nobody's identity is needed any more."""
    days = await _days(conn, KINDS[0], at)
    return (await _one(conn, "due_identities", at=at, days=days))[0] > 0


async def end_automatic(conn: Conn, at: datetime) -> dict[str, int]:
    """End what the clock alone ends; rows by kind. The connection must be in autocommit."""
    return await _end(conn, at, automatic=True)


async def end_decided(conn: Conn, at: datetime) -> dict[str, int]:
    """End what is past its time and needed two people's word, but for identities."""
    return await _end(conn, at, automatic=False)


async def _end(conn: Conn, at: datetime, *, automatic: bool) -> dict[str, int]:
    ended = {}
    for kind in KINDS:
        if kind.end and kind.automatic == automatic:
            days = await _days(conn, kind, at)
            async with conn.transaction():
                await conn.execute("SELECT set_config('muster.retention', 'on', true)")
                sql = query("muster.keeping", kind.end, "retention.sql")
                cursor = await conn.execute(sql.encode(), {"at": at, "days": days})
            ended[kind.name] = cursor.rowcount
    return ended


async def _days(conn: Conn, kind: DataKind, at: datetime) -> int:
    if kind.policy is None:
        return kind.days
    row = await _one(conn, "edition", name=kind.policy, at=at)
    return row[0] if row else kind.days


async def _one(conn: Conn, statement: str, /, **values: Any) -> Any:
    sql = query("muster.keeping", statement, "retention.sql")
    return await (await conn.execute(sql.encode(), values)).fetchone()
