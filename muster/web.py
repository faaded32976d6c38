"""What all HTTP handlers share: the running Muster, the caller's language, problem details
(RFC 9457) and lists that page as JSON or leave as a CSV or XLSX file.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import psycopg
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import Parameter
from msgspec import Meta
from psycopg_pool import PoolTimeout

from muster.config import BODY_LIMIT_BYTES, EXPORT_LIMIT, ITEMS_LIMIT, PAGE_LIMIT
from muster.config import RETRY_AFTER_SECONDS as RETRY
from muster.core.log import error_facts, logger
from muster.core.paging import Page
from muster.core.problems import Problem, StorageUnavailable
from muster.instance import Instance
from muster.intake.export import Mark, write_rows
from muster.intake.upload import UploadTooLarge

Ask = Request[Any, Any, State]
After = Annotated[str | None, Parameter(description="the `next` of the page before")]
Limit = Annotated[int, Parameter(ge=1, le=PAGE_LIMIT, description="rows a page")]
Format = Annotated[
    Literal["json", "csv", "xlsx"], Parameter(description="csv and xlsx hold the whole list")
]
# Texts of a decision that are stored: what a body may hold, without the characters no table can.
Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
Label = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]+$")]
PROBLEM = "application/problem+json"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ProblemDetails(msgspec.Struct, frozen=True):
    """What every error answers (RFC 9457). `type` ends in the slug that programs compare; the
    catalogue is at /v1/problems."""

    type: str
    title: str
    status: int
    detail: str
    facts: dict[str, str]


class InternalError(Problem):
    """The server failed at this request; it was logged as {error}. Nothing acknowledged is lost."""

    zh = "服务器处理该请求时出错（已记录：{error}）。已确认的数据没有丢失。"
    status = 500


class BadRequest(Problem):
    """The request cannot be understood: {reason}."""

    zh = "无法理解该请求：{reason}。"


class UnfitValue(Problem):
    """A value in the request is none that anything could have: a text with a NUL character, or a
    number or time out of range."""

    zh = "请求中的某个值不可能存在：含 NUL 字符的文本，或超出范围的数字、时间。"


class NotFound(Problem):
    """There is nothing at {path}."""

    zh = "{path} 处没有内容。"
    status = 404


class MethodNotAllowed(Problem):
    """{path} cannot be asked with {method}; {allowed} it can."""

    zh = "{path} 不支持 {method}，可用 {allowed}。"
    status = 405


def muster(request: Ask) -> Instance:
    return request.app.state.muster


def language(request: Ask) -> str:
    """What the caller reads: `zh` if Accept-Language prefers Chinese."""
    wanted = request.headers.get("accept-language", "").lower()
    return "zh" if wanted.startswith("zh") else "en"


async def listing(
    fetch: Callable[[str | None, int], Awaitable[Page]], *, after: str | None, limit: int,
    format: str, name: str, mark: Mark | None = None,
) -> Page | Response[bytes]:  # fmt: skip
    """One page as JSON, or every row as a file, which `mark` says who took out."""
    if format == "json":
        return await fetch(after, limit)
    rows: list[dict[str, Any]] = []
    cursor = None
    while len(rows) < EXPORT_LIMIT:
        page = await fetch(cursor, PAGE_LIMIT)
        rows += page.items
        if (cursor := page.next) is None:
            break
    content = await asyncio.to_thread(_file, rows, f"{name}.{format}", mark)
    kind = CSV if format == "csv" else XLSX  # the charset is added to texts
    disposition = f'attachment; filename="{name}.{format}"'
    return Response(content, media_type=kind, headers={"content-disposition": disposition})


def _file(rows: list[dict[str, Any]], name: str, mark: Mark | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        headers = list(rows[0]) if rows else ["empty"]
        cells = ([cell(row[h]) for h in headers] for row in rows)
        write_rows(path, headers, cells, mark=mark)
        return path.read_bytes()


def cell(value: Any) -> str:
    """A value as a cell of an exported table."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return str(value)


@dataclass
class BytesOperation(Operation):
    """Documents a body that is bytes, which the handler reads itself."""

    def __post_init__(self) -> None:
        content = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody({"application/octet-stream": content}, required=True)


async def hung_up(request: Ask) -> bool:
    """Whether whoever asked has gone, as far as is known; of a request whose body has been read."""
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0):
                if (await request.receive())["type"] == "http.disconnect":
                    return True
    return False


def problem_response(request: Ask, error: Exception) -> Response[dict[str, object]]:
    """Any error as problem details; what is not a Problem becomes one, without its values."""
    problem = _problem(request, error)
    headers = {"content-language": language(request)}
    if problem.status == 503:
        headers["retry-after"] = str(RETRY)
    if isinstance(problem, MethodNotAllowed):
        headers["allow"] = str(problem.facts["allowed"])
    return Response(
        problem.details(language(request)),
        status_code=problem.status, media_type=PROBLEM, headers=headers,
    )  # fmt: skip


def _problem(request: Ask, error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case HTTPException(status_code=413):
            return UploadTooLarge(limit_bytes=BODY_LIMIT_BYTES, limit_items=ITEMS_LIMIT)
        case HTTPException(status_code=404):
            return NotFound(path=request.url.path)
        case HTTPException(status_code=405):
            allowed = (error.headers or {}).get("allow", "")
            return MethodNotAllowed(path=request.url.path, method=request.method, allowed=allowed)
        case HTTPException(status_code=status) if status < 500:
            return BadRequest(reason=_reason(error))
        case psycopg.DataError():  # queries only: the door answers for what is to be stored
            logger.warning("unfit_value", path=request.url.path, **error_facts(error))
            return UnfitValue()
        case psycopg.OperationalError() | PoolTimeout():
            logger.warning("read_unavailable", **error_facts(error))
            return StorageUnavailable(reason="it does not answer", seconds=RETRY)
        case _:
            logger.error("internal_error", path=request.url.path, **error_facts(error))
            return InternalError(error=type(error).__name__)


def _reason(error: HTTPException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [f"{one.get('key', '')}: {one.get('message', '')}" for one in extra]
    return "; ".join(parts) or error.detail
