"""The register of who can be called up, and the trainings they passed, from units' lists. A person is known by
the document, else by the phone and name, else by the unit's own number: listed by a second unit, they stay one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from muster.config import IMPORT_CHUNK_ROWS
from muster.core.clock import now
from muster.core.ids import derived, uuid7
from muster.core.rows import rows
from muster.core.text import fold, pinyin
from muster.instance import Instance
from muster.intake.faults import CellProblem, Row
from muster.intake.importing import CellMissing, Cells, RowFault
from muster.intake.kinds import YES_NO, area_ids
from muster.intake.residents import (
    EARLIEST_BIRTH,
    SEX_WORDS,
    BirthDateUnlikely,
    PersonalHere,
    document_in,
    phone_in,
)
from muster.intake.tables import Column
from muster.ledger.event import Event
from muster.registry.engine.identity import Document, is_personal
from muster.registry.vault import Identity, Vault
from muster.workforce.engine.posts import POSTS
from muster.workforce.events import StaffListed, TrainingPassed

ROLE_WORDS = {word: post.name for post in POSTS.values() for word in (post.name, post.zh)}
_MOST_CODES = 20
_BETWEEN = re.compile(r"[,，、;；/|]+")
_NUMBER = Column("number", ("工号", "人员编号", "编号", "staff number"))
_DOCUMENT = Column(
    "document", ("证件号码", "身份证号", "身份证号码", "证件号", "公民身份号码", "id number")
)
_PHONE = Column("phone", ("手机", "手机号", "手机号码", "电话", "联系电话", "联系方式", "mobile"))
_UNIT = Column("unit", ("单位编码", "单位", "单位代码", "所属单位", "unit code"), True)


class UnitCodeUnknown(CellProblem):
    """No unit has the code "{code}". Import the unit file first, or correct the code."""

    zh = "没有编码为“{code}”的单位。请先导入单位文件，或更正编码。"


class NobodyToKnow(CellProblem):
    """Give a phone, a document number or the unit's own staff number: else this person cannot be told from
    another of the same name."""

    zh = "请填写手机号、证件号码或工号之一，否则无法与同名人员区分。"


class NumberOfAnother(CellProblem):
    """By this number, document or phone another person is listed: the name or the document differs. Check them
    against the unit's records."""

    zh = "该工号、证件号码或手机登记的是另一人：姓名或证件不同。请与单位核对。"


class StaffNotListed(CellProblem):
    """Nobody on the register is of this unit and number, document or phone. Import the staff list first."""

    zh = "名册中没有与此单位及工号、证件号码或手机相符的人员。请先导入人员名册。"


class TooManyWords(CellProblem):
    """At most {most} are kept of one person."""

    zh = "每人最多 {most} 项。"


class DatesCrossed(CellProblem):
    """The training would end before it was passed."""

    zh = "培训有效期早于通过日期。"


@dataclass(frozen=True, slots=True)
class Draft:
    """A row of the register, checked, and by what the person is known, surest first."""

    body: StaffListed
    identity: Identity
    keys: tuple[tuple[str, Any], ...]
    phones: frozenset[bytes]  # under each live key
    says_fit: bool


@dataclass
class Known:
    """Who is on the register already, by whatever they are known by; who is new gets an id once a file."""

    vault: Vault
    units: dict[str, UUID] = field(default_factory=dict)
    ids: dict[tuple[str, Any], UUID] = field(default_factory=dict)
    listed: dict[tuple[UUID, UUID], dict[str, Any]] = field(default_factory=dict)
    people: dict[UUID, Identity] = field(default_factory=dict)  # whom this file speaks of
    sealed: dict[UUID, dict[str, Any]] = field(default_factory=dict)  # as the vault has the others

    async def begin(self, muster: Instance) -> None:
        """Read the register: tens of thousands at most, and every row of a file is looked up in it."""
        async with muster.pool.connection() as conn:
            units = await (await conn.execute("SELECT code, unit FROM registry.unit")).fetchall()
            self.units = dict(units)
            for one in await rows(conn, "muster.intake", "staff"):
                staff, unit = one["staff"], one["unit"]
                one["phone_hash"] = one["phone_hash"] and bytes(one["phone_hash"])
                self.listed[staff, unit] = self.sealed[staff] = one
                if one["number_hash"]:
                    self.ids["document", bytes(one["number_hash"])] = staff
                if one["phone_hash"]:
                    self.ids["phone", (one["phone_hash"], fold(one["name"]))] = staff
                if one["number"]:
                    self.ids["number", (unit, one["number"])] = staff

    def keys(
        self, unit: UUID | None, number: str, document: Document | None, phone: str, name: str
    ) -> tuple[tuple[str, Any], ...]:
        """By what somebody is known; under every live key of the vault."""
        paper = (document.kind, document.number) if document else (None, None)
        found: list[tuple[str, Any]] = [
            ("document", one) for one in self.vault.number_hashes(*paper).values()
        ]
        found += [
            ("phone", (one, fold(name))) for one in self.vault.phone_hashes(phone or None).values()
        ]
        return (*found, *((("number", (unit, number)),) if number and unit else ()))

    def of(self, keys: Sequence[tuple[str, Any]]) -> UUID | None:
        return next(filter(None, map(self.ids.get, keys)), None)

    def before(self, staff: UUID) -> Identity | None:
        """Who somebody is, by what an earlier row or the vault says."""
        if (one := self.people.get(staff)) is not None or staff not in self.sealed:
            return one
        row = self.sealed[staff]
        paper, phone = (
            self.vault.open(bytes(row[name])).decode() if row[name] else None
            for name in ("paper", "phone")
        )
        return Identity(row["name"], row["kind"], paper, phone, row["birth_date"])

    def identity(self, told: Identity, staff: UUID) -> Identity:
        """What a row says of who somebody is, with what is known where it says nothing. Raises RowFault where
        they are known as somebody else."""
        if known := self.before(staff):
            if pinyin(told.name) != pinyin(known.name) or (
                told.number and known.number and told.number != known.number
            ):
                raise RowFault(("number", NumberOfAnother()))
            told = Identity(
                told.name, told.kind if told.number else known.kind, told.number or known.number,
                told.phone or known.phone, told.birth_date or known.birth_date,
            )  # fmt: skip
        self.people[staff] = told
        return told

    def learn(self, keys: Sequence[tuple[str, Any]], staff: UUID) -> None:
        for key in keys:
            self.ids.setdefault(key, staff)


