"""HTTP for the browser: the built files of the console and of the field client, the health page's figures.

`built/` and `field/` are made from web/ when Muster is installed (tools/build_console.py) and are no part of
the source.
"""

import mimetypes
import shutil
import time
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Redirect

from muster import __version__
from muster.core.clock import now
from muster.core.problems import Problem
from muster.core.rows import row
from muster.headers import CONTENT_POLICY
from muster.web import Ask, NotFound, muster

BUILT = Path(__file__).with_name("built")
FIELD = Path(__file__).with_name("field")
# The field client reads codes with WebAssembly, which a strict policy forbids otherwise.
FIELD_POLICY = CONTENT_POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
_KINDS = {".wasm": "application/wasm", ".webmanifest": "application/manifest+json"}
_HERE = "muster.console"
_STARTED = time.monotonic()


class ConsoleNotBuilt(Problem):
    """The console's pages have not been built here. Install Muster anew: `make demo` or `pip install .`
    build them."""

    zh = "控制台页面尚未生成。请重新安装 Muster：运行 make demo 或 pip install . 即会生成。"
    status = 503


class Health(msgspec.Struct, frozen=True):
    """How this process and its database are. Sizes in bytes, `uptime_s` in seconds, `database_ms` a
    round trip; `behind_events`: how many events the slowest follower has still to read."""

    as_of: datetime
    version: str
    uptime_s: float
    database_ms: float
    database_bytes: int
    head_seq: int
    head_at: datetime | None
    slowest: str
    behind_events: int
    stalled: int
    disk_bytes: int
    disk_free_bytes: int


@get("/", right="public", sync_to_thread=False)
def go_to_console() -> Redirect:
    """Whoever opens the bare address wants the console."""
    return Redirect("/console/")


@get(
    ["/console", "/console/{path:path}"],
    right="public",
    media_type="text/html",
    sync_to_thread=False,
)
def show_console(request: Ask, path: FromPath[str] = "/") -> Response[bytes]:
    """A file of the console; every other address below is one of its pages."""
    return _shown(request, BUILT, path)


@get(["/field", "/field/{path:path}"], right="public", media_type="text/html", sync_to_thread=False)
def show_field(request: Ask, path: FromPath[str] = "/") -> Response[bytes]:
    """A file of the field client; every other address below is one of its pages."""
    return _shown(request, FIELD, path, {"content-security-policy": FIELD_POLICY})


def _shown(
    request: Ask, folder: Path, path: str, more: dict[str, str] | None = None
) -> Response[bytes]:
    name = path.strip("/")
    file = _file(folder, name) if name else None
    if file is None and "." in name.rpartition("/")[2]:
        raise NotFound(path=request.url.path[:80])
    headers = {"vary": "accept-encoding"} | (more or {})
    if file is None:
        file = _file(folder, "index.html")
        if file is None:
            raise ConsoleNotBuilt()
        kind = "text/html"
        headers["cache-control"] = "no-cache"
    else:
        kind = _KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
        # Names of assets hold the hash of what is in them.
        asset = name.startswith("assets/")
        headers["cache-control"] = "public, max-age=31536000, immutable" if asset else "no-cache"
    kind = kind or "application/octet-stream"
    plain, packed = file
    if packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=kind, headers=headers | {"content-encoding": "gzip"})
    return Response(plain, media_type=kind, headers=headers)


@get("/v1/health", right="health")
async def show_system_health(request: Ask) -> Health:
    """How this process, its database, its followers and its disk are."""
    here = muster(request)
    async with here.pool.connection(timeout=5) as conn:
        began = time.perf_counter()
        await conn.execute("SELECT 1")
        round_trip = time.perf_counter() - began
        found = await row(conn, _HERE, "health") or {}
    disk = shutil.disk_usage(here.settings.home)
    return Health(
        as_of=now(), version=__version__, uptime_s=time.monotonic() - _STARTED,
        database_ms=round_trip * 1000, disk_bytes=disk.total, disk_free_bytes=disk.free, **found,
    )  # fmt: skip


@lru_cache(2_000)
def _file(folder: Path, name: str) -> tuple[bytes, bytes | None] | None:
    """A built file and, where that is smaller, its gzip beside it; None where there is no such file."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    packed = file.with_name(f"{file.name}.gz")
    return file.read_bytes(), packed.read_bytes() if packed.is_file() else None


HANDLERS = [go_to_console, show_console, show_field, show_system_health]
