"""HTTP for boxes, hand-overs, and the barcodes printed on supplies."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta

from muster.core.clock import now
from muster.core.paging import Page
from muster.core.text import clean
from muster.custody import decide, queries
from muster.custody.engine.barcodes import Kind
from muster.custody.events import BarcodeFormatAdopted
from muster.custody.queries import Barcode, BoxState
from muster.guarding import check_reach, principal, reading
from muster.sampling import queries as sampling
from muster.showing import looking
from muster.web import After, Ask, Code, Format, Limit, language, muster


class NewFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a supplier's labels of a kind look, from `since` (else from now) on: `#` a digit, `@` a
    letter, `*` either, anything else itself. `retired` takes the format out of use."""

    supplier: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]+$")]
    kind: Kind
    pattern: Code
    since: Annotated[datetime, Meta(tz=True)] | None = None
    check: Literal["none", "mod10", "mod43", "mod97"] = "none"
    capacity: Annotated[int, Meta(ge=1, le=100)] | None = None
    retired: bool = False


@get("/v1/boxes", right="boxes")
async def list_boxes(
    request: Ask,
    q: FromQuery[str | None] = None,
    site: FromQuery[str | None] = None,
    bound_for: FromQuery[str | None] = None,
    box_state: FromQuery[BoxState | None] = None,
    after: After = None,
    limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:
    """Boxes and bags that one may see, packed last first: by the beginning of the code, of a site (code or
    id), bound for a laboratory, in a state."""
    async with looking(request) as look:
        where = (await sampling.site(look.conn, site))["site"] if site else None
        return await look.listing(
            lambda a, n: queries.boxes(
                look.conn, q=clean(q or "") or None, site=where, bound_for=bound_for, state=box_state, after=a, limit=n
            ),
            after=after, limit=limit, format=format, name="boxes", personal=False,
        )  # fmt: skip


@get("/v1/boxes/{box:str}", right="boxes")
async def show_boxes(request: Ask, box: FromPath[str]) -> list[dict[str, Any]]:
    """The boxes of a code or an id: manifest, bags, hand-overs, temperatures, receptions, open cases."""
    async with reading(request) as conn:
        return await queries.boxes_called(conn, box)


@get("/v1/hand-overs", right="boxes")
async def list_hand_overs(
    request: Ask, open: FromQuery[bool | None] = None, after: After = None, limit: Limit = 100,
    format: Format = "json",
) -> Page | Response[bytes]:  # fmt: skip
    """Hand-overs of the last days that want looking at: `open` (one side only has scanned, for too
    long), or not open but with sides that differ in count, seal or temperature."""
    at = now()
    async with looking(request) as look:
        return await look.listing(
            lambda a, n: queries.hand_overs(look.conn, at=at, open=open, after=a, limit=n),
            after=after, limit=limit, format=format, name="hand-overs", personal=False,
        )  # fmt: skip


@get("/v1/barcode-formats", right="boxes")
async def list_formats(request: Ask) -> list[dict[str, Any]]:
    """The formats of suppliers' labels: latest word on each, also of those retired or not yet in use."""
    async with reading(request) as conn:
        return await queries.formats(conn)


@post("/v1/barcode-formats", right="decide_labs")
async def adopt_format(request: Ask, data: JSONBody[NewFormat]) -> dict[str, UUID]:
    """Take a supplier's label format into use, or out of it: by who decides everywhere, since labels
    come everywhere."""
    async with reading(request) as conn:
        await check_reach(request, conn, [None])
    at = now()
    body = BarcodeFormatAdopted(
        supplier=data.supplier, kind=data.kind, pattern=data.pattern, since=data.since or at,
        check=data.check, capacity=data.capacity, retired=data.retired,
    )  # fmt: skip
    actor = principal(request).login
    return {"format": await decide.adopt_format(muster(request).door, body, actor=actor, at=at)}


@get("/v1/barcodes/{text:str}", right="boxes")
async def show_barcode(
    request: Ask, text: FromPath[str], kind: FromQuery[Kind] = "tube"
) -> Barcode:
    """What a label is, as it was scanned or typed, and whether it is one of the wanted kind."""
    async with reading(request) as conn:
        return await queries.barcode(conn, text, kind, at=now(), language=language(request))


HANDLERS = [
    list_boxes, show_boxes, list_hand_overs, list_formats, adopt_format, show_barcode,
]  # fmt: skip