@dataclass
class Staff:
    """Rows of units' staff lists. Told again the same, nothing changes; what a row leaves out stays."""

    vault: Vault
    name: str = "staff"
    columns: Sequence[Column] = (
        Column("name", ("姓名", "人员姓名"), True), _UNIT, _NUMBER, _PHONE,
        Column("kind", ("证件类型", "证件种类", "document type")), _DOCUMENT,
        Column("sex", ("性别", "gender")),
        Column("birth_date", ("出生日期", "出生年月日", "birthday")),
        Column("home", ("居住小区编码", "居住小区", "居住社区", "住址编码", "home area")),
        Column("skills", ("技能", "特长", "skill")),
        Column("tags", ("标签", "政治面貌", "身份类别", "tag")),
        Column("fit", ("可穿防护服", "能否穿防护服", "suit")),
    )  # fmt: skip
    chunk_rows: int = IMPORT_CHUNK_ROWS
    areas: dict[str, UUID] = field(default_factory=dict)
    today: date = date.max

    def __post_init__(self) -> None:
        self.known = Known(self.vault)

    async def begin(self, muster: Instance) -> None:
        self.areas = await area_ids(muster)
        self.today = now().date()
        await self.known.begin(muster)

    def draft(self, row: Row) -> Draft:
        name, unit_, number, phone, kind, document_, sex_, birth, home_, skills, tags, fit_ = (
            row.cells
        )
        cells = Cells()
        name = cells.label("name", name, limit=100)
        unit = unit_in(cells, unit_, self.known.units)
        number = _code(cells, "number", number, name)
        phone = phone_in(cells, phone)
        document = document_in(cells, kind, document_, today=self.today, column="document")
        born = cells.day("birth_date", birth) or (document.birth_date if document else None)
        if born and not EARLIEST_BIRTH <= born <= self.today:
            cells.fault("birth_date", BirthDateUnlikely())
        sex: Any = cells.word("sex", sex_, SEX_WORDS) or (document.sex if document else None)
        home = cells.area("home", home_, self.areas) if home_ else None
        fit = cells.word("fit", fit_, YES_NO)
        if not (phone or document_ or number):
            cells.fault("phone", NobodyToKnow())
        body = StaffListed(
            unit=unit or UUID(int=0), number=number or None, skills=_codes(cells, "skills", skills, name),
            tags=_codes(cells, "tags", tags, name), home=home, birth_year=born.year if born else None,
            sex=sex, fit=True if fit is None else fit,
        )  # fmt: skip
        cells.check()
        identity = Identity(
            name=name, kind=document.kind if document else None,  # type: ignore[arg-type]
            number=document.number if document else None, phone=phone or None, birth_date=born,
        )  # fmt: skip
        keys = self.known.keys(unit, number, document, phone, name)
        phones = self.vault.phone_hashes(phone or None).values()
        return Draft(body, identity, keys, frozenset(phones), fit is not None)

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Draft]], at: datetime
    ) -> tuple[list[tuple[Row, Event]], list[tuple[Row, RowFault]]]:
        made: list[tuple[Row, Event]] = []
        late: list[tuple[Row, RowFault]] = []
        for row, draft in drafts:
            staff = self.known.of(draft.keys) or uuid7()
            try:
                identity = self.known.identity(draft.identity, staff)
            except RowFault as fault:
                late.append((row, fault))
                continue
            self.known.learn(draft.keys, staff)
            listed = self.known.listed.get((staff, draft.body.unit))
            body = _filled(draft, listed)
            if listed and _same(body, draft, listed):
                continue
            event = Event(
                uuid7(), "StaffListed", staff, at, at, at, "import", body, identity=identity
            )
            made.append((row, event))
            self.known.listed[staff, body.unit] = _row(body, draft, listed)
        return made, late


