"""Load on a server: requests whose bytes were made beforehand, sent as fast as they are answered or
at a fixed rate, each answer checked and timed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from muster.exercise.bench.figures import percentile
from muster.exercise.bench.homes import MeasurementFailed, Server
from muster.exercise.wire import Wire, WireError

Check = Callable[[bytes, bytes], int]  # request, answer → how much was done, 0 if it is wrong
STEADY_WIRES = 64  # phones do not wait for each other: never so few that our side is the queue


@dataclass
class Measured:
    """How long was measured, how much was done in it, and how long each request took."""

    seconds: float = 0.0
    done: int = 0
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.done / self.seconds

    @property
    def p99_ms(self) -> float:
        return percentile(self.latencies_ms, 0.99)

    @property
    def median_ms(self) -> float:
        return percentile(self.latencies_ms, 0.5)


async def saturate(
    server: Server,
    queues: Sequence[Iterator[bytes]],
    *,
    seconds: float,
    warm_up_seconds: float,
    check: Check,
) -> Measured:
    """One connection a queue, each sending its next request as soon as the last is answered, until
    the time is over or a queue is empty: from there on fewer would load the server. What is
    answered while it warms up is not counted."""
    measured, over = Measured(), asyncio.Event()
    wires = [server.wire() for _ in queues]
    started = time.perf_counter()
    counted_from = started + warm_up_seconds

    async def work(wire: Wire, queue: Iterator[bytes]) -> None:
        while not over.is_set():
            at = time.perf_counter()
            request = next(queue, None) if at < counted_from + seconds else None
            if request is None:
                over.set()
                measured.seconds = at - counted_from
                return
            answer = await _asked(wire, request)
            answered = time.perf_counter()
            done = _checked(check, request, answer)
            if answered >= counted_from and not over.is_set():
                measured.latencies_ms.append((answered - at) * 1000)
                measured.done += done

    async def begin(tasks: asyncio.TaskGroup) -> None:
        for wire, queue in zip(wires, queues, strict=True):
            tasks.create_task(work(wire, queue))

    await _all(wires, begin)
    if not measured.latencies_ms:
        raise MeasurementFailed(what="a load", reason="was over before it could be counted")
    return measured


async def trickle(
    server: Server, requests: Iterator[bytes], *, per_second: float, check: Check,
    until: asyncio.Event,
) -> Measured:  # fmt: skip
    """Requests at a fixed rate until told to stop or none is left. A request that waits because the
    ones before it are slow is timed from when it was due: that wait is the server's too."""
    measured, free = Measured(), asyncio.Queue[Wire]()
    wires = [server.wire() for _ in range(STEADY_WIRES)]
    for wire in wires:
        free.put_nowait(wire)
    started = time.perf_counter()

    async def send(request: bytes, due: float) -> None:
        wire = await free.get()
        answer = await _asked(wire, request)
        measured.latencies_ms.append((time.perf_counter() - due) * 1000)
        measured.done += _checked(check, request, answer)
        free.put_nowait(wire)

    async def feed(tasks: asyncio.TaskGroup) -> None:
        for number, request in enumerate(requests):
            due = started + number / per_second
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            if until.is_set():
                break
            tasks.create_task(send(request, due))

    await _all(wires, feed)
    measured.seconds = time.perf_counter() - started
    return measured


async def one_by_one(server: Server, requests: Sequence[bytes], *, warm_up: int = 20) -> Measured:
    """Requests in sequence on one connection; the first few are not counted."""
    measured, wire = Measured(), server.wire()
    first = requests[:warm_up]
    started = time.perf_counter()
    try:
        for number, request in enumerate([*first, *requests]):
            at = time.perf_counter()
            await _asked(wire, request)
            if number >= len(first):
                measured.latencies_ms.append((time.perf_counter() - at) * 1000)
                measured.done += 1
    finally:
        await wire.close()
    measured.seconds = time.perf_counter() - started
    return measured


def not_empty(_request: bytes, answer: bytes) -> int:
    """For requests that are answered with a list which must not be empty."""
    return int(answer != b"[]")


async def _all(
    wires: Sequence[Wire], begin: Callable[[asyncio.TaskGroup], Awaitable[None]]
) -> None:
    """Run tasks together; the first error ends them all and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as tasks:
            await begin(tasks)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
    finally:
        for wire in wires:
            await wire.close()


async def _asked(wire: Wire, request: bytes) -> bytes:
    try:
        return await wire.ask(request)
    except WireError as error:
        raise _failed(request, f"was answered {error}") from error


def _checked(check: Check, request: bytes, answer: bytes) -> int:
    done = check(request, answer)
    if not done:
        raise _failed(request, f"was answered {answer[:300].decode(errors='replace')}")
    return done


def _failed(request: bytes, reason: str) -> MeasurementFailed:
    line = request.partition(b" HTTP/1.1")[0].decode(errors="replace")
    return MeasurementFailed(what=line, reason=reason)
