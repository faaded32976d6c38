"""Days on duty on end, those before somebody came included."""

from collections.abc import Collection
from datetime import date, timedelta


def days_on_duty(
    stood: Collection[date], today: date, *, carried: int = 0, on: date | None = None
) -> int:
    """How many days on end up to today, or to yesterday where today has not begun for them. `carried` days
    on end up to the day `on` count where nothing but days of duty lies between it and now; a day that
    was told of both ways counts once."""
    day = today if today in stood or today == on else today - timedelta(days=1)
    count = 0
    while day in stood and day != on:
        count, day = count + 1, day - timedelta(days=1)
    return count + carried if on is not None and day == on else count
