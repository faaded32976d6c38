"""How common an infection is, told from pools of any sizes.

x_j of n_j pools of m_j people are positive, perfect tests taken; q = 1 - p, N = sum m_j n_j:
  score  S(p) = [sum m_j x_j / (1 - q^m_j) - N] / q,
  information I(p) = sum v_j,  v_j = m_j^2 n_j q^(m_j - 2) / (1 - q^m_j),
  third moment of the score mu_3(p) = sum m_j^3 n_j q^(m_j - 3) (2 q^m_j - 1) / (1 - q^m_j)^2.
Estimate: Firth's, which prevents bias: q S(p) + (1 - sum m_j v_j / I) / 2 = 0 (Hepworth, Biggerstaff 2017,
JABES 22:602). Interval: score corrected for skewness, the p with
  S / sqrt(I) - mu_3 I^(-3/2) (z^2 - 1) / 6 = +z and -z
(Gart; Biggerstaff 2008, Environmetrics 19:617). Both are what binGroup2's propCI takes by itself. Without a
positive pool the estimate is 0 and the upper end that of the plain score, S^2 / I = z^2, as there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import NormalDist

from muster.lab.engine.pooling.faults import PoolsUnfit, Why

METHOD = "Firth; skew-corrected score, 95 %"
LEVEL = 0.95
MOST_SIZE, MOST_KINDS = 10_000, 1_000
_LEAST = 1e-15
_STEPS = 200


@dataclass(frozen=True)
class Pools:
    """So many pools of one size, of which so many were positive."""

    size: int
    tested: int
    positive: int


@dataclass(frozen=True)
class Estimate:
    """A prevalence with its interval, shares from 0 to 1."""

    estimate: float
    low: float
    high: float
    method: str


def read_pools(text: str) -> list[Pools]:
    """`size:pools:positive,…`; PoolsUnfit where it is not."""
    found = []
    for item in text.split(","):
        try:
            size, tested, positive = (int(part) for part in item.split(":"))
        except ValueError:
            raise PoolsUnfit(
                pools=text,
                reason=Why(f'"{item}" is not three whole numbers', f"“{item}”不是三个整数"),
            ) from None
        found.append(Pools(size, tested, positive))
    return check_pools(found)


def check_pools(pools: Sequence[Pools]) -> list[Pools]:
    """The pools, if they can be; those of one size together."""
    text = ",".join(f"{one.size}:{one.tested}:{one.positive}" for one in pools)[:200]
    sums: dict[int, list[int]] = {}
    for one in pools:
        if not 1 <= one.size <= MOST_SIZE or one.tested < 0:
            raise PoolsUnfit(
                pools=text,
                reason=Why(
                    f"sizes are from 1 to {MOST_SIZE}, counts not negative",
                    f"人数应为 1 至 {MOST_SIZE}，管数不能为负",
                ),
            )
        if not 0 <= one.positive <= one.tested:
            raise PoolsUnfit(
                pools=text,
                reason=Why("more pools are positive than were tested", "阳性管数多于检测管数"),
            )
        sums.setdefault(one.size, [0, 0])
        sums[one.size][0] += one.tested
        sums[one.size][1] += one.positive
    kinds = [Pools(m, n, x) for m, (n, x) in sorted(sums.items()) if n]
    if not kinds or len(kinds) > MOST_KINDS:
        raise PoolsUnfit(
            pools=text,
            reason=Why("no pool was tested", "没有检测过的混样")
            if not kinds
            else Why("too many sizes", "规格过多"),
        )
    return kinds


def estimate(pools: Sequence[Pools]) -> Estimate:
    """The prevalence by pools, with a 95 % interval."""
    kinds = check_pools(pools)
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    positive, tested = sum(one.positive for one in kinds), sum(one.tested for one in kinds)
    if positive == 0:
        high = _root(
            lambda p: -_score(kinds, p) / sqrt(_information(kinds, p)) - z, _LEAST, 1 - 1e-12
        )
        return Estimate(0.0, 0.0, high, METHOD)
    point = _root(lambda p: -_firth(kinds, p), _LEAST, 1 - 1e-12)
    centre = 1.0 if positive == tested else _root(lambda p: -_score(kinds, p), _LEAST, 1 - 1e-12)
    low = _root(lambda p: z - _skewed(kinds, p, z), _LEAST, min(centre, 1 - 1e-9))
    high = (
        1.0 if positive == tested else _root(lambda p: -z - _skewed(kinds, p, z), centre, 1 - 1e-9)
    )
    return Estimate(1.0 if point > 1 - 1e-9 else point, low, high, METHOD)


def _score(kinds: Sequence[Pools], p: float) -> float:
    q = 1 - p
    people = sum(one.size * one.tested for one in kinds)
    return (sum(g.size * g.positive / (1 - q**g.size) for g in kinds if g.positive) - people) / q


def _weights(kinds: Sequence[Pools], p: float) -> list[float]:
    q = 1 - p
    return [g.size**2 * g.tested * q ** (g.size - 2) / (1 - q**g.size) for g in kinds]


def _information(kinds: Sequence[Pools], p: float) -> float:
    return sum(_weights(kinds, p)) or 5e-324


def _firth(kinds: Sequence[Pools], p: float) -> float:
    weights = _weights(kinds, p)
    total = sum(weights) or 5e-324
    mean = sum(g.size * v for g, v in zip(kinds, weights, strict=True)) / total
    return (1 - p) * _score(kinds, p) + (1 - mean) / 2


def _skewed(kinds: Sequence[Pools], p: float, z: float) -> float:
    q, spread = 1 - p, sqrt(_information(kinds, p))
    third = sum(
        g.size**3 * g.tested * q ** (g.size - 3) * (2 * q**g.size - 1) / (1 - q**g.size) ** 2
        for g in kinds
    )
    return _score(kinds, p) / spread - third / spread**3 * (z * z - 1) / 6


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where `rising` passes zero between `low` and `high`, halved until nothing lies between."""
    for _ in range(_STEPS):
        middle = sqrt(low * high) if low < high / 4 else (low + high) / 2
        if middle in (low, high):
            break
        value = rising(middle)
        if not isfinite(value) or value > 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2
