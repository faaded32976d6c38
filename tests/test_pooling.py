"""The pooling engine: published figures, closed forms against seeded simulation, what cannot be."""

import random
from collections.abc import Callable, Sequence
from math import sqrt

import pytest

from muster.core.problems import Problem
from muster.lab.engine.pooling import advising, faults, hierarchical, households
from muster.lab.engine.pooling.advising import Terms
from muster.lab.engine.pooling.array import measure_array
from muster.lab.engine.pooling.decoding import decode
from muster.lab.engine.pooling.dilution import ct_shift
from muster.lab.engine.pooling.hierarchical import measure, measure_informed, read_stages
from muster.lab.engine.pooling.measures import Measured, Test, alone, floor
from muster.lab.engine.pooling.optimum import optimal, three_stages
from muster.lab.engine.pooling.prevalence import Pools, estimate, read_pools
from muster.lab.engine.pooling.reasons import reasons
from muster.lab.engine.pooling.sheets import read_cts, read_design

PERFECT, USUAL, POOR = Test(1, 1), Test(0.99, 0.99), Test(0.85, 0.93)
PLAYS = 6_000


def test_dorfmans_table() -> None:
    """Dorfman 1943, Annals of Mathematical Statistics 14:436, table I."""
    best = [optimal("2", p, PERFECT, most=50) for p in (0.01, 0.02, 0.05)]
    assert [(one.size, round(one.tests_per_person, 4)) for one in best] == [
        (11, 0.1956), (8, 0.2742), (5, 0.4262),
    ]  # fmt: skip


def test_the_vignettes_two_stages() -> None:
    """binGroup2's vignette: D2, p = 0.01, Se = Sp = 0.99, ten in a pool."""
    one = measure(read_stages("10,1"), 0.01, USUAL)
    assert one.ppv is not None
    assert one.npv is not None
    found = (one.expected_tests, one.pooling_sensitivity, one.pooling_specificity, one.ppv, one.npv)
    assert [f"{value:.4f}" for value in found] == ["2.0371", "0.9801", "0.9991", "0.9127", "0.9998"]


def test_at_city_prevalence() -> None:
    ten, twenty = (measure(read_stages(f"{k},1"), 1e-4, PERFECT) for k in (10, 20))
    assert [round(one.tests_per_person, 4) for one in (ten, twenty)] == [0.1010, 0.0520]


def test_households_together() -> None:
    apart, together = (
        households.tests_per_person(0.01, [10], correlation, PERFECT) for correlation in (0, 0.2)
    )
    assert [round(one, 4) for one in (apart, together)] == [0.1956, 0.1526]


@pytest.mark.parametrize("test", [USUAL, POOR])
@pytest.mark.parametrize(
    "stages", ["8,1", "12,4,1", "12;5,4,3;1", "9;6,2,1;3,3,1,1,1;1", "16,8,4,2,1", "12;12;6,6;1"]
)
def test_hierarchical_by_play(stages: str, test: Test) -> None:
    plan = read_stages(stages)
    size = plan[0][0]
    risks = [0.02 + 0.2 * i / size for i in range(size)]
    close(measure_informed(plan, risks, test), risks, lambda draw: split(plan, draw, test))


@pytest.mark.parametrize("test", [USUAL, POOR])
@pytest.mark.parametrize("master", [False, True])
def test_arrays_by_play(test: Test, master: bool) -> None:
    side, risk = 4, 0.06
    close(
        measure_array(side, risk, test, master=master), [risk] * side**2,
        lambda draw: cross(side, draw, test, master),
    )  # fmt: skip


def test_households_by_play() -> None:
    draw, risk, correlation = random.Random(4), 0.05, 0.3
    total = (1 - correlation) / correlation
    clean = 0
    for _ in range(4 * PLAYS):
        shared = draw.betavariate(risk * total, (1 - risk) * total)
        clean += all(draw.random() >= shared for _ in range(4))
    share = clean / (4 * PLAYS)
    error = sqrt(share * (1 - share) / (4 * PLAYS))
    assert abs(share - households.nobody(risk, 4, correlation)) < 4 * error


