"""Photos of a site's check: taken in when a check names them, given to who may look at the site's place."""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from muster.config import SITE_PHOTO_DAYS, SITE_PHOTO_LIMIT_BYTES
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.instance import Instance

_HERE = "muster.sampling"
_JPEG = b"\xff\xd8\xff"
Conn = psycopg.AsyncConnection[Any]


class PhotoUnfit(Problem):
    """This is no JPEG picture of at most {limit_bytes} bytes whose SHA-256 is {hash}. Take the photo again."""

    zh = "这不是大小在 {limit_bytes} 字节以内、SHA-256 为 {hash} 的 JPEG 图片。请重新拍照。"
    status = 422


class PhotoUnasked(Problem):
    """No check of a site names the photo {hash} yet. Keep it, and send it again when the check has arrived."""

    zh = "尚无开点检查引用照片 {hash}。请保留，待检查记录上传后再发送。"
    status = 409


class PhotoUnknown(Problem):
    """There is no photo {hash} here: it has not arrived yet, or its time is over."""

    zh = "这里没有照片 {hash}：尚未上传，或已过保存期。"
    status = 404


async def keep_photo(
    conn: Conn, muster: Instance, hash: str, content: bytes, *, by: str, at: datetime
) -> None:
    """Keep a photo that a check names; sent again it changes nothing. Raises PhotoUnfit, PhotoUnasked."""
    fits = len(content) <= SITE_PHOTO_LIMIT_BYTES and content.startswith(_JPEG)
    if not fits or hashlib.sha256(content).hexdigest() != hash:
        raise PhotoUnfit(limit_bytes=SITE_PHOTO_LIMIT_BYTES, hash=hash)
    if await place_of(conn, hash) is None:
        raise PhotoUnasked(hash=hash)
    await rows(
        conn, _HERE, "keep_photo", hash=hash, sealed=muster.vault.seal(content), size_bytes=len(content),
        at=at, by=by, expires_at=at + timedelta(days=SITE_PHOTO_DAYS),
    )  # fmt: skip


async def place_of(conn: Conn, hash: str) -> UUID | None:
    """The area of the site whose check names a photo."""
    found = await row(conn, _HERE, "photo_place", hash=hash)
    return None if found is None else found["area"]


async def photo(conn: Conn, muster: Instance, hash: str) -> bytes | None:
    """The bytes of a photo that has arrived and whose time is not over."""
    found = await row(conn, _HERE, "photo", hash=hash)
    return None if found is None else muster.vault.open(bytes(found["sealed"]))
