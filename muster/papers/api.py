"""HTTP of the print room: personal codes, missing lists, posters, guides, and the templates they are
made with. Who is printed is recorded like any other look at people.
"""

from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery, Parameter

from muster.config import PRINT_PEOPLE_LIMIT
from muster.core.clock import now
from muster.coverage import queries as coverage
from muster.guarding import area_within, principal, reading
from muster.papers import queries, room
from muster.papers.codes import qr
from muster.papers.room import FormKind, Group
from muster.papers.templates import COMMON, Choice, names, shipped, template
from muster.papers.typesetting import Form, Paper, press, set_paper
from muster.papers.words import word
from muster.registry.engine import personal_code
from muster.sampling import queries as sampling
from muster.showing import Look, Why, looking
from muster.web import After, Ask, language, muster

Language = Literal["zh", "en"]
Told = Annotated[Language | None, Parameter(query="language")]
As = Annotated[
    Literal["pdf", "png"], Parameter(query="format", description="png: the first page, to look at")
]
People = Annotated[int, Parameter(ge=1, le=PRINT_PEOPLE_LIMIT, description="people in this file")]
Copies = Annotated[int, Parameter(ge=1, le=100, description="sheets")]
TYPES = {"pdf": "application/pdf", "png": "image/png"}
NEXT, COUNT, LOST = "x-muster-next", "x-muster-people", "x-muster-lost"


