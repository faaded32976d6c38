"""What the clock does beside the ledger's own turns: each may be repeated, and does nothing twice."""

from muster.instance import Chore
from muster.lab.calling import call_open_again
from muster.workforce.calling import fill_open_call_ups, watch_clocks

CHORES: tuple[Chore, ...] = (call_open_again, fill_open_call_ups, watch_clocks)
