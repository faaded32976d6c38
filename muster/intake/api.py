"""HTTP for what comes in: uploads, their receipts, the inbox."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, FromQuery, JSONBody

from muster.access.devices import sender
from muster.config import BODY_LIMIT_BYTES, ITEMS_LIMIT, PACKED_ANSWERS
from muster.core.clock import now
from muster.core.paging import Page
from muster.core.rows import row
from muster.guarding import check_reach, principal, reading
from muster.instance import Instance
from muster.intake.deciding import Refusal, accept, refuse
from muster.intake.upload import Answer, MalformedUpload, UploadTooLarge, unzip
from muster.ledger.event import Body
from muster.sampling import queries
from muster.web import PROBLEM, After, Ask, Limit, ProblemDetails, language, muster


class Head(msgspec.Struct, frozen=True):
    """The chain's head after the upload: a receipt that shows a cut-off ledger later."""

    batch: int
    seq: int
    hash: str


class Refusing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a held item is refused."""

    reason: Refusal


class Receipt(msgspec.Struct, frozen=True):
    """One answer per item, in the order of the items."""

    answers: list[Answer]
    head: Head


@dataclass
class _UploadOperation(Operation):
    """Documents the body, which the handler reads itself so that one bad item spoils no other."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING)
        event: Schema | Reference = Schema(
            type=OpenAPIType.OBJECT,
            description="id and subject are UUIDs; body as /v1/vocabulary says for the type",
            required=["id", "type", "subject", "device_at", "actor", "body"],
        )
        item = Schema(
            type=OpenAPIType.OBJECT,
            properties={"event": event, "identity": Schema(type=OpenAPIType.OBJECT), "note": text},
            required=["event"],
        )
        upload = Schema(
            type=OpenAPIType.OBJECT,
            properties={
                "device": Schema(
                    type=[OpenAPIType.STRING, OpenAPIType.NULL], min_length=1, max_length=64
                ),
                "sent_at": Schema(
                    type=[OpenAPIType.STRING, OpenAPIType.NULL], format=OpenAPIFormat.DATE_TIME
                ),
                "unsent": Schema(
                    type=[OpenAPIType.INTEGER, OpenAPIType.NULL],
                    minimum=0,
                    maximum=10_000_000,
                    description="how many events the sender still keeps",
                ),
                "items": Schema(type=OpenAPIType.ARRAY, items=item, max_items=ITEMS_LIMIT),
            },
            required=["items"],
        )
        self.request_body = RequestBody(
            {"application/json": OpenAPIMediaType(schema=upload)}, required=True
        )


_problems = {
    status: ResponseSpec(
        ProblemDetails, generate_examples=False, media_type=PROBLEM, description=description
    )
    for status, description in (
        (400, "not an upload; kept in the inbox"),
        (413, "over the limit of bytes or items"),
        (503, "keep it and send it again after Retry-After seconds"),
    )
}


@post(
    "/v1/events",
    status_code=200,
    operation_class=_UploadOperation,
    responses=_problems,
    right="events",
)
async def take_events(request: Ask) -> Receipt:
    """Take in a batch of events; optionally gzip-encoded."""
    if int(request.headers.get("content-length") or 0) > BODY_LIMIT_BYTES:
        raise UploadTooLarge(limit_bytes=BODY_LIMIT_BYTES, limit_items=ITEMS_LIMIT)
    body, received_at = await request.body(), now()
    here = muster(request)
    sent_by = sender(principal(request))
    if request.headers.get("content-encoding", "").lower() == "gzip":
        try:
            body = unzip(body)
        except MalformedUpload as problem:
            reason = str(problem.facts["reason"])
            raise await here.intake.malformed(body, reason, sent_by, received_at) from problem
    answers = await here.intake.take(
        body, received_at=received_at, sender=sent_by, language=language(request)
    )
    receipt = Receipt(answers, await head_after(here, answers))
    if len(answers) < PACKED_ANSWERS or "gzip" not in request.headers.get("accept-encoding", ""):
        return receipt
    # A phone's line is slow, and ids are more than half of a receipt.
    packed: Any = Response(
        gzip.compress(msgspec.json.encode(receipt), 1), media_type="application/json",
        headers={"content-encoding": "gzip", "vary": "accept-encoding"},
    )  # fmt: skip
    return packed


async def head_after(here: Instance, answers: Sequence[Answer]) -> Head:
    """The chain's head once these were answered."""
    head = here.door.head
    if all(one.answer != "stored" for one in answers):  # another server may have stored them
        async with here.pool.connection() as conn:
            found = await row(conn, "muster.intake", "head")
        return Head(**found) if found else Head(0, 0, "")
    return Head(head.batch, head.seq, head.hash)


@get("/v1/receipts", right="receipts")
async def show_receipts(request: Ask, id: FromQuery[list[UUID]]) -> list[dict[str, Any]]:
    """What became of events sent earlier: stored, held (and why) or unknown."""
    async with reading(request) as conn:
        return await queries.receipts(conn, id)


@get("/v1/vocabulary", right="public")
async def show_vocabulary() -> dict[str, Any]:
    """Every event type with the JSON schema of its body."""
    types = list(Body.types.values())
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    named = {
        type_.__name__: {"version": type_.version, "schema": schema}
        for type_, schema in zip(types, schemas, strict=True)
    }
    return {"types": named, "components": {"schemas": components}}


@get("/v1/inbox", right="inbox")
async def list_inbox(request: Ask, after: After = None, limit: Limit = 100) -> Page:
    """What could not be read: who sent it, why it is held, until when it is kept."""
    async with reading(request) as conn:
        return await queries.inbox(conn, after=after, limit=limit)


@post("/v1/inbox/retry", status_code=200, right="decide_inbox")
async def retry_inbox(request: Ask) -> dict[str, int]:
    """Try every held item again, except those that wait for a person's word."""
    return await muster(request).intake.retry()


@post("/v1/inbox/{inbox:uuid}/accept", status_code=200, right="decide_inbox")
async def accept_held(request: Ask, inbox: FromPath[UUID]) -> dict[str, UUID]:
    """Apply an item that was held for want of a right, such as what a revoked device sent. Whoever
    decides about it must reach everywhere: it may speak of any place."""
    await _check_everywhere(request)
    by = principal(request).login
    return {"event": await accept(muster(request).intake, inbox, by=by, at=now())}


@post("/v1/inbox/{inbox:uuid}/refuse", status_code=204, right="decide_inbox")
async def refuse_held(request: Ask, inbox: FromPath[UUID], data: JSONBody[Refusing]) -> None:
    """Never apply a held item."""
    await _check_everywhere(request)
    by = principal(request).login
    await refuse(muster(request).intake, inbox, data.reason, by=by, at=now())


async def _check_everywhere(request: Ask) -> None:
    async with reading(request) as conn:
        await check_reach(request, conn, [None])


HANDLERS = [
    take_events, show_receipts, show_vocabulary, list_inbox, retry_inbox, accept_held, refuse_held,
]  # fmt: skip
