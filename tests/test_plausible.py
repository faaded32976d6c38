"""Whether reported figures can be true: the briefing of 4 August 2021, 14:00, raises exactly its two
errors; what rounding explains is none.
"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from muster.coverage.engine.plausible import Finding, Line, check

BRIEFING = (
    Line("开发区", 453_000),
    Line("莱山区", 389_000, 268_000, None, 688),
    Line("芝罘区", 877_000, 358_000, 173_000, 408),
    Line("福山区", 453_000, 385_000, None, 851),
    Line("高新区", 92_000, 47_000, None, 800),
)
WHOLE = Line("五区", 2_265_000, 1_569_000, 239_000, 693)


def test_the_briefing_has_exactly_two_errors():
    assert check(WHOLE, BRIEFING, rounded_to=1000) == [
        Finding("share_differs", "高新区", "sampled", 800, 511, 92_000),
        Finding("rest_over_100", "开发区", "sampled", 511_000, 1128, 453_000),
    ]


def test_each_error_goes_with_its_cause():
    told = [replace(one, share_permille=511) if one.name == "高新区" else one for one in BRIEFING]
    kinds = [one.kind for one in check(WHOLE, told, rounded_to=1000)]
    assert kinds == ["rest_over_100"]
    whole = replace(WHOLE, sampled=1_500_000, share_permille=662)
    assert [one.kind for one in check(whole, told, rounded_to=1000)] == []


def test_a_figure_stands_for_what_it_was_rounded_from():
    one = Line("a", 45_300, 45_349)
    assert check(None, [one], rounded_to=100) == []
    assert [f.kind for f in check(None, [one])] == ["share_over_100"]


def test_parts_that_do_not_add_up():
    parts = [Line("a", 100, 50, 60), Line("b", 100, 50, 10)]
    assert check(Line("all", 201, 100, 70), parts) == [
        Finding("more_than_before", "a", "resulted", 60, 50, 50),
        Finding("total_differs", None, "involved", 201, 200),
    ]
    silent = [Line("a", 100, 90), Line("b", 100)]
    assert [f.kind for f in check(Line("all", 200, 80), silent)] == ["parts_exceed_total"]
    assert check(Line("all", 200, 180), silent) == []


def test_a_declared_share_over_100_is_one_even_without_figures():
    assert [f.kind for f in check(None, [Line("a", share_permille=1030)])] == ["share_over_100"]


people = st.integers(0, 10_000_000)


@given(
    st.lists(st.tuples(people, people, people), min_size=1, max_size=8),
    st.sampled_from([1, 10, 1000]),
)
def test_true_figures_are_never_doubted(rows, unit):
    """Whatever is true stays without a finding, however it was rounded."""
    true = [sorted(row, reverse=True) for row in rows]

    def rounded(values):
        a, b, c = (unit * ((value + unit // 2) // unit) for value in values)
        return a, b, c, (1000 * values[1] + values[0] // 2) // values[0] if values[0] else None

    parts = [Line(str(n), *rounded(row)) for n, row in enumerate(true)]
    total = Line("all", *rounded([sum(column) for column in zip(*true, strict=True)]))
    assert check(total, parts, rounded_to=unit) == []
