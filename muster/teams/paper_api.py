"""HTTP for papers of those who carry it: badges, team lists, duty rosters, certificates, the sheet of a post. Who is
printed is recorded as any other look at people.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery, Parameter

from muster.config import PAGE_LIMIT, PRINT_PEOPLE_LIMIT, TEAMS_AT_ONCE_LIMIT
from muster.core.clock import now
from muster.core.problems import Problem
from muster.guarding import area_within, check_reach, principal
from muster.papers import room, team_sheets
from muster.papers.templates import Choice, template
from muster.papers.typesetting import Form, Paper, press, set_paper
from muster.registry.engine.personal_code import read_id, written_id
from muster.sampling import queries as sampling
from muster.showing import Look, Why, looking
from muster.teams import queries
from muster.teams.engine.colours import MARKINGS
from muster.web import Ask, BadRequest, language, muster
from muster.workforce import links
from muster.workforce.engine.posts import POSTS

Told = Annotated[Literal["zh", "en"] | None, Parameter(query="language")]
As = Annotated[
    Literal["pdf", "png"], Parameter(query="format", description="png: the first page, to look at")
]
TYPES = {"pdf": "application/pdf", "png": "image/png"}


class TooManyToPrint(Problem):
    """More than {most} people would be on this paper. Print a smaller area, or one team at a time."""

    zh = "超过 {most} 人，无法打印在同一份文件中。请缩小区域，或逐队打印。"


class BadgeUnknown(Problem):
    """This is nobody's badge, or not yours to see."""

    zh = "没有此工牌，或你无权查看。"
    status = 404


class PlaceUnsaid(Problem):
    """Name the post: a `site` or an `area`."""

    zh = "请指明岗位所在：采样点（site）或区域（area）。"


class BadgeOwner(msgspec.Struct, frozen=True):
    """Whose badge it is, and of which teams they are now."""

    staff: UUID
    name: str | None
    unit_name: str | None
    teams: list[str]


