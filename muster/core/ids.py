"""Identifiers: UUIDv7 for what a client mints (RFC 9562 §5.7: sorted by time, so index pages stay
warm), UUIDv5 for what follows from something else (same cause, same id, so twice is once).
"""

import time
from uuid import UUID, uuid5

from muster.core.randomness import random_bytes

NAMESPACE = UUID("6d757374-6572-5000-8000-000000000001")  # "muster"


def uuid7(at_ms: int | None = None) -> UUID:
    """A new UUIDv7; `at_ms` (Unix milliseconds) lets a simulated device mint in its own time."""
    milliseconds = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    random = int.from_bytes(random_bytes(10))
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random
    value &= ~(0xF000 << 64) & ~(0xC000 << 48)
    return UUID(int=value | 0x7000 << 64 | 0x8000 << 48)


def derived(*parts: object) -> UUID:
    """The UUIDv5 of the parts, in order; UUIDs and strings only, so it never depends on repr()."""
    return uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))
