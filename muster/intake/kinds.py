"""The small kinds of table: areas of any level, units, sites, results. Each a list of columns with
the headers offices use, and what a row means.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import msgspec

from muster.config import IMPORT_CHUNK_ROWS
from muster.core.ids import derived, uuid7
from muster.core.rows import rows
from muster.instance import Instance
from muster.intake.faults import CellProblem, Row
from muster.intake.importing import CellMissing, Cells, CodeTwice, RowFault
from muster.intake.tables import Column
from muster.lab.events import ResultReleased
from muster.ledger.event import Body, Event
from muster.registry.events import AreaListed, Level, UnitKind, UnitListed
from muster.sampling.events import SiteListed

LEVELS: tuple[str, ...] = get_args(Level)
_LEVEL_WORDS = {level: level for level in LEVELS} | {
    "国家": "country", "省": "province", "自治区": "province", "直辖市": "province", "市": "city",
    "地级市": "city", "地区": "city", "自治州": "city", "盟": "city", "区县": "district",
    "区": "district", "县": "district", "市辖区": "district", "县级市": "district",
    "旗": "district", "county": "district", "街道": "street", "乡": "street", "镇": "street",
    "乡镇": "street", "街道乡镇": "street", "town": "street", "township": "street",
    "社区": "community", "村": "community", "village": "community", "居委会": "community",
    "村委会": "community", "行政村": "community", "小区": "compound", "自然村": "compound",
    "网格": "grid", "楼栋": "building", "楼": "building", "栋": "building", "幢": "building",
}  # fmt: skip
_GRID_WORDS = {"basic": "basic", "基础": "basic", "基础网格": "basic", "exclusive": "exclusive",
               "专属": "exclusive", "专属网格": "exclusive"}  # fmt: skip
YES_NO = {
    "yes": True, "是": True, "有": True, "true": True, "1": True, "y": True,
    "no": False, "否": False, "无": False, "false": False, "0": False, "n": False,
}  # fmt: skip
_UNIT_WORDS = {kind: kind for kind in get_args(UnitKind)} | {
    "企业": "enterprise", "公司": "enterprise", "工厂": "enterprise", "学校": "school",
    "酒店": "hotel", "宾馆": "hotel", "商铺": "shop", "商店": "shop", "商场": "shop",
    "医院": "hospital", "市场": "market", "农贸市场": "market", "养老院": "care_home",
    "机关": "organ", "公安": "police", "派出所": "police", "物业": "property",
    "物业公司": "property", "志愿者": "volunteers", "志愿队": "volunteers", "志愿服务队": "volunteers",
    "其他": "other",
}  # fmt: skip
_OUTCOME_WORDS = {
    "positive": "positive", "阳性": "positive", "阳": "positive", "+": "positive",
    "(+)": "positive", "阳性(+)": "positive", "detected": "positive", "检出": "positive",
    "negative": "negative", "阴性": "negative", "阴": "negative", "-": "negative",
    "(-)": "negative", "阴性(-)": "negative", "notdetected": "negative", "未检出": "negative",
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


class ChildAbove(CellProblem):
    """A {level} cannot hold "{child}", a {child_level}, which is listed under it."""

    zh = "级别 {level} 不能包含已登记在其下的“{child}”（{child_level}）。"


CODE = Column("code", ("编码", "代码", "区划代码", "区划码", "编号", "网格编码", "楼栋编码"), True)
NAME = Column("name", ("名称", "区域名称", "单位名称", "采样点名称", "楼栋名称", "网格名称"), True)


class Codes:
    """The codes of one file: a row that says the same again is passed over, one that says something
    else is a fault."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, Any]] = {}

    def is_new(self, line: int, code: str, draft: Any) -> bool:
        above, said = self._seen.setdefault(code, (line, draft))
        if said != draft:
            raise RowFault(("code", CodeTwice(line=above)))
        return above == line


