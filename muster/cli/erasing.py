"""`muster erase …`: what would go, two accounts that agree, the doing, and the proof of it."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import rich_click as click

from muster.access.signing import signed_by
from muster.cli import main
from muster.cli.output import Out, command, opened, to_json
from muster.core.clock import now
from muster.instance import Instance
from muster.keeping import erasing
from muster.keeping.erasing import Plan
from muster.keeping.erasure_proof import checked, printed, proof_key, signed
from muster.keeping.erasures import FILE_NAME
from muster.keeping.retention import end_decided
from muster.keeping.scrubbing import scrub
from muster.registry import queries as registry
from muster.sampling import queries as sampling

Conn = psycopg.AsyncConnection[Any]
Planner = Callable[[Instance, Conn], Awaitable[Plan]]


@main.group("erase")
def erase() -> None:
    """Erase a person, a campaign or what is past its time. Without --request it only shows what would
    go; a request is confirmed by a second account."""


def request_options(work: Any) -> Any:
    work = click.option("--request", is_flag=True, help="Ask for it; a second account confirms.")(
        work
    )
    return click.option("--as", "login", help="The account that asks; its password is asked for.")(
        work
    )


@command(erase, "person")
@click.argument("who")
@request_options
async def erase_person(out: Out, who: str, request: bool, login: str | None) -> Any:
    """A person by id or document number (`-` reads it from standard input), under every id they have."""
    text = sys.stdin.readline().strip() if who == "-" else who

    async def plan(muster: Instance, conn: Conn) -> Plan:
        person = await registry.by_text(conn, muster.vault, text)
        return await erasing.plan_person(conn, muster.vault.open, person)

    return await planned(out, plan, request, login)


@command(erase, "campaign")
@click.option("--round", "round_", help="Whoever was swabbed in this round and in no other.")
@click.option("--all", "everybody", is_flag=True, help="Everybody.")
@request_options
async def erase_campaign(
    out: Out, round_: str | None, everybody: bool, request: bool, login: str | None
) -> Any:
    """Everybody of a closed round, or of all: names, numbers, phones, texts, addresses."""
    if bool(round_) == everybody:
        raise click.UsageError("say either --round or --all")

    async def plan(muster: Instance, conn: Conn) -> Plan:
        round = (await sampling.round_(conn, round_))["round"] if round_ else None
        return await erasing.plan_campaign(conn, muster.vault.open, round)

    return await planned(out, plan, request, login)


@command(erase, "expired")
@request_options
async def erase_expired(out: Out, request: bool, login: str | None) -> Any:
    """What is past its keeping time (`muster retention`) and needs two people's word."""

    async def plan(muster: Instance, conn: Conn) -> Plan:
        return await erasing.plan_expired(conn, muster.vault.open, now())

    return await planned(out, plan, request, login)


async def planned(out: Out, plan: Planner, request: bool, login: str | None) -> Any:
    """Show what would go and, asked to, keep the request."""
    if request and not login:
        raise click.UsageError("--request needs --as LOGIN")

    async def work(out: Out, muster: Instance) -> Any:
        async with owners(muster) as conn:
            made = await plan(muster, conn)
            document = shown(out, made)
            if not request:
                out.say(
                    "Nothing was erased. --request --as LOGIN asks for it.",
                    "未清除任何内容。用 --request --as 登录名 提出申请。",
                )
                return document
            at = now()
            by = await signed_at_terminal(conn, out, muster, str(login), at)
            made_request = await erasing.request(conn, made, by=by, at=at)
        out.say(
            f"Asked for. Another account confirms it: muster erase confirm {made_request}",
            f"已申请。请另一账号确认：muster erase confirm {made_request}",
        )
        return {**document, "request": made_request}

    return await opened(work, out)


def shown(out: Out, plan: Plan) -> dict[str, Any]:
    """A plan as tables, and as a document."""
    goes = [{"where": name, "count": count} for name, count in plan.counts.items() if count]
    stays = [{"where": name, "count": count} for name, count in plan.kept.items() if count]
    people = len(plan.residents)
    out.say(f"{people:,} people (ids). This would go:", f"涉及 {people:,} 个人员编号。将清除：")
    out.table(goes, ["where", "count"])
    if stays:
        out.say("This stays, under ids that lead to nobody:", "以下保留，但编号不再指向任何人：")
        out.table(stays, ["where", "count"])
    return {
        "kind": plan.kind, "people": people, "goes": plan.counts, "stays": plan.kept,
        "digest": plan.digest().hex(),
    }  # fmt: skip