class Homes(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is to print under an area, and how many people go into one file."""

    people: int
    rooms: int
    most: int


class Coded(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose code was scanned or typed."""

    resident: UUID
    code: str
    name: str | None
    building: UUID | None
    building_name: str | None
    room: str
    birth_year: int | None
    sex: str | None
    state: str


class TemplateShown(msgspec.Struct, frozen=True, kw_only=True):
    """A template: its file, what it is for, and whether the district's own counts instead."""

    name: str
    title: str
    file: str
    changed: bool
    problem: str = ""


@get("/v1/print/homes", right="people")
async def show_homes(request: Ask, area: FromQuery[str]) -> Homes:
    """How many people and rooms there are to print codes for under an area."""
    async with reading(request) as conn:
        top = await area_within(request, conn, area)
    async with muster(request).pool.connection() as conn:  # the scope was checked
        found = await queries.homes(conn, top["area"])
    return Homes(**found, most=PRINT_PEOPLE_LIMIT)


@get("/v1/print/codes", right="people")
async def print_codes(
    request: Ask, area: FromQuery[str], group: FromQuery[Group] = "building",
    columns: FromQuery[Literal[2, 3]] = 3, reason: Why = None, form: FromQuery[Choice] = "ours",
    told: Told = None, as_: As = "pdf", after: After = None,
    limit: People = 600,
) -> Response[bytes]:  # fmt: skip
    """Personal codes of those who live under an area, in the order of the walk, as a PDF; the header
    `x-muster-next` names where the following file begins. Names are masked unless a reason is given."""
    said = _language(request, told)
    async with looking(request, reason) as look:
        top = await area_within(request, look.conn, area, right=look.right)
        found = await queries.walk(look.conn, top["area"], after=after, limit=limit)
        shown, codes, grids = await _coded(look, found.items)
        data = room.code_cards(
            shown, codes, grids, group=group, language=said, columns=columns,
            foot=_foot(request, said), prefix=personal_code.PREFIX,
        )  # fmt: skip
        paper = await _set(request, "codes", data, form, as_)
    return _answer(paper, f"codes-{top['code']}", as_, following=found.next, people=len(shown))


@get("/v1/print/missing", right="missing")
async def print_missing(
    request: Ask, round: FromQuery[str], area: FromQuery[str], reason: Why = None,
    form: FromQuery[Choice] = "ours",
    told: Told = None, as_: As = "pdf", after: After = None,
    limit: People = 600,
) -> Response[bytes]:  # fmt: skip
    """Who has not been tested under an area, a list for each grid, with a code a home, as a PDF; in
    parts as `GET /v1/print/codes`."""
    said = _language(request, told)
    async with looking(request, reason) as look:
        top = await area_within(request, look.conn, area, right=look.right)
        of = await sampling.round_(look.conn, round)
        found = await coverage.missing(
            look.conn, of["round"], top["area"], after=after, limit=limit
        )
        shown, codes, grids = await _coded(look, found.items)
        data = room.missing_lists(
            shown, codes, grids, round=of["name"], language=said, foot=_foot(request, said),
            prefix=personal_code.PREFIX, most=personal_code.HOME_MOST,
        )  # fmt: skip
        paper = await _set(request, "missing", data, form, as_)
    return _answer(paper, f"missing-{top['code']}", as_, following=found.next, people=len(shown))


@get("/v1/personal-codes/{text:str}", right="people")
async def show_coded(request: Ask, text: FromPath[str], reason: Why = None) -> list[Coded]:
    """Whose code this is, as it was scanned or typed; several, joined with `+`, are those of a home.
    Those one may not see are left out. Raises CodeMistyped."""
    numbers, ids = personal_code.told_apart(personal_code.read_all(text))
    async with looking(request, reason) as look:
        shown = look.show(await queries.people_of(look.conn, numbers, ids))
    return [
        msgspec.convert(
            one | {"code": personal_code.grouped(personal_code.written(one["code"]))}, Coded
        )
        for one in shown
    ]


@get("/v1/print/posters", right="sites")
async def print_posters(
    request: Ask, site: FromQuery[str | None] = None, area: FromQuery[str | None] = None,
    form: FromQuery[Choice] = "ours",
    told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """Posters of a site, or of the sites under an area, each with a code that names the site."""
    said = _language(request, told)
    async with reading(request) as conn:
        top = (await area_within(request, conn, area))["area"] if area else None
        wanted = (await sampling.site(conn, site))["code"] if site else None
        found = await queries.sites(conn, wanted, top)
    address = muster(request).settings.address
    paper = await _set(request, "poster", room.posters(found, said, address), form, as_)
    return _answer(paper, "posters", as_)


@get("/v1/print/guide", right="sites")
async def print_guide(
    request: Ask, form: FromQuery[Choice] = "ours",
    told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """The steps of a test in pictures and large letters."""
    said = _language(request, told)
    data = room.guide(said, qr(personal_code.PREFIX + personal_code.written(0)))
    return _answer(await _set(request, "guide", data, form, as_), "guide", as_)


@get("/v1/print/forms", right="sites")
async def print_forms(
    request: Ask, kind: FromQuery[FormKind] = "form", site: FromQuery[str | None] = None,
    copies: FromQuery[Copies] = 1, form: FromQuery[Choice] = "ours", told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """Blank forms to be filled in by hand, for who has no phone, and keyed in later: of one person, or of
    a home with a line a person."""
    said = _language(request, told)
    found = None
    if site:
        async with reading(request) as conn:
            found = await sampling.site(conn, site)
    data = room.forms(kind, said, found, copies)
    return _answer(await _set(request, kind, data, form, as_), kind, as_)


@get("/v1/print/templates", right="areas")
async def list_templates(request: Ask) -> list[TemplateShown]:
    """The templates papers are made with. A file of the same name in the folder `templates` of
    MUSTER_HOME counts instead of the shipped one."""
    folder, said = muster(request).settings.home / "templates", language(request)
    return [
        TemplateShown(
            name=one,
            title=word(one, said),
            file=f"{one}.typ",
            changed=(folder / f"{one}.typ").is_file(),
        )
        for one in (*names(), COMMON.removesuffix(".typ"))
    ]


@get("/v1/print/templates/{name:str}", right="areas")
async def take_template(name: FromPath[str]) -> Response[bytes]:
    """The shipped text of a template, to be changed and put into the folder `templates` of
    MUSTER_HOME."""
    content = shipped(name)
    headers = {"content-disposition": f'attachment; filename="{name}.typ"'}
    return Response(content.encode(), media_type="text/plain", headers=headers)


async def _coded(
    look: Look, found: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[UUID, str], dict[UUID, dict[str, Any]]]:
    """People as they may be shown, their codes, the grids they live in."""
    shown = look.show(found)
    codes = {
        one["resident"]: personal_code.grouped(personal_code.code_of(one["resident"]))
        for one in found
    }
    return shown, codes, await queries.grids(look.conn, list({one["building"] for one in found}))


async def _set(request: Ask, name: str, data: dict[str, Any], form: Choice, as_: Form) -> Paper:
    settings = muster(request).settings
    chosen = template(name, settings.home / "templates", choice=form)
    return await set_paper(
        press(settings.home, settings.fonts), chosen, data, moment=now(), form=as_
    )


def _answer(
    paper: Paper, name: str, as_: Form, *, following: str | None = None, people: int | None = None
) -> Response[bytes]:
    headers = {
        "content-disposition": f"inline; filename*=UTF-8''{quote(name)}.{as_}",
        "cache-control": "no-store",
    }  # fmt: skip
    if following:
        headers[NEXT] = following
    if people is not None:
        headers[COUNT] = str(people)
    if paper.lost:
        headers[LOST] = " ".join(f"U+{ord(char):04X}" for char in paper.lost)
    return Response(paper.content, media_type=TYPES[as_], headers=headers)


def _foot(request: Ask, said: str) -> str:
    return room.foot(said, principal(request).login, now())


def _language(request: Ask, wanted: Language | None) -> str:
    return wanted or language(request)


HANDLERS = [
    show_homes, print_codes, print_missing, show_coded, print_posters, print_guide, print_forms, list_templates,
    take_template,
]  # fmt: skip