@dataclass
class Trainings:
    """Rows of who passed which training. The same again is the same event."""

    vault: Vault
    name: str = "trainings"
    columns: Sequence[Column] = (
        _UNIT, Column("name", ("姓名", "人员姓名"), True), _NUMBER, _PHONE, _DOCUMENT,
        Column("role", ("岗位", "角色", "培训岗位", "role"), True),
        Column("on", ("通过日期", "培训日期", "考核日期", "passed on"), True),
        Column("until", ("有效期至", "有效期", "until")),
    )  # fmt: skip
    chunk_rows: int = IMPORT_CHUNK_ROWS
    today: date = date.max

    def __post_init__(self) -> None:
        self.known = Known(self.vault)

    async def begin(self, muster: Instance) -> None:
        self.today = now().date()
        await self.known.begin(muster)

    def draft(self, row: Row) -> tuple[UUID, TrainingPassed]:
        unit_, name, number, phone, document_, role_, on_, until_ = row.cells
        cells = Cells()
        unit = unit_in(cells, unit_, self.known.units)
        if not role_:
            cells.fault("role", CellMissing())
        role: Any = cells.word("role", role_, ROLE_WORDS)
        on, until = cells.day("on", on_), cells.day("until", until_)
        if not on_:
            cells.fault("on", CellMissing())
        if on and until and until < on:
            cells.fault("until", DatesCrossed())
        document = document_in(cells, "", document_, today=self.today, column="document")
        keys = self.known.keys(unit, number, document, phone_in(cells, phone), name)
        cells.check()
        staff = self.known.of(keys)
        if staff is None:
            raise RowFault(("number" if number else "phone", StaffNotListed()))
        assert on
        return staff, TrainingPassed(role, on, until)

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, tuple[UUID, TrainingPassed]]], at: datetime
    ) -> tuple[list[tuple[Row, Event]], list[tuple[Row, RowFault]]]:
        return [
            (row, Event(
                derived("TrainingPassed", staff, body.role, body.on, body.until), "TrainingPassed", staff,
                start, start, at, "import", body,
            ))
            for row, (staff, body) in drafts
            for start in [_midnight(body.on, at)]
        ], []  # fmt: skip


def unit_in(cells: Cells, code: str, units: dict[str, UUID]) -> UUID | None:
    """The unit of a code that must be there."""
    if not code:
        cells.fault("unit", CellMissing())
        return None
    found = units.get(code) or units.get(code.upper())
    if found is None:
        cells.fault("unit", UnitCodeUnknown(code=code[:64]))
    return found


def _code(cells: Cells, column: str, text: str, name: str) -> str:
    if cells.limited(column, text, limit=64) and is_personal(text, name):
        cells.fault(column, PersonalHere())
    return text


def _codes(cells: Cells, column: str, text: str, name: str) -> tuple[str, ...]:
    words = [
        _code(cells, column, word.strip(), name) for word in _BETWEEN.split(text) if word.strip()
    ]
    if len(words) > _MOST_CODES:
        cells.fault(column, TooManyWords(most=_MOST_CODES))
    return tuple(dict.fromkeys(words))


def _filled(draft: Draft, listed: dict[str, Any] | None) -> StaffListed:
    """The row with what this unit said before where it says nothing."""
    body = draft.body
    if listed is None:
        return body
    return msgspec.structs.replace(
        body, number=body.number or listed["number"], skills=body.skills or tuple(listed["skills"]),
        tags=body.tags or tuple(listed["tags"]), home=body.home or listed["home"],
        birth_year=body.birth_year or listed["birth_year"], sex=body.sex or listed["sex"],
        fit=body.fit if draft.says_fit else listed["fit"],
    )  # fmt: skip


_FACTS = ("number", "skills", "tags", "home", "birth_year", "sex", "fit")


def _same(body: StaffListed, draft: Draft, listed: dict[str, Any]) -> bool:
    called = not draft.phones or listed["phone_hash"] in draft.phones
    return (
        called
        and draft.identity.name == listed["name"]
        and _told(body) == [listed[one] for one in _FACTS]
    )


def _told(body: StaffListed) -> list[Any]:
    values = [getattr(body, fact) for fact in _FACTS]
    return [list(value) if isinstance(value, tuple) else value for value in values]


def _row(body: StaffListed, draft: Draft, listed: dict[str, Any] | None) -> dict[str, Any]:
    """As a row of the register would say it."""
    phone = next(iter(draft.phones), listed and listed["phone_hash"])
    return dict(zip(_FACTS, _told(body), strict=True)) | {
        "name": draft.identity.name, "phone_hash": phone,
    }  # fmt: skip


def _midnight(on: date, at: datetime) -> datetime:
    """The moment a day began, but never later than now."""
    return min(datetime(on.year, on.month, on.day, tzinfo=at.tzinfo), at)
