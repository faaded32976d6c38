"""A lane's phone without hands or screen: a queue of what was recorded, sent as web/src/ledger/sync.ts sends
it. The figures below are those of that file and of server.ts beside it.
"""

import asyncio
import gzip
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import msgspec

from muster.exercise.device import Item
from muster.exercise.wire import Wire, WireError

ITEMS, BYTES = 500, 640_000
LEAST_PAUSE_S, MOST_PAUSE_S = 1.0, 120.0
TIMEOUT_S = 45.0
PATIENCE = (408, 429, 503)
NO_ANSWER = 0
ZLIB_LEVEL = 6  # a browser's CompressionStream
_HEADERS = "content-encoding: gzip\r\n"


class Answer(msgspec.Struct, frozen=True):
    id: str | None
    answer: str
    why: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    answers: list[Answer]


class LaneStuck(Exception):
    """The server does not take what the lane sends: it held something, or does not know the device."""


@dataclass
class Lane:
    """A device's queue, oldest first, and what became of it. `lost`: the share of answers that never arrive."""

    code: str
    wire: Wire
    random: Random
    queue: deque[tuple[str, bytes]] = field(default_factory=deque)  # ids and items as JSON
    lost: float = 0.0
    limit: int = ITEMS
    failures: int = 0
    parts: int = 0  # that were receipted
    stored: int = 0
    known: int = 0  # of which the receipt had been lost
    swallowed: int = 0
    put_off: int = 0  # no answer, or a request for patience

    def record(self, item: Item) -> None:
        self.queue.append((item["event"]["id"], msgspec.json.encode(item)))

    async def drain(self) -> None:
        """Send until the queue is empty, for as long as it takes. Raises LaneStuck."""
        while part := self._part():
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    receipt = await self._upload(part)
            except (OSError, TimeoutError):
                await self.wire.close()
                await self._pause()
            except WireError as error:
                if error.status == NO_ANSWER or error.status in PATIENCE:
                    await self._pause(error.retry_after_s)
                elif error.status in (401, 403) or len(part) == 1:
                    raise LaneStuck(f"{self.code}: {error}") from error
                else:
                    self.limit = max(1, len(part) // 2)
            else:
                self._settle(receipt)
        await self.wire.close()

    def _part(self) -> list[bytes]:
        """What is sent next: so many items of so many bytes together at most, but one at least."""
        found, size = list[bytes](), 0
        for _, item in self.queue:
            size += len(item)
            if len(found) == self.limit or (found and size > BYTES):
                break
            found.append(item)
        return found

    async def _upload(self, part: list[bytes]) -> Receipt:
        upload = {
            "device": self.code, "sent_at": datetime.now(UTC), "unsent": len(self.queue) - len(part),
            "items": [msgspec.Raw(item) for item in part],
        }  # fmt: skip
        body = gzip.compress(msgspec.json.encode(upload), ZLIB_LEVEL)
        request = self.wire.request("POST", "/v1/events", body, _HEADERS)
        if self.random.random() < self.lost:
            self.swallowed += 1
            await self.wire.lose(request)
            raise WireError(NO_ANSWER, b"lost")
        return msgspec.json.decode(await self.wire.ask(request), type=Receipt)

    def _settle(self, receipt: Receipt) -> None:
        """One answer per item, in order: what has one is done with."""
        for answer in receipt.answers:
            id_, _ = self.queue.popleft()
            if answer.id != id_ or answer.answer not in ("stored", "known"):
                raise LaneStuck(f"{self.code}: {id_} was answered {answer}")
            self.stored += answer.answer == "stored"
            self.known += answer.answer == "known"
        self.parts += 1
        self.failures = 0
        self.limit = min(ITEMS, self.limit * 2)

    async def _pause(self, at_least_s: float = 0) -> None:
        """All come back at the same moment: each waits for a time of its own."""
        most = min(MOST_PAUSE_S, LEAST_PAUSE_S * 2**self.failures)
        self.failures += 1
        self.put_off += 1
        await asyncio.sleep(at_least_s + most / 2 + self.random.random() * most / 2)
