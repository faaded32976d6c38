"""Keyset paging: a page ends with a cursor that names its last row; nothing is skipped or doubled
when rows come and go between two pages.
"""

import base64
from typing import Any

import msgspec

from muster.core.problems import Problem


class BadCursor(Problem):
    """The cursor "{cursor}" is not one this list gave out. Start again without it."""

    zh = "游标“{cursor}”不是本列表给出的，请从头开始。"


class Page(msgspec.Struct, frozen=True):
    """Some rows of a list in its order; `next` is the cursor of the following page, if any."""

    items: list[dict[str, Any]]
    next: str | None = None


def encode(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def decode(cursor: str | None, *types: Any) -> tuple[Any, ...] | None:
    """The values of a cursor, of these types, or None for the first page. Raises BadCursor."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(text, type=tuple[types])
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise BadCursor(cursor=cursor) from error


def page(rows: list[dict[str, Any]], limit: int, keys: tuple[str, ...]) -> Page:
    """A page of at most `limit` of `rows`, of which one more than the limit was asked for."""
    if len(rows) <= limit:
        return Page(rows)
    last = rows[limit - 1]
    return Page(rows[:limit], encode([last[key] for key in keys]))
