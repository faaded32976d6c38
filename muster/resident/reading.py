"""What the handlers of residents' pages share: forms as they are read, the language, what stands near a
place, how a page is answered.
"""

import time
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from uuid import UUID

from litestar import Response

from muster.config import RELATIVES_LIMIT, RESIDENT_FIELDS_LIMIT
from muster.core.clock import now
from muster.core.problems import Problem
from muster.core.text import clean
from muster.hardening import UnsupportedType
from muster.resident import queries
from muster.resident.pages import Somebody
from muster.web import Ask, language, muster

_NEAR_SECONDS = {"buildings": 60.0, "sites": 10.0}
_NEAR_LIMIT = 2_000
Form = Mapping[str, Sequence[str]]


class FormUnfit(Problem):
    """This form cannot be read: {reason}. Open the page again and fill it in anew."""

    zh: ClassVar[str] = "无法读取该表单：{reason}。请重新打开页面填写。"


class Near:
    """What stands near a place, remembered for a moment: many ask the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[float, list[dict[str, Any]]]] = {}

    async def of(self, request: Ask, what: str, *key: Any) -> list[dict[str, Any]]:
        known = self._known.get((what, *key))
        if known and known[0] > time.monotonic():
            return known[1]
        async with muster(request).pool.connection() as conn:
            if what == "buildings":
                found = await queries.buildings(conn, key[0])
            else:
                found = await queries.sites_near(conn, key[0], site=key[1], at=now())
        if len(self._known) > _NEAR_LIMIT:
            self._known.clear()
        self._known[what, *key] = time.monotonic() + _NEAR_SECONDS[what], found
        return found


async def read_form(request: Ask) -> Form:
    """The fields of a form, each cleaned. Raises UnsupportedType, FormUnfit."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/x-www-form-urlencoded":
        raise UnsupportedType(declared=declared[:80])
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict",
            max_num_fields=RESIDENT_FIELDS_LIMIT,
        )  # fmt: skip
    except ValueError as error:
        raise FormUnfit(reason=type(error).__name__) from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(clean(value))
    return fields


def said_in(form: Form, name: str) -> str:
    return form.get(name, ("",))[0]


def before_of(form: Form) -> list[Somebody]:
    """Who was listed on this page before, as the page itself says."""
    found = []
    for text in form.get("p", ())[:RELATIVES_LIMIT]:
        id_, _, name = text.partition("|")
        if (resident := uuid_of(id_)) and name:
            found.append(Somebody(resident, name[:100]))
    return found


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def language_of(request: Ask, form: Form | None = None) -> str:
    """What was chosen, else what the browser prefers."""
    chosen = said_in(form, "lang") if form else request.query_params.get("lang", "")
    return chosen if chosen in ("zh", "en") else language(request)


def answer(content: bytes, *, status: int = 200, retry: str = "") -> Response[bytes]:
    # Of a form's origin browsers say nothing where the policy is no-referrer, and it would be refused.
    headers = {"cache-control": "no-store", "referrer-policy": "same-origin"}
    if retry:
        headers["retry-after"] = retry
    return Response(content, media_type="text/html", status_code=status, headers=headers)


def file(name: str, kind: str) -> Response[bytes]:
    content = resources.files("muster.resident").joinpath(name).read_bytes()
    return Response(content, media_type=kind, headers={"cache-control": "no-cache"})
