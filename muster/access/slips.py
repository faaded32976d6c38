"""Enrolment slips: one page to print, a slip a person, with the link as a QR code drawn into the page.
No script, nothing from elsewhere. The page is as secret as the codes on it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import psycopg
import segno

from muster.access.enrolment import new_code
from muster.access.queries import unenrolled
from muster.access.sealing import Sealer
from muster.config import SLIP_DAYS

Conn = psycopg.AsyncConnection[Any]

_PAGE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>注册单 Enrolment slips</title>
<style>
body {{ font: 11pt/1.4 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 0; color: #000; }}
.slip {{ display: inline-flex; box-sizing: border-box; width: 93mm; min-height: 66mm; padding: 4mm;
  border: 1px dashed #888; page-break-inside: avoid; vertical-align: top; }}
.slip svg {{ flex: none; width: 42mm; height: 42mm; }}
.slip div {{ padding-left: 3mm; overflow-wrap: anywhere; }}
.slip b {{ font-size: 13pt; }}
.slip p {{ margin: 0 0 1.5mm; }}
.slip small {{ font-size: 7.5pt; }}
</style></head><body>
{slips}
</body></html>
"""
_SLIP = """<section class="slip" aria-label="{login}">{qr}<div>
<p><b>{name}</b></p><p>工号 <span lang="en">Login</span>: <b>{login}</b></p>
<p>扫码设置密码，只能用一次。<span lang="en">Scan to set your password; works once.</span></p>
<p><small>有效期至 <span lang="en">Valid until</span> {until}<br>不要拍照或转给他人，用后销毁。
<span lang="en">Do not copy or pass on; destroy after use.</span><br>{address}</small></p>
</div></section>"""


def link(address: str, code: str) -> str:
    """The code is in the fragment, which a browser sends to nobody."""
    return f"{address.rstrip('/')}/enrol#{code}"


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on a slip; `qr` is the link."""

    qr: str
    name: str
    login: str
    until: str
    address: str


async def made(
    conn: Conn, vault: Sealer, *, address: str, actor: str, zone: str, at: datetime,
    logins: Sequence[str] | None = None,
) -> list[Slip]:  # fmt: skip
    """A slip for everybody who has not enrolled, or those of them named. Each gets a new code; what was
    printed before is void."""
    slips = []
    for one in await unenrolled(conn, vault, at=at, logins=logins):
        hours = SLIP_DAYS * 24
        code = await new_code(conn, one["account"], actor=actor, at=at, hours=hours)
        until = (at + timedelta(hours=hours)).astimezone(ZoneInfo(zone))
        slips.append(
            Slip(
                qr=link(address, code), name=one["name"] or "", login=one["login"],
                until=until.strftime("%Y-%m-%d %H:%M"), address=f"{address.rstrip('/')}/enrol",
            )
        )  # fmt: skip
    return slips


def page(slips: Sequence[Slip]) -> str:
    """The slips as a page."""
    return _PAGE.format(slips="\n".join(_drawn(one) for one in slips))


def _drawn(one: Slip) -> str:
    drawn = segno.make(one.qr, error="m").svg_inline(border=2, omitsize=True)
    return _SLIP.format(
        qr=drawn, name=escape(one.name), login=escape(one.login), until=one.until,
        address=escape(one.address),
    )  # fmt: skip