def close(
    said: Measured, risks: Sequence[float], play: Callable[[Sequence[bool]], tuple[int, list[bool]]]
) -> None:
    """Played often, tests and right answers are within four standard errors of what is said."""
    draw = random.Random(7)
    random.seed(11)
    tests, squares = 0, 0
    sick, well = list[tuple[int, int]](), list[tuple[int, int]]()
    for _ in range(PLAYS):
        truth = [draw.random() < p for p in risks]
        used, called = play(truth)
        tests, squares = tests + used, squares + used * used
        pairs = list(zip(truth, called, strict=True))
        sick.append((sum(t and c for t, c in pairs), sum(truth)))
        well.append((sum(not t and not c for t, c in pairs), len(truth) - sum(truth)))
    mean = tests / PLAYS
    error = sqrt((squares / PLAYS - mean**2) / PLAYS)
    assert abs(mean - said.expected_tests) < 4 * error
    within(sick, said.pooling_sensitivity)
    within(well, said.pooling_specificity)


def within(plays: list[tuple[int, int]], share: float) -> None:
    """People of a pool share its errors, so it is the pools that scatter: the standard error of a ratio."""
    of = sum(each for _, each in plays)
    found = sum(hits for hits, _ in plays) / of
    error = sqrt(sum((hits - found * each) ** 2 for hits, each in plays)) / of
    assert abs(found - share) < 4 * error + 1e-12


def answer(infected: bool, test: Test) -> bool:
    return random.random() < (test.sensitivity if infected else 1 - test.specificity)


def split(plan: hierarchical.Stages, truth: Sequence[bool], test: Test) -> tuple[int, list[bool]]:
    """Stage by stage as a laboratory does it: a pool is tested when the one around it was positive."""
    called, tests = [True] * len(truth), 0
    done: set[tuple[int, int]] = set()
    for level in plan:
        first = 0
        for size in level:
            members = range(first, first + size)
            first += size
            if (members[0], size) in done or not all(called[i] for i in members):
                continue
            done.add((members[0], size))
            tests += 1
            if not answer(any(truth[i] for i in members), test):
                for i in members:
                    called[i] = False
    return tests, called


