"""Commands that look: funnel, missing, people, tubes, and the lists. Every list leaves as a file."""

import sys
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import psycopg
import rich_click as click

from muster.access.readings import COMMAND_LINE, note_reading, people_in
from muster.cli import main
from muster.cli.output import Out, Rows, command, every, opened, output_option
from muster.core.clock import now
from muster.coverage import queries as coverage
from muster.instance import Instance
from muster.intake.export import Mark
from muster.keeping.follower import catch_up
from muster.lab import queries as lab
from muster.registry import queries as registry
from muster.registry.events import Level
from muster.registry.queries import AreaUnknown
from muster.sampling import queries as sampling

Conn = psycopg.AsyncConnection[Any]
FUNNEL = (
    "name", "expected", "sampled", "share", "resulted", "pending", "invalid", "recalled",
    "recall_open", "exempt", "away", "refused", "missing",
)  # fmt: skip
round_option = click.option("--round", "round_", help="Id or name; by default the newest.")
area_option = click.option("--area", help="Code, name or id; by default the whole tree.")


async def the_area(conn: Conn, text: str | None) -> dict[str, Any]:
    """The area asked for, or the root if there is one only."""
    if text:
        return await registry.area(conn, text)
    roots = (await registry.children(conn, None)).items
    if len(roots) != 1:
        raise AreaUnknown(area="-")
    return roots[0]


async def noted(conn: Conn, what: str, rows: Rows, output: Path | None = None) -> Mark | None:
    """Record that the command line was shown these rows; the watermark, where they leave as a file."""
    at = now()
    mark = Mark.new(COMMAND_LINE, at) if output else None
    await note_reading(
        conn, who=COMMAND_LINE, device="", what=f"muster {what}", why="", masked=False,
        people=people_in(rows), at=at, export=mark and mark.export,
    )  # fmt: skip
    return mark


def funnel_rows(found: dict[str, Any]) -> Rows:
    """The rows of a funnel with a total and the share sampled."""
    rows = [*found["areas"], {"name": "total", **found["total"]}]
    return [
        {**row, "share": f"{row['sampled'] / row['expected']:.1%}" if row["expected"] else "-"}
        for row in rows
    ]


@command(main, "funnel")
@round_option
@area_option
@click.option("--level", type=click.Choice(get_args(Level)), default="street", show_default=True)
@output_option
async def show_funnel(
    out: Out, round_: str | None, area: str | None, level: str, output: Path | None
) -> Any:
    """Expected, sampled, resulted, recalled and missing persons per area, as of when."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)
            found_round = await sampling.round_(conn, round_)
            top = await the_area(conn, area)
            found = await coverage.funnel(conn, found_round, top["area"], level)
            mark = await noted(conn, "funnel", (), output)
        out.listing(funnel_rows(found), FUNNEL, output, mark)
        say_as_of(out, found, found_round["name"])
        return found

    return await opened(work, out)


def say_as_of(out: Out, found: dict[str, Any], round: str) -> None:
    when = out.value("as_of", (found["as_of"] or {}).get("as_of")) or "-"
    swabs, unplaced = found["total"]["swabs"], found["unplaced"]
    out.say(
        f"{round}: persons as of {when}, over the roster; {swabs:,} swabs; "
        f"{unplaced:,} sampled people live nowhere on the roster",
        f"{round}：截至 {when} 的人数，底数为花名册；{swabs:,} 人次；{unplaced:,} 名已采人员不在册",
    )


@command(main, "missing")
@click.option("--area", required=True, help="A building, grid, community or wider.")
@round_option
@output_option
async def show_missing(out: Out, area: str, round_: str | None, output: Path | None) -> Any:
    """Who has not been tested, in the order of the walk: building, room."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found_round = await sampling.round_(conn, round_)
            top = await registry.area(conn, area)
            rows = await every(
                lambda a: coverage.missing(conn, found_round["round"], top["area"], after=a)
            )
            mark = await noted(conn, "missing", rows, output)
        columns = ("building_name", "room", "name", "birth_year", "sex", "state", "group")
        return out.listing(rows, columns, output, mark)

    return await opened(work, out)


@command(main, "person")
@click.argument("who")
async def show_person(out: Out, who: str) -> Any:
    """A person by id or document number (`-` reads it from standard input), with every swab and what
    may be told of it."""
    text = sys.stdin.readline().strip() if who == "-" else who

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            resident = await registry.by_text(conn, muster.vault, text)
            found = await registry.person(conn, muster.vault, resident)
            found["results"] = (await lab.results_of(conn, [resident]))[0]
            await noted(conn, "person", [found])
        who = {**found, "document": found["kind"]}
        columns = ["name", "document", "number", "phone", "building_name", "room", "state"]
        out.table([who], [*columns, "resident"])
        if found["results"]:
            out.table(found["results"], ["at", "purpose", "told", "resulted_at", "tube"])
        return found

    return await opened(work, out)


@command(main, "status")
@click.argument("who")
async def show_status(out: Out, who: str) -> Any:
    """A person's status now, by id or document number (`-` reads it from standard input): computed
    from facts, never set. Because of what, under which edition of the rules, until when."""
    text = sys.stdin.readline().strip() if who == "-" else who

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            resident = await registry.by_text(conn, muster.vault, text)
            found = await lab.status_of(conn, resident, now())
            await noted(conn, "status", [{"resident": resident}])
        out.table([{"status": found.status, "until": found.until, "edition": found.edition}],
                  ["status", "until", "edition"])  # fmt: skip
        because = [{"tube": one.tube, "at": one.sampled_at, "told": one.told,
                    "resulted_at": one.resulted_at} for one in found.because]  # fmt: skip
        if because:
            out.table(because, ["at", "told", "resulted_at", "tube"], "because of")
        terms = [{"name": name, "value": value, "policy": policy}
                 for name, value, policy in found.terms.editions]  # fmt: skip
        out.table(terms, ["name", "value", "policy"], "under")
        return found

    return await opened(work, out)


