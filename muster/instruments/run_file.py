"""What a run file says, whichever instrument wrote it."""

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["sample", "positive_control", "negative_control", "no_template_control", "standard"]
PlateSize = Literal[96, 384]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One target in one well. `well` is "A01" to "P24"; `sample` and `target` stand as written,
    cleaned; `ct_milli` is in thousandths of a cycle, None where the instrument found no curve;
    `line` is the row as the user sees it in the file, None where the format has none."""

    well: str
    target: str
    sample: str
    role: Role
    ct_milli: int | None
    line: int | None


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """One plate run. `readings` follow the file. `plate` is the barcode, if the file tells it.

    `not_run` names (well, target) that the file lists without a measurement: left out by the
    operator or marked as not tested. They are neither negative nor positive. `readers` says who
    read the values; with two, both read the same.
    """

    name: str
    format: str
    plate: str | None
    instrument: str | None
    serial: str | None
    software: str | None
    started_at: datetime | None
    ended_at: datetime | None
    wells: PlateSize | None
    readings: tuple[Reading, ...]
    not_run: tuple[tuple[str, str], ...] = ()
    readers: tuple[str, ...] = ()
