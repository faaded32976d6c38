"""When a round will be done at its present rate, and when that is an alarm."""

from datetime import UTC, datetime, timedelta

import pytest

from muster.coverage.engine.pace import Pace, pace

START = datetime(2022, 8, 1, 6, tzinfo=UTC)
END = START + timedelta(hours=6)


def at(hours: float, *, done: int, last_hour: int, target: int = 36_000) -> Pace:
    return pace(
        target=target, done=done, last_hour=last_hour, starts_at=START, ends_at=END,
        at=START + timedelta(hours=hours),
    )  # fmt: skip


def test_a_round_in_time():
    found = at(3, done=20_000, last_hour=8_000)
    assert (found.left, found.ordered_per_hour, found.needed_per_hour) == (16_000, 6_000, 5_333)
    assert (found.finish_at, found.late) == (START + timedelta(hours=5), False)


def test_a_round_that_falls_behind_says_by_how_much():
    found = at(3, done=12_000, last_hour=4_000)
    assert (found.late, found.late_minutes) == (True, 180)


@pytest.mark.parametrize(
    ("hours", "done", "last_hour", "late"),
    [(0.5, 0, 0, False), (1, 0, 0, True), (3, 36_000, 0, False), (7, 30_000, 0, True),
     (7, 36_000, 0, False), (-1, 0, 0, False)],
)  # fmt: skip
def test_where_nobody_comes(hours: float, done: int, last_hour: int, late: bool):
    assert at(hours, done=done, last_hour=last_hour).late is late


def test_the_first_hour_is_measured_by_the_time_it_has_run():
    assert at(0.5, done=3_000, last_hour=3_000).rate_per_hour == 6_000


def test_after_the_end_no_rate_is_enough():
    assert at(7, done=30_000, last_hour=6_000).needed_per_hour is None