@command(erase, "requests")
async def list_requests(out: Out) -> Any:
    """Requests to erase, newest first: who asked, who confirmed, what is done."""

    async def work(out: Out, muster: Instance) -> Any:
        async with owners(muster) as conn:
            rows = await erasing.requests(conn)
        columns = ["request", "kind", "people", "requested_by", "requested_at", "confirmed_by",
                   "done_at"]  # fmt: skip
        out.table(rows, columns)
        return rows

    return await opened(work, out)


@command(erase, "confirm")
@click.argument("request", type=UUID)
@click.option("--as", "login", required=True, help="A second account; its password is asked for.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False),
    help="Where the proof goes (default: beside the erasure list).",
)  # fmt: skip
@click.option("--no-rewrite", is_flag=True, help="Leave the freed pages to a later erasure.")
async def confirm_request(
    out: Out, request: UUID, login: str, output: Path | None, no_rewrite: bool
) -> Any:
    """Confirm what another account has asked for, and erase it. Interrupted, the same again goes on."""

    async def work(out: Out, muster: Instance) -> Any:
        async with owners(muster) as conn:
            at = now()
            by = await signed_at_terminal(conn, out, muster, login, at)
            plan, kept = await erasing.confirmed(conn, muster.vault.open, request, by=by, at=at)
            listed = muster.settings.home / FILE_NAME
            with out.progress("erase") as bar:
                await erasing.erase(
                    conn, muster.door, plan, file=listed, actor=by, at=at,
                    progress=lambda done, total: bar(done, total, done),
                )  # fmt: skip
            await erasing.sweep(conn, muster.door, file=listed, actor=by, at=at)
            ended = await end_decided(conn, at) if plan.kind == "expired" else {}
            storage: dict[str, Any] = {"tables": {}, "log": "left"}
            if not no_rewrite:
                storage = await scrub(conn, whole=plan.kind != "person")
            proof = await made_proof(conn, muster, plan, kept, ended=ended, storage=storage)
        file = output or muster.settings.home / f"erasure-{request}.json"
        file.write_text(to_json(proof) + "\n", encoding="utf-8")
        if not out.json:
            out.screen.print(printed(proof), soft_wrap=True)
        out.say(f"The proof is in {file}", f"证明已写入 {file}")
        return proof

    return await opened(work, out)


async def made_proof(
    conn: Conn, muster: Instance, plan: Plan, kept: dict[str, Any], *, ended: dict[str, int],
    storage: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Sign what was done and keep it with the request."""
    at = now()
    facts = {
        "request": str(kept["request"]), "kind": plan.kind,
        "requested_by": kept["requested_by"], "requested_at": kept["requested_at"],
        "confirmed_by": kept["confirmed_by"], "confirmed_at": kept["confirmed_at"], "done_at": at,
        "plan_sha256": kept["digest"].hex(), "counts": {**kept["plan"], **ended},
        "storage": storage, "head": await erasing.head(conn),
    }  # fmt: skip
    proof = signed(facts, kept["residents"], proof_key(muster.settings.key_file))
    await erasing.finish(conn, kept["request"], proof, at)
    return proof


@command(erase, "check", light=True)
@click.argument("proof", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--ours", is_flag=True, help="Signed by the key of this machine, too.")
async def check_proof(out: Out, proof: Path, ours: bool) -> Any:
    """Is a proof of erasure what was signed, and by which key?"""
    key = proof_key(out.settings.key_file).public_key() if ours else None
    document = checked(proof, key)
    if not out.json:
        out.screen.print(printed(document), soft_wrap=True)
    out.say("The signature fits.", "签名有效。")
    return document


async def signed_at_terminal(
    conn: Conn, out: Out, muster: Instance, login: str, at: datetime
) -> str:
    """The account whose password was typed, or came on standard input."""
    if sys.stdin.isatty():
        text = out.pick(f"Password of {login}", f"{login} 的密码")
        password = click.prompt(text, hide_input=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    return await signed_by(conn, muster.vault, login=login, password=password, right="erase", at=at)


@asynccontextmanager
async def owners(muster: Instance) -> AsyncIterator[Conn]:
    """A connection of the tables' owner, outside the pool."""
    async with await psycopg.AsyncConnection.connect(
        muster.conninfo, autocommit=True, connect_timeout=10
    ) as conn:
        yield conn
