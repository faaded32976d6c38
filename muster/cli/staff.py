"""A staff list becomes accounts: one row a login and a role in a place. A row is taken wholly or not at
all, and a list that is fed again changes nothing.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from muster.access import decide, queries
from muster.access.decide import Grant
from muster.access.engine.roles import ROLES
from muster.access.events import AccountKind
from muster.core.clock import now
from muster.core.problems import Problem
from muster.core.text import fold
from muster.instance import Instance
from muster.intake.faults import Fault, Limits, Row, RowProblem
from muster.intake.importing import CellMissing, Cells, RowFault
from muster.intake.rejects import Rejects
from muster.intake.tables import Column, open_table

COLUMNS = (
    Column("login", ("工号", "登录名", "账号", "人员编号", "staff number"), required=True),
    Column("name", ("姓名", "名字")),
    Column("phone", ("电话", "手机", "手机号", "手机号码", "联系电话", "phone number", "mobile")),
    Column("role", ("角色", "岗位", "职务"), required=True),
    Column("kind", ("类别", "人员类别", "账号类型")),
    Column("area", ("区域", "区域编码", "网格", "社区", "area code")),
    Column("site", ("采样点", "采样点编码", "点位", "site code")),
    Column("lab", ("实验室", "检测机构", "laboratory")),
    Column("team", ("队伍", "班组", "小组")),
    Column("start", ("开始", "开始时间", "开始日期", "起始日期", "from")),
    Column("end", ("结束", "结束时间", "结束日期", "截止日期", "until")),
)
_ROLE_WORDS = {word: role.name for role in ROLES.values() for word in (role.name, role.zh)}
_ROLE_WORDS |= {fold(word): name for word, name in _ROLE_WORDS.items()}
_KIND_WORDS: dict[str, Any] = {kind: kind for kind in get_args(AccountKind)} | {
    "本地": "staff", "在编": "staff", "工作人员": "staff", "支援": "aid", "支援队": "aid",
    "援助": "aid", "外来": "guest", "专家": "guest", "访客": "guest", "系统": "gateway",
}  # fmt: skip
_EVERYWHERE = {"全部", "全域", "全区", "everywhere", "all", "*"}
_NAME_LIMIT = 120
_CODE_LIMIT = 64
_LIMITS = Limits(file_bytes=64 << 20)


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
    phone: str | None
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
    try:
        entry = _read(row, zone)
        async with muster.pool.connection() as conn:
            done = await _apply(muster, conn, entry)
    except RowFault as fault:
        return [Fault(row.line, column, problem, row.raw) for column, problem in fault.bad]
    except Problem as problem:
        return [Fault(row.line, _COLUMN_OF.get(type(problem).__name__), problem, row.raw)]
    setattr(report, done, getattr(report, done) + 1)
    return []


_COLUMN_OF = {
    "LoginUnfit": "login", "AccountDiffers": "login", "RolesConflict": "role", "PlaceUnfit": "role",
    "RoleTooLong": "end", "AccountNeedsEnd": "end", "EndsBeforeStart": "end",
    "TimeUnlikely": "end", "PhoneUnfit": "phone",
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
            phone=entry.phone, starts_at=entry.starts_at or at, ends_at=entry.ends_at, grants=[wanted],
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


def _read(row: Row, zone: str) -> Entry:
    """The row as an entry. Raises RowFault with what is wrong with its cells."""
    cells, text = Cells(), dict(zip((column.name for column in COLUMNS), row.cells, strict=True))
    if not text["role"]:
        cells.fault("role", CellMissing())
    entry = Entry(
        login=queries.tidy_login(cells.label("login", text["login"], limit=_CODE_LIMIT)),
        name=cells.limited("name", text["name"], limit=_NAME_LIMIT) or None,
        phone=cells.limited("phone", text["phone"], limit=_CODE_LIMIT) or None,
        kind=cells.word("kind", text["kind"], _KIND_WORDS) or "staff",
        role=cells.word("role", text["role"], _ROLE_WORDS),
        starts_at=cells.time("start", text["start"], zone) if text["start"] else None,
        ends_at=cells.time("end", text["end"], zone) if text["end"] else None,
        **{
            name: cells.limited(name, text[name], limit=_CODE_LIMIT) or None
            for name in ("area", "site", "lab", "team")
        },
    )
    cells.check()
    if entry.ends_at and len(text["end"]) <= len("2026年08月02日"):  # a bare date: its whole day
        return replace(entry, ends_at=entry.ends_at + timedelta(days=1))
    return entry
