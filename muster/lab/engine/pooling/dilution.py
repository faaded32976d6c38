"""What more liquid does to a signal: a later Ct, and positives that stay under the limit.

Swabs put into one tube do not share a swab's material out: what counts is the liquid it is washed into. A
tube of V ml instead of a single tube's V_1 ml dilutes V / V_1 times, however many swabs are in it, and with an
amplification efficiency e (1: doubling in each cycle)
  Ct shift = log(V / V_1) / log(1 + e).
Where liquids are mixed instead (a laboratory's pools of k equal parts), the volume is k times that of a
part; give k parts' volume for V. With Ct of positives normal(mu, sd) and read as positive to a limit c,
  sensitivity left = F((c - shift - mu) / sd) / F((c - mu) / sd).
"""

from dataclasses import dataclass
from math import isfinite, log
from statistics import NormalDist

from muster.lab.engine.pooling.faults import AmountUnfit, SizeUnfit


@dataclass(frozen=True)
class Shift:
    """What a tube's volume does; `sensitivity` is the share of a single tube's positives still found."""

    members: int
    dilution: float
    ct_shift: float
    sensitivity: float | None


def ct_shift(
    *, members: int, tube_ml: float, single_ml: float, efficiency: float,
    ct_mean: float | None = None, ct_sd: float = 5.0, limit: float = 38.0,
) -> Shift:  # fmt: skip
    """The shift in cycles by volumes in ml, and with `ct_mean` the share of positives still found."""
    if not 1 <= members <= 1_000:
        raise SizeUnfit(size=members, least=1, most=1_000)
    for what, value in (("tube_ml", tube_ml), ("single_ml", single_ml), ("ct_sd", ct_sd)):
        if not (isfinite(value) and value > 0):
            raise AmountUnfit(what=what, value=value, bounds="> 0")
    if not 0 < efficiency <= 1:
        raise AmountUnfit(what="efficiency", value=efficiency, bounds="> 0, ≤ 1")
    dilution = tube_ml / single_ml
    shift = log(dilution) / log(1 + efficiency)
    left = None
    if ct_mean is not None:
        seen = NormalDist(ct_mean, ct_sd)
        alone = seen.cdf(limit)
        if alone == 0:
            raise AmountUnfit(what="ct_mean", value=ct_mean, bounds=f"≤ {limit}")
        left = min(1.0, seen.cdf(limit - shift) / alone)
    return Shift(members, dilution, shift, left)
