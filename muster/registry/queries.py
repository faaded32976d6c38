"""Questions about areas, people and units. Lists mask numbers and phones."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from rapidfuzz import fuzz

from muster.config import PAGE_LIMIT
from muster.core.paging import Page, decode, page
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.core.sqlfile import query
from muster.core.text import clean, simplified
from muster.registry.engine.identity import check
from muster.registry.engine.masking import masked_number, masked_phone
from muster.registry.vault import Vault

_HERE = "muster.registry"
Conn = psycopg.AsyncConnection[Any]


class AreaUnknown(Problem):
    """No area has the code, name or id "{area}". `muster areas` lists them."""

    zh = "没有编码、名称或编号为“{area}”的区域。用 muster areas 查看。"
    status = 404


class AreaAmbiguous(Problem):
    """Several areas are called "{area}": {codes}. Name one by its code."""

    zh = "有多个区域名为“{area}”：{codes}。请用编码指定。"
    status = 409


class PersonUnknown(Problem):
    """Nobody is known by that id or document number."""

    zh = "没有该编号或证件号码对应的人。"
    status = 404


async def area(conn: Conn, text: str) -> dict[str, Any]:
    """The area of a code, an id or a name. Raises AreaUnknown, AreaAmbiguous."""
    if found := await row(conn, _HERE, "area_by_code", code=text):
        return found
    try:
        if found := await row(conn, _HERE, "area_by_id", area=UUID(text)):
            return found
    except ValueError:
        pass
    named = await rows(conn, _HERE, "areas_by_name", name=text)
    if len(named) == 1:
        return named[0]
    if named:
        raise AreaAmbiguous(area=text, codes=", ".join(one["code"] for one in named))
    raise AreaUnknown(area=text)


async def children(
    conn: Conn, parent: UUID | None, *, after: str | None = None, limit: int = PAGE_LIMIT
) -> Page:
    """The areas right under one, or the roots of the tree."""
    if parent is None:
        return Page(await rows(conn, _HERE, "roots"))
    (code,) = decode(after, str) or ("",)
    found = await rows(conn, _HERE, "children", area=parent, after=code, limit=limit + 1)
    return page(found, limit, ("code",))


async def search(
    conn: Conn, area: UUID, prefix: str, *, after: str | None = None, limit: int = 50
) -> Page:
    """People under an area whose name, pinyin or initials begin with `prefix`. The cursor names the last
    person by id: a page with masked names must not tell one in it."""
    prefix = clean(prefix)
    column: Literal["name", "pinyin", "initials"] = "name"
    if prefix.isascii():
        prefix = prefix.lower().replace(" ", "")
        column = "pinyin" if any(vowel in prefix for vowel in "aeiou") else "initials"
    (last,) = decode(after, UUID) or (None,)

    def sql(name: str) -> bytes:
        return query(_HERE, name).replace("{column}", column).encode()

    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(sql("search_from"), {"area": area, "after": last})
        among = await cursor.fetchone()
        if among is None:  # not in the tree yet
            return Page([])
        among |= {
            "from": among["from"] or prefix, "beyond": prefix + "\U0010ffff", "after": last,
            "limit": limit + 1,
        }  # fmt: skip
        await cursor.execute(sql("search"), among)
        found = await cursor.fetchall()
    return page(found, limit, ("resident",))


async def person(conn: Conn, vault: Vault, resident: UUID, *, full: bool = False) -> dict[str, Any]:
    """A person with number and phone, masked unless `full`. Raises PersonUnknown."""
    found = await row(conn, _HERE, "person", resident=resident)
    if found is None:
        raise PersonUnknown()
    for name, mask in (("number", masked_number), ("phone", masked_phone)):
        if found[name]:
            text = vault.open(found[name]).decode()
            found[name] = text if full else mask(text)
    return found


async def check_known(conn: Conn, people: Sequence[UUID]) -> None:
    """All of these are on record, for whoever asks. Raises PersonUnknown."""
    known = await row(conn, _HERE, "known", people=list(people))
    if known is None or known["count"] < len({*people}):
        raise PersonUnknown()


async def by_text(conn: Conn, vault: Vault, text: str) -> UUID:
    """The person of an id or a document number. Raises PersonUnknown."""
    try:
        return UUID(text)
    except ValueError:
        pass
    document = check(text)
    found = await row(
        conn, _HERE, "by_number",
        hashes=list(vault.number_hashes(document.kind, document.number or text).values()),
    )  # fmt: skip
    if found is None:
        raise PersonUnknown()
    return found["resident"]


async def by_phone(conn: Conn, vault: Vault, phone: str) -> list[dict[str, Any]]:
    """Everybody who gave one phone, whole."""
    hashes = vault.phone_hashes(phone.replace(" ", "").replace("-", ""))
    return await rows(conn, _HERE, "by_phone", hashes=list(hashes.values()))


async def units(
    conn: Conn, *, q: str | None = None, kind: str | None = None, area: UUID | None = None,
    after: str | None = None, limit: int = PAGE_LIMIT,
) -> Page:  # fmt: skip
    """Units by code: of a beginning of the code or a part of the name, of a kind, under an area."""
    (code,) = decode(after, str) or ("",)
    found = await rows(conn, _HERE, "units", q=q, kind=kind, area=area, after=code, limit=limit + 1)
    return page(found, limit, ("code",))


async def likely_duplicates(conn: Conn, *, at_least: int = 60) -> list[dict[str, Any]]:
    """Pairs that may be one person, likeliest first, with score (0-100) and reasons; to be decided
    by a person, never merged silently."""
    found = []
    for pair in await rows(conn, _HERE, "likely_duplicates"):
        reasons = [name for name in _WEIGHTS if pair[name]]
        score = sum(_WEIGHTS[name] for name in reasons)
        likeness = fuzz.ratio(simplified(pair["one_name"]), simplified(pair["other_name"]))
        score += round(likeness / 5) - (40 if pair["both_documents"] else 0)
        if score >= at_least:
            found.append({**pair, "score": min(score, 100), "reasons": reasons})
    return sorted(found, key=lambda pair: -pair["score"])


# One pinyin is given; a birth date or a phone in common is what made it a pair at all.
_WEIGHTS = {
    "same_birth_date": 30, "same_phone": 35, "same_building": 15, "same_room": 15, "same_sex": 5,
}  # fmt: skip