@command(main, "people")
@click.option("--area", required=True, help="Names are searched within an area only.")
@click.option("--name", required=True, help="The beginning: characters, pinyin or initials.")
@output_option
async def search_people(out: Out, area: str, name: str, output: Path | None) -> Any:
    """Find people by the beginning of their name."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            await catch_up(conn, muster.door.catalogue)
            top = await registry.area(conn, area)
            rows = await every(
                lambda a: registry.search(conn, top["area"], name, after=a, limit=1_000)
            )
            mark = await noted(conn, "people", rows, output)
        columns = ("name", "birth_year", "sex", "building_name", "room", "state", "resident")
        return out.listing(rows, columns, output, mark)

    return await opened(work, out)


@command(main, "tube")
@click.argument("tube")
async def show_tube(out: Out, tube: str) -> Any:
    """The tubes of a barcode or an id: members, results, and everything that happened to them."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            found = await sampling.tubes(conn, tube)
            await noted(conn, "tube", found)
        for one in found:
            columns = ["barcode", "purpose", "site_name", "sealed_at", "outcome", "state"]
            out.table([one], columns)
            out.table(one["members"], ["position", "name", "building_code", "room", "person"])
            out.table(_summed(one["timeline"]), ["at", "type", "times", "actor", "device"])
        return found

    return await opened(work, out)


def _summed(timeline: Rows) -> Rows:
    """Ten recalls of one moment as one line: what follows on each other and differs in nothing."""
    lines = []
    for _, same in groupby(timeline, lambda one: (one["type"], one["actor"], one["device"])):
        first, *more = same
        lines.append({**first, "times": 1 + len(more)})
    return lines


def _list(name: str, columns: tuple[str, ...], help_: str, fetch: Any) -> None:
    """A command that prints a whole list."""

    @output_option
    async def show(out: Out, output: Path | None) -> Any:
        async def work(out: Out, muster: Instance) -> Any:
            async with muster.pool.connection() as conn:
                rows = await fetch(conn)
                mark = await noted(conn, name, rows, output)
            return out.listing(rows, columns, output, mark)

        return await opened(work, out)

    show.__doc__ = help_
    show.__name__ = name
    command(main, name)(show)


async def _duplicates(conn: Conn) -> Rows:
    return await registry.likely_duplicates(conn)


_list(
    "alarms", ("rank", "alarm", "count"), "What a person must look at, gravest first.",
    coverage.alarms,
)  # fmt: skip
_list(
    "recalls",
    ("ordered_at", "barcode", "name", "building_name", "room", "outcome", "state", "answer"),
    "Every recall and how it stands.",
    lambda conn: every(lambda a: lab.recalls(conn, after=a)),
)
_list(
    "conflicts", ("barcode", "kind", "outcome", "lab", "resulted_at", "result", "tubes"),
    "Results that contradict each other or fit several tubes.",
    lambda conn: every(lambda a: lab.conflicts(conn, after=a)),
)  # fmt: skip
_list(
    "waiting", ("barcode", "outcome", "lab", "resulted_at", "result"),
    "Results whose tube is not known.",
    lambda conn: every(lambda a: lab.waiting(conn, after=a)),
)  # fmt: skip
_list(
    "anomalies", ("kind", "barcode", "tubes", "person"),
    "Eleventh members, people in two tubes, repeated barcodes, empty tubes, impossible times.",
    lambda conn: every(lambda a: sampling.anomalies(conn, after=a)),
)  # fmt: skip
_list(
    "sites", ("code", "name", "area_name", "lanes", "open", "lanes_open"),
    "Sampling sites, and how many of their lanes are open.",
    lambda conn: every(lambda a: sampling.sites(conn, after=a)),
)  # fmt: skip
_list(
    "units", ("code", "name", "kind", "area_name", "headcount"),
    "Enterprises, schools, hotels, and how many people they have.",
    lambda conn: every(lambda a: registry.units(conn, after=a)),
)  # fmt: skip
_list(
    "duplicates", ("score", "one_name", "other_name", "reasons", "one", "other"),
    "People who may be listed twice: decide with `muster merge`.", _duplicates,
)  # fmt: skip
_list(
    "devices", ("device", "first_missing", "last_missing", "received_at"),
    "Numbers that devices have used and that have not arrived.", sampling.device_gaps,
)  # fmt: skip


@command(main, "areas")
@click.option("--under", help="Code, name or id; by default the roots.")
@output_option
async def list_areas(out: Out, under: str | None, output: Path | None) -> Any:
    """The areas right under one."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            top = (await registry.area(conn, under))["area"] if under else None
            rows = await every(lambda a: registry.children(conn, top, after=a))
        return out.listing(rows, ("code", "name", "level", "kind", "floors"), output)

    return await opened(work, out)


@main.group("policy")
def policy() -> None:
    """Dated policy numbers: tube size, result window, recall time."""


@command(policy, "tube-size")
@click.option("--area", help="Code, name or id.")
@click.option("--group", help="A group of people, such as key_person.")
async def show_tube_size(out: Out, area: str | None, group: str | None) -> Any:
    """How many swabs go into one tube there, now."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            where = (await registry.area(conn, area))["area"] if area else None
            found = await sampling.tube_size(conn, area=where, group=group, at=now())
        out.table([found], ["value", "household", "since"])
        return found

    return await opened(work, out)