@get("/v1/print/badges", right="call_ups")
async def print_badges(
    request: Ask, team: FromQuery[str], reason: Why = None, form: FromQuery[Choice] = "ours",
    told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """Badges of a team's people, ten on a page; names are masked unless a reason is given."""
    said = told or language(request)
    async with looking(request, reason) as look:
        found, people = await _team(request, look, team)
        for one in people:
            one["code"] = written_id(one["staff"])
        data = team_sheets.badges(found, people, language=said, foot=_foot(request, said))
        paper = await _set(request, "badges", data, form, as_)
    return _answer(paper, f"badges-{found['code']}", as_)


@get("/v1/badges/{text:str}", right="call_ups")
async def show_badge(request: Ask, text: FromPath[str], reason: Why = None) -> BadgeOwner:
    """Whose badge was scanned; masked unless a reason is given."""
    staff = read_id(text.removeprefix(team_sheets.BADGE_PREFIX).upper())
    async with looking(request, reason) as look:
        found = await queries.badge(look.conn, staff) if staff else None
        if found is None:
            raise BadgeUnknown()
        return BadgeOwner(**look.show([found])[0])


@get("/v1/print/teams", right="call_ups")
async def print_teams(
    request: Ask, team: FromQuery[list[str]], reason: Why = None, form: FromQuery[Choice] = "ours",
    told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """Team lists, a page a team, with what each is made of in figures by which nobody is known."""
    said, year = told or language(request), now().year
    if len(team) > TEAMS_AT_ONCE_LIMIT:
        raise TooManyToPrint(most=PRINT_PEOPLE_LIMIT)
    async with looking(request, reason) as look:
        teams, count = [], 0
        for one in team:
            found, people = await _team(request, look, one)
            count += len(people)
            if count > PRINT_PEOPLE_LIMIT:
                raise TooManyToPrint(most=PRINT_PEOPLE_LIMIT)
            async with muster(
                request
            ).pool.connection() as own:  # figures of all, whoever lists them
                figures = await queries.composed(own, found["team"], year=year)
            teams.append((found, people, figures))
        data = team_sheets.team_lists(teams, language=said, foot=_foot(request, said))
        paper = await _set(request, "team", data, form, as_)
    return _answer(paper, "teams", as_)


@get("/v1/print/roster", right="call_ups")
async def print_roster(
    request: Ask, area: FromQuery[str], day: FromQuery[date | None] = None, reason: Why = None,
    form: FromQuery[Choice] = "ours", told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """Who is on duty under an area on a day, place by place, with room to sign."""
    said, zone = told or language(request), ZoneInfo(muster(request).settings.timezone)
    on = day or now().astimezone(zone).date()
    start, end = _day(on, zone)
    async with looking(request, reason) as look:
        top = await area_within(request, look.conn, area)
        rows = await queries.roster(look.conn, top["area"], at=start, until=end)
        if len(rows) > PRINT_PEOPLE_LIMIT:
            raise TooManyToPrint(most=PRINT_PEOPLE_LIMIT)
        shown = look.show(rows)
        for one in shown:
            one["from"], one["to"] = (
                _clock(one[name], on, zone) for name in ("starts_at", "ends_at")
            )
        data = team_sheets.roster(
            shown, title=top["name"], day=on.isoformat(), roles=_roles(said), language=said,
            foot=_foot(request, said),
        )  # fmt: skip
        paper = await _set(request, "roster", data, form, as_)
    return _answer(paper, f"roster-{top['code']}-{on}", as_)


@get("/v1/print/certificates", right="call_ups")
async def print_certificates(
    request: Ask, team: FromQuery[str | None] = None, aid: FromQuery[str | None] = None,
    since: FromQuery[date | None] = None, reason: Why = None, form: FromQuery[Choice] = "ours",
    told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """A certificate of service for each of an aid or a team: days, posts, hours; of an aid from its beginning to
    its release, of a team since a day. Names are masked unless a reason is given."""
    said, here, at = told or language(request), muster(request), now()
    zone = ZoneInfo(here.settings.timezone)
    if bool(team) == bool(aid):
        raise BadRequest(reason="team or aid")
    async with looking(request, reason) as look:
        start, end = _day(since, zone)[0] if since else datetime(1970, 1, 1, tzinfo=UTC), at
        if aid:
            of = await queries.aid(look.conn, aid)
            await check_reach(request, look.conn, [of["host"]])
            teams = [one["team"] for one in (await queries.teams(
                look.conn, aid=of["aid"], dissolved=True, limit=PAGE_LIMIT)).items]  # fmt: skip
            start, end = max(start, of["starts_at"]), min(at, of["released_at"] or of["ends_at"])
        else:
            of = await queries.team(look.conn, team or "")
            await check_reach(request, look.conn, [of["area"]])
            teams = [of["team"]]
        rows = await queries.served(
            look.conn, teams, zone=here.settings.timezone, since=start, until=end
        )
        if len(rows) > PRINT_PEOPLE_LIMIT:
            raise TooManyToPrint(most=PRINT_PEOPLE_LIMIT)
        # Who stood nowhere has no certificate, and is not looked at.
        served = look.show([one for one in rows if one["posts"]])
        first = start.astimezone(zone).date().isoformat() if start.year > 1970 else "…"
        data = team_sheets.certificates(
            served, campaign=of["name"], since=first, until=end.astimezone(zone).date().isoformat(),
            issued=at.astimezone(zone).date().isoformat(), language=said, foot=_foot(request, said),
        )  # fmt: skip
        paper = await _set(request, "certificate", data, form, as_)
    return _answer(paper, f"certificates-{aid or team}", as_)


@get("/v1/print/post", right="call_ups")
async def print_post(
    request: Ask, site: FromQuery[str | None] = None, area: FromQuery[str | None] = None,
    form: FromQuery[Choice] = "ours", told: Told = None, as_: As = "pdf",
) -> Response[bytes]:  # fmt: skip
    """The sheet that hangs at a post, in both languages: whoever scans its code has arrived."""
    if bool(site) == bool(area):
        raise PlaceUnsaid()
    said = told or language(request)
    async with looking(request) as look:
        if site:
            found = await sampling.site(look.conn, site)
            await check_reach(request, look.conn, [found["area"]])
            place = found["site"]
        else:
            found = await area_within(request, look.conn, area or "")
            place = found["area"]
    here = muster(request)
    address = (here.settings.address or "").rstrip("/") + links.place_path(here.vault, place)
    data = team_sheets.post_sheet(found["name"], address, foot=_foot(request, said))
    return _answer(await _set(request, "post", data, form, as_), "post", as_)


async def _team(request: Ask, look: Look, text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A team with its marking, and all its people as they may be shown."""
    found = await queries.team(look.conn, text)
    await check_reach(request, look.conn, [found["area"]])
    page = await queries.members(look.conn, found["team"], limit=PRINT_PEOPLE_LIMIT)
    if page.next:
        raise TooManyToPrint(most=PRINT_PEOPLE_LIMIT)
    drawn = MARKINGS[found["marking"]] if found["marking"] else None
    return found | {"drawn": drawn}, look.show(page.items)


def _day(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start = datetime.combine(on, time(), zone)
    return start, datetime.combine(on + timedelta(days=1), time(), zone)


def _clock(at: datetime, on: date, zone: ZoneInfo) -> str:
    """The time of a shift; with the day where it is another."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == on else f"{local:%m-%d %H:%M}"


def _roles(said: str) -> dict[str, str]:
    return {
        role: post.zh if said == "zh" else role.replace("_", " ") for role, post in POSTS.items()
    }


async def _set(request: Ask, name: str, data: dict[str, Any], form: Choice, as_: Form) -> Paper:
    settings = muster(request).settings
    chosen = template(name, settings.home / "templates", choice=form)
    return await set_paper(
        press(settings.home, settings.fonts), chosen, data, moment=now(), form=as_
    )


def _answer(paper: Paper, name: str, as_: Form) -> Response[bytes]:
    headers = {
        "content-disposition": f"inline; filename*=UTF-8''{quote(name)}.{as_}",
        "cache-control": "no-store",
    }
    return Response(paper.content, media_type=TYPES[as_], headers=headers)


def _foot(request: Ask, said: str) -> str:
    return room.foot(said, principal(request).login, now())


HANDLERS: list[Any] = [
    print_badges, show_badge, print_teams, print_roster, print_certificates, print_post,
]  # fmt: skip
