"""The roster: who lives where. A person is known by the document, and without one by name, birth date,
building and room; identities go to the vault beside the event, never into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, get_args
from uuid import UUID

from muster.config import IMPORT_CHUNK_ROWS
from muster.core.clock import now
from muster.core.ids import uuid7
from muster.core.rows import rows
from muster.core.text import pinyin
from muster.instance import Instance
from muster.intake.faults import CellProblem, Row
from muster.intake.importing import RowFault, WordUnknown, day, label, limited, word
from muster.intake.kinds import area_id, area_ids
from muster.intake.tables import Column
from muster.ledger.event import Event
from muster.registry.engine.identity import KINDS, check, kind_named
from muster.registry.events import ResidentListed, State
from muster.registry.vault import Identity, Vault

_STATE_WORDS = {state: state for state in get_args(State)} | {
    "常住": "resident", "在住": "resident", "户籍": "resident", "暂住": "temporary",
    "流动": "temporary", "租住": "temporary", "外出": "away", "迁出": "moved_away",
    "搬离": "moved_away", "不能检测": "cannot_be_tested", "无法采样": "cannot_be_tested",
}  # fmt: skip
_SEX_WORDS = {"男": "male", "女": "female", "male": "male", "female": "female", "m": "male",
              "f": "female", "男性": "male", "女性": "female"}  # fmt: skip


class DocumentInvalid(CellProblem):
    """The document number is not valid: {reason}. Check it against the document."""

    zh = "证件号码无效：{reason}。请对照证件核对。"


class DocumentOfAnother(CellProblem):
    """A row above has the same document number with another name."""

    zh = "上面已有一行使用同一证件号码，但姓名不同。"


class BirthDateDiffers(CellProblem):
    """The birth date is not the one in the document number."""

    zh = "出生日期与证件号码中的不一致。"


class SexDiffers(CellProblem):
    """The sex is not the one in the document number."""

    zh = "性别与证件号码中的不一致。"


class PhoneInvalid(CellProblem):
    """The phone number must have 3 to 20 digits."""

    zh = "电话号码应为 3 到 20 位数字。"


@dataclass(frozen=True, slots=True)
class Draft:
    """A row of the roster, checked."""

    body: ResidentListed
    identity: Identity
    by_number: bool
    hash: bytes
    phone_hash: bytes | None


@dataclass
class Residents:
    """Rows of the roster. A person twice in one file is joined: the first row counts."""

    vault: Vault
    name: str = "residents"
    columns: Sequence[Column] = (
        Column("name", ("姓名", "居民姓名"), True),
        Column("kind", ("证件类型", "证件种类", "document type")),
        Column("number", ("证件号码", "身份证号", "身份证号码", "证件号", "公民身份号码", "id number")),
        Column("phone", ("手机", "手机号", "手机号码", "电话", "联系电话", "联系方式", "mobile")),
        Column("sex", ("性别", "gender")),
        Column("birth_date", ("出生日期", "出生年月日", "birthday")),
        Column("building", ("楼栋编码", "楼栋", "楼栋代码", "网格编码", "区域编码"), True),
        Column("room", ("房号", "室号", "房间号", "门牌号")),
        Column("state", ("状态", "居住状态", "人员状态", "status")),
        Column("registered_area", ("户籍地区划码", "户籍地", "户籍区划", "registered area")),
        Column("group", ("人群", "人群类别", "人员类别")),
    )
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
        birth_date = day("birth_date", birth)
        sex: Any = word("sex", sex_, _SEX_WORDS) if sex_ else None
        kind: Any = _kind(kind_) if kind_ else None
        if number:
            document = check(number, kind, today=self.today)
            if not document.valid:
                raise RowFault("number", DocumentInvalid(reason=document.reason))
            number, kind = document.number, document.kind
            if document.birth_date:
                if birth_date and birth_date != document.birth_date:
                    raise RowFault("birth_date", BirthDateDiffers())
                birth_date = document.birth_date
            if document.sex:
                if sex and sex != document.sex:
                    raise RowFault("sex", SexDiffers())
                sex = document.sex
        if phone and not (phone.isdigit() and 3 <= len(phone) <= 20):
            phone = phone.replace("-", "").replace(" ", "").removeprefix("+")
            if not (phone.isdigit() and 3 <= len(phone) <= 20):
                raise RowFault("phone", PhoneInvalid())
        identity = Identity(
            name=label("name", name, limit=100), kind=kind if number else None,
            number=number or None, phone=phone or None, birth_date=birth_date,
        )  # fmt: skip
        body = ResidentListed(
            source="roster",
            state=word("state", state, _STATE_WORDS, "resident"),  # type: ignore[arg-type]
            building=area_id("building", building_, self.areas),
            room=limited("room", room, limit=32) or None,
            birth_year=birth_date.year if birth_date else None,
            sex=sex,
            registered_area=limited("registered_area", registered, limit=64) or None,
            group=limited("group", group, limit=64) or None,
        )
        hash_ = self.vault.number_hash(identity.kind, identity.number) or self.vault.print(
            identity.name, birth_date, body.building, body.room
        )
        called = hash(pinyin(name))  # one spelling in both scripts
        if self.seen.setdefault(hash_, called) != called:
            raise RowFault("number", DocumentOfAnother())
        if len(self.seen) == self.count:
            return None
        self.count = len(self.seen)
        phone_hash = self.vault.hash("phone", phone) if phone else None
        return Draft(body, identity, bool(number), hash_, phone_hash)

    async def events(
        self, muster: Instance, drafts: list[tuple[Row, Draft]], at: datetime
    ) -> tuple[list[Event], list[tuple[Row, RowFault]]]:
        known = await self._known(muster, [draft for _, draft in drafts]) if self.compare else {}
        events = []
        for _, draft in drafts:
            listed = known.get(draft.hash)
            if listed is None or self._differs(draft, listed):
                events.append(
                    Event(
                        uuid7(), "ResidentListed", listed["resident"] if listed else uuid7(), at, at,
                        at, "import", draft.body, identity=draft.identity,
                    )
                )  # fmt: skip
        return events, []

    async def _known(self, muster: Instance, drafts: list[Draft]) -> dict[bytes, dict[str, Any]]:
        async with muster.pool.connection() as conn:
            found = await rows(
                conn, "muster.intake", "people_known",
                numbers=[draft.hash for draft in drafts if draft.by_number],
                prints=[draft.hash for draft in drafts if not draft.by_number],
            )  # fmt: skip
        return {bytes(one["hash"]): one for one in found}

    @staticmethod
    def _differs(draft: Draft, listed: dict[str, Any]) -> bool:
        body, who = draft.body, draft.identity
        return listed["walk_in"] or (
            body.building, body.room, body.state, body.birth_year, body.sex, body.registered_area,
            body.group, who.name, who.birth_date, who.kind, draft.phone_hash,
        ) != (
            listed["building"], listed["room"], listed["state"], listed["birth_year"],
            listed["sex"], listed["registered_area"], listed["group"], listed["name"],
            listed["birth_date"], listed["kind"],
            listed["phone_hash"] and bytes(listed["phone_hash"]),
        )  # fmt: skip


def _kind(text: str) -> str:
    kind = kind_named(text)
    if kind is None:
        raise RowFault("kind", WordUnknown(word=text[:40], known=", ".join(KINDS)))
    return kind
