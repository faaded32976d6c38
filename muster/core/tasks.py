"""Ending tasks that run beside others."""

import asyncio
from typing import Any

AGAIN_SECONDS = 5.0  # more than a task needs to clear up after itself


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended, with whatever.

    It is cancelled again where it goes on: `asyncio.wait_for` of Python 3.11 forgets a cancellation that comes
    in the moment in which what it waits for is there (python/cpython#86296), and psycopg waits with it.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()  # looked at: nobody else does
