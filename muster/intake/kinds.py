"""The small kinds of table: areas of any level, units, sites, results. Each a list of columns with
the headers offices use, and what a row means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from muster.config import IMPORT_CHUNK_ROWS
from muster.core.clock import parse_local
from muster.core.ids import derived, uuid7
from muster.core.rows import rows
from muster.core.text import fold
from muster.instance import Instance
from muster.intake.faults import CellProblem, Row
from muster.intake.importing import (
    AreaCodeUnknown,
    CellMissing,
    RowFault,
    body_of,
    label,
    limited,
    whole,
    word,
)
from muster.intake.tables import Column
from muster.lab.events import ResultReleased
from muster.ledger.event import Body, Event
from muster.registry.events import AreaListed, Level, UnitKind, UnitListed
from muster.sampling.events import SiteListed

LEVELS: tuple[str, ...] = get_args(Level)
_LEVEL_WORDS = {level: level for level in LEVELS} | {
    "国家": "country", "省": "province", "自治区": "province", "市": "city", "地级市": "city",
    "区": "district", "县": "district", "区县": "district", "街道": "street", "乡": "street",
    "镇": "street", "乡镇": "street", "街道乡镇": "street", "town": "street", "township": "street",
    "社区": "community", "村": "community", "village": "community", "居委会": "community",
    "村委会": "community", "小区": "compound", "自然村": "compound", "网格": "grid",
    "楼栋": "building", "楼": "building", "栋": "building",
}  # fmt: skip
_GRID_WORDS = {"basic": "basic", "基础": "basic", "基础网格": "basic", "exclusive": "exclusive",
               "专属": "exclusive", "专属网格": "exclusive"}  # fmt: skip
_YES_NO = {"yes": True, "是": True, "有": True, "true": True, "1": True, "y": True,
           "no": False, "否": False, "无": False, "false": False, "0": False, "n": False}  # fmt: skip
_UNIT_WORDS = {kind: kind for kind in get_args(UnitKind)} | {
    "企业": "enterprise", "公司": "enterprise", "工厂": "enterprise", "学校": "school",
    "酒店": "hotel", "宾馆": "hotel", "商铺": "shop", "商店": "shop", "商场": "shop",
    "医院": "hospital", "市场": "market", "农贸市场": "market", "养老院": "care_home",
    "机关": "organ", "其他": "other",
}  # fmt: skip
_OUTCOME_WORDS = {
    "positive": "positive", "阳性": "positive", "阳": "positive", "+": "positive",
    "detected": "positive", "检出": "positive",
    "negative": "negative", "阴性": "negative", "阴": "negative", "-": "negative",
    "notdetected": "negative", "未检出": "negative",
    "indeterminate": "indeterminate", "可疑": "indeterminate", "灰区": "indeterminate",
    "待复核": "indeterminate", "equivocal": "indeterminate",
    "invalid": "invalid", "无效": "invalid", "重采": "invalid", "不合格": "invalid",
}  # fmt: skip


class ParentMissing(CellProblem):
    """The parent "{parent}" is neither in this file nor already listed."""

    zh = "上级“{parent}”既不在本文件中，也没有登记过。"


class ParentBelow(CellProblem):
    """The parent "{parent}" is a {parent_level}, which cannot hold a {level}."""

    zh = "上级“{parent}”的级别是 {parent_level}，不能包含 {level}。"


class TimeUnreadable(CellProblem):
    """"{word}" is not a time such as 2021-08-02 21:30."""

    zh = "“{word}”不是 2021-08-02 21:30 这样的时间。"


CODE = Column("code", ("编码", "代码", "区划代码", "区划码", "编号", "网格编码", "楼栋编码"), True)
NAME = Column("name", ("名称", "区域名称", "单位名称", "采样点名称", "楼栋名称", "网格名称"), True)


@dataclass
class Areas:
    """Areas of the tree. Rows may come in any order: the file is read as a whole."""

    name: str = "areas"
    level: str | None = None  # for files of grids or buildings, which need not say it
    columns: Sequence[Column] = (
        CODE,
        Column("level", ("级别", "层级", "类型")),
        NAME,
        Column("parent", ("上级", "上级编码", "父级编码", "所属区域", "上级代码", "所属网格")),
        Column("kind", ("网格类型", "网格类别")),
        Column("floors", ("层数", "楼层数")),
        Column("lift", ("电梯", "有无电梯", "elevator")),
    )
    chunk_rows: int = 1_000_000  # all at once: a parent may stand below its children
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def begin(self, muster: Instance) -> None:
        async with muster.pool.connection() as conn:
            listed = await rows(conn, "muster.intake", "areas")
        self.known = {one["code"]: one for one in listed}

    def draft(self, row: Row) -> dict[str, Any]:
        code, level, name, parent, kind, floors, lift = row.cells
        limited("code", code, limit=64)
        return {
            "code": code or label("code", code),
            "level": word("level", level, _LEVEL_WORDS, self.level),
            "name": label("name", name),
            "parent": parent or None,
            "kind": word("kind", kind, _GRID_WORDS) if kind else None,
            "floors": whole("floors", floors, least=1, most=200),
            "lift": word("lift", lift, _YES_NO) if lift else None,
        }

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[Event], list[tuple[Row, RowFault]]]:
        late: list[tuple[Row, RowFault]] = []
        events = []
        levels = {draft["code"]: draft["level"] for _, draft in drafts}
        for row, draft in drafts:
            try:
                body = self._body(draft, levels)
            except RowFault as fault:
                late.append((row, fault))
                continue
            mine = {**draft, "parent": body.parent}
            if self.known.get(draft["code"]) != mine:
                self.known[draft["code"]] = mine
                events.append(_event(body, derived("area", draft["code"]), at))
        return events, late

    def _body(self, draft: dict[str, Any], levels: dict[str, str]) -> AreaListed:
        parent, level = draft["parent"], draft["level"]
        listed = self.known.get(draft["code"])
        if parent is None:
            # A district's own file starts at its root; that does not take it out of its city.
            above = listed["parent"] if listed else None
        else:
            above_level = levels.get(parent) or self.known.get(parent, {}).get("level")
            if above_level is None:
                raise RowFault("parent", ParentMissing(parent=parent[:64]))
            if LEVELS.index(above_level) >= LEVELS.index(level):
                raise RowFault(
                    "parent", ParentBelow(parent=parent, parent_level=above_level, level=level)
                )
            above = derived("area", parent)
        return body_of(AreaListed, **{**draft, "parent": above})


@dataclass
class Units:
    """Enterprises, schools, hotels and other units."""

    name: str = "units"
    columns: Sequence[Column] = (
        CODE, NAME,
        Column("kind", ("类型", "类别", "单位类型"), True),
        Column("area", ("所属区域", "所属网格", "网格编码", "社区编码", "区域编码"), True),
        Column("headcount", ("人数", "员工人数", "在册人数")),
    )  # fmt: skip
    chunk_rows: int = IMPORT_CHUNK_ROWS
    areas: dict[str, UUID] = field(default_factory=dict)
    known: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    async def begin(self, muster: Instance) -> None:
        self.areas = await area_ids(muster)
        async with muster.pool.connection() as conn:
            listed = await rows(conn, "muster.intake", "units")
        self.known = {one["code"]: tuple(one.values()) for one in listed}

    def draft(self, row: Row) -> tuple[Any, ...]:
        code, name, kind, area, headcount = row.cells
        return (
            label("code", code, limit=64), label("name", name), word("kind", kind, _UNIT_WORDS),
            area_id("area", area, self.areas),
            whole("headcount", headcount, least=0, most=1_000_000) or 0,
        )  # fmt: skip

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[Event], list[tuple[Row, RowFault]]]:
        fields = ("code", "name", "kind", "area", "headcount")
        return _changed(self.known, drafts, at, "unit", UnitListed, fields), []


@dataclass
class Sites:
    """Sampling sites."""

    name: str = "sites"
    columns: Sequence[Column] = (
        CODE, NAME,
        Column("area", ("所属社区", "社区编码", "所属区域", "区域编码"), True),
        Column("lanes", ("通道数", "通道", "采样通道")),
    )  # fmt: skip
    chunk_rows: int = IMPORT_CHUNK_ROWS
    areas: dict[str, UUID] = field(default_factory=dict)
    known: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    async def begin(self, muster: Instance) -> None:
        self.areas = await area_ids(muster)
        async with muster.pool.connection() as conn:
            listed = await rows(conn, "muster.intake", "sites")
        self.known = {one["code"]: tuple(one.values()) for one in listed}

    def draft(self, row: Row) -> tuple[Any, ...]:
        code, name, area, lanes = row.cells
        return (
            label("code", code, limit=64), label("name", name),
            area_id("area", area, self.areas), whole("lanes", lanes, least=0, most=100) or 1,
        )  # fmt: skip

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[Event], list[tuple[Row, RowFault]]]:
        fields = ("code", "name", "area", "lanes")
        return _changed(self.known, drafts, at, "site", SiteListed, fields), []


@dataclass
class Results:
    """Outcomes per tube, as a laboratory's file gives them. The id of a result follows from its row,
    so the same row again is the same result."""

    lab: str | None = None  # for files that do not say it
    name: str = "results"
    columns: Sequence[Column] = (
        Column("barcode", ("条码", "条码号", "管号", "试管编号", "样本编号", "tube", "sample"), True),
        Column("outcome", ("结果", "检测结果", "结论", "result"), True),
        Column("time", ("时间", "检测时间", "报告时间", "出结果时间", "resulted_at"), True),
        Column("lab", ("实验室", "检测机构", "检测单位", "laboratory")),
    )
    chunk_rows: int = IMPORT_CHUNK_ROWS
    zone: str = "Asia/Shanghai"

    async def begin(self, muster: Instance) -> None:
        self.zone = muster.settings.timezone

    def draft(self, row: Row) -> ResultReleased:
        barcode, outcome, time, lab = row.cells
        if not time:
            raise RowFault("time", CellMissing())
        try:
            resulted_at = parse_local(time, self.zone)
        except ValueError:
            raise RowFault("time", TimeUnreadable(word=time[:40])) from None
        return ResultReleased(
            barcode=label("barcode", barcode, limit=64),
            outcome=word("outcome", outcome, _OUTCOME_WORDS),  # type: ignore[arg-type]
            lab=label("lab", lab or self.lab or "", limit=64),
            resulted_at=resulted_at,
        )

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[Event], list[tuple[Row, RowFault]]]:
        events: dict[UUID, Event] = {}
        for _, body in drafts:
            result = derived(
                "result", body.lab, body.barcode, body.resulted_at.timestamp(), body.outcome
            )
            id_ = derived("ResultReleased", result)
            # The time of the event is the laboratory's, so that the same file is the same event.
            events[id_] = Event(
                id_, "ResultReleased", result, min(body.resulted_at, at), body.resulted_at, at,
                "import", body,
            )  # fmt: skip
        return list(events.values()), []


def _event(body: Body, subject: UUID, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, "import", body)


def _changed(
    known: dict[str, tuple[Any, ...]], drafts: list[tuple[Row, Any]], at: datetime, subject: str,
    type_: type[Body], fields: tuple[str, ...],
) -> list[Event]:  # fmt: skip
    events = []
    for _, draft in drafts:
        if known.get(draft[0]) != draft:
            known[draft[0]] = draft
            body = body_of(type_, **dict(zip(fields, draft, strict=True)))
            events.append(_event(body, derived(subject, draft[0]), at))
    return events


async def area_ids(muster: Instance) -> dict[str, UUID]:
    """Every area's id by its code."""
    async with muster.pool.connection() as conn:
        cursor = await conn.execute("SELECT code, area FROM registry.area")
        return dict(await cursor.fetchall())


def area_id(column: str, code: str, areas: dict[str, UUID]) -> UUID:
    if not code:
        raise RowFault(column, CellMissing())
    found = areas.get(code) or areas.get(fold(code).upper())
    if found is None:
        raise RowFault(column, AreaCodeUnknown(code=code[:64]))
    return found
