"""Time at the edges. Views, rules and engines never ask for the time: it is passed to them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    return datetime.now(UTC)


def plausible(at: datetime) -> bool:
    """Whether a clock may have said it. At the ends of the calendar there is no room for a time
    zone's shift or a correction."""
    return 1900 <= at.year < 2200


def parse_local(text: str, zone: str) -> datetime:
    """An ISO 8601 time, or a plain `2026-08-02 06:00[:00]`; without a zone it is meant in `zone`.

    Raises ValueError where it is neither.
    """
    at = datetime.fromisoformat(text.strip().replace("/", "-"))
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
