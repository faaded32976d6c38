"""A staff list becomes accounts: one row a login and a role in a place. A row is taken wholly or not at
all, and a list that is fed again changes nothing.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from muster.access import decide, queries
from muster.access.decide import Grant
from muster.access.engine.roles import ROLES
from muster.access.events import AccountKind
from muster.core.clock import now, parse_local
from muster.core.problems import Problem
from muster.core.text import fold
from muster.instance import Instance
from muster.intake.faults import CellProblem, Fault, Limits, Row, RowProblem
from muster.intake.rejects import Rejects
from muster.intake.tables import Column, open_table

COLUMNS = (
    Column("login", ("工号", "登录名", "账号", "人员编号", "staff number"), required=True),
    Column("name", ("姓名", "名字")),
    Column("role", ("角色", "岗位", "职务"), required=True),
    Column("kind", ("类别", "人员类别", "账号类型")),
    Column("area", ("区域", "区域编码", "网格", "社区", "area code")),
    Column("site", ("采样点", "采样点编码", "点位", "site code")),
    Column("lab", ("实验室", "检测机构", "laboratory")),
    Column("team", ("队伍", "班组", "小组")),
    Column("start", ("开始", "开始时间", "开始日期", "起始日期", "from")),
    Column("end", ("结束", "结束时间", "结束日期", "截止日期", "until")),
)
_ROLE_WORDS = {fold(word): role.name for role in ROLES.values() for word in (role.name, role.zh)}
_KIND_WORDS = {kind: kind for kind in get_args(AccountKind)} | {
    "本地": "staff", "在编": "staff", "工作人员": "staff", "支援": "aid", "支援队": "aid",
    "援助": "aid", "外来": "guest", "专家": "guest", "访客": "guest", "系统": "gateway",
}  # fmt: skip
_EVERYWHERE = {"全部", "全域", "全区", "everywhere", "all", "*"}
_NAME_LIMIT = 120
_CODE_LIMIT = 64
_LIMITS = Limits(file_bytes=64 << 20)


class CellEmpty(CellProblem):
    """The cell is empty, but needed."""

    zh = "该单元格必填。"


class WordUnknown(CellProblem):
    """ "{word}" is none of: {known}."""

    zh = "“{word}”不在可用词中：{known}。"


class DateUnreadable(CellProblem):
    """The date "{text}" cannot be read. Write it as 2026-08-02 or 2026-08-02 18:00."""

    zh = "日期“{text}”无法识别，请写成 2026-08-02 或 2026-08-02 18:00。"


class TextTooLong(CellProblem):
    """The text is longer than {limit} characters."""

    zh = "内容超过 {limit} 个字符。"


class AccountDiffers(RowProblem):
    """There is an account "{login}" already, with another kind or other times. Change it by itself, or
    make the row agree."""

    zh = "已有账号“{login}”，但类别或起止时间不同。请单独修改该账号，或使本行与之一致。"


@dataclass
class StaffReport:
    """What became of a list: rows that opened an account, added a role to one, or said nothing new."""

    file: str
    rows: int = 0
    opened: int = 0
    granted: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    unknown_columns: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """One row, read."""

    login: str
    name: str | None
    kind: AccountKind
    role: Any
    area: str | None
    site: str | None
    lab: str | None
    team: str | None
    starts_at: datetime | None
    ends_at: datetime | None


async def import_staff(muster: Instance, path: Path, *, rejects_path: Path) -> StaffReport:
    """Open the accounts of a CSV or XLSX list. Raises FileProblems where none of it can be read."""
    report, zone = StaffReport(path.name), muster.settings.timezone
    table = await asyncio.to_thread(open_table, path, COLUMNS, limits=_LIMITS)
    with table, Rejects(rejects_path, table.headers) as rejects:
        report.unknown_columns = list(table.unknown)
        items = table.rows()
        lines: set[int] = set()
        while chunk := await asyncio.to_thread(lambda: list(islice(items, 500))):
            for item in chunk:
                lines.add(item.line)
                faults = (
                    [item] if isinstance(item, Fault) else await _take(muster, item, zone, report)
                )
                for fault in faults:
                    rejects.add(fault)
                report.faults += faults
    report.rows = len(lines)
    report.rejected = rejects.count
    report.rejects_file = str(rejects_path) if rejects.count else None
    return report


async def _take(muster: Instance, row: Row, zone: str, report: StaffReport) -> list[Fault]:
    """Take a row; what is wrong with it, if anything is."""
    entry, bad = _read(row, zone)
    if entry is None:
        return [Fault(row.line, column, problem, row.raw) for column, problem in bad]
    try:
        async with muster.pool.connection() as conn:
            done = await _apply(muster, conn, entry)
    except Problem as problem:
        return [Fault(row.line, _COLUMN_OF.get(type(problem).__name__), problem, row.raw)]
    setattr(report, done, getattr(report, done) + 1)
    return []


_COLUMN_OF = {
    "LoginUnfit": "login", "AccountDiffers": "login", "RolesConflict": "role", "PlaceUnfit": "role",
    "RoleTooLong": "end", "AccountNeedsEnd": "end", "EndsBeforeStart": "end",
}  # fmt: skip


async def _apply(muster: Instance, conn: queries.Conn, entry: Entry) -> str:
    """`opened`, `granted` or `unchanged`."""
    at = now()
    everywhere = bool(entry.area and fold(entry.area) in _EVERYWHERE)
    wanted = await decide.placed(
        conn, role=entry.role, everywhere=everywhere, area=None if everywhere else entry.area,
        site=entry.site, lab=entry.lab, team=entry.team,
    )  # fmt: skip
    try:
        account = await queries.account_by_login(conn, entry.login)
    except queries.AccountUnknown:
        account = None
    if account is None or account["closed_at"] is not None:
        await decide.open_account(
            conn, muster.door, muster.vault, login=entry.login, kind=entry.kind, name=entry.name,
            starts_at=entry.starts_at or at, ends_at=entry.ends_at, grants=[wanted],
            actor="command line", at=at,
        )  # fmt: skip
        return "opened"
    starts = entry.starts_at or account["starts_at"]
    said = (entry.kind, starts, entry.ends_at)
    if said != (account["kind"], account["starts_at"], account["ends_at"]):
        raise AccountDiffers(login=entry.login)
    held = await queries.holdings(conn, [account["account"]])
    if any(_same(one, wanted) for one in held if one["ends_at"] is None or one["ends_at"] > at):
        return "unchanged"
    await decide.grant(
        conn, muster.door, account["account"], wanted=wanted, actor="command line", at=at
    )
    return "granted"


def _same(held: dict[str, Any], wanted: Grant) -> bool:
    names = ("role", "everywhere", "area", "site", "lab", "team")
    return all(held[name] == getattr(wanted, name) for name in names)


def _read(row: Row, zone: str) -> tuple[Entry | None, list[tuple[str, Problem]]]:
    """The row as an entry, or what is wrong with its cells."""
    cells = dict(zip((column.name for column in COLUMNS), row.cells, strict=True))
    bad: list[tuple[str, Problem]] = []
    limits = {"name": _NAME_LIMIT} | dict.fromkeys(
        ("login", "area", "site", "lab", "team"), _CODE_LIMIT
    )
    bad += [(c, TextTooLong(limit=n)) for c, n in limits.items() if len(cells[c]) > n]
    bad += [(column, CellEmpty()) for column in ("login", "role") if not cells[column]]
    role = _ROLE_WORDS.get(fold(cells["role"]))
    if cells["role"] and role is None:
        known = "、".join(one.zh for one in ROLES.values())
        bad.append(("role", WordUnknown(word=cells["role"][:_CODE_LIMIT], known=known)))
    kind = _KIND_WORDS.get(fold(cells["kind"])) if cells["kind"] else "staff"
    if kind is None:
        known = "、".join(_KIND_WORDS)
        bad.append(("kind", WordUnknown(word=cells["kind"][:_CODE_LIMIT], known=known)))
    times: dict[str, datetime | None] = {}
    for column in ("start", "end"):
        try:
            times[column] = _time(cells[column], zone, end=column == "end")
        except ValueError:
            bad.append((column, DateUnreadable(text=cells[column][:_CODE_LIMIT])))
    if bad:
        return None, bad
    texts = {name: cells[name] or None for name in ("name", "area", "site", "lab", "team")}
    return Entry(
        login=queries.tidy_login(cells["login"]), role=role, kind=kind, starts_at=times["start"],
        ends_at=times["end"], **texts,
    ), []  # fmt: skip  # pyright: ignore[reportArgumentType]


def _time(text: str, zone: str, *, end: bool) -> datetime | None:
    """A local time; a bare date is its beginning, and as an end the end of that day."""
    if not text:
        return None
    at = parse_local(text, zone).astimezone(ZoneInfo(zone))
    bare = len(text.strip()) <= len("2026-08-02")
    return at + timedelta(days=1) if end and bare else at
