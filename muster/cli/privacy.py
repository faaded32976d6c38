"""Commands about people's data: what is held about somebody, who looked, how long things are kept, and
the keys they are sealed with.
"""

import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import rich_click as click

from muster.access.readings import COMMAND_LINE, note_reading, readings_about, readings_by
from muster.cli import main
from muster.cli.erasing import owners
from muster.cli.output import Out, command, every, opened, output_option
from muster.cli.words import HEADS
from muster.core.clock import now
from muster.instance import Instance
from muster.keeping.retention import clocks
from muster.registry import queries as registry
from muster.registry import rotation
from muster.registry.about import SECTIONS, about
from muster.registry.engine.leaflet import leaflet
from muster.registry.engine.masking import Reason


@command(main, "about")
@click.argument("who")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="An .html file to print.",
)
async def show_about(out: Out, who: str, output: Path | None) -> Any:
    """Everything held about a person (by id or document number; `-` reads it from standard input), and
    who looked: the answer to their own question."""
    text = sys.stdin.readline().strip() if who == "-" else who
    reason: Reason = "data_subject"

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            person = await registry.by_text(conn, muster.vault, text)
            found = await about(conn, muster.vault, person)
            if not any(found[section] for section in SECTIONS):
                raise registry.PersonUnknown()
            await note_reading(
                conn, who=COMMAND_LINE, device="", what="muster about", why=reason, masked=False,
                people=found["ids"], at=now(),
            )  # fmt: skip
        if output is not None:
            output.write_text(as_page(out, found), encoding="utf-8")
            output.chmod(0o600)
            out.say(f"Written to {output}", f"已写入 {output}")
        else:
            for section in SECTIONS:
                if rows := found[section]:
                    out.table(rows, list(rows[0]), title=section)
        return found

    return await opened(work, out)


def as_page(out: Out, found: dict[str, Any]) -> str:
    """What is held about somebody as a page to print."""

    def head(column: str) -> tuple[str, str]:
        english, chinese = HEADS.get(column, (column.replace("_", " "), column))
        return chinese, english

    def cell(column: str, value: Any) -> str:
        return str(out.value(column, value))

    as_of = f"{out.value('at', now())} {out.settings.timezone}"
    return leaflet(found, as_of=as_of, head=head, cell=cell)


@command(main, "readings")
@click.option("--person", help="Who looked at this person: an id or document number.")
@click.option("--by", "login", help="What this account was shown.")
@click.option("--export", type=UUID, help="The id in an exported file's last line.")
@output_option
async def list_readings(
    out: Out, person: str | None, login: str | None, export: UUID | None, output: Path | None
) -> Any:
    """Who was shown whose data, what, why and when: newest first."""
    if person and (login or export):
        raise click.UsageError("--person goes alone")

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            if person:
                someone = await registry.by_text(conn, muster.vault, person)
                rows = await every(lambda a: readings_about(conn, someone, after=a))
                columns = ("at", "who", "roles", "device", "what", "why", "masked", "export")
            else:
                rows = await every(lambda a: readings_by(conn, login, export=export, after=a))
                columns = ("at", "who", "device", "what", "why", "masked", "count", "export")
        return out.listing(rows, columns, output)

    return await opened(work, out)


@command(main, "retention")
async def show_retention(out: Out) -> Any:
    """How long each kind of data is kept, since when it counts, and how much is due now."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await clocks(conn, now())
        told = [row | {"since": out.pick(row["since"], row["since_zh"])} for row in rows]
        out.table(told, ["kind", "days", "since", "due", "by", "policy"])
        return rows

    return await opened(work, out)


@main.group("key")
def key() -> None:
    """The keys that numbers, phones and texts are sealed with: change them while servers go on."""


@command(key, "status")
async def show_keys(out: Out) -> Any:
    """Each key of the ring: when it was made, what it still seals."""

    async def work(out: Out, muster: Instance) -> Any:
        ring = muster.vault.ring.look()
        async with owners(muster) as conn:
            rows = [
                {
                    "number": one.number, "made": one.made, "current": one.number == ring.current,
                    "uses": await rotation.uses(conn, one.number),
                }
                for one in ring.keys
            ]  # fmt: skip
        told = [
            {**row, "uses": [f"{name} {count}" for name, count in row["uses"].items()]}
            for row in rows
        ]
        out.table(told, ["number", "made", "current", "uses"])
        return rows

    return await opened(work, out)


@command(key, "add")
async def add_key(out: Out) -> Any:
    """A key that waits in the ring, to be copied to other machines before `muster key rotate`."""

    async def work(out: Out, muster: Instance) -> Any:
        numbers = [one.number for one in rotation.add_key(muster.vault).keys]
        out.say(
            f"The ring holds the keys {numbers}. Copy {out.settings.key_file} to every server.",
            f"密钥环现有 {numbers}。请把 {out.settings.key_file} 复制到每台服务器。",
        )
        return {"keys": numbers}

    return await opened(work, out)


@command(key, "rotate")
async def rotate_keys(out: Out) -> Any:
    """Change to a new key: everything is sealed and hashed anew while servers go on. Interrupted, the
    same again goes on."""

    async def work(out: Out, muster: Instance) -> Any:
        async with owners(muster) as conn:
            with out.progress("rotate") as bar:
                done = await rotation.rotate(
                    conn, muster.vault, muster.door, progress=lambda rows: bar(0, 1, rows)
                )
        out.say(
            f"Key {done.key} seals everything now: {done.rows:,} values anew. "
            "`muster key retire N` takes the old key away.",
            f"现由 {done.key} 号密钥加密全部数据，共更换 {done.rows:,} 条。"
            "用 muster key retire 停用旧密钥。",
        )
        return done

    return await opened(work, out)


@command(key, "retire")
@click.argument("number", type=int)
async def retire_key(out: Out, number: int) -> Any:
    """Take a key out of the ring for good; refused while anything still needs it."""

    async def work(out: Out, muster: Instance) -> Any:
        async with owners(muster) as conn:
            ring = await rotation.retire(conn, muster.vault, number)
        numbers = [one.number for one in ring.keys]
        out.say(
            f"Key {number} is gone; copies of the key file still hold it. Left: {numbers}",
            f"{number} 号密钥已删除；密钥文件的副本中仍有。现有：{numbers}",
        )
        return {"keys": numbers}

    return await opened(work, out)