def cross(side: int, truth: Sequence[bool], test: Test, master: bool) -> tuple[int, list[bool]]:
    called, tests = [False] * side**2, 0
    if master:
        tests += 1
        if not answer(any(truth), test):
            return tests, called
    tests += 2 * side
    rows = [answer(any(truth[r * side : (r + 1) * side]), test) for r in range(side)]
    columns = [answer(any(truth[c::side]), test) for c in range(side)]
    for i in range(side**2):
        row, column = rows[i // side], columns[i % side]
        if (row and column) or (row and not any(columns)) or (column and not any(rows)):
            tests += 1
            called[i] = answer(truth[i], test)
    return tests, called


def partitions(people: int, most: int) -> list[list[int]]:
    if people == 0:
        return [[]]
    return [
        [first, *rest]
        for first in range(min(people, most), 0, -1)
        for rest in partitions(people - first, first)
    ]


@pytest.mark.parametrize("test", [PERFECT, USUAL, POOR, Test(0.7, 0.9)])
@pytest.mark.parametrize("risk", [0.0005, 0.01, 0.05, 0.15, 0.3])
def test_the_search_finds_what_trying_all_finds(risk: float, test: Test) -> None:
    tried = min(
        measure(((n,), tuple(parts), (1,) * n), risk, test).tests_per_person
        for n in range(3, 13)
        for parts in partitions(n, n - 1)
    )
    assert optimal("3", risk, test, most=12).tests_per_person == pytest.approx(
        min(1, tried), abs=1e-9
    )


def test_a_three_stage_optimum_up_to_24() -> None:
    plan = three_stages(0.01, USUAL, 3, 24)
    assert plan is not None
    assert hierarchical.write_stages(plan) == "24;5,5,5,5,4;1"


def test_no_scheme_passes_the_floor() -> None:
    for risk in (1e-4, 0.01, 0.1, 0.3):
        for kind in ("2", "3"):
            best = optimal(kind, risk, PERFECT, most=20)
            assert best.tests_per_person >= floor(risk, 20)
    assert (floor(1e-4, 20), round(floor(0.11, 20), 4)) == (0.05, 0.4999)


@pytest.mark.parametrize(("risk", "pays"), [(0.0, True), (0.3, True), (0.31, False), (1.0, False)])
def test_where_pools_do_not_help_people_are_tested_alone(risk: float, pays: bool) -> None:
    best = optimal("2", risk, PERFECT, most=20)
    assert (best.tests_per_person < 1) is pays
    if not pays:
        assert best == alone(risk, PERFECT)


def test_nobody_or_everybody_infected() -> None:
    none, everyone = (measure(read_stages("10,1"), p, USUAL) for p in (0.0, 1.0))
    assert (none.expected_tests, none.ppv, none.npv) == (pytest.approx(1.1), 0.0, pytest.approx(1))
    assert (everyone.expected_tests, everyone.npv) == (pytest.approx(10.9), pytest.approx(0))


def test_equal_pools_have_a_closed_estimate() -> None:
    """Of pools of one person, the estimate is the plain share; of none positive, 0 with the score's end."""
    assert estimate(read_pools("1:20:1")).estimate == pytest.approx(0.05)
    none = estimate(read_pools("10:500:0"))
    assert (none.estimate, none.low) == (0, 0)
    z2, q = 1.959963984540054**2, (1 - none.high) ** 10
    assert 500 * (1 - q) / q == pytest.approx(z2)  # S^2 / I for equal pools
    assert estimate(read_pools("10:5:5")).high == 1


def test_the_interval_covers_and_the_estimate_has_no_bias() -> None:
    draw, p, plays = random.Random(3), 0.01, 400
    sizes = [(10, 60), (20, 30), (5, 20)]
    covered, points = 0, []
    for _ in range(plays):
        pools = [
            Pools(m, n, sum(draw.random() < 1 - (1 - p) ** m for _ in range(n))) for m, n in sizes
        ]
        found = estimate(pools)
        covered += found.low <= p <= found.high
        points.append(found.estimate)
    mean = sum(points) / plays
    error = sqrt(sum((one - mean) ** 2 for one in points)) / plays
    assert abs(mean - p) < 4 * error
    assert abs(covered / plays - 0.95) < 4 * sqrt(0.95 * 0.05 / plays)


def test_volumes_shift_not_heads() -> None:
    ten, one = (ct_shift(members=n, tube_ml=6, single_ml=3, efficiency=0.95) for n in (10, 1))
    assert (ten.dilution, round(ten.ct_shift, 6)) == (2.0, 1.037911)
    assert ten.ct_shift == one.ct_shift
    late = ct_shift(members=10, tube_ml=6, single_ml=3, efficiency=0.95, ct_mean=36, ct_sd=4)
    assert late.sensitivity is not None
    assert 0.7 < late.sensitivity < 0.9


# Each of eight specimens is in three of six pools; no two share more than two.
OVERLAP = [
    [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 1, 1, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0],
    [0, 1, 0, 1, 0, 0, 1, 1], [0, 0, 1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1, 1, 1],
]  # fmt: skip
HOLDS = [[bool(cell) for cell in row] for row in OVERLAP]


def test_one_positive_is_found() -> None:
    for i in range(8):
        read = decode(HOLDS, [row[i] for row in HOLDS])
        assert (read.of("positive"), read.stray, read.explained) == ([i], (), True)
        assert set(read.of("negative")) == set(range(8)) - {i}


def test_a_stray_pool_is_flagged_and_never_clears_the_infected() -> None:
    for i in range(8):
        for j in range(6):
            positive = [row[i] for row in HOLDS]
            positive[j] = not positive[j]
            read = decode(HOLDS, positive)
            assert i not in read.of("negative") or j not in read.stray
            if read.stray:
                assert j in read.stray
                assert i not in read.of("negative")
            assert read.explained


def test_what_is_wrong_is_said_in_both_languages() -> None:
    with pytest.raises(faults.StagesUnfit) as said:
        read_stages("24,7,1")
    assert "7 does not divide 24" in said.value.message("en")
    assert "24 不能被 7 整除" in said.value.message("zh")


def test_advice_gives_its_reasons() -> None:
    terms = Terms(USUAL, most=20, household=3, correlation=0.2)
    advice = advising.advise(advising.posterior([Pools(10, 5_000, 3)], terms), terms)
    assert advice.low < 3 / 50_000 < advice.high
    assert advice.best.size == 20
    assert [one for one in advice.options if one.cost < advice.best.cost] == []
    said = reasons(advice, terms)
    assert len(said) == 7
    assert advice.best.tests_per_person < advice.scattered
    common = advising.advise(advising.certain(0.4), terms)
    assert (common.best.size, common.best.called_back) == (1, 0)
    assert "test people alone" in reasons(common, terms)[1][0]


CT = "pool;Ct\nA;31,5\nB;Undetermined\nC;\n"


def test_files_as_people_write_them() -> None:
    design = read_design("﻿pool,s1,s2,s3\nA,1,1,0\nB,0,1,1\nC,1,0,1\n")
    assert (design.pools, design.specimens) == (("A", "B", "C"), ("s1", "s2", "s3"))
    expected = [31.5, None, None]
    for text in (CT, "A,31,5\nB,undetermined\nC,-\n", 'A,"31,5"\nC,NaN\nB,\n', "31.5\n\nN/A\n"):
        assert read_cts(text, design) == expected, text
    assert read_design("1,0\n1,1\n").pools == ("1", "2")


UNFIT: list[tuple[str, Callable[[], object]]] = [
    ("prevalence-unfit", lambda: measure(read_stages("10,1"), -0.1, USUAL)),
    ("prevalence-unfit", lambda: optimal("2", float("nan"), USUAL, most=10)),
    ("prevalence-unfit", lambda: measure_array(3, 1.1, USUAL)),
    ("accuracy-unfit", lambda: Test(0.4, 0.5)),
    ("accuracy-unfit", lambda: Test(1.2, 0.9)),
    ("stages-unfit", lambda: read_stages("24,7,1")),
    ("stages-unfit", lambda: read_stages("24;5,5,5,5,5;1")),
    ("stages-unfit", lambda: read_stages("24;12,12;8,8,8;1")),
    ("stages-unfit", lambda: read_stages("24")),
    ("stages-unfit", lambda: read_stages("ten,1")),
    ("stages-unfit", lambda: read_stages("24,0,1")),
    ("stages-unfit", lambda: measure_informed(read_stages("3,1"), [0.1], USUAL)),
    ("stages-unfit", lambda: hierarchical.halves(3, 5)),
    ("size-unfit", lambda: read_stages("4000,1")),
    ("size-unfit", lambda: measure_array(1, 0.1, USUAL)),
    ("size-unfit", lambda: optimal("3", 0.1, USUAL, most=1_000)),
    ("pools-unfit", lambda: read_pools("10:5:6")),
    ("pools-unfit", lambda: read_pools("10:5")),
    ("pools-unfit", lambda: estimate([])),
    ("amount-unfit", lambda: ct_shift(members=1, tube_ml=0, single_ml=3, efficiency=1)),
    ("amount-unfit", lambda: households.nobody(0.1, 3, 1.0)),
    ("design-unfit", lambda: read_design("")),
    ("design-unfit", lambda: read_design("1,0\n1,1,1\n")),
    ("design-unfit", lambda: read_design("1,0\n1,2\n")),
    ("design-unfit", lambda: read_design("1,0\n1,0\n")),
    ("cts-unfit", lambda: read_cts("30\n31\n", read_design("1,0,1\n0,1,1\n1,1,0\n"))),
    ("cts-unfit", lambda: read_cts("30\nhello\n", read_design("1,0\n1,1\n"))),
]


@pytest.mark.parametrize(("slug", "ask"), UNFIT)
def test_what_cannot_be_is_said(slug: str, ask: Callable[[], object]) -> None:
    with pytest.raises(Problem) as caught:
        ask()
    assert caught.value.slug == slug
    assert caught.value.message("zh") != caught.value.message("en")
