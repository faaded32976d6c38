"""The roster: who lives where. A person is known by the document, and without one by name, birth
date, building and room; identities go to the vault beside the event, never into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, get_args
from uuid import UUID

import msgspec

from muster.config import IMPORT_CHUNK_ROWS
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.core.rows import rows
from muster.core.text import pinyin, simplified
from muster.instance import Instance
from muster.intake.faults import CellProblem, Row
from muster.intake.importing import Cells, RowFault, WordUnknown
from muster.intake.kinds import area_ids
from muster.intake.tables import Column
from muster.ledger.event import Event
from muster.registry.engine.identity import KINDS, Document, check, is_personal, kind_named
from muster.registry.events import ResidentListed, State
from muster.registry.vault import Identity, Vault

EARLIEST_BIRTH = date(1880, 1, 1)
# Why a document number is not valid, as identity.check calls it.
REASONS = {
    "kind": ("its kind is not known", "证件类型不明"),
    "empty": ("it is empty", "号码为空"),
    "length": ("it is too long or too short", "位数不对"),
    "characters": ("it has a character that does not belong there", "含有不应出现的字符"),
    "area": ("it begins with the code of no region", "开头不是行政区划代码"),
    "birth_date": ("the birth date in it does not exist", "其中的出生日期不存在"),
    "future_birth": ("the birth date in it is in the future", "其中的出生日期在未来"),
    "check_digit": ("a digit is wrong, or two are swapped", "有一位写错或两位颠倒"),
}

_STATE_WORDS = {state: state for state in get_args(State)} | {
    "常住": "resident", "在住": "resident", "户籍": "resident", "暂住": "temporary",
    "流动": "temporary", "租住": "temporary", "外出": "away", "迁出": "moved_away",
    "搬离": "moved_away", "不能检测": "cannot_be_tested", "无法采样": "cannot_be_tested",
}  # fmt: skip
SEX_WORDS = {"male": "male", "男": "male", "m": "male", "男性": "male",
              "female": "female", "女": "female", "f": "female", "女性": "female"}  # fmt: skip


class DocumentInvalid(CellProblem):
    """The document number is not valid: {reason}. Check it against the document."""

    zh = "证件号码无效：{reason_zh}。请对照证件核对。"


class DocumentOfAnother(CellProblem):
    """The same document number is listed with another name, in a row above or on the roster. Check
    both; to change a name on the roster, import with --correct-names."""

    zh = (
        "同一证件号码在上文或花名册中是另一姓名。请核对；要更正花名册上的姓名，"
        "请用 --correct-names 导入。"
    )


class BirthDateDiffers(CellProblem):
    """The birth date is not the one in the document number."""

    zh = "出生日期与证件号码中的不一致。"


class BirthDateUnlikely(CellProblem):
    """The birth date is before 1880 or in the future."""

    zh = "出生日期早于 1880 年或在未来。"


class SexDiffers(CellProblem):
    """The sex is not the one in the document number."""

    zh = "性别与证件号码中的不一致。"


class PhoneInvalid(CellProblem):
    """The phone number must have 3 to 20 digits."""

    zh = "电话号码应为 3 到 20 位数字。"


class PersonalHere(CellProblem):
    """The cell holds a name, document number or phone, which belong into their own columns only."""

    zh = "此单元格含有姓名、证件号码或电话，这些只能填在各自的列中。"


@dataclass(frozen=True, slots=True)
class Draft:
    """A row of the roster, checked. Of the body, `state` may be a default that the row does not
    say."""

    body: ResidentListed
    identity: Identity
    says_state: bool
    hashes: tuple[bytes, ...]  # under each live key
    phone_hashes: tuple[bytes, ...]


@dataclass
class Residents:
    """Rows of the roster. A person twice in one file is joined: the first row counts.

    `correct_names` lets a row give another name to a document that is on the roster already.
    """

    vault: Vault
    correct_names: bool = False
    name: str = "residents"
    columns: Sequence[Column] = (
        Column("name", ("姓名", "居民姓名"), True),
        Column("kind", ("证件类型", "证件种类", "document type")),
        Column("number", ("证件号码", "身份证号", "身份证号码", "证件号", "公民身份号码",
                          "id number")),
        Column("phone", ("手机", "手机号", "手机号码", "电话", "联系电话", "联系方式", "mobile")),
        Column("sex", ("性别", "gender")),
        Column("birth_date", ("出生日期", "出生年月日", "birthday")),
        Column("building", ("楼栋编码", "楼栋", "楼栋代码", "网格编码", "区域编码"), True),
        Column("room", ("房号", "室号", "房间号", "门牌号")),
        Column("state", ("状态", "居住状态", "人员状态", "status")),
        Column("registered_area", ("户籍地区划码", "户籍地", "户籍区划", "registered area")),
        Column("group", ("人群", "人群类别", "人员类别")),
    )  # fmt: skip
    areas: dict[str, UUID] = field(default_factory=dict)
    chunk_rows: int = IMPORT_CHUNK_ROWS
    seen: dict[bytes, int] = field(default_factory=dict)
    count: int = 0
    compare: bool = True
    today: date = date.max

    async def begin(self, muster: Instance) -> None:
        self.areas = await area_ids(muster)
        self.today = now().date()
        async with muster.pool.connection() as conn:
            cursor = await conn.execute("SELECT EXISTS (SELECT FROM vault.identity)")
            row = await cursor.fetchone()
        self.compare = bool(row and row[0])

    def draft(self, row: Row) -> Draft | None:
        (name, kind_, number, phone, sex_, birth, building_, room, state, registered, group) = (
            row.cells
        )
        cells = Cells()
        name = cells.label("name", name, limit=100)
        document = document_in(cells, kind_, number, today=self.today)
        phone = phone_in(cells, phone)
        sex: Any = cells.word("sex", sex_, SEX_WORDS)
        birth_date = cells.day("birth_date", birth)
        if birth_date and not EARLIEST_BIRTH <= birth_date <= self.today:
            cells.fault("birth_date", BirthDateUnlikely())
        if document:
            birth_date, sex = birth_date or document.birth_date, sex or document.sex
            if document.birth_date and birth_date != document.birth_date:
                cells.fault("birth_date", BirthDateDiffers())
            if document.sex and sex != document.sex:
                cells.fault("sex", SexDiffers())
        building: Any = cells.area("building", building_, self.areas)
        for column, text, limit, of in (
            ("room", room, 32, name), ("registered_area", registered, 64, ""),
            ("group", group, 64, name),
        ):  # fmt: skip
            if cells.limited(column, text, limit=limit) and is_personal(text, of):
                cells.fault(column, PersonalHere())
        state_: Any = cells.word("state", state, _STATE_WORDS)
        cells.check()
        identity = Identity(
            name=name, kind=document.kind if document else None,  # type: ignore[arg-type]
            number=document.number if document else None, phone=phone or None,
            birth_date=birth_date,
        )  # fmt: skip
        body = ResidentListed(
            source="roster", state=state_ or "resident", building=building, room=room or None,
            birth_year=birth_date.year if birth_date else None, sex=sex,
            registered_area=registered or None, group=group or None,
        )  # fmt: skip
        hashes = self.vault.number_hashes(identity.kind, identity.number) or self.vault.prints(
            name, birth_date, building, body.room
        )
        called = hash(pinyin(name))  # one spelling in both scripts
        if self.seen.setdefault(hashes[min(hashes)], called) != called:
            raise RowFault(("number", DocumentOfAnother()))
        if len(self.seen) == self.count:
            return None
        self.count = len(self.seen)
        phones = self.vault.phone_hashes(phone)
        return Draft(body, identity, bool(state_), tuple(hashes.values()), tuple(phones.values()))

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Draft]], at: datetime
    ) -> tuple[list[tuple[Row, Event]], list[tuple[Row, RowFault]]]:
        known = await self._known(muster, [draft for _, draft in drafts]) if self.compare else {}
        events, late = [], []
        for row, draft in drafts:
            resident, body, identity = None, draft.body, draft.identity
            if listed := next(filter(None, map(known.get, draft.hashes)), None):
                if self._is_another(draft, listed):
                    late.append((row, RowFault(("number", DocumentOfAnother()))))
                    continue
                changed = self._changed(draft, listed)
                if changed is None:
                    continue
                resident, (body, identity) = listed["resident"], changed
            event = Event(
                uuid7(), "ResidentListed", resident or uuid7(), at, at, at, "import", body,
                identity=identity,
            )  # fmt: skip
            events.append((row, event))
        return events, late

    async def _known(self, muster: Instance, drafts: list[Draft]) -> dict[bytes, dict[str, Any]]:
        async with muster.pool.connection() as conn:
            found = await rows(
                conn, "muster.intake", "people_known",
                numbers=[h for draft in drafts if draft.identity.number for h in draft.hashes],
                prints=[h for draft in drafts if not draft.identity.number for h in draft.hashes],
            )  # fmt: skip
        return {bytes(one["hash"]): one for one in found}

    def _is_another(self, draft: Draft, listed: dict[str, Any]) -> bool:
        """Whether the document is somebody else's; a walk-in's name the roster knows better."""
        same = listed["walk_in"] or self.correct_names or draft.identity.name == listed["name"]
        return not same and pinyin(draft.identity.name) != pinyin(listed["name"])

    def _changed(
        self, draft: Draft, listed: dict[str, Any]
    ) -> tuple[ResidentListed, Identity] | None:
        """The row with what is known where it says nothing; None where that is what is listed."""
        body, who = draft.body, draft.identity
        stays = body.building == listed["building"]
        told = msgspec.structs.replace(
            body,
            state=body.state if draft.says_state or not stays else listed["state"],
            room=body.room or (listed["room"] if stays else None),
            birth_year=body.birth_year or listed["birth_year"],
            sex=body.sex or listed["sex"],
            registered_area=body.registered_area or listed["registered_area"],
            group=body.group or listed["group"],
        )
        name = listed["name"] if self._same_name(who.name, listed["name"]) else who.name
        born = who.birth_date or listed["birth_date"]
        called = not draft.phone_hashes or listed["phone_hash"] in draft.phone_hashes
        if not listed["walk_in"] and (
            stays, told.room, told.state, told.birth_year, told.sex, told.registered_area,
            told.group, name, born, called,
        ) == (
            True, listed["room"], listed["state"], listed["birth_year"], listed["sex"],
            listed["registered_area"], listed["group"], listed["name"], listed["birth_date"], True,
        ):  # fmt: skip
            return None
        return told, Identity(
            name=name, kind=who.kind, number=who.number, birth_date=born,
            phone=who.phone or self._phone_of(listed),
        )  # fmt: skip

    def _same_name(self, name: str, listed: str) -> bool:
        """One name, perhaps in the other script, which alone is no news."""
        return name == listed or (not self.correct_names and simplified(name) == simplified(listed))

    def _phone_of(self, listed: dict[str, Any]) -> str | None:
        return self.vault.open(bytes(listed["phone"])).decode() if listed["phone"] else None


def document_in(
    cells: Cells, kind: str, number: str, *, today: date, column: str = "number"
) -> Document | None:
    """The document of a row, where it names one."""
    known = kind_named(kind) if kind else None
    if kind and known is None:
        names = ", ".join(f"{name} {names[1]}" for name, names in KINDS.items())
        cells.fault("kind", WordUnknown(word=kind[:40], known=names))
        return None
    if not number:
        return None
    document = check(number, known, today=today)
    if not document.valid:
        reason, reason_zh = REASONS[document.reason or ""]
        cells.fault(column, DocumentInvalid(reason=reason, reason_zh=reason_zh))
        return None
    return document


def phone_in(cells: Cells, text: str) -> str:
    """A phone number's digits, without the country's code."""
    if text.isdigit() and 3 <= len(text) <= 13:
        digits = text
    else:
        digits = text.translate(_BETWEEN_DIGITS)
        if text and not (digits.isdigit() and 3 <= len(digits) <= 20):
            cells.fault("phone", PhoneInvalid())
    return digits[2:] if len(digits) == 13 and digits.startswith("861") else digits


_BETWEEN_DIGITS = str.maketrans("", "", " -+()")
