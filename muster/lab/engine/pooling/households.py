"""People who live together are infected together: fewer tubes are positive for the same prevalence.

Beta-binomial: a household's risk is drawn from Beta(a, b), a = p M, b = (1 - p) M, M = (1 - r) / r, with r the
correlation of two of its members. Nobody of h people is infected with the chance
  N_h = product over i < h of (b + i) / (a + b + i);
tubes of several households multiply these (Comess, Wang, Holmes, Donnat 2022; Skellam 1948). r = 0: q^h.
"""

from collections.abc import Sequence
from math import prod

from muster.lab.engine.pooling.faults import AmountUnfit, SizeUnfit
from muster.lab.engine.pooling.measures import Test, prevalence_of


def nobody(risk: float, people: int, correlation: float) -> float:
    """The chance that nobody of a household is infected."""
    if not 0 <= correlation < 1:
        raise AmountUnfit(what="correlation", value=correlation, bounds="≥ 0, < 1")
    prevalence_of(risk)
    if correlation == 0:
        return (1 - risk) ** people
    total = (1 - correlation) / correlation
    return prod(((1 - risk) * total + i) / (total + i) for i in range(people))


def together(size: int, household: int) -> list[int]:
    """A tube of `size` filled with whole households of one size, the last one cut."""
    if size < 1 or household < 1:
        raise SizeUnfit(size=min(size, household), least=1, most=1_000)
    full, rest = divmod(size, household)
    return [household] * full + ([rest] if rest else [])


def positive_share(risk: float, members: Sequence[int], correlation: float, test: Test) -> float:
    """The chance that a tube of these households tests positive."""
    clean = prod(nobody(risk, people, correlation) for people in members)
    return test.sensitivity * (1 - clean) + (1 - test.specificity) * clean


def tests_per_person(risk: float, members: Sequence[int], correlation: float, test: Test) -> float:
    """Of two stages: the tube's share and everybody of a positive one once more."""
    size = sum(members)
    return 1.0 if size == 1 else 1 / size + positive_share(risk, members, correlation, test)