@dataclass
class Areas:
    """Areas of the tree. Rows may come in any order: the file is read as a whole."""

    name: str = "areas"
    level: str | None = None  # for files of grids or buildings, which need not say it
    chunk_rows: int = 1_000_000  # all at once: a parent may stand below its children
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: Codes = field(default_factory=Codes)

    @property
    def columns(self) -> Sequence[Column]:
        kind = "类型"  # of a grid where all are grids, else of an area
        return (
            CODE,
            Column("level", ("级别", "层级") if self.level else ("级别", "层级", kind)),
            NAME,
            Column("parent", ("上级", "上级编码", "父级编码", "所属区域", "上级代码", "所属网格",
                              "parent code")),
            Column("kind", ("网格类型", "网格类别", *((kind,) if self.level == "grid" else ()))),
            Column("floors", ("层数", "楼层数")),
            Column("lift", ("电梯", "有无电梯", "elevator")),
        )  # fmt: skip

    async def begin(self, muster: Instance) -> None:
        async with muster.pool.connection() as conn:
            listed = await rows(conn, "muster.intake", "areas")
        self.known = {one["code"]: one for one in listed}

    def draft(self, row: Row) -> dict[str, Any] | None:
        code, level, name, parent, kind, floors, lift = row.cells
        cells = Cells()
        draft = {
            "code": cells.label("code", code, limit=64),
            "level": cells.word("level", level, _LEVEL_WORDS) or self.level,
            "name": cells.label("name", name),
            "parent": parent or None,
            "kind": cells.word("kind", kind, _GRID_WORDS),
            "floors": cells.whole("floors", floors, least=1, most=200),
            "lift": cells.word("lift", lift, YES_NO),
        }
        cells.check()
        return draft if self.codes.is_new(row.line, code, draft) else None

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[tuple[Row, Event]], list[tuple[Row, RowFault]]]:
        lines = {draft["code"]: row for row, draft in drafts}
        taken = {draft["code"]: _filled(draft, self.known) for _, draft in drafts}
        late: list[tuple[Row, RowFault]] = []
        while misplaced := dict(self._misplaced(taken)):  # one refused may take others along
            for code, fault in misplaced.items():
                late.append((lines[code], fault))
                del taken[code]
        events = []
        for code, one in taken.items():
            listed = self.known.get(code, {})
            if any(listed.get(name) != value for name, value in one.items()):
                above = self._id(one["parent"]) if one["parent"] else None
                body = _body(AreaListed, {**one, "parent": above})
                events.append((lines[code], _event(body, self._id(code), at)))
        late.sort(key=lambda refused: refused[0].line)
        return events, late

    def _misplaced(self, taken: dict[str, dict[str, Any]]) -> Iterator[tuple[str, RowFault]]:
        """Rows that would not hang in the tree. Every parent is of a wider level than its children,
        in the file and with what is listed already, so there can be no circle."""
        tree = {**self.known, **taken}
        widest = min((_rank(one) for one in taken.values() if one["level"]), default=0)
        for code, one in taken.items():
            column, problem = "parent", None
            parent = tree.get(one["parent"])
            if one["level"] is None:
                column, problem = "level", CellMissing()
            elif one["parent"] is None:
                if self.level or _rank(one) > widest:
                    problem = CellMissing()
            elif parent is None:
                problem = ParentMissing(parent=one["parent"][:64])
            elif _rank(parent) >= _rank(one):
                words = {"parent_level": _called(parent), "level": _called(one)}
                problem = ParentBelow(parent=one["parent"], **words)
            if problem:
                yield code, RowFault((column, problem))
        for child in self.known.values():
            above = taken.get(child["parent"])
            if above and child["code"] not in taken and _rank(above) >= _rank(child):
                words = {"child_level": _called(child), "level": _called(above)}
                problem = ChildAbove(child=child["code"], **words)
                yield above["code"], RowFault(("level", problem))

    def _id(self, code: str) -> UUID:
        return self.known[code]["area"] if code in self.known else derived("area", code)


def _rank(area: dict[str, Any]) -> int:
    """0 for the whole country; -1 where the level is not known."""
    return LEVELS.index(area["level"]) if area["level"] else -1


def _called(area: dict[str, Any]) -> str:
    """A level in both languages."""
    level = area["level"]
    return f"{level} {next(w for w, value in _LEVEL_WORDS.items() if value == level != w)}"


@dataclass
class Listed(ABC):
    """A file of things with a code that stand in an area; what differs from its listing is new."""

    type: type[Body]
    name: str
    columns: Sequence[Column]
    defaults: Mapping[str, Any]
    chunk_rows: int = IMPORT_CHUNK_ROWS
    areas: dict[str, UUID] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: Codes = field(default_factory=Codes)

    async def begin(self, muster: Instance) -> None:
        self.areas = await area_ids(muster)
        async with muster.pool.connection() as conn:
            listed = await rows(conn, "muster.intake", self.name)
        self.known = {one["code"]: one for one in listed}

    @abstractmethod
    def values(self, cells: Cells, row: Row) -> dict[str, Any]:
        """What a row says, None where it says nothing."""

    def draft(self, row: Row) -> dict[str, Any] | None:
        cells = Cells()
        draft = self.values(cells, row)
        cells.check()
        return draft if self.codes.is_new(row.line, draft["code"], draft) else None

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[tuple[Row, Event]], list[tuple[Row, RowFault]]]:
        events = []
        for row, draft in drafts:
            listed = self.known.get(draft["code"], {})
            one = _filled(draft, self.known)
            one |= {name: value for name, value in self.defaults.items() if one[name] is None}
            if any(listed.get(name) != value for name, value in one.items()):
                subject = listed.get("id") or derived(self.name.removesuffix("s"), draft["code"])
                events.append((row, _event(_body(self.type, one), subject, at)))
        return events, []


