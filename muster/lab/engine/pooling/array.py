"""Square arrays: each of n x n specimens lies in a row's pool and a column's pool.

Tested alone is who lies where a positive row meets a positive column; where all rows are negative, everyone
of a positive column, and the other way round; with a master pool only if that was positive first
(Kim et al. 2007, sections 2.2 and 2.3). With q = 1 - p and for one pool of m people
  r(m) = q^m Sp + (1 - q^m)(1 - Se), the chance that it tests negative:
  P(R+, C+)    = Se^2 + 2 Se (1 - Sp - Se) q^n + (1 - Sp - Se)^2 q^(2n-1)
  P(no R+, C+) = (1 - Sp) q^n r(n-1)^n + Se [r(n)^n - q^n r(n-1)^n]      (rows, given the column's truth)
  ET           = 2n + n^2 [P(R+, C+) + 2 P(no R+, C+)]
  PSe          = Se^3 + 2 Se^2 (1 - Se) r(n)^(n-1)
  1 - PSp      = (1 - Sp) [(Se + (1 - Se - Sp) q^(n-1))^2 + 2 P(no R+, C+ | well)]
A master pool multiplies what needs an infected person by Se, and what happens though nobody is, Q = q^(n n), by
1 - Sp. One specimen is split over several pools: for a laboratory's studies, not for swab pools.
"""

from muster.lab.engine.pooling.faults import SizeUnfit
from muster.lab.engine.pooling.measures import Measured, Test, prevalence_of, sum_up

SIDES = range(2, 101)


def measure_array(side: int, risk: float, test: Test, *, master: bool = False) -> Measured:
    """A square array of `side` rows and columns, with or without a pool of all before it."""
    if side not in SIDES:
        raise SizeUnfit(size=side, least=SIDES[0], most=SIDES[-1])
    n, q = side, 1 - prevalence_of(risk)
    se, sp = test.sensitivity, test.specificity
    slip = 1 - se - sp

    def negative(people: int) -> float:
        return q**people * sp + (1 - q**people) * (1 - se)

    both = se**2 + 2 * se * slip * q**n + slip**2 * q ** (2 * n - 1)
    empty = negative(n - 1) ** n  # all rows negative although, or because, the column is clean
    lone = (1 - sp) * q**n * empty + se * (negative(n) ** n - q**n * empty)
    well_both = (se + slip * q ** (n - 1)) ** 2
    well_lone = (1 - sp) * q ** (n - 1) * empty + se * (
        negative(n - 1) * negative(n) ** (n - 1) - q ** (n - 1) * empty
    )
    tested, well = both + 2 * lone, well_both + 2 * well_lone
    found = se**3 + 2 * se**2 * (1 - se) * negative(n) ** (n - 1)
    expected = 2 * n + n * n * tested
    if master:
        clean = (1 - sp) ** 2 + 2 * (1 - sp) * sp**n  # tested alone although nobody is infected
        nobody = q ** (n * n)
        expected = 1 + se * expected + slip * nobody * (2 * n + n * n * clean)
        well = se * well + slip * q ** (n * n - 1) * clean
        found *= se
    people = n * n
    name = f"array {n}x{n}" + (" with a master pool" if master else "")
    return sum_up(
        name, expected=expected, risks=[risk] * people, found=[found] * people,
        cleared=[1 - (1 - sp) * well] * people,
    )  # fmt: skip
