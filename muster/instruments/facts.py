"""What stands before a table: the plate's barcode, the instrument, the times of the run."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import msgspec

from muster.core.text import clean
from muster.instruments.grid import Row
from muster.instruments.header import key
from muster.instruments.mapping import Fact, Mapping
from muster.instruments.run_file import PlateSize

_MARK = re.compile(r"\s*[=:：]\s*")
_NOTHING = {"", "na", "n/a", "none", "null", "-", "--", "无"}
_SIZE = re.compile(r"(?<!\d)(96|384)(?!\d)")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of its run as a whole; None where it says nothing."""

    plate: str | None = None
    instrument: str | None = None
    serial: str | None = None
    software: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    size: PlateSize | None = None


def read_facts(rows: Iterable[Row], mapping: Mapping, zone: ZoneInfo) -> Facts:
    """The facts a mapping looks for in rows of labels and values."""
    labels = _labels(rows)

    def get(fact: Fact) -> str | None:
        for name in mapping.facts.get(fact, ()):
            value = labels.get(key(name))
            if value is not None and key(value) not in _NOTHING:
                return value
        return None

    def moment(fact: Fact) -> datetime | None:
        text = get(fact)
        return None if text is None else read_time(text, zone=zone, formats=mapping.time_formats)

    return Facts(
        plate=get("plate"),
        instrument=get("instrument"),
        serial=get("serial"),
        software=get("software"),
        started_at=moment("started_at"),
        ended_at=moment("ended_at"),
        size=plate_size(get("block") or ""),
    )


def _labels(rows: Iterable[Row]) -> dict[str, str]:
    """Values by folded label, from "* Label = value", "Label: value" and cells side by side."""
    found: dict[str, str] = {}
    for _, row in rows:
        texts = [clean(cell) for cell in row]
        for index, text in enumerate(texts):
            if not text:
                continue
            label, *rest = _MARK.split(text.lstrip("*# "), maxsplit=1)
            following = next(filter(None, texts[index + 1 :]), "")
            value = rest[0] if rest and rest[0] else following
            found.setdefault(key(label), value)
            if rest and rest[0]:  # the mark may belong to the label itself
                found.setdefault(key(text), following)
    return found


def plate_size(text: str) -> PlateSize | None:
    """The wells named in a text such as "384-Well Block"."""
    sizes = {int(size) for size in _SIZE.findall(text)}
    if sizes == {96}:
        return 96
    return 384 if sizes == {384} else None


_FORMATS = tuple(
    f"{date}{clock}"
    for date in ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d")
    for clock in (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S", " %H:%M:%S.%f")
)
_ZONE = re.compile(r"\s*(?:([A-Z]{3,5})|(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?|(Z))$")
# Abbreviations that mean one thing; CST and IST do not, and are read as the laboratory's zone only.
_HOURS = {
    "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "CET": 1, "CEST": 2, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8,
}  # fmt: skip


def read_time(text: str, *, zone: ZoneInfo, formats: Iterable[str] = ()) -> datetime | None:
    """A time with its zone, in UTC; the laboratory's zone where the text names none.

    None if it cannot be read for certain: a wrong time is worse than none. "CST" is the
    laboratory's zone if that is called so, and otherwise unclear.
    """
    text = clean(text)
    name, offset = None, None
    match = _ZONE.search(text)
    if match and match[1] not in ("AM", "PM"):
        name, sign, hours, minutes, utc = match.groups()
        if sign and ":" in text[: match.start()]:
            span = timedelta(hours=int(hours), minutes=int(minutes or 0))
            offset = timezone(span if sign == "+" else -span)
        elif utc:
            offset = UTC
        if name or offset:
            text = text[: match.start()]
    for pattern in (*formats, *_FORMATS):
        try:
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007  # the zone follows
        except ValueError:
            continue
        break
    else:
        return None
    if moment.tzinfo is None:
        local = moment.replace(tzinfo=zone)
        if name and name != local.tzname():
            if name not in _HOURS:
                return None
            offset = timezone(timedelta(hours=_HOURS[name]))
        moment = moment.replace(tzinfo=offset) if offset else local
    return moment.astimezone(UTC)
