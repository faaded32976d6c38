"""Random bytes from the system, asked for in blocks: a call for twelve bytes costs as much as one for
four thousand, and an import needs millions. A forked child starts a block of its own.
"""

import os
import threading

_BLOCK = 4096
_local = threading.local()


def random_bytes(count: int) -> bytes:
    """`count` bytes that nobody else has got; at most a block."""
    block, at = getattr(_local, "block", (b"", 0))
    if at + count > len(block):
        block, at = os.urandom(_BLOCK), 0
    _local.block = (block, at + count)
    return block[at : at + count]


def _forget() -> None:
    _local.__dict__.clear()


os.register_at_fork(after_in_child=_forget)
