"""Commands about the ledger itself: verify, replay, inbox, stalled subjects, rules, redaction."""

import sys
from typing import Any, get_args
from uuid import UUID

import psycopg
import rich_click as click

from muster.chores import CHORES
from muster.cli import main
from muster.cli.deciding import ACTOR
from muster.cli.output import Out, command, every, opened, output_option
from muster.core.clock import now
from muster.core.problems import Problem
from muster.instance import Instance
from muster.intake.deciding import Refusal, accept, refuse
from muster.keeping.redact import redact
from muster.keeping.replay import rebuild
from muster.keeping.tick import reconcile, tick
from muster.keeping.verify import verify
from muster.sampling import queries


class LedgerNotProven(Problem):
    """The ledger or what follows from it is not as written: {count} findings, listed above."""

    zh = "账本或由其得出的数据与写入时不一致：共 {count} 处，见上表。"


@command(main, "verify")
async def verify_all(out: Out) -> Any:
    """Prove that nothing was altered, dropped or slipped in, and that every table follows."""

    async def work(out: Out, muster: Instance) -> Any:
        with out.progress("verify") as bar:
            async with await psycopg.AsyncConnection.connect(
                muster.conninfo, autocommit=True
            ) as conn:
                findings = await verify(
                    conn, muster.door.catalogue, head_file=muster.head_file,
                    progress=lambda _what, done, total: bar(done, total, 0),
                )  # fmt: skip
        rows = [{"where": one.where, "what": one.what} for one in findings]
        if rows:
            out.table(rows, ["where", "what"])
            if out.json:
                out.aside.print_json(data=rows)
            raise LedgerNotProven(count=len(rows))
        out.say("Everything is as it was written.", "一切与写入时一致。")
        return {"findings": rows}

    return await opened(work, out)


@command(main, "replay")
async def replay(out: Out) -> Any:
    """Rebuild every read table from the ledger while the door goes on, and swap them in."""

    async def work(out: Out, muster: Instance) -> Any:
        started = now()
        with out.progress("replay") as bar:
            async with await psycopg.AsyncConnection.connect(
                muster.conninfo, autocommit=True
            ) as conn:
                seq = await rebuild(
                    conn, muster.door.catalogue,
                    progress=lambda _what, done, total: bar(done, total, 0),
                )  # fmt: skip
        seconds = (now() - started).total_seconds()
        out.say(
            f"Rebuilt up to event {seq:,} in {seconds:.1f} s",
            f"已重建至第 {seq:,} 条事件，{seconds:.1f} 秒",
        )
        return {"seq": seq, "seconds": seconds}

    return await opened(work, out)


@main.group("inbox")
def inbox() -> None:
    """What could not be read: kept, encrypted, until it can be or until it expires."""


@command(inbox, "list")
@output_option
async def list_inbox(out: Out, output: Any) -> Any:
    """What is held, from whom, why, until when."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await every(lambda a: queries.inbox(conn, after=a))
        columns = ("received_at", "slug", "owner", "event", "expires_at", "applied_at", "id")
        return out.listing(rows, columns, output)

    return await opened(work, out)


@command(inbox, "retry")
async def retry_inbox(out: Out) -> Any:
    """Try every held item again, for instance after an upgrade."""

    async def work(out: Out, muster: Instance) -> Any:
        counts = await muster.intake.retry()
        out.table([counts], list(counts))
        return counts

    return await opened(work, out)


@command(inbox, "show")
@click.argument("item", type=UUID)
async def show_inbox(out: Out, item: UUID) -> Any:
    """The bytes of one held item, as they were sent."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            row = await (
                await conn.execute("SELECT sealed FROM ledger.inbox WHERE id = %s", [item])
            ).fetchone()
        if row is None or row[0] is None:
            raise Problem(detail=f"{item}: nothing is kept under this id")
        text = muster.vault.open(bytes(row[0])).decode(errors="replace")
        if not out.json:
            sys.stdout.write(text + "\n")
        return {"id": item, "text": text}

    return await opened(work, out)


@command(inbox, "accept")
@click.argument("item", type=UUID)
async def accept_held(out: Out, item: UUID) -> Any:
    """Apply what was held for want of a right, such as what a revoked device sent."""

    async def work(out: Out, muster: Instance) -> Any:
        return {"event": await accept(muster.intake, item, by=ACTOR, at=now())}

    return await opened(work, out)


@command(inbox, "refuse")
@click.argument("item", type=UUID)
@click.option("--reason", type=click.Choice(get_args(Refusal)), required=True)
async def refuse_held(out: Out, item: UUID, reason: Any) -> Any:
    """Never apply a held item."""

    async def work(out: Out, muster: Instance) -> Any:
        await refuse(muster.intake, item, reason, by=ACTOR, at=now())
        return {"refused": item}

    return await opened(work, out)


@command(main, "stalled")
async def list_stalled(out: Out) -> Any:
    """Subjects whose rows could not be refreshed. Their events are stored; `tick` tries again."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            rows = await queries.stalled(conn)
        return out.listing(rows, ("since", "view", "subject", "error"), None)

    return await opened(work, out)


@command(main, "tick")
async def run_tick(out: Out) -> Any:
    """One turn of the clock: what fell due, retries of stalled subjects, ends of keeping times. A
    running server does this every minute."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            counts = await tick(conn, muster.door, now())
        for chore in CHORES:
            await chore(muster, now())
        out.table([counts], list(counts))
        return counts

    return await opened(work, out)


@command(main, "reconcile")
@click.argument("rule")
async def reconcile_rule(out: Out, rule: str) -> Any:
    """Run one rule over the whole history, for a rule that is new or was mended."""

    async def work(out: Out, muster: Instance) -> Any:
        names = [one.name for one in muster.door.catalogue.rules]
        if rule not in names:
            raise click.BadParameter(f"{rule} is not one of {', '.join(names)}")
        async with muster.pool.connection() as conn:
            count = await reconcile(conn, muster.door, rule)
        out.say(f"{count} consequences appended", f"已补记 {count} 条")
        return {"appended": count}

    return await opened(work, out)


@command(main, "redact")
@click.argument("events", type=UUID, nargs=-1, required=True)
@click.option("--reason", type=click.Choice(("erasure", "retention", "court_order", "mistake")),
              required=True)  # fmt: skip
async def redact_events(out: Out, events: tuple[UUID, ...], reason: Any) -> Any:
    """Destroy the content of events under a ledgered authorisation; the chain still verifies."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            count = await redact(conn, muster.door, events, actor=ACTOR, reason=reason)
        out.say(f"{count} events emptied", f"已清空 {count} 条事件")
        return {"emptied": count}

    return await opened(work, out)