class Units(Listed):
    """Enterprises, schools, hotels and other units."""

    def __init__(self) -> None:
        columns = (
            CODE, NAME,
            Column("kind", ("类型", "类别", "单位类型"), True),
            Column("area", ("所属区域", "所属网格", "网格编码", "社区编码", "区域编码"), True),
            Column("headcount", ("人数", "员工人数", "在册人数")),
        )  # fmt: skip
        super().__init__(UnitListed, "units", columns, {"headcount": 0})

    def values(self, cells: Cells, row: Row) -> dict[str, Any]:
        code, name, kind, area, headcount = row.cells
        if not kind:
            cells.fault("kind", CellMissing())
        return {
            "code": cells.label("code", code, limit=64), "name": cells.label("name", name),
            "kind": cells.word("kind", kind, _UNIT_WORDS),
            "area": cells.area("area", area, self.areas),
            "headcount": cells.whole("headcount", headcount, least=0, most=1_000_000),
        }  # fmt: skip


class Sites(Listed):
    """Sampling sites."""

    def __init__(self) -> None:
        columns = (
            CODE, NAME,
            Column("area", ("所属社区", "社区编码", "所属区域", "区域编码"), True),
            Column("lanes", ("通道数", "通道", "采样通道")),
        )  # fmt: skip
        super().__init__(SiteListed, "sites", columns, {"lanes": 1})

    def values(self, cells: Cells, row: Row) -> dict[str, Any]:
        code, name, area, lanes = row.cells
        return {
            "code": cells.label("code", code, limit=64), "name": cells.label("name", name),
            "area": cells.area("area", area, self.areas),
            "lanes": cells.whole("lanes", lanes, least=1, most=100),
        }  # fmt: skip


@dataclass
class Results:
    """Outcomes per tube, as a laboratory's file gives them. A result's id follows from its row, so
    the same row again is the same result."""

    lab: str | None = None  # for files that do not say it
    name: str = "results"
    columns: Sequence[Column] = (
        Column("barcode", ("条码", "条码号", "管号", "试管编号", "样本编号", "tube",
                           "sample"), True),
        Column("outcome", ("结果", "检测结果", "结论", "result"), True),
        Column("time", ("时间", "检测时间", "报告时间", "出结果时间", "resulted_at"), True),
        Column("lab", ("实验室", "检测机构", "检测单位", "laboratory")),
    )  # fmt: skip
    chunk_rows: int = IMPORT_CHUNK_ROWS
    zone: str = "Asia/Shanghai"
    seen: set[UUID] = field(default_factory=set)

    async def begin(self, muster: Instance) -> None:
        self.zone = muster.settings.timezone

    def draft(self, row: Row) -> tuple[UUID, ResultReleased] | None:
        barcode, outcome, time, lab = row.cells
        cells = Cells()
        if not outcome:
            cells.fault("outcome", CellMissing())
        body = ResultReleased(
            barcode=cells.label("barcode", barcode, limit=64),
            outcome=cells.word("outcome", outcome, _OUTCOME_WORDS),  # type: ignore[arg-type]
            resulted_at=cells.time("time", time, self.zone),  # type: ignore[arg-type]
            lab=cells.label("lab", lab or self.lab or "", limit=64),
        )
        cells.check()
        result = derived(
            "result", body.lab, body.barcode, body.resulted_at.timestamp(), body.outcome
        )
        if result in self.seen:
            return None
        self.seen.add(result)
        return result, body

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Any]], at: datetime
    ) -> tuple[list[tuple[Row, Event]], list[tuple[Row, RowFault]]]:
        # The time of the event is the laboratory's, so that the same row is the same event.
        return [
            (row, Event(
                derived("ResultReleased", result), "ResultReleased", result,
                min(body.resulted_at, at), body.resulted_at, at, "import", body,
            ))
            for row, (result, body) in drafts
        ], []  # fmt: skip


def _filled(draft: dict[str, Any], known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The draft with what is known where it says nothing: a district's own file, which starts at
    its root, does not take it out of its city."""
    listed = known.get(draft["code"], {})
    return {name: listed.get(name) if said is None else said for name, said in draft.items()}


def _event(body: Body, subject: UUID, at: datetime) -> Event:
    return Event(uuid7(), type(body).__name__, subject, at, at, at, "import", body)


def _body(type_: type[Body], values: Mapping[str, Any]) -> Body:
    """A body from values; what it refuses after they were checked is a defect of ours."""
    return msgspec.convert(values, type_)


async def area_ids(muster: Instance) -> dict[str, UUID]:
    """Every area's id by its code."""
    async with muster.pool.connection() as conn:
        cursor = await conn.execute("SELECT code, area FROM registry.area")
        return dict(await cursor.fetchall())
