"""What the clock does beside the ledger's own turns: each may be repeated, and does nothing twice."""

from muster.instance import Chore
from muster.lab.calling import call_open_again

CHORES: tuple[Chore, ...] = (call_open_again,)
