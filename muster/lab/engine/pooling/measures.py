"""What a design costs and how well it finds people.

Symbols, as in Kim, Hudgens, Dreyfuss, Westreich, Pilcher (2007), Biometrics 63:1152, and Hitt, Bilder,
Tebbs, McMahan (2019), Statistics in Medicine 38:4912:
  p_i risk of person i, q_i = 1 - p_i; Se, Sp sensitivity and specificity of every single test;
  ET expected tests for all; PSe_i = P(found | infected), PSp_i = P(cleared | not infected).
The measures of a whole design are means weighted by who can be found (p_i) or cleared (q_i):
  PSe = sum p_i PSe_i / sum p_i,   PSp = sum q_i PSp_i / sum q_i,
  PPPV = sum p_i PSe_i / (sum p_i PSe_i + sum q_i (1 - PSp_i)),
  PNPV = sum q_i PSp_i / (sum q_i PSp_i + sum p_i (1 - PSe_i)).
Assumed: tests err independently given what is in the tube, and dilution changes neither Se nor Sp
(see dilution.py for what it does).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log2

from muster.lab.engine.pooling.faults import AccuracyUnfit, PrevalenceUnfit


@dataclass(frozen=True)
class Test:
    """How good one test is: shares from 0 to 1, together better than chance."""

    __test__ = False  # no test of ours

    sensitivity: float
    specificity: float

    def __post_init__(self) -> None:
        se, sp = self.sensitivity, self.specificity
        if not (0 <= se <= 1 and 0 <= sp <= 1 and se + sp > 1):
            raise AccuracyUnfit(sensitivity=se, specificity=sp)


@dataclass(frozen=True)
class Measured:
    """A design with its measures; a predictive value is None where nobody can have that result."""

    configuration: str
    size: int
    expected_tests: float
    tests_per_person: float
    pooling_sensitivity: float
    pooling_specificity: float
    ppv: float | None
    npv: float | None


def prevalence_of(value: float) -> float:
    """A share from 0 to 1, or PrevalenceUnfit."""
    if not isfinite(value) or not 0 <= value <= 1:
        raise PrevalenceUnfit(value=value)
    return value


def sum_up(
    configuration: str,
    *,
    expected: float,
    risks: Sequence[float],
    found: Sequence[float],
    cleared: Sequence[float],
) -> Measured:
    """The measures of a design from those of each person (`found` PSe_i, `cleared` PSp_i)."""
    sick, well = sum(risks), sum(1 - p for p in risks)
    true = sum(p * one for p, one in zip(risks, found, strict=True))
    clear = sum((1 - p) * one for p, one in zip(risks, cleared, strict=True))
    positives, negatives = true + (well - clear), clear + (sick - true)
    return Measured(
        configuration=configuration,
        size=len(risks),
        expected_tests=expected,
        tests_per_person=expected / len(risks),
        pooling_sensitivity=true / sick if sick else sum(found) / len(found),
        pooling_specificity=clear / well if well else sum(cleared) / len(cleared),
        ppv=true / positives if positives > 0 else None,
        npv=clear / negatives if negatives > 0 else None,
    )


def alone(risk: float, test: Test) -> Measured:
    """Everybody tested alone: what any design is held against."""
    return sum_up(
        "1", expected=1.0, risks=[risk], found=[test.sensitivity], cleared=[test.specificity]
    )


def floor(risk: float, size: int) -> float:
    """Tests a person below which no scheme with at most `size` people in a tube can go, perfect tests
    taken: max(1/k, H(p)), H(p) = -p log2 p - q log2 q. Each person is in at least one tube, and a test
    tells at most one bit (Shannon's source coding theorem; Sobel, Groll 1959)."""
    entropy = -sum(x * log2(x) for x in (risk, 1 - risk) if x > 0)
    return max(1 / size, entropy)
