"""How many swabs in a tube here, in the next round, by what the last round's tubes have shown.

Prevalence: the posterior on a grid of p, evenly spaced in log p, under the prior p^(-1/2) of Jeffreys for rare things;
a tube of m people is positive with Se (1 - N_m) + (1 - Sp) N_m (households.py: N_m). Every figure of a size is the
mean over that posterior, not the value at one guess. A positive tube of swabs calls all its people back, so
  tests a person = 1/k + c,  called back c = P(tube positive),  hours = c minutes / 60,
  cost = tests x price of a test + hours x price of an hour,
and of those infected who is missed is 1 - Se^2 (the tube's test, then the person's own).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, log1p

from muster.lab.engine.pooling.faults import AmountUnfit, SizeUnfit
from muster.lab.engine.pooling.households import positive_share, together
from muster.lab.engine.pooling.measures import Test, floor, prevalence_of
from muster.lab.engine.pooling.prevalence import Pools, check_pools

MOST_SIZE = 50
MOST_HOUSEHOLD = 50
MOST_BEFORE = 200  # people in a tube of the last round
GRID = 160
LOWEST, HIGHEST = 1e-8, 0.6
FLAT = 1.05  # within five in a hundred of the least cost, habits and tubes at hand may decide

Posterior = list[tuple[float, float]]  # (prevalence, weight), weights adding up to 1


@dataclass(frozen=True)
class Terms:
    """What an area has to reckon with. Prices are in one currency, whichever."""

    test: Test
    most: int = 20
    household: int = 1
    correlation: float = 0.0
    reswab_minutes: float = 15.0
    test_price: float = 25.0
    hour_price: float = 40.0

    def __post_init__(self) -> None:
        if not 1 <= self.most <= MOST_SIZE:
            raise SizeUnfit(size=self.most, least=1, most=MOST_SIZE)
        for what in ("reswab_minutes", "test_price", "hour_price"):
            value = getattr(self, what)
            if not (isfinite(value) and value >= 0):
                raise AmountUnfit(what=what, value=value, bounds="≥ 0")
        if not 1 <= self.household <= MOST_HOUSEHOLD:
            raise SizeUnfit(size=self.household, least=1, most=MOST_HOUSEHOLD)
        if not 0 <= self.correlation < 1:
            raise AmountUnfit(what="correlation", value=self.correlation, bounds="≥ 0, < 1")


@dataclass(frozen=True)
class Option:
    """One size, for 10,000 people; `tests_per_person` and `missed_share` are shares."""

    size: int
    tests_per_person: float
    tubes: float
    called_back: float
    reswab_hours: float
    cost: float
    missed_share: float
    floor: float


@dataclass(frozen=True)
class Advice:
    """The size with the least cost, the sizes that cost hardly more, and all that was weighed."""

    best: Option
    flat_from: int
    flat_to: int
    options: tuple[Option, ...]
    prevalence: float
    low: float
    high: float
    scattered: float  # tests a person at the best size, were households not kept together


PEOPLE = 10_000


def certain(risk: float) -> Posterior:
    """A prevalence that is taken as known."""
    return [(prevalence_of(risk), 1.0)]


def posterior(pools: Sequence[Pools], terms: Terms) -> Posterior:
    """What the tubes of the last round leave to be believed of the prevalence."""
    kinds = check_pools(pools)
    if kinds[-1].size > MOST_BEFORE:
        raise SizeUnfit(size=kinds[-1].size, least=1, most=MOST_BEFORE)
    step = log(HIGHEST / LOWEST) / (GRID - 1)
    grid = [LOWEST * exp(step * i) for i in range(GRID)]
    logs = []
    for p in grid:
        weight = 0.5 * log(p)  # p^(-1/2), times p for even steps of log p
        for one in kinds:
            households = together(one.size, terms.household)
            share = positive_share(p, households, terms.correlation, terms.test)
            weight += one.positive * log(share) if one.positive else 0.0
            negative = one.tested - one.positive
            weight += negative * (log1p(-share) if share < 1 else -700.0)
        logs.append(weight)
    top = max(logs)
    weights = [exp(one - top) for one in logs]
    total = sum(weights)
    return [(p, w / total) for p, w in zip(grid, weights, strict=True) if w > total * 1e-12]


def advise(belief: Posterior, terms: Terms) -> Advice:
    """The size of a tube for the next round, every size up to the limit weighed."""
    options = tuple(weigh(size, belief, terms) for size in range(1, terms.most + 1))
    best = min(options, key=lambda one: (one.cost, one.size))
    near = {one.size for one in options if one.cost <= best.cost * FLAT}
    first = last = best.size
    while first - 1 in near:
        first -= 1
    while last + 1 in near:
        last += 1
    alone = Terms(terms.test, terms.most)
    return Advice(
        best, first, last, options, sum(p * w for p, w in belief), _quantile(belief, 0.025),
        _quantile(belief, 0.975), weigh(best.size, belief, alone).tests_per_person,
    )  # fmt: skip


def weigh(size: int, belief: Posterior, terms: Terms) -> Option:
    """What tubes of one size mean for 10,000 people."""
    households, test = together(size, terms.household), terms.test
    positive = sum(w * positive_share(p, households, terms.correlation, test) for p, w in belief)
    called = positive if size > 1 else 0.0
    tests, hours = 1 / size + called, called * terms.reswab_minutes / 60
    cost = tests * terms.test_price + hours * terms.hour_price
    return Option(
        size=size,
        tests_per_person=tests,
        tubes=PEOPLE / size,
        called_back=PEOPLE * called,
        reswab_hours=PEOPLE * hours,
        cost=PEOPLE * cost,
        missed_share=1 - test.sensitivity ** (1 if size == 1 else 2),
        floor=floor(sum(p * w for p, w in belief), size),
    )


def _quantile(belief: Posterior, share: float) -> float:
    so_far = 0.0
    for p, w in belief:
        so_far += w
        if so_far >= share:
            return p
    return belief[-1][0]
