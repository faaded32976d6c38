"""Commands about accounts. Whoever holds the machine and the key may; there is no sign-in here."""

from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import rich_click as click

from muster.access import decide, enrolment, queries, sessions, slips
from muster.access.engine.roles import ROLES
from muster.access.events import AccountKind
from muster.access.readings import COMMAND_LINE as ACTOR
from muster.cli import main
from muster.cli.output import Out, command, every, opened, output_option
from muster.cli.staff import import_staff
from muster.core.clock import now, parse_local
from muster.instance import Instance

ADDRESS = "http://127.0.0.1:8321"
SHOWN_FAULTS = 20


@main.group("account")
def account_group() -> None:
    """Accounts: who may sign in, as what, where and until when."""


def _place_options(work: Any) -> Any:
    """Where a role is held; several add up."""
    for option in (
        click.option("--team", help="A team's code."),
        click.option("--lab", help="A laboratory's code."),
        click.option("--site", help="A sampling site's code or id."),
        click.option("--area", help="Everything under an area: its code or id."),
        click.option("--everywhere", is_flag=True),
    ):
        work = option(work)
    return work


address_option = click.option(
    "--address", default=ADDRESS, show_default=True, help="Where people reach Muster."
)


@command(account_group, "open")
@click.argument("login")
@click.option("--role", type=click.Choice(list(ROLES)), help="A first role.")
@_place_options
@click.option(
    "--kind", type=click.Choice(get_args(AccountKind)), default="staff", show_default=True
)
@click.option("--name", help="The holder's name; kept sealed.")
@click.option("--phone", help="The number to call at work; kept sealed.")
@click.option("--from", "start", help="Local time, e.g. '2021-08-02 09:00'; by default now.")
@click.option("--to", "end", help="Local time; guests and aid teams need one.")
async def open_account(
    out: Out, login: str, role: Any, kind: Any, name: str | None, phone: str | None,
    start: str | None, end: str | None, **place: Any,
) -> Any:  # fmt: skip
    """Open an account, with a first role. `muster account link` lets its holder in."""
    starts_at, ends_at = _time(out, start), _time(out, end)

    async def work(out: Out, muster: Instance) -> Any:
        at = now()
        async with muster.pool.connection() as conn:
            grants = [await decide.placed(conn, role=role, **place)] if role else []
            account = await decide.open_account(
                conn, muster.door, muster.vault, login=login, kind=kind, name=name,
                phone=phone, starts_at=starts_at or at, ends_at=ends_at, grants=grants, actor=ACTOR, at=at,
            )  # fmt: skip
        out.say(f"The account {login} is open: {account}", f"账号 {login} 已开通：{account}")
        return {"account": account}

    return await opened(work, out)


@command(account_group, "grant")
@click.argument("login")
@click.argument("role", type=click.Choice(list(ROLES)))
@_place_options
@click.option("--from", "start", help="Local time; by default now.")
@click.option("--to", "end", help="Local time; by default the account's end.")
async def grant_role(
    out: Out, login: str, role: Any, start: str | None, end: str | None, **place: Any
) -> Any:
    """Give an account a role in a place."""
    place |= {"starts_at": _time(out, start), "ends_at": _time(out, end)}

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            account = (await queries.account_by_login(conn, login))["account"]
            wanted = await decide.placed(conn, role=role, **place)
            holding = await decide.grant(
                conn, muster.door, account, wanted=wanted, actor=ACTOR, at=now()
            )
        out.say(f"{login} is {role} now: {holding}", f"{login} 已任 {ROLES[role].zh}：{holding}")
        return {"holding": holding}

    return await opened(work, out)


@command(account_group, "end")
@click.argument("login")
@click.argument("role", type=click.Choice(list(ROLES)))
@click.option("--reason", type=click.Choice(["left", "mistake", "other"]), default="left")
async def end_role(out: Out, login: str, role: str, reason: Any) -> Any:
    """End a role of an account, wherever it holds it."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            account, held = await _held(conn, login, role)
            for holding in held:
                await decide.end_role(
                    conn, muster.door, account, holding=holding, reason=reason, actor=ACTOR,
                    at=now(),
                )  # fmt: skip
        out.say(f"{login} is no {role} any more.", f"{login} 不再任 {ROLES[role].zh}。")
        return {"ended": held}

    return await opened(work, out)


@command(account_group, "move")
@click.argument("login")
@click.argument("role", type=click.Choice(list(ROLES)))
@_place_options
async def move_role(out: Out, login: str, role: Any, **place: Any) -> Any:
    """Give a role of an account another place instead."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            account, held = await _held(conn, login, role)
            wanted = await decide.placed(conn, role=role, **place)
            moved = await decide.move_role(
                conn, muster.door, account, holding=held[0], wanted=wanted, actor=ACTOR, at=now()
            )
            for holding in held[1:]:
                await decide.end_role(
                    conn, muster.door, account, holding=holding, reason="other", actor=ACTOR,
                    at=now(),
                )  # fmt: skip
        out.say(f"{login} was moved: {moved}", f"{login} 已调动：{moved}")
        return {"holding": moved}

    return await opened(work, out)


