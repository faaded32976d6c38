"""What the people of an exercise hold in their hands: a device that numbers its events, and tubes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from muster.core.ids import derived

Item = dict[str, Any]


@dataclass(frozen=True)
class Tube:
    """A sealed tube as it is carried."""

    tube: str
    barcode: str
    sealed_at: datetime


@dataclass
class Device:
    """A phone: it numbers its events, saves them, and sends them when it can."""

    name: str
    holder: str
    token: str
    site: str | None = None
    clock: timedelta = timedelta()  # how far its clock is off
    seq: int = 0

    def event(self, type_: str, subject: UUID, at: datetime, body: Item) -> Item:
        self.seq += 1
        return {
            "event": {
                "id": str(derived(self.name, self.seq, subject)), "type": type_,
                "subject": str(subject), "device_at": (at + self.clock).isoformat(),
                "device": self.name, "device_seq": self.seq, "actor": self.holder, "body": body,
            }
        }  # fmt: skip
