"""When will a round be done, at the rate of the last hour, and is that before it is to end?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MIN_SPAN = timedelta(minutes=1)


@dataclass(frozen=True)
class Pace:
    """`target`: who is to be sampled (expected less exempt, away, refused); `ordered_per_hour`: what
    the whole round needs from its start to its end; `needed_per_hour`: what is needed from now on;
    `finish_at`: at the present rate, None where nobody comes any more. `late`: that is after the end."""

    target: int
    done: int
    left: int
    ordered_per_hour: int
    needed_per_hour: int | None
    rate_per_hour: int
    finish_at: datetime | None
    ends_at: datetime
    late: bool
    late_minutes: int | None


def pace(
    *, target: int, done: int, last_hour: int, starts_at: datetime, ends_at: datetime, at: datetime
) -> Pace:
    """The pace of an open round at a moment. `last_hour`: people sampled in the hour before `at`."""
    left = max(0, target - done)
    whole = max(ends_at - starts_at, MIN_SPAN) / timedelta(hours=1)
    remaining = (ends_at - at) / timedelta(hours=1)
    # In its first hour a round is measured by the time it has run.
    ran = min(max(at - starts_at, MIN_SPAN), timedelta(hours=1)) / timedelta(hours=1)
    rate = round(last_hour / ran)
    finish_at = at if left == 0 else None
    if left and rate:
        hours = left / rate
        finish_at = at + timedelta(hours=hours) if hours < 24 * 366 else None
    begun = at >= starts_at + timedelta(hours=1)
    late = left > 0 and (finish_at > ends_at if finish_at else begun)
    minutes = None
    if late and finish_at:
        minutes = int((finish_at - ends_at) / timedelta(minutes=1))
    return Pace(
        target, done, left, round(target / whole),
        None if remaining <= 0 else round(left / remaining),
        rate, finish_at, ends_at, late, minutes,
    )  # fmt: skip
