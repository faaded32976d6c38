"""Tasks beside others end when they are told to."""

import asyncio

import pytest

from muster.core import tasks


def test_one_that_misses_its_cancellation_is_told_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    missed = []

    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if missed:
                    raise
                missed.append(1)

    async def story() -> None:
        task = asyncio.create_task(deaf())
        await asyncio.sleep(0)
        await asyncio.wait_for(tasks.end(task), 5)
        assert (missed, task.cancelled()) == ([1], True)

    asyncio.run(story())


def test_what_failed_has_ended():
    async def fails() -> None:
        raise ValueError

    async def story() -> None:
        task = asyncio.create_task(fails())
        await asyncio.sleep(0)
        await tasks.end(task)
        assert isinstance(task.exception(), ValueError)

    asyncio.run(story())
