"""HTTP for queues that somebody else carries."""

import msgspec
from litestar import get, post
from litestar.openapi.datastructures import ResponseSpec

from muster.access.devices import sender
from muster.config import BODY_LIMIT_BYTES, QUEUE_ITEMS_LIMIT
from muster.core.clock import now
from muster.guarding import principal
from muster.intake.api import Head, head_after
from muster.intake.queues import QueueKey, queue_key, take
from muster.intake.upload import Answer, UploadTooLarge
from muster.web import PROBLEM, Ask, BytesOperation, ProblemDetails, language, muster


class QueueReceipt(msgspec.Struct, frozen=True):
    """One answer per item, in the order of the items; whose queue it was (none: its token is nobody's, and
    it was judged as its carrier's) and how many items it had."""

    answers: list[Answer]
    head: Head
    device: str | None
    items: int


_problems = {
    status: ResponseSpec(
        ProblemDetails, generate_examples=False, media_type=PROBLEM, description=description
    )
    for status, description in (
        (400, "no queue, or a broken one"),
        (409, "sealed to another server"),
        (413, "over the limit of bytes or items: to be given in several"),
        (503, "keep it and send it again after Retry-After seconds"),
    )
}


@get("/v1/queue-key", right="public", sync_to_thread=False)
def show_queue_key(request: Ask) -> QueueKey:
    """What a phone seals its queue to when another is to carry it."""
    return queue_key(muster(request).vault)


@post(
    "/v1/queues",
    status_code=200,
    operation_class=BytesOperation,
    responses=_problems,
    right="events",
)
async def take_queue(request: Ask) -> QueueReceipt:
    """Take in a sealed queue of another device, as if that had sent it. Sent again, its items are known."""
    if int(request.headers.get("content-length") or 0) > BODY_LIMIT_BYTES:
        raise UploadTooLarge(limit_bytes=BODY_LIMIT_BYTES, limit_items=QUEUE_ITEMS_LIMIT)
    here = muster(request)
    sealed, received_at = await request.body(), now()
    taken = await take(
        here.intake, sealed, carrier=sender(principal(request)), received_at=received_at,
        language=language(request),
    )  # fmt: skip
    head = await head_after(here, taken.answers)
    return QueueReceipt(taken.answers, head, taken.device, len(taken.answers))


HANDLERS = [show_queue_key, take_queue]