@command(account_group, "close")
@click.argument("login")
@click.option(
    "--reason", type=click.Choice(["left", "expired", "misuse", "mistake", "other"]), default="left"
)
async def close_account(out: Out, login: str, reason: Any) -> Any:
    """Close an account; its sessions end at once."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            account = (await queries.account_by_login(conn, login))["account"]
            await decide.close_account(
                conn, muster.door, account, reason=reason, actor=ACTOR, at=now()
            )
            ended = await sessions.end_all(conn, account, at=now())
        out.say(f"The account {login} is closed.", f"账号 {login} 已关闭。")
        return {"account": account, "sessions_ended": ended}

    return await opened(work, out)


@command(account_group, "list")
@output_option
async def list_accounts(out: Out, output: Path | None) -> Any:
    """Every account, with its roles and whether its holder has enrolled."""

    async def work(out: Out, muster: Instance) -> Any:
        at = now()
        async with muster.pool.connection() as conn:
            rows = await every(
                lambda after: queries.accounts(conn, muster.vault, at=at, after=after)
            )
        columns = ["login", "name", "kind", "roles", "starts_at", "ends_at", "closed_at",
                   "enrolled", "second_factor", "undertaking"]  # fmt: skip
        return out.listing(rows, columns, output)

    return await opened(work, out)


@command(account_group, "import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--rejects", type=click.Path(path_type=Path, dir_okay=False),
    help="Where rejected rows go (default: beside the file, .rejected.csv; .xlsx works too).",
)  # fmt: skip
async def import_accounts(out: Out, file: Path, rejects: Path | None) -> Any:
    """Open accounts from a staff list (CSV or XLSX). Feeding it twice changes nothing."""
    rejects_path = rejects or file.with_name(f"{file.stem}.rejected.csv")

    async def work(out: Out, muster: Instance) -> Any:
        report = await import_staff(muster, file, rejects_path=rejects_path)
        out.say(
            f"{report.rows:,} rows: {report.opened:,} accounts opened, {report.granted:,} roles"
            f" added, {report.unchanged:,} unchanged, {report.rejected:,} rejected",
            f"{report.rows:,} 行：开通账号 {report.opened:,}，增加角色 {report.granted:,}，"
            f"未变 {report.unchanged:,}，退回 {report.rejected:,}",
        )
        faults = [
            {"line": one.line, "column": one.column, "slug": one.problem.slug,
             "message": one.problem.message(out.language)}
            for one in report.faults
        ]  # fmt: skip
        if report.rejected:
            out.table(faults[:SHOWN_FAULTS], ["line", "column", "message"])
            out.say(
                f"Correct {report.rejects_file} and import it. It holds names like its source.",
                f"请更正 {report.rejects_file} 后再次导入。该文件与原文件一样含姓名。",
            )
        return {**vars(report), "faults": faults}

    return await opened(work, out)


@command(account_group, "slips")
@click.argument("logins", nargs=-1)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True)
@address_option
async def print_slips(out: Out, logins: tuple[str, ...], output: Path, address: str) -> Any:
    """A page to print: a slip with a QR code for everybody who has not enrolled, or those named."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            made = await slips.made(
                conn, muster.vault, logins=logins or None, address=address, actor=ACTOR,
                zone=muster.settings.timezone, at=now(),
            )  # fmt: skip
        output.touch(mode=0o600)
        output.chmod(0o600)
        output.write_text(slips.page(made), encoding="utf-8")
        out.say(
            f"{len(made):,} slips → {output}. Print it, hand the slips out, delete it.",
            f"{len(made):,} 张注册单 → {output}。打印、分发后请删除该文件。",
        )
        return {"slips": len(made), "file": str(output)}

    return await opened(work, out)


@command(account_group, "link")
@click.argument("login")
@address_option
@click.option("--reset-second-factor", is_flag=True, help="The phone was lost: set it up anew.")
async def make_link(out: Out, login: str, address: str, reset_second_factor: bool) -> Any:
    """A one-time link by which an account's holder sets a new password. Older ones are void."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            account = (await queries.account_by_login(conn, login))["account"]
            code = await enrolment.new_code(
                conn, account, actor=ACTOR, at=now(), reset_factors=reset_second_factor
            )
        link = slips.link(address, code)
        out.say(f"Works once: {link}", f"只能使用一次：{link}")
        return {"link": link}

    return await opened(work, out)


@command(account_group, "sessions")
@click.argument("login")
async def list_sessions(out: Out, login: str) -> Any:
    """The sessions of an account that are in use."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            account = (await queries.account_by_login(conn, login))["account"]
            rows = await sessions.listing(conn, account, at=now())
        out.table(rows, ["created_at", "seen_at", "method", "agent", "session"])
        return rows

    return await opened(work, out)


@command(account_group, "revoke")
@click.argument("login")
async def revoke_sessions(out: Out, login: str) -> Any:
    """End all sessions of an account at once."""

    async def work(out: Out, muster: Instance) -> Any:
        async with muster.pool.connection() as conn:
            account = (await queries.account_by_login(conn, login))["account"]
            ended = await sessions.end_all(conn, account, at=now())
        out.say(f"{ended:,} sessions ended.", f"已结束 {ended:,} 个会话。")
        return {"ended": ended}

    return await opened(work, out)


async def _held(conn: queries.Conn, login: str, role: str) -> tuple[Any, list[Any]]:
    """The account and its holdings of a role that have not ended. Raises RoleUnknown."""
    account, at = (await queries.account_by_login(conn, login))["account"], now()
    held = [
        one["holding"]
        for one in await queries.holdings(conn, [account])
        if one["role"] == role and (one["ends_at"] is None or one["ends_at"] > at)
    ]
    if not held:
        raise decide.RoleUnknown()
    return account, held


def _time(out: Out, text: str | None) -> datetime | None:
    try:
        return parse_local(text, out.settings.timezone) if text else None
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time") from error
